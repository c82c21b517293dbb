package integration

import (
	"context"
	"database/sql"
	"fmt"
	"net/http"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/gosojourn/sojourn"
	"github.com/gosojourn/sojourn/lab/harness"
	"github.com/gosojourn/sojourn/lab/strangers"
	"github.com/gosojourn/sojourn/redisstore"
)

// A stalling is a store whose writes can be made to wait in the server, while reads are answered.
type stalling struct {
	name string
	open func(t *testing.T) (store sojourn.Store, lock func() (unlock func()), busy func() int)
}

var stallings = []stalling{
	{"MariaDB", func(t *testing.T) (sojourn.Store, func() func(), func() int) {
		p := onMySQL(t, []string{"parseTime=true"})
		store := p.store(t)
		migrate(t, store)
		db := harness.Open(t, p.driver, p.dsn)
		return store, func() func() { return held(t, db, "LOCK TABLES sessions READ", "UNLOCK TABLES") }, func() int {
			return scan[int](t, db, "SELECT count(*) FROM information_schema.processlist WHERE db = DATABASE() AND command <> 'Sleep' AND id <> CONNECTION_ID()")
		}
	}},
	{"PostgreSQL", func(t *testing.T) (sojourn.Store, func() func(), func() int) {
		p := onPostgres(t)
		store := p.store(t)
		migrate(t, store)
		db := harness.Open(t, p.driver, p.dsn)
		return store, func() func() { return held(t, db, "BEGIN; LOCK TABLE sessions IN SHARE MODE", "ROLLBACK") }, func() int {
			return scan[int](t, db, "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND state = 'active' AND pid <> pg_backend_pid()")
		}
	}},
	{"SQLite", func(t *testing.T) (sojourn.Store, func() func(), func() int) {
		// A busy_timeout is not bounded by a context everywhere: Check wants it below half of StoreTimeout.
		p := onSQLite(t, "_pragma=busy_timeout(400)&_pragma=journal_mode(WAL)")
		store := p.store(t)
		migrate(t, store)
		db := harness.Open(t, p.driver, p.dsn)
		return store, func() func() { return held(t, db, "BEGIN IMMEDIATE", "ROLLBACK") }, func() int { return 0 }
	}},
	{"Redis", func(t *testing.T) (sojourn.Store, func() func(), func() int) {
		server := harness.StartRedis(t)
		store := redisStore(t, redisClient(t, nil, server.Addr()), redisstore.Options{})
		c := redisClient(t, nil, server.Addr())
		return store, func() func() {
			do := func(command ...string) {
				if err := c.Do(context.Background(), c.B().Arbitrary(command...).Build()).Error(); err != nil {
					t.Fatal(err)
				}
			}
			do("CLIENT", "PAUSE", "60000", "WRITE")
			return func() { do("CLIENT", "UNPAUSE") }
		}, func() int { return 0 }
	}},
}

// held runs begin on a connection that it keeps, and answers what gives it back.
func held(t *testing.T, db *sql.DB, begin, end string) (release func()) {
	t.Helper()
	conn, err := db.Conn(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := conn.ExecContext(t.Context(), begin); err != nil {
		t.Fatal(err)
	}
	return func() {
		if _, err := conn.ExecContext(context.Background(), end); err != nil {
			t.Error(err)
		}
		conn.Close()
	}
}

// back fails unless count comes down to want within ten seconds.
func back(t *testing.T, what string, want int, count func() int) {
	t.Helper()
	over := time.After(10 * time.Second)
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for n := count(); n > want; n = count() {
		select {
		case <-over:
			t.Errorf("ten seconds later there are %d %s, want %d", n, what, want)
			return
		case <-tick.C:
		}
	}
}

// F10: writes wait in the server. Each load and each save is over within StoreTimeout and a tenth, nothing waits
// afterwards, and neither here nor there does anything stay behind.
func TestF10_WritesWaitInTheServer(t *testing.T) {
	before := runtime.NumGoroutine()
	t.Run("stores", func(t *testing.T) {
		for _, x := range stallings {
			t.Run(x.name, func(t *testing.T) {
				t.Parallel()
				writesWait(t, x)
			})
		}
	})
	back(t, "goroutines", before+4, runtime.NumGoroutine) // a driver may take its time to end a connection
}

func writesWait(t *testing.T, x stalling) {
	const timeout = time.Second
	store, lock, busy := x.open(t)
	m := managerOn(t, store, sojourn.Config{StoreTimeout: timeout})
	changes := map[string]http.HandlerFunc{
		"POST":   plusOne,
		"logout": func(_ http.ResponseWriter, r *http.Request) { _ = m.Logout(r.Context()) },
		"Renew":  func(_ http.ResponseWriter, r *http.Request) { _ = m.Renew(r.Context()) },
	}
	for what, change := range changes {
		for _, n := range []int{1, 10} {
			t.Run(fmt.Sprintf("%s, %d at once", what, n), func(t *testing.T) {
				cookie := cookieOf(visit(m, "POST", "", plusOne))
				wantClicks(t, m, cookie, 1)
				unlock := lock()
				var all sync.WaitGroup
				for range n {
					all.Go(func() {
						// To Redis, reads and writes share a connection, so the load may have had to wait as well.
						stalled, began, loaded := strangers.Stalls(), time.Now(), time.Time{}
						w := visit(m, "POST", cookie, func(w http.ResponseWriter, r *http.Request) {
							func() {
								defer func() { loaded = time.Now() }()
								clicks.Get(r.Context())
							}()
							change(w, r)
						})
						if loaded.IsZero() {
							loaded = time.Now() // a load that fails is answered before the handler
						}
						load, rest, lost := loaded.Sub(began), time.Since(loaded), stalled()
						if most := timeout + timeout/10 + lost; load > most || rest > most || w.Code != 503 {
							t.Errorf("answered %d, the load after %v and the rest %v later, want 503 and each within %v (the machine stood still for %v)", w.Code, load, rest, most-lost, lost)
						}
						if c := w.Result().Header["Set-Cookie"]; c != nil {
							t.Errorf("an outage must not touch the browser's cookie: %q", c)
						}
					})
				}
				all.Wait()
				stalled, began := strangers.Stalls(), time.Now()
				visit(m, "GET", cookie, func(_ http.ResponseWriter, r *http.Request) { clicks.Get(r.Context()) })
				if took, lost := time.Since(began), stalled(); took > timeout+timeout/10+lost {
					t.Errorf("a page that reads took %v", took)
				}
				back(t, "statements at work in the server", 0, busy)
				unlock()
				stalled, began = strangers.Stalls(), time.Now()
				w := visit(m, "POST", cookie, plusOne)
				if took, lost := time.Since(began), stalled(); took > timeout+lost || w.Code != 200 {
					t.Errorf("afterwards, a request is answered %d after %v", w.Code, took)
				}
			})
		}
	}
}
