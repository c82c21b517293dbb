package integration

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gosojourn/sojourn"
	"github.com/gosojourn/sojourn/lab/strangers"
	"github.com/gosojourn/sojourn/sqlstore"
)

// holding is an application that begins a transaction on the pool of its sessions before it asks for its
// session.
type holding struct {
	*sojourn.Manager
	mu   sync.Mutex
	told []string
}

func newHolding(t *testing.T, store sojourn.Store, timeout time.Duration) *holding {
	h := &holding{}
	h.Manager = managerOn(t, store, sojourn.Config{StoreTimeout: timeout, OnEvent: func(_ context.Context, e sojourn.Event) {
		if e.Name == sojourn.EventUnavailable {
			h.mu.Lock()
			h.told = append(h.told, e.Err.Error())
			h.mu.Unlock()
		}
	}})
	return h
}

// F12, F13: all connections are the handlers', and each waits for one more. That ends with StoreTimeout, and
// the words are about the pool, in numbers.
func TestF12_HandlersHoldTheWholePool(t *testing.T) {
	const timeout = time.Second
	for _, x := range []struct {
		name           string
		conns, clients int
		at             func(t testing.TB) place
	}{
		{"SQLite", 1, 1, func(t testing.TB) place { return onSQLite(t, "_pragma=busy_timeout(400)&_pragma=journal_mode(WAL)") }},
		{"MariaDB", 4, 8, func(t testing.TB) place { return onMySQL(t, []string{"parseTime=true"}) }},
		{"PostgreSQL", 4, 8, func(t testing.TB) place { return onPostgres(t) }},
	} {
		t.Run(x.name, func(t *testing.T) {
			p := x.at(t)
			db := p.open(t)
			db.SetMaxOpenConns(x.conns)
			store := newStore(t, db, p.dialect, sqlstore.Options{})
			migrate(t, store)
			app := newHolding(t, store, timeout)
			cookie := cookieOf(visit(app.Manager, "POST", "", plusOne))
			wantClicks(t, app.Manager, cookie, 1)

			var taken atomic.Int32
			none := make(chan struct{}) // is left
			var all sync.WaitGroup
			for range x.clients {
				all.Go(func() {
					visit(app.Manager, "GET", cookie, func(w http.ResponseWriter, r *http.Request) {
						tx, err := db.BeginTx(context.Background(), nil)
						if err != nil {
							t.Error(err)
							return
						}
						defer tx.Rollback()
						if int(taken.Add(1)) == x.conns {
							close(none)
						}
						<-none
						stuck := time.AfterFunc(5*timeout, func() {
							t.Errorf("after %v, Load has not answered: the transaction is given up so that the test ends", 5*timeout)
							tx.Rollback()
						})
						defer stuck.Stop()
						stalled := strangers.Stalls()
						began := time.Now()
						err = app.Load(r.Context())
						if took := time.Since(began); took > timeout+timeout/10+stalled() {
							t.Errorf("Load took %v (%v), want at most %v", took, err, timeout+timeout/10)
						}
					})
				})
			}
			all.Wait()
			app.mu.Lock()
			told := strings.Join(app.told, "\n")
			n := len(app.told)
			app.mu.Unlock()
			if n == 0 {
				t.Fatal("nobody had to wait: the pool was not used up")
			}
			if first, _, _ := strings.Cut(told, "\n"); !strings.Contains(first, fmt.Sprintf("all %d connections are in use", x.conns)) {
				t.Errorf("the error says nothing of the pool of %d: %s", x.conns, first)
			}
			stalled, began := strangers.Stalls(), time.Now()
			wantClicks(t, app.Manager, cookie, 1)
			if took, lost := time.Since(began), stalled(); took > timeout/2+lost {
				t.Errorf("afterwards, a page takes %v", took)
			}
		})
	}
}
