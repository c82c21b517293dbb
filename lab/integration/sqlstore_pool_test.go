package integration

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gosojourn/sojourn"
	"github.com/gosojourn/sojourn/sqlstore"
)

// The application has the only connection: every call is over with its context, and says what is the matter.
func TestF12_EveryCallEndsWithItsContext(t *testing.T) {
	everywhere(t, func(t *testing.T, p place) {
		db := p.open(t)
		db.SetMaxOpenConns(1)
		s := newStore(t, db, p.dialect, sqlstore.Options{})
		migrate(t, s)
		if _, _, err := s.Fence(t.Context(), "ann"); err != nil {
			t.Fatal(err)
		}
		r := create(t, s, newRecord("ann"))
		tx, err := db.Begin()
		if err != nil {
			t.Fatal(err)
		}
		next := r
		next.Version = newVersion()
		var wg sync.WaitGroup
		for what, call := range map[string]func(ctx context.Context) error{
			"Load":   func(ctx context.Context) error { _, err := s.Load(ctx, r.ID); return err },
			"Create": func(ctx context.Context) error { return s.Create(ctx, newRecord("")) },
			"Update": func(ctx context.Context) error { return s.Update(ctx, next, r.Version) },
			"Touch":  func(ctx context.Context) error { return s.Touch(ctx, r) },
			"Delete": func(ctx context.Context) error { return s.Delete(ctx, r.ID, r.Version) },
			"ListOwner": func(ctx context.Context) (err error) {
				for _, err = range s.ListOwner(ctx, "ann") {
				}
				return err
			},
			"Fence":       func(ctx context.Context) error { _, _, err := s.Fence(ctx, "ann"); return err },
			"RevokeOwner": func(ctx context.Context) error { _, err := s.RevokeOwner(ctx, "ann", ""); return err },
			"Sweep":       func(ctx context.Context) error { _, err := s.Sweep(ctx, time.Now(), 10); return err },
			"Check":       s.Check,
			"Migrate":     s.Migrate,
		} {
			// Several, so that some wait for the connection and others for those.
			for n := range 6 {
				callers := min(n+1, 2) // one alone, and then five at once
				if n == 1 {
					wg.Wait()
				}
				wg.Go(func() {
					within(t, what, func() {
						ctx, cancel := context.WithTimeout(t.Context(), 30*time.Millisecond)
						defer cancel()
						err := call(ctx)
						if !errors.Is(err, context.DeadlineExceeded) || errors.Is(err, sojourn.ErrConflict) {
							t.Errorf("%s: %v, want DeadlineExceeded", what, err)
						} else if !strings.Contains(err.Error(), "all 1 connections are in use") || !strings.Contains(err.Error(), "*sql.DB of their own") {
							t.Errorf("%s: %v, want the numbers of the pool and what to do", what, err)
						}
						writes := what == "Create" || what == "Update" || what == "Touch" || what == "Delete"
						// Who shares a statement may leave without knowing whether it was sent meanwhile.
						if told := errors.Is(err, sojourn.ErrBusy); told != writes && (told || callers == 1) {
							t.Errorf("%s: %v: that it was not begun is told: %v, want %v", what, err, told, writes)
						}
					})
				})
			}
			wg.Wait()
		}
		if err := tx.Rollback(); err != nil {
			t.Fatal(err)
		}
		holds(t, s, r)
		if err := s.Update(t.Context(), next, r.Version); err != nil {
			t.Errorf("Update afterwards: %v", err)
		}
	})
}

// A save that only waited for the pool is told as one that was not performed, never as one of which nobody knows.
func TestF13_ASaveThatWasNotBegunIsNotPerformed(t *testing.T) {
	everywhere(t, func(t *testing.T, p place) {
		db := p.open(t)
		db.SetMaxOpenConns(1)
		s := newStore(t, db, p.dialect, sqlstore.Options{})
		migrate(t, s)
		m := managerOn(t, s, sojourn.Config{StoreTimeout: 300 * time.Millisecond})
		cookie := cookieOf(visit(m, "POST", "", plusOne))
		visit(m, "POST", cookie, func(_ http.ResponseWriter, r *http.Request) {
			clicks.Update(r.Context(), func(n int) int { return n + 1 })
			if n := clicks.Get(r.Context()); n != 2 { // the session is loaded now
				t.Errorf("%d clicks, want 2", n)
			}
			tx, err := db.Begin()
			if err != nil {
				t.Error(err)
				return
			}
			defer tx.Rollback()
			err = m.Commit(r.Context())
			if !errors.Is(err, sojourn.ErrBusy) || !sojourn.Unavailable(err) || !strings.Contains(err.Error(), "connections are in use") {
				t.Errorf("Commit: %v, want ErrBusy and the pool's numbers", err)
			}
			if err != nil && strings.Contains(err.Error(), "lost") {
				t.Errorf("Commit says that an answer was lost: %v", err)
			}
		})
		wantClicks(t, m, cookie, 1)
	})
}

// within fails the test if f has not returned after a time that no machine is too busy for.
func within(t *testing.T, what string, f func()) {
	t.Helper()
	done := make(chan struct{})
	go func() { defer close(done); f() }()
	select {
	case <-done:
	case <-time.After(20 * time.Second):
		t.Errorf("%s has not returned", what)
	}
}

// A handler begins a transaction on the pool's only connection and then asks the session: 503 in time, and
// the next request is served.
func TestF12_HandlerHoldsTheOnlyConnection(t *testing.T) {
	everywhere(t, func(t *testing.T, p place) {
		db := p.open(t)
		db.SetMaxOpenConns(1)
		s := newStore(t, db, p.dialect, sqlstore.Options{})
		migrate(t, s)
		m := managerOn(t, s, sojourn.Config{StoreTimeout: 200 * time.Millisecond})
		cookie := cookieOf(visit(m, "POST", "", plusOne))
		within(t, "the request", func() {
			w := visit(m, "GET", cookie, func(_ http.ResponseWriter, r *http.Request) {
				tx, err := db.Begin()
				if err != nil {
					t.Error(err)
					return
				}
				defer tx.Rollback()
				clicks.Get(r.Context())
			})
			if w.Code != http.StatusServiceUnavailable {
				t.Errorf("answered %d, want 503", w.Code)
			}
			wantClicks(t, m, cookie, 1)
		})
	})
}

// One pool for the application and the sessions, and each client uses the session within a transaction:
// whoever is refused is told about the pool.
func TestF13_ThePoolIsNamed(t *testing.T) {
	everywhere(t, func(t *testing.T, p place) {
		db := p.open(t)
		db.SetMaxOpenConns(4)
		s := newStore(t, db, p.dialect, sqlstore.Options{})
		var rs [8]sojourn.Record
		for i := range rs {
			rs[i] = create(t, s, newRecord(""))
		}
		var began, asked, wg sync.WaitGroup
		began.Add(4)
		asked.Add(4)
		for _, r := range rs[:4] {
			wg.Go(func() {
				tx, err := db.Begin()
				began.Done()
				if err != nil {
					t.Error(err)
					return
				}
				defer tx.Rollback()
				began.Wait() // now there is no connection left
				ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
				defer cancel()
				_, err = s.Load(ctx, r.ID)
				if want := fmt.Sprintf("all %d connections are in use", 4); err == nil || !errors.Is(err, context.DeadlineExceeded) || !strings.Contains(err.Error(), want) {
					t.Errorf("Load: %v, want DeadlineExceeded and %q", err, want)
				}
				asked.Done()
				asked.Wait() // so that nobody is served by a connection that another gives back
			})
		}
		within(t, "Load", wg.Wait)
		for _, r := range rs {
			holds(t, s, r)
		}
	})
}
