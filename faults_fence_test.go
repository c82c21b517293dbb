package sojourn_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/gosojourn/sojourn"
)

// nth fails, or does not answer, the n-th question of kind op.
func nth(n int32, op string, otherwise func(ctx context.Context) error) func(context.Context, string) error {
	var asked atomic.Int32
	return func(ctx context.Context, o string) error {
		if o == op && asked.Add(1) == n {
			return otherwise(ctx)
		}
		return nil
	}
}

// F35: the second look at the fence fails: that is no verdict, and nothing is deleted that was not judged.
func TestF35_SecondLookAtTheFence(t *testing.T) {
	ways := map[string]func(ctx context.Context) error{
		"fails":   func(context.Context) error { return errFire },
		"refused": func(context.Context) error { return fmt.Errorf("no rights: %w", sojourn.ErrRefused) },
		"stalls":  func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() },
	}
	for what, otherwise := range ways {
		t.Run(what, func(t *testing.T) {
			inBubbles(t, sojourn.Config{}, func(t *testing.T, s *site) {
				c := s.begin()
				s.gate.set(nth(2, "fence", otherwise))
				a := s.ask("POST", c, s.login("bob"))
				s.gate.set(nil)
				if a.code != 503 || a.set != "" || a.unset {
					t.Errorf("answered %d, cookie %q, deleted %v", a.code, a.set, a.unset)
				}
				if n := s.nameOf(c); n != "first" {
					t.Errorf("the visitor's old session is gone: it says %q", n)
				}
				if a := s.ask("POST", c, s.login("bob")); s.ownerOf(a.set) != "bob" || s.nameOf(a.set) != "first" {
					t.Errorf("the next login: %d", a.code)
				}
			})
		})
	}
}

// F35: of two sessions shown beside each other neither is ended by a login that failed.
func TestF35_SeveralAreKeptByALoginThatFails(t *testing.T) {
	inBubbles(t, sojourn.Config{}, func(t *testing.T, s *site) {
		one, two := s.beginAs("ann"), s.beginAs("bob")
		s.gate.set(nth(2, "fence", func(context.Context) error { return errFire }))
		a := s.ask("POST", one+"; "+two, s.login("carol"))
		s.gate.set(nil)
		if a.code != 503 || s.ownerOf(one) != "ann" || s.ownerOf(two) != "bob" {
			t.Errorf("answered %d, and the sessions are %q's and %q's", a.code, s.ownerOf(one), s.ownerOf(two))
		}
	})
}

// F35: a login that is refused by the fence gives the visitor back what he had, and what was another's ends.
func TestF35_LoginThatIsRefused(t *testing.T) {
	onStore(t, sojourn.Config{}, func(t *testing.T, s *site) {
		c := s.begin()
		s.gate.set(nth(1, "update", func(ctx context.Context) error {
			_, err := s.gate.Store.RevokeOwner(ctx, "bob", "")
			return err
		}))
		var err error
		a := s.ask("POST", c, func(w http.ResponseWriter, r *http.Request) {
			s.login("bob")(w, r)
			err = s.Commit(r.Context())
		})
		if !errors.Is(err, sojourn.ErrEnded) || a.set != "" || s.nameOf(c) != "first" || s.ownerOf(c) != "" {
			t.Errorf("%v; cookie %q; the old session says %q and is %q's", err, a.set, s.nameOf(c), s.ownerOf(c))
		}
	})
}

// crossSite is a request that another site has sent.
func crossSite(method, cookie string) *http.Request {
	r := request(method, cookie)
	r.Header.Set("Sec-Fetch-Site", "cross-site")
	return r
}

// F36: where the browser may have held our cookie back, a Put begins no session; a Login does.
func TestF36_CrossSiteWithoutTheCookie(t *testing.T) {
	lax, strict, none := http.SameSiteLaxMode, http.SameSiteStrictMode, http.SameSiteNoneMode
	for _, x := range []struct {
		mode   http.SameSite
		method string
		begins bool
	}{
		{lax, "POST", false}, {lax, "PUT", false}, {lax, "GET", true},
		{strict, "POST", false}, {strict, "GET", false}, {none, "POST", true},
	} {
		t.Run(fmt.Sprint(x.mode, x.method), func(t *testing.T) {
			onBoth(t, sojourn.Config{Cookie: sojourn.Cookie{SameSite: x.mode}}, func(t *testing.T, s *site) {
				for what, change := range map[string]func(ctx context.Context){
					"Put":    func(ctx context.Context) { name.Put(ctx, "x") },
					"Update": func(ctx context.Context) { count.Update(ctx, plusOne) },
					"Append": func(ctx context.Context) { sojourn.Append(ctx, list, "x") },
					"Put behind a Logout": func(ctx context.Context) {
						_ = s.Logout(ctx)
						name.Put(ctx, "x")
					},
				} {
					told := s.events(sojourn.EventTokenRefused, "cross_site")
					var err error
					a := serve(s.LoadAndSave(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
						change(r.Context())
						err = s.Commit(r.Context())
					})), crossSite(x.method, ""))
					if begun := a.set != ""; begun != x.begins || x.begins != (err == nil) || a.unset {
						t.Errorf("%s: cookie %q, %v", what, a.set, err)
					}
					if !x.begins && (!errors.Is(err, sojourn.ErrCrossSite) || s.events(sojourn.EventTokenRefused, "cross_site") == told) {
						t.Errorf("%s: %v, want ErrCrossSite and an event", what, err)
					}
				}
				a := serve(s.LoadAndSave(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					putName(w, r)
					s.login("bob")(w, r)
				})), crossSite(x.method, ""))
				if s.ownerOf(a.set) != "bob" || s.nameOf(a.set) != "gopher" {
					t.Errorf("a login is not done: %d", a.code)
				}
				// The cookie that is shown was not held back.
				a = serve(s.LoadAndSave(http.HandlerFunc(putName)), crossSite(x.method, s.begin()))
				if a.code != 200 {
					t.Errorf("with the cookie: %d", a.code)
				}
			})
		})
	}
}

// F36: the response stands, and a token in a header is held back by nobody.
func TestF36_ResponseStands(t *testing.T) {
	s := newSite(t, sojourn.Config{}, newGate())
	a := serve(s.LoadAndSave(http.HandlerFunc(putName)), crossSite("POST", ""))
	if a.code != 200 || strings.Contains(strings.Join(a.header["Set-Cookie"], ""), "__Host-Http-id") {
		t.Errorf("%d %v", a.code, a.header)
	}
	s = newSite(t, sojourn.Config{Header: "Authorization"}, newGate())
	a = serve(s.LoadAndSave(http.HandlerFunc(putName)), crossSite("POST", ""))
	if a.header.Get("Session-Token") == "" {
		t.Error("in a header, a session is not begun")
	}
	for _, site := range []string{"", "none", "same-origin", "same-site"} {
		s := newSite(t, sojourn.Config{}, newGate())
		r := request("POST", "")
		r.Header.Set("Sec-Fetch-Site", site)
		if a := serve(s.LoadAndSave(http.HandlerFunc(putName)), r); a.set == "" {
			t.Errorf("Sec-Fetch-Site %q: no session is begun", site)
		}
	}
}
