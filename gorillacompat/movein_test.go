package gorillacompat_test

import (
	"context"
	"encoding/gob"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/sessions"

	"github.com/gosojourn/sojourn"
	"github.com/gosojourn/sojourn/gorillacompat"
	"github.com/gosojourn/sojourn/gorillacompat/legacy"
	"github.com/gosojourn/sojourn/memstore"
)

var oldKeys = [][]byte{[]byte("0123456789abcdef0123456789abcdef")}

// onGorilla is a browser whose session is gorilla's own.
func onGorilla(t *testing.T) *browser {
	b := newBrowser(t)
	b.with(sessions.NewCookieStore(oldKeys...), func(s *sessions.Session) {
		s.Values["user"] = 7
		s.Values[3] = cart{4}
		s.AddFlash("hello")
	})
	return b
}

func (b *browser) shows() string {
	for _, c := range b.jar.Cookies(site) {
		if c.Name == name {
			return c.Value
		}
	}
	return ""
}

func moving(t *testing.T, cfg sojourn.Config) *gorillacompat.Store {
	cfg.Legacy = &legacy.Cookies{Keys: oldKeys, KeepFor: -1}
	return newStore(t, memstore.New(), cfg)
}

// All Values come along, of any type that gob knows, and the flashes.
func TestMovesInFromGorilla(t *testing.T) {
	s, b := moving(t, sojourn.Config{}), onGorilla(t)
	for range 2 {
		if v := b.values(s); v["user"] != 7 || v[3] != (cart{4}) {
			t.Fatalf("found %v", v)
		}
	}
	old := b.shows()
	b.with(s, func(session *sessions.Session) {
		if f := session.Flashes(); len(f) != 1 || f[0] != "hello" {
			t.Errorf("flashes %v", f)
		}
	})
	if len(b.shows()) != 64 {
		t.Errorf("the cookie is %q", b.shows())
	}
	if v := b.values(s); v["user"] != 7 || v["_flash"] != nil {
		t.Errorf("found %v", v)
	}
	b.jar.SetCookies(site, []*http.Cookie{{Name: name, Value: old, Path: "/"}})
	if v := b.values(s); len(v) != 0 {
		t.Errorf("the old cookie is good for %v", v)
	}
}

// Whether a token arrives only the next request shows, so a second Save in one request does not end the old session.
func TestHandedOverTwiceInARequest(t *testing.T) {
	s, b := moving(t, sojourn.Config{}), onGorilla(t)
	lost := func(w http.ResponseWriter, r *http.Request) {
		for i := range 3 {
			session, err := s.Get(r, name)
			if err != nil {
				t.Fatal(err)
			}
			session.Values["n"] = i
			if err := session.Save(r, w); err != nil {
				t.Error(err)
			}
		}
		if n := len(w.Header()["Set-Cookie"]); n != 1 {
			t.Errorf("%d cookies", n)
		}
		w.Header().Del("Set-Cookie")
	}
	b.do(lost)
	if v := b.values(s); v["user"] != 7 || v["n"] != 2 {
		t.Errorf("after the lost response: %v", v)
	}
}

// A Save with other Options, a Renew and a Login send a token of their own; a Save behind them goes on with it.
func TestNewTokenBeforeTheHandOver(t *testing.T) {
	for what, mint := range map[string]func(w http.ResponseWriter, r *http.Request, session *sessions.Session) error{
		"options": func(w http.ResponseWriter, r *http.Request, session *sessions.Session) error {
			session.Options.MaxAge = 60
			return session.Save(r, w)
		},
		"renew": func(w http.ResponseWriter, r *http.Request, session *sessions.Session) error {
			return gorillacompat.Renew(r, w, session)
		},
		"login": func(w http.ResponseWriter, r *http.Request, session *sessions.Session) error {
			return gorillacompat.Login(r, w, session, "7")
		},
	} {
		s, b := moving(t, sojourn.Config{}), onGorilla(t)
		old := b.shows()
		b.do(func(w http.ResponseWriter, r *http.Request) {
			session, err := s.Get(r, name)
			if err != nil {
				t.Fatal(err)
			}
			if err := mint(w, r, session); err != nil {
				t.Errorf("%s: %v", what, err)
			}
			session.Values["more"] = true
			if err := session.Save(r, w); err != nil {
				t.Errorf("%s, Save behind: %v", what, err)
			}
		})
		if v := b.values(s); v["user"] != 7 || v["more"] != true {
			t.Errorf("%s: found %v", what, v)
		}
		b.jar.SetCookies(site, []*http.Cookie{{Name: name, Value: old, Path: "/"}})
		if v := b.values(s); len(v) != 0 {
			t.Errorf("%s: the old cookie is good for %v", what, v)
		}
	}
}

func TestLogoutBeforeTheHandOver(t *testing.T) {
	s, b := moving(t, sojourn.Config{}), onGorilla(t)
	old := b.shows()
	b.with(s, func(session *sessions.Session) { session.Options.MaxAge = -1 })
	if b.shows() != "" {
		t.Error("the browser still has a cookie")
	}
	b.jar.SetCookies(site, []*http.Cookie{{Name: name, Value: old, Path: "/"}})
	if v := b.values(s); len(v) != 0 {
		t.Errorf("the old cookie is good for %v", v)
	}
}

// A reader that names its cookie is for that name alone.
func TestReaderOfAnotherName(t *testing.T) {
	s := newStore(t, memstore.New(), sojourn.Config{Legacy: &legacy.Cookies{Keys: oldKeys, SessionCookie: http.Cookie{Name: "other"}}})
	if v := onGorilla(t).values(s); len(v) != 0 {
		t.Errorf("found %v", v)
	}
	_, err := gorillacompat.New(memstore.New(), sojourn.Config{Legacy: &legacy.Cookies{SessionCookie: http.Cookie{Name: "other"}}})
	if err == nil || !strings.Contains(err.Error(), "Keys") {
		t.Errorf("a reader without keys: %v", err)
	}
}

// Sealed sessions move in, too.
func TestMovesIntoASeal(t *testing.T) {
	s, b := newSealed(t, sojourn.Config{Legacy: &legacy.Cookies{Keys: oldKeys}}), onGorilla(t)
	old := b.shows()
	b.via = func(h http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			r.Header.Set("Sec-Fetch-Site", "same-origin")
			h.ServeHTTP(w, r)
		})
	}
	for i := range 3 {
		b.with(s, func(session *sessions.Session) {
			if session.Values["user"] != 7 || i > 0 && session.Values["n"] != i-1 {
				t.Errorf("found %v", session.Values)
			}
			session.Values["n"] = i
		})
	}
	if b.shows() == old {
		t.Error("the browser has the old cookie")
	}
}

// redisStore is a reader of one's own, for what another store for gorilla has kept.
type redisStore map[string]map[any]any

func (x redisStore) Cookie() http.Cookie { return http.Cookie{Name: name, Path: "/"} }
func (x redisStore) Shown(r *http.Request) (all []string) {
	for _, c := range r.CookiesNamed(name) {
		all = append(all, c.Value)
	}
	return all
}
func (x redisStore) Load(_ context.Context, _ *http.Request, token string) (l sojourn.LegacySession, err error) {
	v, ok := x[token]
	if !ok {
		return l, sojourn.ErrNotFound
	}
	return sojourn.LegacySession{Values: []sojourn.Entry{gorillacompat.Entry(v)}}, nil
}
func (x redisStore) End(_ context.Context, token string) error { delete(x, token); return nil }

func TestReaderOfOnesOwn(t *testing.T) {
	rows := redisStore{"id": {"user": 7}}
	s, b := newStore(t, memstore.New(), sojourn.Config{Legacy: rows}), newBrowser(t)
	b.jar.SetCookies(site, []*http.Cookie{{Name: name, Value: "id", Path: "/"}})
	for range 3 {
		b.with(s, func(session *sessions.Session) {
			if session.Values["user"] != 7 {
				t.Errorf("found %v", session.Values)
			}
		})
	}
	if len(rows) != 0 {
		t.Error("the old session is there")
	}
}

type cart struct{ N int }

func init() { gob.Register(cart{}) }

// While the old cookie is kept, a Save on an old server makes another one: it is logged in here all the same.
func TestSaveOnAnOldServer(t *testing.T) {
	b := onGorilla(t)
	old := sessions.NewCookieStore(oldKeys...)
	s := newStore(t, memstore.New(), sojourn.Config{Legacy: &legacy.Cookies{Keys: oldKeys, KeepFor: time.Hour}})
	for i := range 2 {
		b.with(s, func(session *sessions.Session) { session.Values["here"] = i })
		if v := b.values(s); v["user"] != 7 || v["here"] != i {
			t.Errorf("on a new server: %v", v)
		}
		b.with(old, func(session *sessions.Session) {
			if session.Values["user"] != 7 {
				t.Errorf("on an old server: %v", session.Values)
			}
			session.Values["there"] = i
		})
		if v := b.values(s); v["user"] != 7 || v["there"] != i {
			t.Errorf("behind an old server: %v", v)
		}
	}
}
