package strangers

import (
	"context"
	"errors"
	"net/http"
	"testing"

	"github.com/gosojourn/sojourn"
)

// authority: what a request has loaded is not what is so.
var authority = []story{
	{"F9 a slow request of a revoked session ends nothing and nobody logs in by it", func(t *testing.T, s *site) {
		s.with(sojourn.Config{})
		owner := anybody()
		var others, login error
		goOn := s.during("POST", s.beginAs(owner), func(ctx context.Context) {
			others = s.RevokeOthers(ctx)
			login = errors.Join(s.Login(ctx, owner), s.Commit(ctx))
		})
		if err := s.RevokeAll(t.Context(), owner); err != nil {
			t.Fatal(err)
		}
		now := s.beginAs(owner)
		a := goOn()
		if !errors.Is(others, sojourn.ErrEnded) || !errors.Is(login, sojourn.ErrEnded) || a.set != "" || s.ownerOf(now) != owner {
			t.Errorf("RevokeOthers %v, Login %v; the new session is %q's", others, login, s.ownerOf(now))
		}
	}},
	{"F30 what was put as one is not another's", func(t *testing.T, s *site) {
		s.with(sojourn.Config{})
		for what, end := range map[string]func(c, owner string){
			"logged out": func(c, _ string) { s.ask("POST", c, s.logout) },
			"renewed":    func(c, _ string) { s.ask("POST", c, s.renew) },
			"revoked":    func(_, owner string) { _ = s.RevokeAll(t.Context(), owner) },
		} {
			bob, alice := anybody(), anybody()
			c := s.beginAs(bob)
			goOn := s.during("POST", c, func(ctx context.Context) {
				name.Put(ctx, "bob's")
				sojourn.Append(ctx, notes, "bob's")
				_ = s.Login(ctx, alice)
			})
			end(c, bob)
			a := goOn()
			s.look(a.set, func(ctx context.Context) {
				if o, n, l := s.Info(ctx).Owner, name.Get(ctx), notes.Get(ctx); o != alice || n != "" || l != nil {
					t.Errorf("%s: %q reads %q and %q", what, o, n, l)
				}
			})
		}
	}},
	{"F31 of two live cookies both end", func(t *testing.T, s *site) {
		s.with(sojourn.Config{})
		for what, h := range map[string]http.HandlerFunc{"Logout": s.logout, "Login": s.login(anybody())} {
			one, two := s.beginAs(anybody()), s.beginAs(anybody())
			a := s.ask("POST", one+"; "+two, h)
			if x, y := s.ownerOf(one), s.ownerOf(two); a.code != 200 || x != "" || y != "" {
				t.Errorf("%s: %d; they are %q's and %q's", what, a.code, x, y)
			}
		}
	}},
	{"F32 a request is judged by what it shows", func(t *testing.T, s *site) {
		s.with(sojourn.Config{})
		bob := anybody()
		ann, other, got := s.beginAs(anybody()), s.beginAs(bob), ""
		s.look(ann, func(ctx context.Context) {
			_ = s.Load(ctx)
			s.send(request("GET", other).WithContext(ctx), do(func(ctx context.Context) { got = s.Info(ctx).Owner }))
		})
		if got != bob {
			t.Errorf("it is %q's", got)
		}
	}},
	{"F33 the first of many tokens is superseded", func(t *testing.T, s *site) {
		s.with(sojourn.Config{})
		first := s.begin()
		c := s.ask("POST", first, s.login(anybody())).set
		for range 8 {
			c = s.ask("POST", c, s.renew).set
		}
		a := s.ask("POST", first, do(func(ctx context.Context) { name.Put(ctx, "x") }))
		if a.set != "" || a.unset || s.events(sojourn.EventUsedAfterEnd, "superseded") == 0 || s.nameOf(c) != "first" {
			t.Errorf("cookie %q; the session says %q", a.set, s.nameOf(c))
		}
	}},
	{"F34 to revoke one's own session is to log out", func(t *testing.T, s *site) {
		s.with(sojourn.Config{})
		owner := anybody()
		c := s.beginAs(owner)
		a := s.ask("POST", c, do(func(ctx context.Context) {
			if err := s.Revoke(ctx, owner, s.Info(ctx).ID); err != nil || s.Info(ctx).Owner != "" {
				t.Errorf("Revoke: %v, and the request is %q's", err, s.Info(ctx).Owner)
			}
		}))
		if !a.unset || s.ownerOf(c) != "" {
			t.Errorf("cookie deleted %v, and it is %q's", a.unset, s.ownerOf(c))
		}
	}},
	{"F36 a request from another site begins no session, unless it logs in", func(t *testing.T, s *site) {
		s.with(sojourn.Config{})
		from := func(h http.HandlerFunc) reply {
			r := request("POST", "")
			r.Header.Set("Sec-Fetch-Site", "cross-site")
			return s.send(r, h)
		}
		a := from(do(func(ctx context.Context) {
			name.Put(ctx, "x")
			if err := s.Commit(ctx); !errors.Is(err, sojourn.ErrCrossSite) {
				t.Errorf("Commit: %v, want ErrCrossSite", err)
			}
		}))
		if a.set != "" || s.events(sojourn.EventTokenRefused, "cross_site") != 1 {
			t.Errorf("cookie %q", a.set)
		}
		owner := anybody()
		if a := from(s.login(owner)); s.ownerOf(a.set) != owner {
			t.Errorf("a login is %q's", s.ownerOf(a.set))
		}
	}},
	{"F41 a login right behind a revocation logs in", func(t *testing.T, s *site) {
		s.with(sojourn.Config{})
		owner := anybody()
		for range 20 {
			if err := s.RevokeAll(t.Context(), owner); err != nil {
				t.Fatal(err)
			}
			if c := s.beginAs(owner); s.ownerOf(c) != owner {
				t.Fatalf("its cookie is %q's", s.ownerOf(c))
			}
		}
	}},
	{"F42 of logins at one moment the first ends", func(t *testing.T, s *site) {
		s.with(sojourn.Config{MaxPerOwner: 2})
		owner := anybody()
		var all []string
		for range 8 {
			all = append(all, s.beginAs(owner))
		}
		for i, c := range all {
			if o := s.ownerOf(c); (o == owner) != (i >= 6) {
				t.Errorf("the %d. of 8 is %q's", i+1, o)
			}
		}
	}},
	{"F43 List shows what lives", func(t *testing.T, s *site) {
		s.with(sojourn.Config{})
		owner := anybody()
		for range 5 {
			s.beginAs(owner)
		}
		if s.with(sojourn.Config{MaxPerOwner: 2}); s.listed(owner) != 5 {
			t.Errorf("%d of 5", s.listed(owner))
		}
	}},
}
