package integration

import (
	"sync"
	"testing"

	"github.com/gosojourn/sojourn"
	"github.com/gosojourn/sojourn/sqlstore"
)

// Every caller is counted once, and no exchange without a caller. SQLite shares transactions only.
func TestSQLStatsAreExact(t *testing.T) {
	everywhere(t, func(t *testing.T, p place) {
		s := p.store(t)
		var all [64]sojourn.Record
		for i := range all {
			all[i] = create(t, s, newRecord(""))
		}
		before := s.Stats()
		const rounds = 20
		var wg sync.WaitGroup
		for i := range all {
			wg.Go(func() {
				for range rounds {
					if _, err := s.Load(t.Context(), all[i].ID); err != nil {
						t.Error(err)
					}
					r := all[i]
					r.Version = newVersion()
					if err := s.Update(t.Context(), r, all[i].Version); err != nil {
						t.Error(err)
					}
					all[i] = r
				}
			})
		}
		wg.Wait()
		after := s.Stats()
		calls := uint64(len(all) * rounds)
		counted(t, "saves", before.Saves, after.Saves, calls)
		if p.dialect == sqlstore.SQLite {
			calls = 0
		}
		counted(t, "loads", before.Loads, after.Loads, calls)
	})
}

func counted(t *testing.T, what string, before, after sqlstore.Sharing, calls uint64) {
	t.Helper()
	exchanges, callers, shared := after.Exchanges-before.Exchanges, after.Callers-before.Callers, after.Shared-before.Shared
	t.Logf("%s: %d exchanges, %d callers, %d of them shared one", what, exchanges, callers, shared)
	if callers != calls {
		t.Errorf("%s: %d callers, want %d", what, callers, calls)
	}
	// Those who were alone had an exchange each, and two at least share each other one.
	if alone := callers - shared; exchanges < alone || exchanges > alone+shared/2 {
		t.Errorf("%s: %d exchanges of %d callers, of whom %d shared one", what, exchanges, callers, shared)
	}
}
