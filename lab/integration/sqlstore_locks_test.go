package integration

import (
	"context"
	"database/sql"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gosojourn/sojourn"
	"github.com/gosojourn/sojourn/sqlstore"
)

// lockedBy has somebody else run statements on p, and keep what they lock until release.
func lockedBy(t *testing.T, p place, statements ...string) (release func()) {
	t.Helper()
	conn, err := p.open(t).Conn(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, q := range statements {
		if _, err := conn.ExecContext(t.Context(), q); err != nil {
			t.Fatalf("%s: %v", q, err)
		}
	}
	return sync.OnceFunc(func() {
		for _, q := range []string{"ROLLBACK", "UNLOCK TABLES"} {
			if _, err := conn.ExecContext(context.WithoutCancel(t.Context()), q); err != nil && q == "ROLLBACK" {
				t.Errorf("%s: %v", q, err)
			}
			if p.dialect != sqlstore.MySQL {
				break
			}
		}
		conn.Close()
	})
}

// Of 16 sessions four are locked by a stranger. The twelve others save, touch, are made and deleted as if
// nothing were.
func TestF14_LockedRowsHoldNobodyUp(t *testing.T) {
	besideEachOther(t, map[string]opener{"MySQL": mysqlPlace(nil, mysqlTable), "Postgres": postgresPlace(postgresTable)}, func(t *testing.T, p place) {
		db := p.open(t)
		s := newStore(t, db, p.dialect, sqlstore.Options{})
		var rs [16]sojourn.Record
		var keys []string
		for i := range rs {
			rs[i] = create(t, s, newRecord(""))
			keys = append(keys, "'"+rs[i].ID+"'")
		}
		lock := []string{"BEGIN", "UPDATE sessions SET expiry = expiry WHERE token IN (" + strings.Join(keys[:4], ", ") + ")"}
		if p.dialect == sqlstore.MySQL { // or it locks the gaps between them, too
			lock = append([]string{"SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED"}, lock...)
		}
		release := lockedBy(t, p, lock...)
		defer release()

		over, stop := context.WithCancel(t.Context())
		var locked, others sync.WaitGroup
		for _, r := range rs[:4] {
			locked.Go(func() {
				for over.Err() == nil {
					next := r
					next.Version = newVersion()
					ctx, cancel := context.WithTimeout(t.Context(), time.Second)
					err := s.Update(ctx, next, r.Version)
					cancel()
					if !errors.Is(err, context.DeadlineExceeded) {
						t.Errorf("Update of a locked session: %v, want DeadlineExceeded", err)
						return
					}
				}
			})
		}
		began := time.Now()
		for i := range rs[4:] {
			r := &rs[4+i]
			others.Go(func() {
				for n := range 40 {
					ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
					was := r.Version
					r.Version = newVersion()
					err := s.Update(ctx, *r, was)
					if err == nil {
						r.Seen = r.Seen.Add(time.Second)
						err = s.Touch(ctx, *r)
					}
					if x := newRecord(""); err == nil && n%4 == 0 {
						if err = s.Create(ctx, x); err == nil {
							err = s.Delete(ctx, x.ID, x.Version)
						}
					}
					cancel()
					if err != nil {
						t.Errorf("of a session that nobody has locked: %v", err)
						return
					}
				}
			})
		}
		others.Wait()
		if took := time.Since(began); took > 10*time.Second {
			t.Errorf("1,200 writes took %v", took)
		}
		stop()
		locked.Wait()
		nothingRuns(t, p, db) // what was given up last may have been on its way
		release()
		for _, r := range rs {
			holds(t, s, r)
			was := r.Version
			r.Version = newVersion()
			if err := s.Update(t.Context(), r, was); err != nil {
				t.Errorf("Update afterwards: %v", err)
			}
		}
	})
}

// Whatever a stranger locks, each write is over with its context, and nothing of it goes on in the server.
func TestF15_NothingIsLeftInTheServer(t *testing.T) {
	const ofAll = "UPDATE sessions SET expiry = expiry"
	for name, c := range map[string]struct {
		at   opener
		lock []string
	}{
		"MySQL, rows":         {mysqlPlace(nil, mysqlTable), []string{"BEGIN", ofAll}},
		"MySQL, the table":    {mysqlPlace(nil, mysqlTable), []string{"LOCK TABLES sessions READ"}},
		"Postgres, rows":      {postgresPlace(postgresTable), []string{"BEGIN", ofAll}},
		"Postgres, the table": {postgresPlace(postgresTable), []string{"BEGIN", "LOCK TABLE sessions IN SHARE MODE"}},
		"SQLite":              {sqlitePlace(usual, sqliteTable), []string{"BEGIN IMMEDIATE"}},
		"SQLite as it comes":  {sqlitePlace("", sqliteTable), []string{"BEGIN IMMEDIATE"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := c.at(t)
			db := p.open(t)
			s := newStore(t, db, p.dialect, sqlstore.Options{})
			var rs [20]sojourn.Record
			for i := range rs {
				rs[i] = create(t, s, newRecord(""))
			}
			release := lockedBy(t, p, c.lock...)
			defer release()
			var wg sync.WaitGroup
			for i, r := range rs {
				for what, call := range map[string]func(ctx context.Context) error{
					"Update": func(ctx context.Context) error {
						next := r
						next.Version = newVersion()
						return s.Update(ctx, next, r.Version)
					},
					"Touch": func(ctx context.Context) error {
						next := r
						next.Seen = r.Seen.Add(time.Second)
						return s.Touch(ctx, next)
					},
					"Delete": func(ctx context.Context) error { return s.Delete(ctx, r.ID, r.Version) },
					"Create": func(ctx context.Context) error {
						if c.lock[len(c.lock)-1] == ofAll && p.dialect == sqlstore.Postgres {
							<-ctx.Done() // no row stands in its way there
							return ctx.Err()
						}
						return s.Create(ctx, newRecord(""))
					},
				} {
					wg.Go(func() {
						within(t, what, func() {
							ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
							defer cancel()
							err := call(ctx)
							if p.dialect == sqlstore.SQLite && err == sojourn.ErrConflict {
								return // the one who tried for all was told so when its time was over
							}
							if !errors.Is(err, context.DeadlineExceeded) {
								t.Errorf("%s %d: %v, want DeadlineExceeded", what, i, err)
							}
						})
					})
				}
			}
			wg.Wait()
			nothingRuns(t, p, db)
			release()
			for _, r := range rs { // and nothing was written late
				holds(t, s, r)
			}
			if n := scan[int](t, db, "SELECT COUNT(*) FROM sessions"); n != len(rs) {
				t.Errorf("%d sessions, want %d: what was given up was written late", n, len(rs))
			}
		})
	}
}

// nothingRuns fails unless, within 10 s, the server has no statement under way of those that ours has given up:
// neither one that runs, nor one that it has not read yet, on a connection that is closed at this end. Beside
// those of ours there are the connection that locks, which is asleep, and the one that asks.
func nothingRuns(t *testing.T, p place, ours *sql.DB) {
	t.Helper()
	atMostRun(t, p, ours, 0)
}

// atMostRun is nothingRuns beside so many statements that were not given up.
func atMostRun(t *testing.T, p place, ours *sql.DB, beside int) {
	t.Helper()
	query := map[sqlstore.Dialect]string{
		sqlstore.MySQL:    "SELECT SUM(COMMAND <> 'Sleep') - 1, COUNT(*) - 2 FROM information_schema.PROCESSLIST WHERE DB = DATABASE()",
		sqlstore.Postgres: "SELECT COUNT(*) FILTER (WHERE state = 'active') - 1, COUNT(*) - 2 FROM pg_stat_activity WHERE datname = current_database()",
	}[p.dialect]
	if query == "" {
		return
	}
	db, began := p.open(t), time.Now()
	for {
		var run, open int
		if err := db.QueryRow(query).Scan(&run, &open); err != nil {
			t.Fatal(err)
		}
		if run <= beside && open <= ours.Stats().OpenConnections {
			return
		}
		if time.Since(began) > 10*time.Second {
			t.Fatalf("after 10 s the server still has %d statements of ours under way, on %d connections of which we know %d",
				run, open, ours.Stats().OpenConnections)
		}
	}
}
