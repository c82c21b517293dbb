package integration

import (
	"context"
	"errors"
	"net/http"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gosojourn/sojourn"
	"github.com/gosojourn/sojourn/sqlstore"
)

// F17: somebody has locked the table, and 16,000 who read wait with one deadline. They all leave at once: that
// costs each the same, however many they are, and nobody who comes afterwards.
func TestF17_ThousandsLeaveAtOnce(t *testing.T) {
	const waiters = 16_000
	for name, c := range map[string]struct {
		p    func(t *testing.T) place
		lock []string
	}{
		"MySQL":    {func(t *testing.T) place { return onMySQL(t, nil, mysqlTable) }, []string{"LOCK TABLES sessions WRITE"}},
		"Postgres": {func(t *testing.T) place { return onPostgres(t, postgresTable) }, []string{"BEGIN", "LOCK TABLE sessions IN ACCESS EXCLUSIVE MODE"}},
	} {
		t.Run(name, func(t *testing.T) {
			p := c.p(t)
			db := p.open(t)
			s := newStore(t, db, p.dialect, sqlstore.Options{})
			r := create(t, s, newRecord(""))
			holds(t, s, r)
			release := lockedBy(t, p, c.lock...)
			defer release()
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			defer cancel()
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			var wrong atomic.Int32
			var wg sync.WaitGroup
			for range waiters {
				wg.Go(func() {
					if _, err := s.Load(ctx, r.ID); !errors.Is(err, context.DeadlineExceeded) {
						wrong.Add(1)
					}
				})
			}
			within(t, "the crowd", wg.Wait)
			runtime.ReadMemStats(&after)
			if n := wrong.Load(); n > 0 {
				t.Errorf("%d of %d were told something else than that their time was over", n, waiters)
			}
			if mb := (after.TotalAlloc - before.TotalAlloc) >> 20; mb > 200 {
				t.Errorf("they have cost %d MB", mb)
			}
			nothingRuns(t, p, db)
			release()
			holds(t, s, r)
		})
	}
}

// F67: SQLite with nothing set, so that whoever meets another is refused at once. Two processes count in one
// session, 200 times in all: each request is served, and none is lost.
func TestF67_SQLiteWithNothingSet(t *testing.T) {
	p := onSQLite(t, "", sqliteTable)
	managers := []*sojourn.Manager{managerOn(t, p.store(t), sojourn.Config{}), managerOn(t, p.store(t), sojourn.Config{})}
	cookie := cookieOf(visit(managers[0], "POST", "", plusOne))
	var failed atomic.Int32
	var wg sync.WaitGroup
	for i := range 20 {
		m := managers[i%2]
		wg.Go(func() {
			for n := range 10 {
				if w := visit(m, "POST", cookie, plusOne); w.Code != http.StatusOK {
					failed.Add(1)
				}
				if n%2 == 0 { // somebody else, who keeps the file busy
					visit(m, "POST", "", plusOne)
				}
			}
		})
	}
	wg.Wait()
	if n := failed.Load(); n > 0 {
		t.Errorf("%d of 200 requests were not served", n)
	}
	wantClicks(t, managers[1], cookie, 201)
}
