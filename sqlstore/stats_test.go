package sqlstore

import (
	"context"
	"database/sql/driver"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/gosojourn/sojourn"
)

// Five who come while one is under way share an exchange, and all six are counted.
func TestStatsCountCallersAndExchanges(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		f := &fake{do: func(context.Context, string, []driver.NamedValue) (reply, error) {
			<-release
			return reply{}, nil
		}}
		s := f.store(t, Postgres, 8)
		s.loads.lanes = 1
		var wg sync.WaitGroup
		for i := range 6 {
			wg.Go(func() {
				if _, err := s.Load(t.Context(), someRecord(i).ID); err != sojourn.ErrNotFound {
					t.Errorf("Load: %v, want ErrNotFound", err)
				}
			})
			synctest.Wait()
		}
		if got := s.Stats().Loads; got != (Sharing{}) {
			t.Errorf("while the first is under way: %+v, want nothing", got)
		}
		close(release)
		wg.Wait()
		if got, want := s.Stats().Loads, (Sharing{Exchanges: 2, Callers: 6, Shared: 5}); got != want {
			t.Errorf("%+v, want %+v", got, want)
		}
		if f.count() != 2 {
			t.Errorf("the database was asked %d times, want 2", f.count())
		}
		if got := s.Stats().Saves; got != (Sharing{}) {
			t.Errorf("saves: %+v, want none", got)
		}
		s.db.Close() // its goroutine ends with the bubble
	})
}

// Each statement that lost is asked again, and each time is counted: alone, and from a shared exchange.
func TestStatsCountRepeats(t *testing.T) {
	for name, c := range losses {
		for op, write := range writes {
			synctest.Test(t, func(t *testing.T) {
				s := losing(t, c.d, c.err, 3)
				if err := write(t.Context(), s); err != nil {
					t.Fatalf("%s, %s: %v", name, op, err)
				}
				if n := s.Stats().Repeats; n != 3 {
					t.Errorf("%s, %s: %d repeats of what was lost three times", name, op, n)
				}
				s.db.Close()
			})
		}
	}
}

func TestStatsOfThePool(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		f := &fake{do: func(context.Context, string, []driver.NamedValue) (reply, error) {
			<-release
			return reply{affected: 1}, nil
		}}
		s := f.store(t, Postgres, 1)
		var wg sync.WaitGroup
		for i := range 3 {
			wg.Go(func() { s.Delete(t.Context(), someRecord(i).ID, 1) })
			synctest.Wait()
		}
		if p := s.Stats().Pool; p.InUse != 1 || p.WaitCount != 2 {
			t.Errorf("%d in use, %d waited; want 1, 2", p.InUse, p.WaitCount)
		}
		close(release)
		wg.Wait()
		s.db.Close()
	})
}

func TestStatsAllocateNothing(t *testing.T) {
	s := (&fake{}).store(t, Postgres, 1)
	if n := testing.AllocsPerRun(100, func() { s.Stats() }); n != 0 {
		t.Errorf("Stats allocates %v objects, want none", n)
	}
}
