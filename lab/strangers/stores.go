package strangers

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gosojourn/sojourn"
)

// inTime fails if f takes longer than StoreTimeout and a tenth. For as long as the machine has no time, that is not
// the manager's fault.
func inTime(t testing.TB, what string, timeout time.Duration, f func()) {
	t.Helper()
	stalled, began := Stalls(), time.Now()
	f()
	if took, lost := time.Since(began), stalled(); took > timeout+timeout/10+lost {
		t.Errorf("%s took %v, want at most StoreTimeout (%v) and a tenth", what, took, timeout)
	}
}

// stores: one that stalls, refuses, or keeps silent where few expect it.
var stores = []story{
	{"F10 writes stall and reads answer", func(t *testing.T, s *site) {
		s.with(sojourn.Config{StoreTimeout: time.Second})
		c := s.begin()
		s.gate.set(stalls(writes...))
		var all sync.WaitGroup
		for range 10 {
			for what, h := range map[string]http.HandlerFunc{"POST": do(func(ctx context.Context) { name.Put(ctx, "x") }), "logout": s.logout, "Renew": s.renew} {
				all.Go(func() {
					inTime(t, what, time.Second, func() {
						if a := s.ask("POST", c, h); a.code != 503 || a.unset || a.set != "" {
							t.Errorf("%s is answered %d", what, a.code)
						}
					})
				})
			}
		}
		all.Wait()
		s.gate.set(nil)
		inTime(t, "the next request", time.Second/2, func() {
			if a := s.ask("POST", c, do(func(ctx context.Context) { count.Put(ctx, 1) })); a.code != 200 || s.nameOf(c) != "first" {
				t.Errorf("it is answered %d, and the session says %q", a.code, s.nameOf(c))
			}
		})
	}},
	{"F11 a refusal is answered at once, in the store's own words", func(t *testing.T, s *site) {
		s.with(sojourn.Config{})
		c := s.begin()
		s.gate.set(fails(fmt.Errorf("the database is read-only: %w", sojourn.ErrRefused), writes...))
		var err error
		s.ask("POST", c, do(func(ctx context.Context) {
			name.Put(ctx, "x")
			err = s.Commit(ctx)
		}))
		if n, m := s.gate.count("update"), s.gate.count("load"); n != 1 || m != 1 || !errors.Is(err, sojourn.ErrRefused) || !strings.Contains(err.Error(), "read-only") {
			t.Errorf("%d updates, %d loads, %v", n, m, err)
		}
		s.gate.set(nil)
		if n := s.nameOf(c); n != "first" {
			t.Errorf("the session says %q", n)
		}
	}},
	{"F16 each door to the owners has its time", func(t *testing.T, s *site) {
		const timeout = time.Second
		s.with(sojourn.Config{StoreTimeout: timeout, MaxPerOwner: 2})
		visitors := map[string]string{} // cookies by owner
		var all sync.WaitGroup
		stalled := make(chan struct{})
		for what, call := range map[string]func(ctx context.Context, owner string) error{
			"Login":        func(ctx context.Context, owner string) error { return errors.Join(s.Login(ctx, owner), s.Commit(ctx)) },
			"RevokeAll":    s.RevokeAll,
			"RevokeOthers": func(ctx context.Context, _ string) error { return s.RevokeOthers(ctx) },
			"List": func(ctx context.Context, owner string) (err error) {
				for _, err = range s.List(ctx, owner) {
				}
				return err
			},
		} {
			owner := anybody()
			visitors[owner] = s.beginAs(owner)
			c := visitors[owner]
			all.Go(func() {
				<-stalled
				s.ask("POST", c, do(func(ctx context.Context) {
					inTime(t, what, timeout, func() {
						if err := call(ctx, owner); !sojourn.Unavailable(err) {
							t.Errorf("%s: %v, want Unavailable", what, err)
						}
					})
				}))
			})
		}
		s.gate.set(stalls("list", "revoke"))
		close(stalled)
		all.Wait()
		s.gate.set(nil)
		for owner, c := range visitors {
			if o := s.ownerOf(c); o != owner {
				t.Errorf("after all of that, the session is %q's", o)
			}
		}
	}},
	{"F18 a touch that fails is tried once", func(t *testing.T, s *site) {
		s.gate.Store = &aged{s.gate.Store}
		s.with(sojourn.Config{})
		c := s.begin()
		s.gate.set(fails(errFire, "touch"))
		a := s.ask("GET", c, func(w http.ResponseWriter, r *http.Request) { _, _ = io.WriteString(w, name.Get(r.Context())) })
		if n := s.gate.count("touch"); n != 1 || a.code != 200 || a.body != "first" {
			t.Errorf("%d touches; %d %q", n, a.code, a.body)
		}
	}},
	{"F35 the second look at the fence fails, and nothing is deleted", func(t *testing.T, s *site) {
		s.with(sojourn.Config{})
		c, owner, looks := s.begin(), anybody(), 0
		s.gate.set(func(_ context.Context, op string) error {
			if op == "fence" {
				if looks++; looks == 2 {
					return errFire
				}
			}
			return nil
		})
		a := s.ask("POST", c, s.login(owner))
		s.gate.set(nil)
		if n := s.nameOf(c); a.code != 503 || a.set != "" || n != "first" || s.listed(owner) != 0 {
			t.Errorf("answered %d; the visitor's session says %q, and the owner has %d", a.code, n, s.listed(owner))
		}
	}},
}

// aged shows every record as last seen half an hour ago, so that a touch is due.
type aged struct{ sojourn.Store }

func (a aged) Load(ctx context.Context, id string) (sojourn.Record, error) {
	r, err := a.Store.Load(ctx, id)
	r.Seen = r.Seen.Add(-30 * time.Minute)
	return r, err
}
