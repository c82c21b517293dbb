package laws

import (
	"context"
	"errors"
	"iter"
	"math/rand/v2"
	"net/http"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/gosojourn/sojourn"
)

// Revocations: what began before one ends with it, and what begins in the same request does not.
var revocations = []story{
	{"V7.4.2 a login in flight does not survive RevokeAll", func(t *testing.T, store sojourn.Store) {
		s := newSite(t, store, sojourn.Config{})
		owner := anybody()
		for method, c := range map[string]string{"POST": "", "PUT": s.begin(), "GET": s.begin()} { // GET: nothing has asked for the session
			var err error
			release := s.slow(method, c, nothing, func(ctx context.Context) {
				_ = s.Login(ctx, owner)
				err = s.Commit(ctx)
			})
			if err := s.RevokeAll(t.Context(), owner); err != nil {
				t.Fatal(err)
			}
			time.Sleep(5 * time.Millisecond) // so that the login is later than the fence, and only its request is not
			if a := release(); !errors.Is(err, sojourn.ErrEnded) || a.set != "" {
				t.Errorf("Commit %v, cookie %q; want ErrEnded and none", err, a.set)
			}
			if n := s.countOf(t.Context(), owner); n != 0 {
				t.Errorf("%d sessions are left", n)
			}
		}
		time.Sleep(5 * time.Millisecond) // each fence is above the last, and up to it a login is refused
		if c := s.beginAs(owner); s.ownerOf(c) != owner {
			t.Error("a login after the revocation does not work")
		}
	}},
	{"V7.4.2 a revocation at any step of a login", func(t *testing.T, store sojourn.Store) {
		for seed := range 60 {
			gate := &revoking{Store: store, at: int32(seed % 6)}
			s := newSite(t, gate, sojourn.Config{})
			owner := anybody()
			gate.revoke = func() {
				if err := newSite(t, store, sojourn.Config{}).RevokeAll(t.Context(), owner); err != nil {
					t.Error(err)
				}
			}
			c := s.begin()
			gate.arm()
			a := s.ask("POST", c, s.login(owner))
			if fired := gate.disarm(); fired && (a.set != "" && s.ownerOf(a.set) != "" || s.countOf(t.Context(), owner) != 0) {
				t.Errorf("revoked before step %d: cookie %q, %d sessions", gate.at, a.set, s.countOf(t.Context(), owner))
			}
		}
	}},
	{"V7.4.2 a thousand random schedules of a login and a revocation", func(t *testing.T, store sojourn.Store) {
		// Two managers share nothing but the store, like two processes.
		here, there := newSite(t, store, sojourn.Config{}), newSite(t, store, sojourn.Config{})
		owner, survived := anybody(), 0
		for range often(1000) {
			release := here.slow("POST", "", nothing, func(ctx context.Context) {
				spin()
				_ = here.Login(ctx, owner)
			})
			done := make(chan error, 1)
			go func() {
				spin()
				done <- there.RevokeAll(t.Context(), owner)
			}()
			a := release()
			if err := <-done; err != nil {
				t.Fatal(err)
			}
			if there.countOf(t.Context(), owner) != 0 || a.set != "" && there.ownerOf(a.set) != "" {
				survived++
			}
		}
		if survived > 0 {
			t.Errorf("%d logins survived a revocation that began after them and ended before this look", survived)
		}
	}},
	{"RevokeAll and then Login in one request logs in", func(t *testing.T, store sojourn.Store) {
		s := newSite(t, store, sojourn.Config{})
		owner := anybody()
		elsewhere := s.beginAs(owner)
		for _, begin := range []func() string{func() string { return "" }, s.begin, func() string { return s.beginAs(owner) }} {
			c := begin()
			a := s.ask("POST", c, func(w http.ResponseWriter, r *http.Request) {
				if err := s.RevokeAll(r.Context(), owner); err != nil {
					t.Error(err)
				}
				s.login(owner)(w, r)
			})
			if s.ownerOf(a.set) != owner {
				t.Errorf("owner %q after %.12s", s.ownerOf(a.set), c)
			}
		}
		if s.ownerOf(elsewhere) != "" {
			t.Error("the session elsewhere lives")
		}
	}},
	{"Login and then RevokeAll in one request logs in", func(t *testing.T, store sojourn.Store) {
		s := newSite(t, store, sojourn.Config{})
		owner := anybody()
		elsewhere := s.beginAs(owner)
		for _, begin := range []func() string{func() string { return "" }, s.begin, func() string { return s.beginAs(owner) }, func() string { return s.beginAs(anybody()) }} {
			c := begin()
			a := s.ask("POST", c, func(_ http.ResponseWriter, r *http.Request) {
				ctx := r.Context()
				if err := s.Login(ctx, owner); err != nil {
					t.Error(err)
				}
				name.Put(ctx, "with the login")
				if err := s.RevokeAll(ctx, owner); err != nil {
					t.Error(err)
				}
				if err := s.Commit(ctx); err != nil {
					t.Errorf("Commit: %v", err)
				}
			})
			s.look(a.set, func(ctx context.Context) {
				if s.Info(ctx).Owner != owner || name.Get(ctx) != "with the login" {
					t.Errorf("owner %q, name %q, after %.12s", s.Info(ctx).Owner, name.Get(ctx), c)
				}
			})
			if c != "" && s.ownerOf(c) != "" {
				t.Error("the session from before lives")
			}
		}
		if s.ownerOf(elsewhere) != "" {
			t.Error("the session elsewhere lives")
		}
	}},
	{"what is put after RevokeAll of one's own goes into a new session", func(t *testing.T, store sojourn.Store) {
		s := newSite(t, store, sojourn.Config{})
		owner := anybody()
		c := s.beginAs(owner)
		a := s.ask("POST", c, func(_ http.ResponseWriter, r *http.Request) {
			name.Put(r.Context(), "before")
			if err := s.RevokeAll(r.Context(), owner); err != nil {
				t.Error(err)
			}
			if got := name.Get(r.Context()); got != "" {
				t.Errorf("%q of the ended session is still read", got)
			}
			role.Put(r.Context(), "after")
		})
		s.look(a.set, func(ctx context.Context) {
			if s.Info(ctx).Owner != "" || name.Get(ctx) != "" || role.Get(ctx) != "after" {
				t.Errorf("owner %q, name %q, role %q; want after alone", s.Info(ctx).Owner, name.Get(ctx), role.Get(ctx))
			}
		})
		if s.ownerOf(c) != "" {
			t.Error("the session lives")
		}
	}},
}

// spin passes a random time of up to a millisecond: sleeping would round it up.
func spin() {
	for end := time.Now().Add(rand.N(time.Millisecond)); time.Now().Before(end); {
		runtime.Gosched()
	}
}

// revoking revokes once, before the at-th exchange after arm.
type revoking struct {
	sojourn.Store
	mu     sync.Mutex
	armed  bool
	fired  bool
	at, n  int32
	revoke func()
}

func (r *revoking) arm() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.armed = true
}

func (r *revoking) disarm() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.armed = false
	return r.fired
}

func (r *revoking) step() {
	r.mu.Lock()
	fire := r.armed && !r.fired && r.n == r.at
	if r.armed {
		r.n++
	}
	r.fired = r.fired || fire
	r.mu.Unlock()
	if fire {
		r.revoke()
	}
}

func (r *revoking) ListOwner(ctx context.Context, owner string) iter.Seq2[sojourn.Record, error] {
	return r.Store.(sojourn.OwnerIndex).ListOwner(ctx, owner)
}

func (r *revoking) RevokeOwner(ctx context.Context, owner, keep string) (uint64, error) {
	return r.Store.(sojourn.OwnerIndex).RevokeOwner(ctx, owner, keep)
}

func (r *revoking) Update(ctx context.Context, rec sojourn.Record, v uint64) error {
	r.step()
	err := r.Store.Update(ctx, rec, v)
	r.step()
	return err
}

func (r *revoking) Fence(ctx context.Context, owner string) (uint64, time.Duration, error) {
	r.step()
	f, age, err := r.Store.(sojourn.OwnerIndex).Fence(ctx, owner)
	r.step()
	return f, age, err
}
