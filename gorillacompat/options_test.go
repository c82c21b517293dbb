package gorillacompat_test

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gorilla/sessions"

	"github.com/gosojourn/sojourn"
	"github.com/gosojourn/sojourn/memstore"
)

func cookieOf(t *testing.T, res *http.Response) *http.Cookie {
	t.Helper()
	for _, c := range res.Cookies() {
		if c.Name == name {
			return c
		}
	}
	return nil
}

func TestOptionsOfASession(t *testing.T) {
	s := newStore(t, memstore.New(), sojourn.Config{})
	put := func(o sessions.Options) *http.Cookie {
		return cookieOf(t, newBrowser(t).with(s, func(session *sessions.Session) {
			session.Options = &o
			session.Values["a"] = 1
		}))
	}
	for _, c := range []struct {
		what string
		o    sessions.Options
		ok   func(*http.Cookie) bool
	}{
		{"MaxAge", sessions.Options{Path: "/", MaxAge: 600, Secure: true}, func(c *http.Cookie) bool { return c.MaxAge == 600 && c.Secure }},
		{"no MaxAge: until the browser closes", sessions.Options{Path: "/"}, func(c *http.Cookie) bool { return c.MaxAge == 0 && c.Expires.IsZero() }},
		{"longer than browsers keep one", sessions.Options{MaxAge: 1 << 30}, func(c *http.Cookie) bool { return c.MaxAge == 400*24*60*60 }},
		{"Path", sessions.Options{Path: "/shop"}, func(c *http.Cookie) bool { return c.Path == "/shop" }},
		{"no Path", sessions.Options{}, func(c *http.Cookie) bool { return c.Path == "/" && !c.Secure }},
		{"Domain", sessions.Options{Domain: ".example.com", Secure: true}, func(c *http.Cookie) bool { return true }},
		{"SameSite", sessions.Options{SameSite: http.SameSiteStrictMode}, func(c *http.Cookie) bool { return c.SameSite == http.SameSiteStrictMode }},
		{"SameSite default", sessions.Options{SameSite: http.SameSiteDefaultMode}, func(c *http.Cookie) bool { return c.SameSite == http.SameSiteLaxMode }},
		{"Partitioned", sessions.Options{Secure: true, Partitioned: true, SameSite: http.SameSiteNoneMode}, func(c *http.Cookie) bool { return c.Partitioned && c.SameSite == http.SameSiteNoneMode }},
	} {
		if got := put(c.o); got == nil || !got.HttpOnly || !c.ok(got) {
			t.Errorf("%s: the cookie is %v", c.what, got)
		}
	}
}

func TestOptionsThatBrowsersRefuse(t *testing.T) {
	s, b := newStore(t, memstore.New(), sojourn.Config{}), newBrowser(t)
	b.do(func(w http.ResponseWriter, r *http.Request) {
		session, _ := s.Get(r, name)
		session.Values["a"] = 1
		session.Options = &sessions.Options{SameSite: http.SameSiteNoneMode}
		if err := session.Save(r, w); err == nil {
			t.Error("SameSite=None without Secure was accepted")
		}
		if _, err := s.Get(r, "bad name"); err == nil {
			t.Error("a name with a space was accepted")
		}
	})
}

// What Options a session was saved with is what it has: a page that saves it without knowing of them sends no
// other cookie.
func TestOptionsStayWithTheSession(t *testing.T) {
	for where, s := range map[string]sessions.Store{
		"memory": newStore(t, memstore.New(), sojourn.Config{}), "sealed": newSealed(t, sojourn.Config{})} {
		t.Run(where, func(t *testing.T) {
			b := newBrowser(t)
			b.with(s, func(session *sessions.Session) {
				session.Options = &sessions.Options{Path: "/", MaxAge: 600, Secure: true}
				session.Values["a"] = 1
			})
			res := b.with(s, func(session *sessions.Session) {
				if session.Options.MaxAge != 600 {
					t.Errorf("found Options %+v", session.Options)
				}
				session.Values["b"] = 1
			})
			if c := cookieOf(t, res); where == "memory" && c != nil || where == "sealed" && (c.MaxAge > 600 || c.MaxAge < 590) {
				t.Errorf("a change of a value sent %v", c)
			}
			before := b.jar.Cookies(site)
			res = b.with(s, func(session *sessions.Session) { // "remember me" is taken back
				session.Options.MaxAge = 0
			})
			if c := cookieOf(t, res); c == nil || c.MaxAge != 0 {
				t.Errorf("with another MaxAge the cookie is %v", c)
			}
			if v := b.values(s); len(v) != 2 {
				t.Errorf("with another MaxAge the session holds %v", v)
			}
			thief := newBrowser(t)
			thief.jar.SetCookies(site, before)
			if v := thief.values(s); where == "memory" && len(v) != 0 { // a sealed copy is good until it expires
				t.Errorf("the cookie before shows %v", v)
			}
			res = b.with(s, func(session *sessions.Session) { session.Options.SameSite = http.SameSiteStrictMode })
			if c := cookieOf(t, res); c == nil || c.SameSite != http.SameSiteStrictMode {
				t.Errorf("with another SameSite the cookie is %v", c)
			}
		})
	}
}

// Options that mean the same, in other words, are no change.
func TestOptionsInOtherWords(t *testing.T) {
	s, b := newStore(t, memstore.New(), sojourn.Config{}), newBrowser(t)
	b.with(s, func(session *sessions.Session) { session.Values["a"] = 1 })
	for _, o := range []sessions.Options{
		{MaxAge: s.Options.MaxAge, Secure: true},
		{MaxAge: s.Options.MaxAge, Secure: true, Path: "/", HttpOnly: true, SameSite: http.SameSiteDefaultMode},
	} {
		if res := b.with(s, func(session *sessions.Session) { session.Options = &o }); cookieOf(t, res) != nil {
			t.Errorf("%+v gave the session another cookie", o)
		}
	}
}

// MaxAge is also the server's limit, whatever the client does with the cookie; another one counts from when it
// is set.
func TestMaxAgeIsTheServersLimit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStore(t, memstore.New(), sojourn.Config{})
		b := newBrowser(t)
		there := func() bool { return len(b.values(s)) > 0 }
		b.jar = &keepAll{}
		b.with(s, func(session *sessions.Session) { session.Options.MaxAge = 600; session.Values["a"] = 1 })
		time.Sleep(500 * time.Second)
		b.with(s, func(session *sessions.Session) { session.Options.MaxAge = 1000 })
		time.Sleep(900 * time.Second)
		if !there() {
			t.Error("a longer MaxAge did not make it live longer")
		}
		b.with(s, func(session *sessions.Session) { session.Options.MaxAge = 60 })
		time.Sleep(50 * time.Second)
		if !there() {
			t.Error("it ended early")
		}
		time.Sleep(11 * time.Second)
		if there() {
			t.Error("a shorter MaxAge did not end it")
		}
	})
}

// keepAll is a client that keeps cookies for ever.
type keepAll struct{ kept []*http.Cookie }

func (k *keepAll) Cookies(*url.URL) []*http.Cookie { return k.kept }
func (k *keepAll) SetCookies(_ *url.URL, c []*http.Cookie) {
	if len(c) > 0 {
		k.kept = c
	}
}

func TestOptionsInsideItsOwnLoadAndSave(t *testing.T) {
	s, b := newStore(t, memstore.New(), sojourn.Config{}), newBrowser(t)
	m, _ := s.Manager(name)
	b.via = m.LoadAndSave
	b.with(s, func(session *sessions.Session) { session.Values["a"] = 1 })
	b.do(func(w http.ResponseWriter, r *http.Request) {
		session, _ := s.Get(r, name)
		session.Options.MaxAge = 60
		session.Values["a"] = 2
		if err := session.Save(r, w); err == nil {
			t.Error("Options that the manager's cookie cannot have were accepted")
		}
	})
	if v := b.values(s); v["a"] != 1 {
		t.Errorf("found %v", v)
	}
}

func TestIdleTimeout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, b := newStore(t, memstore.New(), sojourn.Config{IdleTimeout: time.Hour}), newBrowser(t)
		b.with(s, func(session *sessions.Session) { session.Values["a"] = 1 })
		for range 4 {
			time.Sleep(50 * time.Minute)
			if v := b.values(s); len(v) != 1 {
				t.Fatal("a session in use ended")
			}
		}
		time.Sleep(61 * time.Minute)
		if v := b.values(s); len(v) != 0 {
			t.Error("an unused session goes on")
		}
	})
}

// A response with a token is for no cache; what else the handler has put into the header stays.
func TestTheRestOfTheHeader(t *testing.T) {
	s, b := newStore(t, memstore.New(), sojourn.Config{}), newBrowser(t)
	res := b.do(func(w http.ResponseWriter, r *http.Request) {
		http.SetCookie(w, &http.Cookie{Name: "theirs", Value: "1"})
		w.Header().Set("Content-Type", "text/plain")
		w.Header().Set("Cache-Control", "public")
		w.Header().Set("CDN-Cache-Control", "max-age=60")
		session, _ := s.Get(r, name)
		session.Values["a"] = 1
		if err := session.Save(r, w); err != nil {
			t.Error(err)
		}
	})
	h := res.Header
	if len(res.Cookies()) != 2 || h.Get("Content-Type") != "text/plain" || h.Get("Vary") != "Cookie" ||
		h.Get("Cache-Control") != "no-store" || h.Get("CDN-Cache-Control") != "" {
		t.Errorf("the header is %v", h)
	}
}

// A request that knows nothing of Options does not take back what another one sets meanwhile: it has ended with
// the token that it came with. Nor does one that comes after.
func TestOptionsAndTwoRequestsAtOnce(t *testing.T) {
	s, b := newStore(t, memstore.New(), sojourn.Config{}), newBrowser(t)
	b.with(s, func(session *sessions.Session) { session.Values["a"] = 1 })
	errs := overlap(b, s, func(session *sessions.Session) { session.Options.MaxAge = 60 },
		func(session *sessions.Session) { session.Values["b"] = 1 })
	if errs[0] != nil || !errors.Is(errs[1], sojourn.ErrEnded) {
		t.Errorf("%v and %v, want nil and ErrEnded", errs[0], errs[1])
	}
	b.with(s, func(session *sessions.Session) { session.Values["b"] = 1 })
	b.with(s, func(session *sessions.Session) {
		if session.Options.MaxAge != 60 || len(session.Values) != 2 {
			t.Errorf("Options %+v, %v", session.Options, session.Values)
		}
	})
}

// Another MaxAge takes two writes. When the second fails, it is an error, no value is changed, and the next Save
// does it all.
func TestAnotherMaxAgeThatFailsHalfway(t *testing.T) {
	kept := &failing{Store: memstore.New()}
	s, b := newStore(t, kept, sojourn.Config{}), newBrowser(t)
	b.with(s, func(session *sessions.Session) { session.Values["a"] = 1 })
	change := func(session *sessions.Session) { session.Options.MaxAge = 60; session.Values["a"] = 2 }
	b.do(func(w http.ResponseWriter, r *http.Request) {
		session, _ := s.Get(r, name)
		change(session)
		kept.good = 1
		if err := session.Save(r, w); !sojourn.Unavailable(err) {
			t.Errorf("save: %v", err)
		}
		kept.good = 0
	})
	if v := b.values(s); v["a"] != 1 {
		t.Errorf("found %v", v)
	}
	if c := cookieOf(t, b.with(s, change)); c == nil || c.MaxAge != 60 {
		t.Errorf("the cookie is %v", c)
	}
	if v := b.values(s); v["a"] != 2 {
		t.Errorf("found %v", v)
	}
}

// failing refuses all Updates after so many good ones; with 0 it refuses none.
type failing struct {
	sojourn.Store
	good int
}

func (f *failing) Update(ctx context.Context, r sojourn.Record, version uint64) error {
	switch f.good {
	case 0:
	case -1:
		return sojourn.ErrRefused
	case 1:
		f.good = -1
	default:
		f.good--
	}
	return f.Store.Update(ctx, r, version)
}
