package integration

import (
	"math/rand/v2"
	"sync"
	"testing"

	"github.com/gosojourn/sojourn"
	"github.com/gosojourn/sojourn/sqlstore"
)

// Saves that share a statement are told apart: each hears of its own session, hit or missed.
func TestSQLSavesTogetherAreToldApart(t *testing.T) {
	everywhere(t, func(t *testing.T, p place) {
		for name, prepare := range map[string]func(*sqlstore.Store){
			"as documented": func(*sqlstore.Store) {},
			"migrated":      func(s *sqlstore.Store) { migrate(t, s) },
		} {
			s := p.store(t)
			prepare(s)
			for range 10 {
				var all [64]sojourn.Record
				for i := range all {
					all[i] = create(t, s, newRecord(""))
				}
				var wg sync.WaitGroup
				for i := range all {
					wg.Go(func() {
						r, version, want := all[i], all[i].Version, error(nil)
						if r.Version = newVersion(); i%3 == 0 {
							version, want = newVersion(), sojourn.ErrConflict
						}
						r.Data = append([]byte(nil), r.Data[:len(r.Data)/2]...)
						if err := s.Update(t.Context(), r, version); err != want {
							t.Errorf("%s: Update: %v, want %v", name, err, want)
						} else if want == nil {
							all[i] = r
						}
					})
				}
				wg.Wait()
				for _, r := range all {
					holds(t, s, r)
				}
			}
		}
	})
}

// Two processes save the same sessions, many at once: of two saves from one version one is told that it
// was applied, and the other that it was not.
func TestSQLSavesTogetherFromTwoProcesses(t *testing.T) {
	everywhere(t, func(t *testing.T, p place) {
		ctx, stores := t.Context(), [2]*sqlstore.Store{p.store(t), p.store(t)}
		var all [40]sojourn.Record
		for i := range all {
			all[i] = create(t, stores[0], newRecord(""))
		}
		for range 25 {
			var next [2][len(all)]sojourn.Record
			var errs [2][len(all)]error
			var wg sync.WaitGroup
			for side, s := range stores {
				for _, i := range rand.Perm(len(all)) {
					r := all[i]
					r.Version = newVersion()
					next[side][i] = r
					wg.Go(func() { errs[side][i] = s.Update(ctx, r, all[i].Version) })
				}
			}
			wg.Wait()
			for i := range all {
				now, err := stores[0].Load(ctx, all[i].ID)
				if err != nil {
					t.Fatal(err)
				}
				var applied [2]bool
				for side := range stores {
					applied[side] = now.Version == next[side][i].Version
					switch err := errs[side][i]; {
					case err == nil && !applied[side]:
						t.Errorf("a save that was not applied was said to be")
					case err == sojourn.ErrConflict && applied[side]:
						t.Errorf("a save that was applied was said to be a conflict")
					case err != nil && err != sojourn.ErrConflict:
						t.Error(err)
					}
				}
				if applied[0] == applied[1] && now.Version == all[i].Version && errs[0][i] == nil {
					t.Errorf("neither of two saves was applied: %v, %v", errs[0][i], errs[1][i])
				}
				all[i] = now
			}
		}
	})
}

// Saves that share a statement meet others who remove the rows and make them anew: each save is still
// told that it was applied or that it was not.
func TestSQLSavesTogetherWhileRowsComeAndGo(t *testing.T) {
	everywhere(t, func(t *testing.T, p place) {
		ctx, s := t.Context(), p.store(t)
		var ids [8]string
		for i := range ids {
			ids[i] = create(t, s, newRecord("")).ID
		}
		var wg sync.WaitGroup
		for range 32 {
			wg.Go(func() {
				for range 100 {
					r := newRecord("")
					r.ID = ids[rand.IntN(len(ids))]
					var err error
					switch rand.IntN(4) {
					case 0:
						err = s.Delete(ctx, r.ID, 0)
					case 1:
						err = s.Create(ctx, r)
					default:
						var old sojourn.Record
						if old, err = s.Load(ctx, r.ID); err == nil {
							err = s.Update(ctx, r, old.Version)
						}
					}
					if err != nil && err != sojourn.ErrConflict && err != sojourn.ErrNotFound {
						t.Errorf("neither applied nor not: %v", err)
					}
				}
			})
		}
		wg.Wait()
	})
}
