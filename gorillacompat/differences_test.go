package gorillacompat_test

import (
	"encoding/gob"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/gorilla/sessions"

	"github.com/gosojourn/sojourn"
	"github.com/gosojourn/sojourn/memstore"
)

// Each of gorilla's stores, and this package's two, run the same program. What they answer is compared, so that a
// difference which goes away, or a new one, fails.
type ways struct{ cookie, files, store, sealed string }

var key = []byte("0123456789abcdef0123456789abcdef")

func allWays(t *testing.T, program func(t *testing.T, s sessions.Store) string) ways {
	return ways{
		cookie: program(t, sessions.NewCookieStore(key)),
		files:  program(t, sessions.NewFilesystemStore(t.TempDir(), key)),
		store:  program(t, newStore(t, memstore.New(), sojourn.Config{})),
		sealed: program(t, newSealed(t, sojourn.Config{})),
	}
}

func setOptions(s sessions.Store, o sessions.Options) {
	switch s := s.(type) {
	case *sessions.CookieStore:
		s.Options = &o
	case *sessions.FilesystemStore:
		s.Options = &o
	}
}

func whether(b bool) string { return fmt.Sprint(b) }

type Person struct {
	FirstName, LastName, Email string
	Age                        int
}

type M map[string]any

func init() {
	gob.Register(&Person{})
	gob.Register(&M{})
}

// The programs of gorilla's README and package documentation do the same on all.
func TestSame(t *testing.T) {
	for what, program := range map[string]func(t *testing.T, s sessions.Store) string{
		"the README": func(t *testing.T, s sessions.Store) string {
			b := newBrowser(t)
			visit := func() (found string) {
				b.do(func(w http.ResponseWriter, r *http.Request) {
					session, _ := s.Get(r, "session-name")
					found = fmt.Sprint(session.IsNew, session.Values["foo"], session.Values[42])
					session.Values["foo"] = "bar"
					session.Values[42] = 43
					if err := session.Save(r, w); err != nil {
						http.Error(w, err.Error(), http.StatusInternalServerError)
					}
				})
				return found
			}
			return visit() + ", " + visit()
		},
		"flash messages": func(t *testing.T, s sessions.Store) string {
			b := newBrowser(t)
			visit := func() (found string) {
				b.with(s, func(session *sessions.Session) {
					if flashes := session.Flashes(); len(flashes) > 0 {
						found = fmt.Sprint(flashes)
					} else {
						session.AddFlash("Hello, flash messages world!")
					}
				})
				return found
			}
			return visit() + visit() + visit() + visit()
		},
		"registered types": func(t *testing.T, s sessions.Store) string {
			b := newBrowser(t)
			b.with(s, func(session *sessions.Session) {
				session.Values["person"] = &Person{"Ann", "Lee", "ann@example.com", 40}
				session.Values["m"] = &M{"a": 1}
			})
			v := b.values(s)
			person, ok := v["person"].(*Person)
			return fmt.Sprint(*person, ok, v["m"])
		},
		"a value changed in place": func(t *testing.T, s sessions.Store) string {
			b := newBrowser(t)
			b.with(s, func(session *sessions.Session) { session.Values["person"] = &Person{Age: 1} })
			b.with(s, func(session *sessions.Session) { session.Values["person"].(*Person).Age++ })
			return fmt.Sprint(b.values(s)["person"].(*Person).Age)
		},
		"a type that is not registered": func(t *testing.T, s sessions.Store) string {
			session, _ := s.Get(httptest.NewRequest("GET", "/", nil), name)
			session.Values["x"] = struct{ A int }{1}
			return whether(s.Save(httptest.NewRequest("GET", "/", nil), httptest.NewRecorder(), session) != nil)
		},
		"a week": func(t *testing.T, s sessions.Store) string {
			res := newBrowser(t).with(s, func(session *sessions.Session) {
				session.Options = &sessions.Options{Path: "/", MaxAge: 86400 * 7, HttpOnly: true}
				session.Values["a"] = 1
			})
			c := res.Cookies()[0]
			return fmt.Sprint(c.Path, c.MaxAge, c.HttpOnly, c.Secure)
		},
		"two sessions, one Save": func(t *testing.T, s sessions.Store) string {
			b := newBrowser(t)
			b.do(func(w http.ResponseWriter, r *http.Request) {
				session1, _ := s.Get(r, "session-one")
				session1.Values["foo"] = "bar"
				session2, _ := s.Get(r, "session-two")
				session2.Values[42] = 43
				if err := sessions.Save(r, w); err != nil {
					t.Error(err)
				}
			})
			found := ""
			b.do(func(_ http.ResponseWriter, r *http.Request) {
				session1, _ := s.Get(r, "session-one")
				session2, _ := s.Get(r, "session-two")
				found = fmt.Sprint(session1.Values, session2.Values)
			})
			return found
		},
		"Get twice": func(t *testing.T, s sessions.Store) string {
			r := httptest.NewRequest("GET", "/", nil)
			first, _ := s.Get(r, name)
			again, _ := s.Get(r, name)
			other, _ := s.New(r, name)
			return whether(first == again) + whether(first == other)
		},
		"a name that is no cookie's": func(t *testing.T, s sessions.Store) string {
			session, err := s.Get(httptest.NewRequest("GET", "/", nil), "no name")
			return whether(session == nil) + whether(err != nil)
		},
		"logging out": func(t *testing.T, s sessions.Store) string {
			b := newBrowser(t)
			b.with(s, func(session *sessions.Session) { session.Values["user"] = "ann" })
			b.with(s, func(session *sessions.Session) { session.Options.MaxAge = -1 })
			return fmt.Sprint(b.values(s), len(b.jar.Cookies(site)))
		},
	} {
		got := allWays(t, program)
		if got.store != got.cookie || got.sealed != got.cookie || got.files != got.cookie {
			t.Errorf("%s: %+v", what, got)
		}
	}
}

// The differences, each with its reason.
func TestDifferences(t *testing.T) {
	for _, d := range []struct {
		what, reason string
		program      func(t *testing.T, s sessions.Store) string
		want         ways
	}{
		{
			what:   "the default cookie",
			reason: "a script or another site has no business with it (G1)",
			program: func(t *testing.T, s sessions.Store) string {
				c := newBrowser(t).with(s, func(session *sessions.Session) { session.Values["a"] = 1 }).Cookies()[0]
				return fmt.Sprint("HttpOnly ", c.HttpOnly, " Secure ", c.Secure, " SameSite ", c.SameSite)
			},
			want: ways{"HttpOnly false Secure true SameSite 4", "HttpOnly false Secure false SameSite 0",
				"HttpOnly true Secure true SameSite 2", "HttpOnly true Secure true SameSite 2"},
		},
		{
			what:   "Options without HttpOnly and SameSite",
			reason: "a session's token is for the server alone, and the attribute is always said (RFC 6265bis 4.1.2.7)",
			program: func(t *testing.T, s sessions.Store) string {
				setOptions(s, sessions.Options{Path: "/", MaxAge: 60})
				c := newBrowser(t).with(s, func(session *sessions.Session) {
					session.Options = &sessions.Options{Path: "/", MaxAge: 60}
					session.Values["a"] = 1
				}).Cookies()[0]
				return fmt.Sprint("HttpOnly ", c.HttpOnly, " SameSite ", c.SameSite)
			},
			want: ways{"HttpOnly false SameSite 0", "HttpOnly false SameSite 0", "HttpOnly true SameSite 2", "HttpOnly true SameSite 2"},
		},
		{
			what:   "no Path",
			reason: "a session that only the folder of the first page has is a mistake: it is \"/\"",
			program: func(t *testing.T, s sessions.Store) string {
				return newBrowser(t).with(s, func(session *sessions.Session) {
					session.Options = &sessions.Options{MaxAge: 60}
					session.Values["a"] = 1
				}).Cookies()[0].Path
			},
			want: ways{"", "", "/", "/"},
		},
		{
			what:   "Save of an empty session",
			reason: "nothing is stored, and no cookie set, for a visitor who stores nothing (law 7)",
			program: func(t *testing.T, s sessions.Store) string {
				return fmt.Sprint(len(newBrowser(t).with(s, func(*sessions.Session) {}).Cookies()))
			},
			want: ways{"1", "1", "0", "0"},
		},
		{
			what:   "Save of an unchanged session",
			reason: "a cookie that is sent again can plant an old token over a login's; the limit counts from the beginning or the last Login",
			program: func(t *testing.T, s sessions.Store) string {
				b := newBrowser(t)
				b.with(s, func(session *sessions.Session) { session.Values["a"] = 1 })
				return fmt.Sprint(len(b.with(s, func(*sessions.Session) {}).Cookies()))
			},
			want: ways{"1", "1", "0", "0"},
		},
		{
			what:   "MaxAge 0",
			reason: "as Options' comment and CookieStore have it: until the browser closes; FilesystemStore deletes the session",
			program: func(t *testing.T, s sessions.Store) string {
				b := newBrowser(t)
				put := func(session *sessions.Session) { session.Options.MaxAge = 0; session.Values["a"] = 1 }
				if _, files := s.(*sessions.FilesystemStore); files {
					b.do(func(w http.ResponseWriter, r *http.Request) { // it fails to delete a folder
						session, _ := s.Get(r, name)
						put(session)
						_ = session.Save(r, w)
					})
				} else {
					b.with(s, put)
				}
				n := 0
				b.do(func(_ http.ResponseWriter, r *http.Request) {
					session, _ := s.Get(r, name)
					n = len(session.Values)
				})
				return fmt.Sprint(n)
			},
			want: ways{"1", "0", "1", "1"},
		},
		{
			what:   "Options in the next request",
			reason: "they belong to the session: a page that does not know of 'remember me' does not take it back",
			program: func(t *testing.T, s sessions.Store) string {
				b := newBrowser(t)
				b.with(s, func(session *sessions.Session) { session.Options.MaxAge = 60; session.Values["a"] = 1 })
				age := 0
				b.with(s, func(session *sessions.Session) { age = session.Options.MaxAge })
				return fmt.Sprint(age)
			},
			want: ways{"2592000", "2592000", "60", "60"},
		},
		{
			what:   "a cookie that does not open",
			reason: "a program that answers 500 to Get's error would do so to that browser for ever: it is nobody's",
			program: func(t *testing.T, s sessions.Store) string {
				r := httptest.NewRequest("GET", "/", nil)
				r.AddCookie(&http.Cookie{Name: name, Value: "damaged"})
				session, err := s.Get(r, name)
				return fmt.Sprint(err != nil, session.IsNew)
			},
			want: ways{"true true", "true true", "false true", "false true"},
		},
		{
			what:   "two requests at once that change different keys",
			reason: "both survive (law 1), where there is one place that holds the session",
			program: func(t *testing.T, s sessions.Store) string {
				b := newBrowser(t)
				b.with(s, func(session *sessions.Session) { session.Values["x"] = 0 })
				overlap(b, s, func(s *sessions.Session) { s.Values["a"] = 1 }, func(s *sessions.Session) { s.Values["b"] = 1 })
				return fmt.Sprint(b.values(s))
			},
			want: ways{"map[b:1 x:0]", "map[b:1 x:0]", "map[a:1 b:1 x:0]", "map[b:1 x:0]"},
		},
		{
			what:   "Save by a request that was under way at the logout",
			reason: "ended is ended (law 2)",
			program: func(t *testing.T, s sessions.Store) string {
				b := newBrowser(t)
				b.with(s, func(session *sessions.Session) { session.Values["user"] = "ann" })
				errs := overlap(b, s, func(s *sessions.Session) { s.Options.MaxAge = -1 }, func(s *sessions.Session) { s.Values["a"] = 1 })
				return fmt.Sprint(errs[1] != nil, b.values(s))
			},
			want: ways{"false map[a:1 user:ann]", "false map[a:1 user:ann]", "true map[]", "true map[]"},
		},
		{
			what:   "Save after the body began",
			reason: "a change that is not made is never reported as success (G4)",
			program: func(t *testing.T, s sessions.Store) string {
				failed := false
				newBrowser(t).do(func(w http.ResponseWriter, r *http.Request) {
					session, _ := s.Get(r, name)
					session.Values["a"] = 1
					w.WriteHeader(200)
					failed = session.Save(r, w) != nil
				})
				return fmt.Sprint(failed)
			},
			want: ways{"false", "false", "true", "true"},
		},
		{
			what:   "a session of 6000 bytes",
			reason: "cookies have a limit, stores have another; a sealed session may take several cookies (G8)",
			program: func(t *testing.T, s sessions.Store) string {
				failed := false
				newBrowser(t).do(func(w http.ResponseWriter, r *http.Request) {
					session, _ := s.Get(r, name)
					session.Values["a"] = strings.Repeat("x", 6000)
					failed = session.Save(r, w) != nil
				})
				return fmt.Sprint(failed)
			},
			want: ways{"true", "true", "false", "false"},
		},
		{
			what:   "ID",
			reason: "it is the session's public name, which gives nothing to who knows it, in each store",
			program: func(t *testing.T, s sessions.Store) string {
				b := newBrowser(t)
				b.with(s, func(session *sessions.Session) { session.Values["a"] = 1 })
				n := 0
				b.with(s, func(session *sessions.Session) { n = len(session.ID) })
				return fmt.Sprint(n)
			},
			want: ways{"0", "52", "24", "24"},
		},
		{
			what:   "Session.Store",
			reason: "it is the store's part in this request, by which Save finds what Get has read",
			program: func(t *testing.T, s sessions.Store) string {
				session, _ := s.Get(httptest.NewRequest("GET", "/", nil), name)
				return fmt.Sprint(session.Store() == s)
			},
			want: ways{"true", "true", "false", "false"},
		},
		{
			what:   "Save of a session that the program has made itself",
			reason: "nobody knows what it would write over: ask Get or New for it",
			program: func(t *testing.T, s sessions.Store) string {
				session := sessions.NewSession(s, name)
				session.Options.MaxAge = 60
				err := s.Save(httptest.NewRequest("GET", "/", nil), httptest.NewRecorder(), session)
				return fmt.Sprint(err != nil)
			},
			want: ways{"false", "false", "true", "true"},
		},
	} {
		if got := allWays(t, d.program); got != d.want {
			t.Errorf("%s (%s):\n got %+v\nwant %+v", d.what, d.reason, got, d.want)
		}
	}
}
