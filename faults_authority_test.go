package sojourn_test

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/gosojourn/sojourn"
)

// F9: what a request has loaded gives it no right any more over what came after.
func TestF9_SlowRequestOfARevokedSession(t *testing.T) {
	inBubbles(t, sojourn.Config{}, func(t *testing.T, s *site) {
		for what, begin := range map[string]func() (c string, end func()){
			"revoked": func() (string, func()) {
				c := s.beginAs("bob")
				return c, func() { _ = s.RevokeAll(t.Context(), "bob") }
			},
			"renewed": func() (string, func()) {
				c := s.beginAs("bob")
				return c, func() { s.ask("POST", c, s.renew) }
			},
			"logged out": func() (string, func()) {
				c := s.beginAs("bob")
				return c, func() { s.ask("POST", c, s.logout) }
			},
		} {
			c, end := begin()
			var others, login error
			goOn := s.during(request("POST", c), func(w http.ResponseWriter, r *http.Request) {
				others = s.RevokeOthers(r.Context())
				s.login("bob")(w, r)
				login = s.Commit(r.Context())
			})
			time.Sleep(time.Second)
			end()
			time.Sleep(time.Second)
			now := s.beginAs("bob")
			a := goOn()
			if !errors.Is(others, sojourn.ErrEnded) || s.ownerOf(now) != "bob" {
				t.Errorf("%s: RevokeOthers said %v, and the new session is %q's", what, others, s.ownerOf(now))
			}
			if what == "revoked" && (!errors.Is(login, sojourn.ErrEnded) || a.set != "") {
				t.Errorf("%s: a login begun before the RevokeAll: %v, cookie %q", what, login, a.set)
			}
			_ = s.RevokeAll(t.Context(), "bob")
			time.Sleep(time.Second)
		}
	})
}

// F9: each door that rests on the session asks the store.
func TestF9_EachDoorAsks(t *testing.T) {
	inBubbles(t, sojourn.Config{}, func(t *testing.T, s *site) {
		fresh := func(w http.ResponseWriter, r *http.Request) int {
			ok := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) })
			stale := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusForbidden) })
			return serve(s.RequireFresh(time.Hour, stale)(ok), r).code
		}
		for _, method := range []string{"GET", "POST"} {
			c := s.beginAs("bob")
			goOn := s.during(request(method, c), func(w http.ResponseWriter, r *http.Request) {
				if err := s.Valid(r.Context()); !errors.Is(err, sojourn.ErrEnded) {
					t.Errorf("%s: Valid: %v", method, err)
				}
				if code := fresh(w, r); code != http.StatusForbidden {
					t.Errorf("%s: RequireFresh lets an ended session in: %d", method, code)
				}
				if a := serve(s.StatusHandler(), request("GET", c).WithContext(r.Context())); !strings.Contains(a.body, `"live":false`) {
					t.Errorf("%s: StatusHandler: %s", method, a.body)
				}
				if _, ok, err := name.Take(r.Context()); !s.sealed && (ok || !errors.Is(err, sojourn.ErrEnded) && err != nil) {
					t.Errorf("%s: Take: %v, %v", method, ok, err)
				}
				if err := s.RevokeOthers(r.Context()); !errors.Is(err, sojourn.ErrEnded) {
					t.Errorf("%s: RevokeOthers: %v", method, err)
				}
			})
			time.Sleep(time.Second)
			if err := s.RevokeAll(t.Context(), "bob"); err != nil {
				t.Fatal(err)
			}
			goOn()
			time.Sleep(time.Second)
		}
	})
}

// F30: what was put as bob is not alice's, whatever becomes of bob's session meanwhile.
func TestF30_LoginOverAnEndedSessionKeepsNothingOfAnother(t *testing.T) {
	ways := map[string]func(s *site, c string){
		"logged out": func(s *site, c string) { s.ask("POST", c, s.logout) },
		"revoked":    func(s *site, _ string) { _ = s.RevokeAll(s.t.Context(), "bob") },
		"renewed":    func(s *site, c string) { s.ask("POST", c, s.renew) },
		"logged in":  func(s *site, c string) { s.ask("POST", c, s.login("carol")) },
		"nothing":    func(*site, string) {},
	}
	for what, end := range ways {
		t.Run(what, func(t *testing.T) {
			inBubbles(t, sojourn.Config{}, func(t *testing.T, s *site) {
				c := s.ask("POST", "", func(w http.ResponseWriter, r *http.Request) { putName(w, r); s.login("bob")(w, r) }).set
				goOn := s.during(request("POST", c), func(w http.ResponseWriter, r *http.Request) {
					state.Put(r.Context(), "bob's")
					sojourn.Append(r.Context(), list, "bob's")
					count.Update(r.Context(), func(int) int { return 7 })
					s.login("alice")(w, r)
					count.Update(r.Context(), plusOne)
				})
				end(s, c)
				a := goOn()
				if a.set == "" {
					t.Fatalf("alice is not logged in: %d", a.code)
				}
				s.look(a.set, func(ctx context.Context) {
					if o, n, v, l, k := s.Info(ctx).Owner, name.Get(ctx), state.Get(ctx), list.Get(ctx), count.Get(ctx); o != "alice" || n != "" || v != "" || l != nil || k != 1 {
						t.Errorf("%q has name %q, state %q, list %q, count %d", o, n, v, l, k)
					}
				})
			})
		})
	}
}

type derived struct{} // the key of a value that makes a context another one

var list = sojourn.NewKey[[]string]("list")

// F31: whoever is shown to be live and must end, ends.
func TestF31_TwoLiveCookies(t *testing.T) {
	cfg := sojourn.Config{Cookie: sojourn.Cookie{Domain: "sojourn.test"}}
	onBoth(t, cfg, func(t *testing.T, s *site) {
		for what, h := range map[string]http.HandlerFunc{
			"Logout":              s.logout,
			"Login":               s.login("carol"),
			"Put, Logout":         func(w http.ResponseWriter, r *http.Request) { putName(w, r); s.logout(w, r) },
			"Logout, Login":       func(w http.ResponseWriter, r *http.Request) { s.logout(w, r); s.login("carol")(w, r) },
			"Logout by a handler": func(w http.ResponseWriter, r *http.Request) { s.logout(w, r); s.commit(r.Context()) },
		} {
			one, two := s.beginAs("ann"), s.beginAs("bob")
			if o := s.ownerOf(one + "; " + two); o != "" {
				t.Errorf("of two live sessions, %q's is read", o)
			}
			a := s.ask("POST", one+"; "+two, h)
			if a, b := s.ownerOf(one), s.ownerOf(two); a != "" || b != "" {
				t.Errorf("%s: the sessions shown are %q's and %q's still", what, a, b)
			}
			twins := 0
			for _, line := range a.header["Set-Cookie"] {
				if strings.Contains(line, "Max-Age=0") && !strings.Contains(line, "Domain") {
					twins++
				}
			}
			if twins != 1 {
				t.Errorf("%s: the host-only cookie is deleted %d times: %q", what, twins, a.header["Set-Cookie"])
			}
			if login := strings.HasSuffix(what, "Login"); login != (a.set != "" && s.ownerOf(a.set) == "carol") {
				t.Errorf("%s: cookie %q is %q's", what, a.set, s.ownerOf(a.set))
			}
		}
	})
}

// F31: a revocation is no logout: what else is shown is not its to end; and one that cannot be ended is told.
func TestF31_OneOfTwoDoesNotEnd(t *testing.T) {
	s := newSite(t, sojourn.Config{}, newGate())
	one, two := s.beginAs("ann"), s.beginAs("bob")
	s.gate.set(down(only("delete"), errFire))
	a := s.ask("POST", one+"; "+two, s.logout)
	s.gate.set(nil)
	if a.code != 503 || a.unset || s.ownerOf(one) != "ann" || s.ownerOf(two) != "bob" {
		t.Errorf("answered %d, cookie deleted %v", a.code, a.unset)
	}
}

// F32: the token is judged by the request that it comes with, whatever that one's context is derived from.
func TestF32_RequestInAnothersContext(t *testing.T) {
	for _, header := range []string{"", "Authorization"} {
		onBoth(t, sojourn.Config{Header: header}, func(t *testing.T, s *site) {
			show := func(r *http.Request, token string) *http.Request {
				if token != "" && header != "" {
					r.Header.Set(header, "Bearer "+token)
				} else if token != "" {
					r.Header.Set("Cookie", token)
				}
				return r
			}
			as := func(owner string) string {
				a := serve(s.LoadAndSave(s.login(owner)), request("POST", ""))
				if header != "" {
					return a.header.Get("Session-Token")
				}
				return a.set
			}
			ann, bob := as("ann"), as("bob")
			for token, want := range map[string]string{ann: "ann", bob: "bob", "": ""} {
				owner := "not asked"
				serve(s.LoadAndSave(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
					_ = s.Load(r.Context())
					other := show(request("GET", ""), token).WithContext(context.WithValue(r.Context(), derived{}, 1))
					serve(s.LoadAndSave(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
						owner = s.Info(r.Context()).Owner
					})), other)
					serve(s.StatusHandler(), other)
				})), show(request("GET", ""), ann))
				if owner != want {
					t.Errorf("a request of %q's in ann's context is %q's", want, owner)
				}
			}
		})
	}
}

// F33: superseded for as long as promised, after any number of renewals.
func TestF33_ManyRenewalsInAMinute(t *testing.T) {
	for _, n := range []int{1, 5, 8, 30} {
		inBubbles(t, sojourn.Config{}, func(t *testing.T, s *site) {
			first := s.begin()
			c := s.ask("POST", first, s.login("bob")).set
			for range n - 1 {
				time.Sleep(15 * time.Second / time.Duration(n))
				c = s.ask("POST", c, s.renew).or(c)
			}
			time.Sleep(40 * time.Second)
			a := s.ask("POST", first, putName)
			if a.set != "" || a.unset || s.events(sojourn.EventUsedAfterEnd, "superseded") == 0 {
				t.Errorf("after %d renewals, the first token's POST plants the cookie %q", n, a.set)
			}
			if o := s.ownerOf(c); o != "bob" {
				t.Errorf("after %d renewals, the last token is %q's", n, o)
			}
		})
	}
}

// F34: to revoke one's own session is to log out.
func TestF34_RevokeOfOnesOwn(t *testing.T) {
	revokes := map[string]func(s *site, ctx context.Context) error{
		"Revoke":    func(s *site, ctx context.Context) error { return s.Revoke(ctx, "bob", s.Info(ctx).ID) },
		"RevokeAll": func(s *site, ctx context.Context) error { return s.RevokeAll(ctx, "bob") },
	}
	for what, revoke := range revokes {
		inBubbles(t, sojourn.Config{}, func(t *testing.T, s *site) {
			if s.sealed && what == "Revoke" {
				return
			}
			for _, again := range []bool{false, true} {
				c := s.ask("POST", "", func(w http.ResponseWriter, r *http.Request) { putName(w, r); s.login("bob")(w, r) }).set
				time.Sleep(time.Second)
				a := s.ask("POST", c, func(w http.ResponseWriter, r *http.Request) {
					state.Put(r.Context(), "before")
					if err := revoke(s, r.Context()); err != nil {
						t.Errorf("%s: %v", what, err)
					}
					if i := s.Info(r.Context()); i.Owner != "" || i.ID != "" || name.Get(r.Context()) != "" || state.Get(r.Context()) != "" {
						t.Errorf("%s: the request is %q's still, name %q", what, i.Owner, name.Get(r.Context()))
					}
					if again {
						s.login("bob")(w, r)
					}
				})
				if s.ownerOf(c) != "" || a.unset == again || again && s.ownerOf(a.set) != "bob" {
					t.Errorf("%s: cookie deleted %v, set %q", what, a.unset, a.set)
				}
				time.Sleep(time.Second)
			}
		})
	}
}

// A login keeps what a visitor's session held when it was loaded, even if another login has replaced that token since.
// Who has taken something of it meanwhile has it, and nobody else gets it.
func TestTakeWithALoginThatComesLate(t *testing.T) {
	onStore(t, sojourn.Config{}, func(t *testing.T, s *site) {
		c := s.begin()
		var late, kept string
		var ok bool
		var err error
		goOn := s.during(request("POST", c), func(_ http.ResponseWriter, r *http.Request) {
			second.Put(r.Context(), "kept")
			_ = s.Login(r.Context(), "bob")
			late, ok, err = name.Take(r.Context())
			kept = second.Get(r.Context())
		})
		var first string
		s.ask("POST", c, func(w http.ResponseWriter, r *http.Request) {
			first, _, _ = name.Take(r.Context())
			s.login("bob")(w, r)
		})
		goOn()
		if first != "first" || ok || late != "" || err != nil || kept != "kept" {
			t.Errorf("taken %q, and then %q, %t, %v; beside it %q", first, late, ok, err, kept)
		}
	})
}
