package laws

import (
	"context"
	"errors"
	"net/http"
	"testing"

	"github.com/gosojourn/sojourn"
)

// Law 2: ended is ended.
var endings = []story{
	{"P1 a slow write does not bring a logged-out session back", func(t *testing.T, store sojourn.Store) {
		s := newSite(t, store, sojourn.Config{})
		c := s.beginAs("bob")
		var err error
		release := s.slow("POST", c, nothing, func(ctx context.Context) {
			name.Put(ctx, "late")
			err = s.Commit(ctx)
		})
		if a := s.ask("POST", c, s.logout); !a.unset {
			t.Error("the logout did not delete the cookie")
		}
		a := release()
		if !errors.Is(err, sojourn.ErrEnded) {
			t.Errorf("Commit: %v, want ErrEnded", err)
		}
		if a.set != "" || a.unset || a.Code != 200 {
			t.Errorf("the late response: status %d, cookie %q; want 200 and none", a.Code, a.set)
		}
		if !s.sawEvent(sojourn.EventUsedAfterEnd, "dropped") {
			t.Error("nothing was told of the dropped changes")
		}
		if o := s.ownerOf(c); o != "" {
			t.Errorf("the old token is logged in as %q again", o)
		}
	}},
	{"P1 a slow read does not bring a logged-out session back", func(t *testing.T, store sojourn.Store) {
		s := newSite(t, aged{store}, sojourn.Config{})
		c := s.beginAs("bob")
		release := s.slow("GET", c, func(ctx context.Context) { name.Get(ctx) }, nothing)
		s.ask("POST", c, s.logout)
		if a := release(); a.set != "" {
			t.Errorf("the late read set %q", a.set)
		}
		if o := s.ownerOf(c); o != "" {
			t.Errorf("the old token is logged in as %q again", o)
		}
	}},
	{"P1 a slow logout does not end a newer login", func(t *testing.T, store sojourn.Store) {
		s := newSite(t, store, sojourn.Config{})
		c := s.begin()
		release := s.slow("POST", c, nothing, func(ctx context.Context) { _ = s.Logout(ctx) })
		login := s.ask("POST", c, s.login("bob"))
		if a := release(); a.unset || a.set != "" {
			t.Error("the late logout touched the cookie of the newer login")
		}
		if o := s.ownerOf(login.set); o != "bob" {
			t.Errorf("the newer login is %q, want bob", o)
		}
	}},
	{"what was changed before RevokeOthers said ErrEnded does not go to another's login", func(t *testing.T, store sojourn.Store) {
		s := newSite(t, store, sojourn.Config{})
		if s.sealed {
			return // a seal of the same process alone is told that it has ended: docs/sealed-sessions.md
		}
		c := s.beginAs("bob")
		s.ask("POST", c, func(_ http.ResponseWriter, r *http.Request) { notes.Put(r.Context(), []string{"bob's"}) })
		var revoked, committed error
		release := s.slow("POST", c, nothing, func(ctx context.Context) {
			notes.Update(ctx, func(all []string) []string { return append(all, "more of bob's") })
			name.Put(ctx, "bob's name")
			revoked = s.RevokeOthers(ctx)
			if v := notes.Get(ctx); len(v) != 0 {
				t.Errorf("after ErrEnded it still reads %q", v)
			}
			_ = s.Login(ctx, "alice")
			committed = s.Commit(ctx)
		})
		s.ask("POST", c, s.logout)
		a := release()
		if !errors.Is(revoked, sojourn.ErrEnded) || committed != nil {
			t.Fatalf("RevokeOthers: %v, want ErrEnded; Commit: %v", revoked, committed)
		}
		s.look(a.set, func(ctx context.Context) {
			if o, n, v := s.Info(ctx).Owner, name.Get(ctx), notes.Get(ctx); o != "alice" || n != "" || len(v) != 0 {
				t.Errorf("%q has name %q and notes %q", o, n, v)
			}
		})
	}},
	{"a lost first write that lands late does not bring an ended session back", func(t *testing.T, store sojourn.Store) {
		late := &lateCreate{Store: store}
		s := newSite(t, late, sojourn.Config{})
		c := s.begin()
		s.ask("POST", c, s.logout)
		late.land(t)
		if v := s.nameOf(c); v != "" {
			t.Errorf("the session that was logged out is back, with name %q", v)
		}
	}},
	{"O35 logout is final, and so is what was put before it", func(t *testing.T, store sojourn.Store) {
		s := newSite(t, store, sojourn.Config{})
		c := s.beginAs("bob")
		a := s.ask("POST", c, func(w http.ResponseWriter, r *http.Request) {
			name.Put(r.Context(), "before")
			s.logout(w, r)
			if v := name.Get(r.Context()); v != "" {
				t.Errorf("after Logout name = %q", v)
			}
		})
		if !a.unset || s.ownerOf(c) != "" || s.nameOf(c) != "" {
			t.Errorf("cookie deleted: %v, owner %q, name %q", a.unset, s.ownerOf(c), s.nameOf(c))
		}
		if a.Header().Get("Cache-Control") != "no-store" {
			t.Error("the response that deletes the cookie may be cached")
		}
	}},
	{"O29 N5 logout erases the record and expires the cookie with its own attributes", func(t *testing.T, store sojourn.Store) {
		s := newSite(t, store, sojourn.Config{})
		a := s.ask("POST", "", s.login(anybody()))
		if _, err := store.Load(t.Context(), idOf(a.set)); err != nil {
			t.Fatalf("the record is not there: %v", err)
		}
		b := s.ask("POST", a.set, s.logout)
		if _, err := store.Load(t.Context(), idOf(a.set)); !errors.Is(err, sojourn.ErrNotFound) {
			t.Errorf("the record after logout: %v, want ErrNotFound", err)
		}
		set, unset := a.Result().Cookies()[0], b.Result().Cookies()[0]
		if unset.Value != "" || unset.MaxAge >= 0 || unset.Name != set.Name || unset.Path != set.Path || unset.Domain != set.Domain ||
			unset.Secure != set.Secure || unset.HttpOnly != set.HttpOnly || unset.SameSite != set.SameSite {
			t.Errorf("set by %q, unset by %q", set.Raw, unset.Raw)
		}
	}},
	{"V7.4.1 a terminated session is good for nothing", func(t *testing.T, store sojourn.Store) {
		s := newSite(t, store, sojourn.Config{})
		for what, end := range map[string]func(c, owner string){
			"logout":    func(c, _ string) { s.ask("POST", c, s.logout) },
			"revoke":    func(c, owner string) { _ = s.Revoke(t.Context(), owner, idOf(c)) },
			"revokeAll": func(_, owner string) { _ = s.RevokeAll(t.Context(), owner) },
		} {
			owner := anybody()
			c := s.beginAs(owner)
			end(c, owner)
			a := s.ask("POST", c, func(_ http.ResponseWriter, r *http.Request) {
				ctx := r.Context()
				if s.Info(ctx).ID != "" || !errors.Is(s.Valid(ctx), sojourn.ErrEnded) || !errors.Is(s.RevokeOthers(ctx), sojourn.ErrEnded) {
					t.Errorf("%s: the token still does something", what)
				}
				_ = s.Renew(ctx)
			})
			if a.set != "" {
				t.Errorf("%s: the token was renewed", what)
			}
		}
	}},
	{"what is put after Logout goes into a new session", func(t *testing.T, store sojourn.Store) {
		s := newSite(t, store, sojourn.Config{})
		c := s.beginAs("bob")
		a := s.ask("POST", c, func(w http.ResponseWriter, r *http.Request) {
			s.logout(w, r)
			sojourn.Append(r.Context(), notes, "see you")
		})
		if a.set == "" || a.set == c || a.set[:idEnd] == c[:idEnd] {
			t.Fatalf("the new session's cookie is %q", a.set)
		}
		s.look(a.set, func(ctx context.Context) {
			if n := notes.Pop(ctx); len(n) != 1 || s.Info(ctx).Owner != "" {
				t.Errorf("notes %q, owner %q", n, s.Info(ctx).Owner)
			}
		})
		if s.ownerOf(c) != "" {
			t.Error("the old session lives")
		}
	}},
	{"logout beside many writes ends the session", func(t *testing.T, store sojourn.Store) {
		s := newSite(t, store, sojourn.Config{})
		c := s.beginAs("bob")
		s.atOnce(40, c, func(ctx context.Context, i int) {
			if i == 20 {
				_ = s.Logout(ctx)
				return
			}
			count.Update(ctx, plusOne)
		})
		if o := s.ownerOf(c); o != "" {
			t.Errorf("still logged in as %q", o)
		}
	}},
	{"O21 a token that was never issued here is not adopted", func(t *testing.T, store sojourn.Store) {
		s := newSite(t, store, sojourn.Config{})
		forged := "__Host-Http-id=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
		a := s.ask("POST", forged, func(_ http.ResponseWriter, r *http.Request) { name.Put(r.Context(), "x") })
		if a.set == "" || a.set[:idEnd] == forged[:idEnd] {
			t.Errorf("cookie %q for a forged token", a.set)
		}
		if s.nameOf(forged) != "" || !s.sawEvent(sojourn.EventTokenRefused, "token_unknown") {
			t.Error("the forged token became live, or nothing was told of it")
		}
	}},
	{"O6 the id alone, or with another secret, opens nothing", func(t *testing.T, store sojourn.Store) {
		s := newSite(t, store, sojourn.Config{})
		c := s.beginAs("bob")
		other := s.beginAs("eve")
		if o := s.ownerOf(c[:idEnd] + other[idEnd:]); o != "" {
			t.Errorf("bob's id with eve's secret is %q", o)
		}
	}},
	{"Valid tells a long connection that its session has ended", func(t *testing.T, store sojourn.Store) {
		s := newSite(t, store, sojourn.Config{})
		c := s.beginAs("bob")
		var before, after error
		release := s.slow("GET", c, func(ctx context.Context) { before = s.Valid(ctx) }, func(ctx context.Context) { after = s.Valid(ctx) })
		s.ask("POST", c, s.logout)
		release()
		if before != nil || !errors.Is(after, sojourn.ErrEnded) {
			t.Errorf("Valid: %v, then %v; want nil, then ErrEnded", before, after)
		}
	}},
}

// lateCreate loses the first Create, and has it take effect when asked to.
type lateCreate struct {
	sojourn.Store
	lost *sojourn.Record
}

func (s *lateCreate) Create(ctx context.Context, r sojourn.Record) error {
	if s.lost == nil {
		s.lost = &r
		return errDown
	}
	return s.Store.Create(ctx, r)
}

func (s *lateCreate) land(t *testing.T) {
	if s.lost == nil {
		return // seals are created nowhere
	}
	if err := s.Store.Create(t.Context(), *s.lost); err != nil {
		t.Error(err)
	}
}
