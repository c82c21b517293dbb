package gorillacompat_test

import (
	"context"
	"crypto/tls"
	"encoding/gob"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"testing"

	"github.com/gorilla/sessions"

	"github.com/gosojourn/sojourn"
	"github.com/gosojourn/sojourn/gorillacompat"
	"github.com/gosojourn/sojourn/memstore"
	"github.com/gosojourn/sojourn/sealed"
)

const name = "session-name"

var quiet = slog.New(slog.NewTextHandler(io.Discard, nil))

func newStore(t testing.TB, kept sojourn.Store, cfg sojourn.Config) *gorillacompat.Store {
	t.Helper()
	if cfg.Logger == nil {
		cfg.Logger = quiet
	}
	s, err := gorillacompat.New(kept, cfg)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func newSealed(t testing.TB, cfg sojourn.Config) *gorillacompat.Store {
	t.Helper()
	ring, err := sealed.New([]string{sealed.GenerateKey()}, sealed.Options{})
	if err != nil {
		t.Fatal(err)
	}
	cfg.Logger = quiet
	s, err := gorillacompat.NewSealed(ring, cfg)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// A browser keeps cookies as over https, and calls handlers in the test's process.
type browser struct {
	t   testing.TB
	jar http.CookieJar
	via func(http.Handler) http.Handler // middleware, nil for none
}

var site = &url.URL{Scheme: "https", Host: "example.com", Path: "/"}

func newBrowser(t testing.TB) *browser {
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	return &browser{t: t, jar: jar}
}

func (b *browser) request() *http.Request {
	r := httptest.NewRequest(http.MethodPost, site.String(), nil)
	r.TLS = &tls.ConnectionState{}
	for _, c := range b.jar.Cookies(site) {
		r.AddCookie(c)
	}
	return r
}

func (b *browser) keep(w *httptest.ResponseRecorder) *http.Response {
	res := w.Result()
	b.jar.SetCookies(site, res.Cookies())
	return res
}

// do runs h in a request of its own.
func (b *browser) do(h func(w http.ResponseWriter, r *http.Request)) *http.Response {
	b.t.Helper()
	w := httptest.NewRecorder()
	var inner http.Handler = http.HandlerFunc(h)
	if b.via != nil {
		inner = b.via(inner)
	}
	inner.ServeHTTP(w, b.request())
	return b.keep(w)
}

// with gets the session, has fn use it, and saves it.
func (b *browser) with(s sessions.Store, fn func(*sessions.Session)) *http.Response {
	b.t.Helper()
	return b.do(func(w http.ResponseWriter, r *http.Request) {
		session, err := s.Get(r, name)
		if err != nil {
			b.t.Error(err)
			return
		}
		fn(session)
		if err := session.Save(r, w); err != nil {
			b.t.Error(err)
		}
	})
}

// values are what the next request finds.
func (b *browser) values(s sessions.Store) (found map[any]any) {
	b.t.Helper()
	b.do(func(_ http.ResponseWriter, r *http.Request) {
		session, err := s.Get(r, name)
		if err != nil {
			b.t.Error(err)
		}
		found = session.Values
	})
	return found
}

// stores are the ways to keep sessions, each with nothing around, another manager, and its own.
func stores(t *testing.T, do func(t *testing.T, s *gorillacompat.Store, b *browser)) {
	kept := map[string]func(t *testing.T) *gorillacompat.Store{
		"memory": func(t *testing.T) *gorillacompat.Store { return newStore(t, memstore.New(), sojourn.Config{}) },
		"sealed": func(t *testing.T) *gorillacompat.Store { return newSealed(t, sojourn.Config{}) },
	}
	around := map[string]func(t *testing.T, s *gorillacompat.Store) func(http.Handler) http.Handler{
		"alone": func(*testing.T, *gorillacompat.Store) func(http.Handler) http.Handler { return nil },
		"inside another LoadAndSave": func(t *testing.T, _ *gorillacompat.Store) func(http.Handler) http.Handler {
			m, err := sojourn.New(memstore.New(), sojourn.Config{Logger: quiet})
			if err != nil {
				t.Fatal(err)
			}
			seen := sojourn.NewKey[int]("seen")
			return func(h http.Handler) http.Handler {
				return m.LoadAndSave(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					seen.Update(r.Context(), func(n int) int { return n + 1 })
					h.ServeHTTP(w, r)
				}))
			}
		},
		"inside its own LoadAndSave": func(t *testing.T, s *gorillacompat.Store) func(http.Handler) http.Handler {
			m, err := s.Manager(name)
			if err != nil {
				t.Fatal(err)
			}
			return m.LoadAndSave
		},
	}
	for where, open := range kept {
		for how, wrap := range around {
			t.Run(where+"/"+how, func(t *testing.T) {
				s := open(t)
				b := newBrowser(t)
				b.via = wrap(t, s)
				do(t, s, b)
			})
		}
	}
}

func TestValuesComeBack(t *testing.T) {
	stores(t, func(t *testing.T, s *gorillacompat.Store, b *browser) {
		b.with(s, func(session *sessions.Session) {
			if !session.IsNew || session.Name() != name {
				t.Errorf("first request: IsNew %v, name %q", session.IsNew, session.Name())
			}
			session.Values["foo"] = "bar"
			session.Values[42] = 43
		})
		b.with(s, func(session *sessions.Session) {
			if session.IsNew || session.Values["foo"] != "bar" || session.Values[42] != 43 {
				t.Errorf("second request: IsNew %v, %v", session.IsNew, session.Values)
			}
			delete(session.Values, "foo")
		})
		if v := b.values(s); len(v) != 1 || v[42] != 43 {
			t.Errorf("third request: %v, want 42 alone", v)
		}
	})
}

// An application that saves twice in a request, or asks for the session again, has one session.
func TestOneSessionInARequest(t *testing.T) {
	stores(t, func(t *testing.T, s *gorillacompat.Store, b *browser) {
		b.do(func(w http.ResponseWriter, r *http.Request) {
			first, _ := s.Get(r, name)
			first.Values["a"] = 1
			if err := first.Save(r, w); err != nil {
				t.Error(err)
			}
			again, _ := s.Get(r, name)
			if again != first {
				t.Error("Get made another session")
			}
			other, err := s.New(r, name)
			if err != nil || other.IsNew || other.Values["a"] != 1 {
				t.Errorf("New after Save: IsNew %v, %v, %v", other.IsNew, other.Values, err)
			}
			other.Values["b"] = 2
			if err := s.Save(nil, w, other); err != nil {
				t.Error(err)
			}
			first.Values["c"] = 3
			if err := sessions.Save(r, w); err != nil {
				t.Error(err)
			}
		})
		if v := b.values(s); len(v) != 3 {
			t.Errorf("kept %v, want a, b and c", v)
		}
	})
}

func TestSeveralNamesInARequest(t *testing.T) {
	stores(t, func(t *testing.T, s *gorillacompat.Store, b *browser) {
		b.do(func(w http.ResponseWriter, r *http.Request) {
			one, _ := s.Get(r, name)
			two, _ := s.Get(r, "two")
			one.Values["foo"], two.Values["foo"] = "one", "two"
			if err := sessions.Save(r, w); err != nil {
				t.Error(err)
			}
		})
		b.do(func(w http.ResponseWriter, r *http.Request) {
			one, _ := s.Get(r, name)
			two, _ := s.Get(r, "two")
			if one.Values["foo"] != "one" || two.Values["foo"] != "two" {
				t.Errorf("found %v and %v", one.Values, two.Values)
			}
		})
	})
}

func TestFlashes(t *testing.T) {
	stores(t, func(t *testing.T, s *gorillacompat.Store, b *browser) {
		b.with(s, func(session *sessions.Session) {
			session.AddFlash("saved")
			session.AddFlash(7, "numbers")
		})
		b.with(s, func(session *sessions.Session) {
			if f := session.Flashes(); len(f) != 1 || f[0] != "saved" {
				t.Errorf("flashes %v", f)
			}
		})
		b.with(s, func(session *sessions.Session) {
			if f := session.Flashes(); len(f) != 0 {
				t.Errorf("flashes came twice: %v", f)
			}
			if f := session.Flashes("numbers"); len(f) != 1 || f[0] != 7 {
				t.Errorf("numbers: %v", f)
			}
		})
	})
}

// overlap has b make two requests at once: each gets the session before the other saves.
func overlap(b *browser, s sessions.Store, first, second func(*sessions.Session)) (errs [2]error) {
	b.t.Helper()
	rs := [2]*http.Request{b.request(), b.request()}
	var got [2]*sessions.Session
	for i, r := range rs {
		session, err := s.Get(r, name)
		if err != nil {
			b.t.Fatal(err)
		}
		got[i] = session
	}
	first(got[0])
	second(got[1])
	for i, session := range got {
		w := httptest.NewRecorder()
		errs[i] = session.Save(rs[i], w)
		b.keep(w)
	}
	return errs
}

func TestTwoRequestsAtOnce(t *testing.T) {
	begin := func(t *testing.T) (*gorillacompat.Store, *browser) {
		s, b := newStore(t, memstore.New(), sojourn.Config{}), newBrowser(t)
		b.with(s, func(session *sessions.Session) { session.Values["user"] = "ann"; session.AddFlash("zero") })
		return s, b
	}
	none := func(t *testing.T, errs [2]error) {
		if err := errors.Join(errs[:]...); err != nil {
			t.Error(err)
		}
	}
	put := func(k, v any) func(*sessions.Session) {
		return func(s *sessions.Session) { s.Values[k] = v }
	}
	t.Run("different keys both survive", func(t *testing.T) {
		s, b := begin(t)
		none(t, overlap(b, s, put("a", 1), func(s *sessions.Session) { s.Values["b"] = 2; delete(s.Values, "user") }))
		if v := b.values(s); v["a"] != 1 || v["b"] != 2 || v["user"] != nil {
			t.Errorf("kept %v", v)
		}
	})
	t.Run("one key is last-writer-wins", func(t *testing.T) {
		s, b := begin(t)
		none(t, overlap(b, s, put("user", "bob"), put("user", "eve")))
		if v := b.values(s); v["user"] != "eve" {
			t.Errorf("kept %v", v)
		}
	})
	t.Run("flashes of both stay", func(t *testing.T) {
		s, b := begin(t)
		none(t, overlap(b, s, func(s *sessions.Session) { s.AddFlash("one") }, func(s *sessions.Session) { s.AddFlash("two") }))
		if v := b.values(s)["_flash"]; fmt.Sprint(v) != "[zero one two]" {
			t.Errorf("flashes %v", v)
		}
	})
	t.Run("Flashes takes what it returned", func(t *testing.T) {
		s, b := begin(t)
		none(t, overlap(b, s, func(s *sessions.Session) { s.AddFlash("one") }, func(s *sessions.Session) { s.Flashes() }))
		if v := b.values(s)["_flash"]; fmt.Sprint(v) != "[one]" {
			t.Errorf("flashes %v", v)
		}
	})
	t.Run("a flash added to those another took", func(t *testing.T) {
		s, b := begin(t)
		none(t, overlap(b, s, func(s *sessions.Session) { s.Flashes() }, func(s *sessions.Session) { s.AddFlash("one") }))
		if v := b.values(s)["_flash"]; fmt.Sprint(v) != "[one]" {
			t.Errorf("flashes %v", v)
		}
	})
	t.Run("an unchanged map is no change", func(t *testing.T) {
		s, b := begin(t)
		big := map[string]int{}
		for i := range 20 {
			big[fmt.Sprint(i)] = i
		}
		b.with(s, put("map", registered(big)))
		none(t, overlap(b, s, put("map", registered{"new": 1}), put("x", 1)))
		if v := b.values(s)["map"]; len(v.(registered)) != 1 {
			t.Errorf("the other request's map was put back: %v", v)
		}
	})
	t.Run("a slow request brings nothing back after a logout", func(t *testing.T) {
		s, b := begin(t)
		errs := overlap(b, s, func(s *sessions.Session) { s.Options.MaxAge = -1 }, put("a", 1))
		if errs[0] != nil || !errors.Is(errs[1], sojourn.ErrEnded) {
			t.Errorf("logout %v; save %v, want ErrEnded", errs[0], errs[1])
		}
		if v := b.values(s); len(v) != 0 {
			t.Errorf("kept %v", v)
		}
	})
	t.Run("nor after a login", func(t *testing.T) {
		s, b := begin(t)
		slow := b.request()
		session, _ := s.Get(slow, name)
		b.do(func(w http.ResponseWriter, r *http.Request) {
			session, _ := s.Get(r, name)
			if err := gorillacompat.Login(r, w, session, "ann"); err != nil {
				t.Error(err)
			}
		})
		session.Values["planted"] = true
		w := httptest.NewRecorder()
		if err := session.Save(slow, w); !errors.Is(err, sojourn.ErrEnded) || len(w.Result().Cookies()) != 0 {
			t.Errorf("save under the old token: %v, cookies %v", err, w.Result().Cookies())
		}
		if v := b.values(s); v["planted"] != nil || v["user"] != "ann" {
			t.Errorf("kept %v", v)
		}
	})
}

type registered map[string]int

func init() { gob.Register(registered{}) }

func TestLoginGivesANewToken(t *testing.T) {
	for how, login := range map[string]func(*http.Request, http.ResponseWriter, *sessions.Session) error{
		"Login": func(r *http.Request, w http.ResponseWriter, s *sessions.Session) error {
			return gorillacompat.Login(r, w, s, "ann")
		},
		"Renew": gorillacompat.Renew,
	} {
		t.Run(how, func(t *testing.T) {
			stores(t, func(t *testing.T, s *gorillacompat.Store, b *browser) {
				b.with(s, func(session *sessions.Session) { session.Values["cart"] = "book" })
				planted := b.jar.Cookies(site)
				b.do(func(w http.ResponseWriter, r *http.Request) {
					session, err := s.Get(r, name)
					if err != nil {
						t.Fatal(err)
					}
					session.Values["user"] = "ann"
					if err := login(r, w, session); err != nil {
						t.Fatal(err)
					}
				})
				if v := b.values(s); v["cart"] != "book" || v["user"] != "ann" {
					t.Errorf("after the login: %v", v)
				}
				thief := newBrowser(t)
				thief.jar.SetCookies(site, planted)
				if v := thief.values(s); v["user"] != nil || v["cart"] != nil {
					t.Errorf("the old token shows %v", v)
				}
			})
		})
	}
}

func TestLoginIsKnownToTheManager(t *testing.T) {
	s, b := newStore(t, memstore.New(), sojourn.Config{}), newBrowser(t)
	login := func(owner string) {
		b.do(func(w http.ResponseWriter, r *http.Request) {
			session, _ := s.Get(r, name)
			session.Values["for "+owner] = true
			if err := gorillacompat.Login(r, w, session, owner); err != nil {
				t.Fatal(err)
			}
			if owner == "bob" && len(session.Values) != 1 {
				t.Errorf("bob sees what was ann's: %v", session.Values)
			}
		})
	}
	login("ann")
	m, _ := s.Manager(name)
	n := 0
	for i, err := range m.List(context.Background(), "ann") {
		if n++; err != nil || i.Owner != "ann" {
			t.Errorf("listed %v, %v", i, err)
		}
	}
	if n != 1 {
		t.Errorf("ann has %d sessions, want 1", n)
	}
	login("bob")
	if v := b.values(s); len(v) != 1 || v["for bob"] != true {
		t.Errorf("bob has %v", v)
	}
	if err := m.RevokeAll(context.Background(), "bob"); err != nil {
		t.Fatal(err)
	}
	if v := b.values(s); len(v) != 0 {
		t.Errorf("revoked, and still there: %v", v)
	}
}

func TestLogout(t *testing.T) {
	stores(t, func(t *testing.T, s *gorillacompat.Store, b *browser) {
		b.with(s, func(session *sessions.Session) { session.Values["user"] = "ann" })
		b.do(func(w http.ResponseWriter, r *http.Request) {
			session, _ := s.Get(r, name)
			session.Options.MaxAge = -1
			if err := session.Save(r, w); err != nil {
				t.Fatal(err)
			}
			// And a word to say goodbye with, in a session of its own.
			session.Options.MaxAge = s.Options.MaxAge
			session.AddFlash("goodbye")
			if err := session.Save(r, w); err != nil {
				t.Fatal(err)
			}
		})
		if v := b.values(s); len(v) != 1 || v["_flash"] == nil {
			t.Errorf("after logging out: %v, want the flash alone", v)
		}
	})
}

// Two session objects of one request are one session: what one has ended, the other does not begin again.
func TestEndedInTheSameRequest(t *testing.T) {
	stores(t, func(t *testing.T, s *gorillacompat.Store, b *browser) {
		b.with(s, func(session *sessions.Session) { session.Values["user"] = "ann" })
		b.do(func(w http.ResponseWriter, r *http.Request) {
			one, _ := s.Get(r, name)
			two, _ := s.New(r, name)
			one.Options.MaxAge = -1
			if err := one.Save(r, w); err != nil {
				t.Error(err)
			}
			two.Values["planted"] = true
			if err := two.Save(r, w); !errors.Is(err, sojourn.ErrEnded) {
				t.Errorf("%v, want ErrEnded", err)
			}
		})
		if v := b.values(s); len(v) != 0 {
			t.Errorf("found %v", v)
		}
	})
}

// And what one has given a new token, the other goes on with.
func TestRenewedInTheSameRequest(t *testing.T) {
	stores(t, func(t *testing.T, s *gorillacompat.Store, b *browser) {
		b.with(s, func(session *sessions.Session) { session.Values["cart"] = "book" })
		b.do(func(w http.ResponseWriter, r *http.Request) {
			one, _ := s.Get(r, name)
			two, _ := s.New(r, name)
			if err := gorillacompat.Login(r, w, one, "ann"); err != nil {
				t.Error(err)
			}
			two.Values["n"] = 1
			if err := two.Save(r, w); err != nil {
				t.Error(err)
			}
		})
		if v := b.values(s); len(v) != 2 {
			t.Errorf("found %v", v)
		}
	})
}

func TestANativeHandlerBesideIt(t *testing.T) {
	s, b := newStore(t, memstore.New(), sojourn.Config{}), newBrowser(t)
	m, err := s.Manager(name)
	if err != nil {
		t.Fatal(err)
	}
	b.via = m.LoadAndSave
	theme := sojourn.NewKey[string]("theme")
	b.with(s, func(session *sessions.Session) { session.Values["user"] = "ann" })
	b.do(func(w http.ResponseWriter, r *http.Request) {
		theme.Put(r.Context(), "dark")
		v, ok, err := gorillacompat.Value(r.Context(), m, "user")
		if v != "ann" || !ok || err != nil {
			t.Errorf("Value: %v, %v, %v", v, ok, err)
		}
		if v, ok, err := gorillacompat.Value(r.Context(), m, "absent"); v != nil || ok || err != nil {
			t.Errorf("Value of nothing: %v, %v, %v", v, ok, err)
		}
	})
	b.with(s, func(session *sessions.Session) {
		if session.Values["user"] != "ann" || len(session.Values) != 1 {
			t.Errorf("Values %v", session.Values)
		}
		session.Values["n"] = 1
	})
	b.do(func(w http.ResponseWriter, r *http.Request) {
		if got := theme.Get(r.Context()); got != "dark" {
			t.Errorf("theme %q", got)
		}
	})
}

// A library may wrap the store, and register sessions under its own.
func TestAStoreThatWrapsIt(t *testing.T) {
	s, b := wrapped{newStore(t, memstore.New(), sojourn.Config{})}, newBrowser(t)
	b.with(s, func(session *sessions.Session) { session.Values["a"] = 1 })
	if v := b.values(s); v["a"] != 1 {
		t.Errorf("found %v", v)
	}
	r := httptest.NewRequest("GET", "/", nil)
	session := sessions.NewSession(s, name)
	if err := s.Save(r, httptest.NewRecorder(), session); err == nil {
		t.Error("saved a session that nobody has loaded")
	}
}

type wrapped struct{ *gorillacompat.Store }

func (w wrapped) Get(r *http.Request, name string) (*sessions.Session, error) {
	return sessions.GetRegistry(r).Get(w, name)
}

func TestNewRefuses(t *testing.T) {
	for _, c := range []struct {
		what  string
		store sojourn.Store
		cfg   sojourn.Config
	}{
		{"no store", nil, sojourn.Config{}},
		{"a cookie", memstore.New(), sojourn.Config{Cookie: sojourn.Cookie{Name: "x"}}},
		{"a header", memstore.New(), sojourn.Config{Header: "Authorization"}},
		{"remembering", memstore.New(), sojourn.Config{RememberFor: 1}},
		{"a negative limit", memstore.New(), sojourn.Config{Lifetime: -1}},
		{"a limit of sessions that nobody counts", struct{ sojourn.Store }{memstore.New()}, sojourn.Config{MaxPerOwner: 1}},
	} {
		if _, err := gorillacompat.New(c.store, c.cfg); err == nil {
			t.Errorf("%s: no error", c.what)
		}
	}
}

// The last step of moving on: the application makes the manager itself, and people stay logged in.
func TestTheManagerOfOnesOwn(t *testing.T) {
	kept, b := memstore.New(), newBrowser(t)
	s := newStore(t, kept, sojourn.Config{Purpose: "shop"})
	b.do(func(w http.ResponseWriter, r *http.Request) {
		session, _ := s.Get(r, name)
		session.Values["cart"] = "book"
		if err := gorillacompat.Login(r, w, session, "ann"); err != nil {
			t.Error(err)
		}
	})
	m, err := sojourn.New(kept, sojourn.Config{Purpose: "shop\x00" + name, Logger: quiet,
		Cookie: sojourn.Cookie{Name: name, Persistent: true}, IdleTimeout: sojourn.NoIdleTimeout})
	if err != nil {
		t.Fatal(err)
	}
	b.via = m.LoadAndSave
	b.do(func(_ http.ResponseWriter, r *http.Request) {
		v, ok, err := gorillacompat.Value(r.Context(), m, "cart")
		if owner := m.Info(r.Context()).Owner; owner != "ann" || v != "book" || !ok || err != nil {
			t.Errorf("owner %q, cart %v, %v, %v", owner, v, ok, err)
		}
	})
}
