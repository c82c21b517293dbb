package laws

import (
	"context"
	"errors"
	"net/http"
	"testing"
	"time"

	"github.com/gosojourn/sojourn"
)

// Law 3: renewed is renewed.
var renewals = []story{
	{"O23 login replaces the token, keeps the data, ends the old token", func(t *testing.T, store sojourn.Store) {
		s := newSite(t, store, sojourn.Config{})
		c := s.begin()
		a := s.ask("POST", c, s.login("bob"))
		if a.set == "" || a.set == c || s.ownerOf(a.set) != "bob" || s.nameOf(a.set) != "first" {
			t.Errorf("after login: cookie %q, owner %q, name %q", a.set, s.ownerOf(a.set), s.nameOf(a.set))
		}
		if s.ownerOf(c) != "" || s.nameOf(c) != "" {
			t.Error("the token from before the login still opens the session")
		}
		if a.Header().Get("Cache-Control") != "no-store" {
			t.Error("the response with the token may be cached")
		}
	}},
	{"P1 a slow request from before the login cannot write into it", func(t *testing.T, store sojourn.Store) {
		s := newSite(t, store, sojourn.Config{})
		c := s.begin()
		var err error
		release := s.slow("POST", c, nothing, func(ctx context.Context) {
			role.Put(ctx, "planted")
			err = s.Commit(ctx)
		})
		login := s.ask("POST", c, s.login("bob"))
		if a := release(); a.set != "" || a.unset || !errors.Is(err, sojourn.ErrEnded) {
			t.Errorf("the late response set %q, Commit said %v; want none and ErrEnded", a.set, err)
		}
		s.look(login.set, func(ctx context.Context) {
			if role.Get(ctx) != "" || s.Info(ctx).Owner != "bob" {
				t.Errorf("role %q was planted into %q's session", role.Get(ctx), s.Info(ctx).Owner)
			}
		})
	}},
	{"P20 a request under the superseded token reads nothing, writes nothing, sets no cookie", func(t *testing.T, store sojourn.Store) {
		s := newSite(t, store, sojourn.Config{})
		for _, change := range []http.HandlerFunc{s.login("bob"), s.renew} {
			c := s.begin()
			now := s.ask("POST", c, change)
			var err error
			a := s.ask("POST", c, func(_ http.ResponseWriter, r *http.Request) {
				if v := name.Get(r.Context()); v != "" {
					t.Errorf("the superseded token reads %q", v)
				}
				count.Update(r.Context(), plusOne)
				err = s.Commit(r.Context())
			})
			if !errors.Is(err, sojourn.ErrEnded) || a.set != "" || a.unset || a.Code != 200 {
				t.Errorf("Commit %v, cookie %q, status %d; want ErrEnded, none, 200", err, a.set, a.Code)
			}
			s.wantCount(now.set, 0)
			if a := s.ask("POST", c, s.logout); a.unset || s.nameOf(now.set) != "first" {
				t.Error("a logout under the superseded token reached the session that replaced it")
			}
		}
	}},
	{"two logins at once under one token: both browsers are logged in", func(t *testing.T, store sojourn.Store) {
		s := newSite(t, store, sojourn.Config{})
		c := s.begin()
		release := s.slow("POST", c, nothing, func(ctx context.Context) {
			role.Put(ctx, "second")
			_ = s.Login(ctx, "bob")
		})
		s.ask("POST", c, s.login("bob")) // its response is never read
		second := release()
		if second.set == "" || s.ownerOf(second.set) != "bob" {
			t.Errorf("the second login: cookie %q, owner %q", second.set, s.ownerOf(second.set))
		}
		s.look(second.set, func(ctx context.Context) {
			if role.Get(ctx) != "second" {
				t.Error("the second login lost what its request had put")
			}
		})
		third := s.ask("POST", c, s.login("bob")) // loads under the superseded token
		if s.ownerOf(third.set) != "bob" {
			t.Error("a login under a superseded token did not log in")
		}
	}},
	{"a login whose session was ended meanwhile begins another", func(t *testing.T, store sojourn.Store) {
		s := newSite(t, store, sojourn.Config{})
		c := s.begin()
		release := s.slow("POST", c, nothing, func(ctx context.Context) { _ = s.Login(ctx, "bob") })
		s.ask("POST", c, s.logout)
		if a := release(); s.ownerOf(a.set) != "bob" || s.nameOf(a.set) != "" {
			t.Errorf("owner %q, name %q", s.ownerOf(a.set), s.nameOf(a.set))
		}
	}},
	{"a login as another owner keeps no data", func(t *testing.T, store sojourn.Store) {
		s := newSite(t, store, sojourn.Config{})
		c := s.beginAs("alice")
		s.ask("POST", c, func(_ http.ResponseWriter, r *http.Request) { name.Put(r.Context(), "alice's") })
		a := s.ask("POST", c, func(w http.ResponseWriter, r *http.Request) {
			role.Put(r.Context(), "alice's too")
			s.login("bob")(w, r)
			count.Put(r.Context(), 7)
		})
		s.look(a.set, func(ctx context.Context) {
			if name.Get(ctx) != "" || role.Get(ctx) != "" || count.Get(ctx) != 7 || s.Info(ctx).Owner != "bob" {
				t.Errorf("bob sees name=%q role=%q count=%d", name.Get(ctx), role.Get(ctx), count.Get(ctx))
			}
		})
		if s.ownerOf(c) != "" {
			t.Error("alice's token still works")
		}
	}},
	{"P22 renewal keeps the absolute limit; a login starts a new one", func(t *testing.T, store sojourn.Store) {
		short, long := newSite(t, store, sojourn.Config{Lifetime: time.Hour}), newSite(t, store, sojourn.Config{Lifetime: 5 * time.Hour})
		c := short.begin()
		deadline := func(c string) (d time.Time) {
			long.look(c, func(ctx context.Context) { d = long.Info(ctx).Deadline })
			return d
		}
		first := deadline(c)
		for range 3 {
			c = long.ask("POST", c, long.renew).set
		}
		if d := deadline(c); !d.Equal(first) || d.IsZero() {
			t.Errorf("three renewals moved the absolute limit by %v", d.Sub(first))
		}
		c = long.ask("POST", c, long.login("bob")).set
		if d := deadline(c); d.Sub(first) < 3*time.Hour {
			t.Errorf("the login did not start a new absolute limit")
		}
	}},
	{"N15 activity moves the idle limit alone, logging in again moves both", func(t *testing.T, store sojourn.Store) {
		s := newSite(t, store, sojourn.Config{IdleTimeout: 10 * time.Second}) // activity counts from half a second on
		info := func(c string) (i sojourn.Info) {
			s.look(c, func(ctx context.Context) { i = s.Info(ctx) })
			return i
		}
		c := s.beginAs("bob")
		first := info(c)
		time.Sleep(600 * time.Millisecond)
		info(c) // is stored when its response begins
		used := info(c)
		if !used.Expires.After(first.Expires) || !used.Deadline.Equal(first.Deadline) {
			t.Errorf("activity moved the idle limit by %v and the absolute one by %v", used.Expires.Sub(first.Expires), used.Deadline.Sub(first.Deadline))
		}
		again := info(s.ask("POST", c, s.login("bob")).set)
		if !again.Expires.After(first.Expires) || !again.Deadline.After(first.Deadline) {
			t.Errorf("logging in again moved the idle limit by %v and the absolute one by %v", again.Expires.Sub(first.Expires), again.Deadline.Sub(first.Deadline))
		}
	}},
	{"P7 when the client is gone data is saved, and a login is not performed, nor half of its change set", func(t *testing.T, store sojourn.Store) {
		s := newSite(t, store, sojourn.Config{})
		c := s.begin()
		leaving := func(h http.HandlerFunc) answer {
			ctx, gone := context.WithCancel(t.Context())
			return s.send(request("POST", c).WithContext(ctx), func(w http.ResponseWriter, r *http.Request) {
				h(w, r)
				gone()
			})
		}
		if a := leaving(func(w http.ResponseWriter, r *http.Request) {
			name.Put(r.Context(), "not so")
			s.login("bob")(w, r)
		}); a.set != "" || s.ownerOf(c) != "" || s.nameOf(c) != "first" || a.Code != 503 {
			t.Errorf("cookie %q, owner %q, name %q, status %d; want nothing done, and 503", a.set, s.ownerOf(c), s.nameOf(c), a.Code)
		}
		if leaving(func(_ http.ResponseWriter, r *http.Request) { name.Put(r.Context(), "saved") }); s.nameOf(c) != "saved" {
			t.Error("the save was lost with the client")
		}
	}},
	{"V7.2.4 logging in again replaces the token again", func(t *testing.T, store sojourn.Store) {
		s := newSite(t, store, sojourn.Config{})
		c := s.beginAs("bob")
		again := s.ask("POST", c, s.login("bob")).set
		if again == c || s.ownerOf(again) != "bob" || s.ownerOf(c) != "" {
			t.Errorf("again %v, new owner %q, old owner %q", again == c, s.ownerOf(again), s.ownerOf(c))
		}
	}},
	{"Remember outlives the browser, and only when it says so", func(t *testing.T, store sojourn.Store) {
		s := newSite(t, store, sojourn.Config{RememberFor: 48 * time.Hour})
		a := s.ask("POST", "", func(w http.ResponseWriter, r *http.Request) {
			s.login("bob")(w, r)
			s.Remember(r.Context(), true)
		})
		if c := a.Result().Cookies()[0]; c.MaxAge < 47*3600 || c.MaxAge > 48*3600 {
			t.Errorf("Max-Age = %d, want 48 hours", c.MaxAge)
		}
		s.look(a.set, func(ctx context.Context) {
			if i := s.Info(ctx); !i.Remembered || !i.Expires.Equal(i.Deadline) || time.Until(i.Deadline) < 47*time.Hour {
				t.Errorf("%+v", i)
			}
		})
		b := s.ask("POST", a.set, func(_ http.ResponseWriter, r *http.Request) { s.Remember(r.Context(), false) })
		if b.set == "" || b.Result().Cookies()[0].MaxAge != 0 {
			t.Errorf("to be forgotten again needs a cookie that the browser drops: %v", b.Header())
		}
		if c := s.ask("POST", b.set, func(_ http.ResponseWriter, r *http.Request) { s.Remember(r.Context(), false) }); c.set != "" {
			t.Error("a Remember that changes nothing sent a token")
		}
	}},
}
