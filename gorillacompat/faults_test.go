package gorillacompat_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gorilla/sessions"

	"github.com/gosojourn/sojourn"
	"github.com/gosojourn/sojourn/gorillacompat"
	"github.com/gosojourn/sojourn/memstore"
	"github.com/gosojourn/sojourn/sealed"
	"github.com/gosojourn/sojourn/sojourntest"
)

func TestG1_SafeCookiesByDefault(t *testing.T) {
	b := newBrowser(t)
	res := b.with(newStore(t, memstore.New(), sojourn.Config{}), func(s *sessions.Session) { s.Values["a"] = 1 })
	c := res.Cookies()[0]
	if !c.HttpOnly || !c.Secure || c.SameSite != http.SameSiteLaxMode || c.Path != "/" {
		t.Errorf("the cookie is %v", c)
	}
	for _, key := range []string{"", "k", "a guessable key"} {
		if _, err := sealed.New([]string{key}, sealed.Options{}); err == nil {
			t.Errorf("the key %q was accepted", key)
		}
	}
	// Options that leave HttpOnly or SameSite out do not mean that scripts, or other sites, may have it.
	res = newBrowser(t).with(newStore(t, memstore.New(), sojourn.Config{}), func(s *sessions.Session) {
		s.Options = &sessions.Options{Path: "/", MaxAge: 60, Secure: true}
		s.Values["a"] = 1
	})
	if c := res.Cookies()[0]; !c.HttpOnly || c.SameSite != http.SameSiteLaxMode || c.MaxAge != 60 {
		t.Errorf("with Options of its own the cookie is %v", c)
	}
}

func TestG2_KeysAreCheckedAtNew(t *testing.T) {
	if _, err := sealed.New([]string{""}, sealed.Options{}); err == nil {
		t.Error("an empty key was accepted")
	}
	if _, err := gorillacompat.NewSealed(nil, sojourn.Config{}); err == nil {
		t.Error("no key at all was accepted")
	}
}

// Real servers, because what tells that a header is out is theirs.
func TestG4_SaveAfterTheBodyBeganIsAnError(t *testing.T) {
	for proto, http2 := range map[string]bool{"HTTP/1.1": false, "HTTP/2": true} {
		t.Run(proto, func(t *testing.T) {
			stores(t, func(t *testing.T, s *gorillacompat.Store, b *browser) {
				var first, late error
				var h http.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					session, err := s.Get(r, name)
					if err != nil {
						t.Error(err)
					}
					session.Values["a"] = r.URL.Path
					if r.URL.Path == "/early" {
						first = session.Save(r, w)
					}
					_, _ = io.WriteString(w, "hello")
					session.Values["b"] = r.URL.Path
					late = session.Save(r, w)
				})
				if b.via != nil {
					h = b.via(h)
				}
				srv := httptest.NewUnstartedServer(h)
				srv.EnableHTTP2 = http2
				srv.StartTLS()
				defer srv.Close()
				get := func(path string) *http.Response {
					res, err := srv.Client().Get(srv.URL + path)
					if err != nil {
						t.Fatal(err)
					}
					defer res.Body.Close()
					_, _ = io.Copy(io.Discard, res.Body)
					if res.Proto[:6] != proto[:6] {
						t.Fatalf("the server spoke %s", res.Proto)
					}
					return res
				}
				res := get("/late")
				ours := slices.ContainsFunc(res.Cookies(), func(c *http.Cookie) bool { return c.Name == name })
				if !errors.Is(late, sojourn.ErrHeaderSent) || ours {
					t.Errorf("late: %v, cookies %v; want ErrHeaderSent", late, res.Cookies())
				}
				// With the cookie out, a session in a store can still be changed, and then it is no error; one
				// that is its cookie cannot.
				get("/early")
				if first != nil {
					t.Errorf("early: %v", first)
				}
				if isSealed := strings.Contains(t.Name(), "/sealed/"); isSealed != errors.Is(late, sojourn.ErrHeaderSent) {
					t.Errorf("second save: %v; sealed %v", late, isSealed)
				}
			})
		})
	}
}

func TestG5_ALoggedOutCookieIsWorthNothing(t *testing.T) {
	t.Run("in a store", func(t *testing.T) {
		s, b := newStore(t, memstore.New(), sojourn.Config{}), newBrowser(t)
		b.with(s, func(s *sessions.Session) { s.Values["user"] = "ann" })
		copied := b.jar.Cookies(site)
		res := b.with(s, func(s *sessions.Session) { s.Options.MaxAge = -1 })
		if c := res.Cookies(); len(c) != 1 || c[0].Value != "" || c[0].MaxAge >= 0 {
			t.Errorf("the cookie that takes it away is %v", c)
		}
		thief := newBrowser(t)
		thief.jar.SetCookies(site, copied)
		if v := thief.values(s); len(v) != 0 {
			t.Errorf("the old cookie shows %v", v)
		}
	})
	t.Run("sealed, with revocations", func(t *testing.T) {
		s, b := newSealed(t, sojourn.Config{Revocations: memstore.New()}), newBrowser(t)
		b.do(func(w http.ResponseWriter, r *http.Request) {
			session, _ := s.Get(r, name)
			session.Values["user"] = "ann"
			if err := gorillacompat.Login(r, w, session, "ann"); err != nil {
				t.Fatal(err)
			}
		})
		copied := b.jar.Cookies(site)
		m, err := s.Manager(name)
		if err != nil {
			t.Fatal(err)
		}
		if err := m.RevokeAll(context.Background(), "ann"); err != nil {
			t.Fatal(err)
		}
		res := b.with(s, func(s *sessions.Session) { s.Options.MaxAge = -1 })
		for _, c := range res.Cookies() {
			if c.Value != "" {
				t.Errorf("the cookie that takes it away carries %q", c.Value)
			}
		}
		thief := newBrowser(t)
		thief.jar.SetCookies(site, copied)
		if v := thief.values(s); len(v) != 0 {
			t.Errorf("the old cookie shows %v", v)
		}
	})
}

func TestG8_NoCookieLimitOnWhatAStoreKeeps(t *testing.T) {
	s, b := newStore(t, memstore.New(), sojourn.Config{}), newBrowser(t)
	long := strings.Repeat("x", 50_000)
	b.with(s, func(s *sessions.Session) { s.Values["long"] = long })
	if v := b.values(s); v["long"] != long {
		t.Errorf("kept %d values", len(v))
	}
	// A cookie has one, and a session past it is an error, not gone behind a 200.
	b = newBrowser(t)
	b.do(func(w http.ResponseWriter, r *http.Request) {
		session, _ := newSealed(t, sojourn.Config{}).Get(r, name)
		session.Values["long"] = long
		if err := session.Save(r, w); !errors.Is(err, sojourn.ErrTooLarge) {
			t.Errorf("sealed: %v, want ErrTooLarge", err)
		}
	})
}

// Run it with -race.
func TestG9_GetAtOnceInOneRequest(t *testing.T) {
	stores(t, func(t *testing.T, s *gorillacompat.Store, b *browser) {
		b.do(func(w http.ResponseWriter, r *http.Request) {
			var wg sync.WaitGroup
			var got [16]*sessions.Session
			for i := range got {
				wg.Go(func() {
					n := name
					if i%2 == 1 {
						n = "two"
					}
					session, err := s.Get(r, n)
					if err != nil {
						t.Error(err)
					}
					got[i] = session
					if i > 7 {
						if err := s.Save(r, w, session); err != nil {
							t.Error(err)
						}
					}
				})
			}
			wg.Wait()
			for i := range got {
				if got[i] != got[i%2] {
					t.Error("goroutines of one request got different sessions")
				}
			}
		})
	})
}

func TestG9_NoTokenInErrors(t *testing.T) {
	broken := &sojourntest.FaultyStore{Store: memstore.New()}
	s, b := newStore(t, broken, sojourn.Config{}), newBrowser(t)
	b.with(s, func(s *sessions.Session) { s.Values["a"] = 1 })
	secret := b.jar.Cookies(site)[0].Value[24:]
	r, w := b.request(), httptest.NewRecorder()
	session, _ := s.Get(r, name)
	session.Values["a"] = 2
	broken.Fail(errors.New("connection refused"))
	if err := session.Save(r, w); err == nil || strings.Contains(err.Error(), secret) {
		t.Errorf("save: %v", err)
	}
	if _, err := s.Get(b.request(), name); err == nil || strings.Contains(err.Error(), secret) {
		t.Errorf("get: %v", err)
	}
}

// A store that cannot answer is not an empty session, and a program that does not look at Get's error does
// not write over what is there.
func TestAnOutageIsNoEmptySession(t *testing.T) {
	for _, around := range []bool{false, true} {
		broken := &sojourntest.FaultyStore{Store: memstore.New()}
		s, b := newStore(t, broken, sojourn.Config{Load: sojourn.LoadLazy}), newBrowser(t)
		if around {
			m, _ := s.Manager(name)
			b.via = m.LoadAndSave
		}
		b.with(s, func(s *sessions.Session) { s.Values["user"] = "ann" })
		before := b.jar.Cookies(site)
		res := b.do(func(w http.ResponseWriter, r *http.Request) {
			broken.Fail(errors.New("connection refused"))
			session, err := s.Get(r, name)
			if session == nil || !sojourn.Unavailable(err) {
				t.Fatalf("Get: %v, %v", session, err)
			}
			if _, again := s.Get(r, name); again != err {
				t.Errorf("Get again: %v, want the same error", again)
			}
			broken.Fail(nil) // it is back, but what the session held is not known
			session.Values["user"] = "eve"
			if err := session.Save(r, w); !sojourn.Unavailable(err) {
				t.Errorf("Save: %v, want Get's error", err)
			}
			if err := gorillacompat.Login(r, w, session, "eve"); !sojourn.Unavailable(err) {
				t.Errorf("login: %v, want Get's error", err)
			}
			session.Options.MaxAge = -1
			if err := session.Save(r, w); !sojourn.Unavailable(err) {
				t.Errorf("logout: %v, want Get's error", err)
			}
		})
		if len(res.Cookies()) != 0 || b.jar.Cookies(site)[0].Value != before[0].Value {
			t.Errorf("a cookie was touched: %v", res.Cookies())
		}
		if v := b.values(s); v["user"] != "ann" {
			t.Errorf("afterwards: %v", v)
		}
	}
}

// By default a POST loads before the handler; the error is Get's all the same.
func TestAnOutageByDefault(t *testing.T) {
	broken := &sojourntest.FaultyStore{Store: memstore.New()}
	var answered error
	s, b := newStore(t, broken, sojourn.Config{ErrorHandler: func(w http.ResponseWriter, _ *http.Request, err error) {
		answered = err
		w.WriteHeader(http.StatusTeapot)
	}}), newBrowser(t)
	b.with(s, func(s *sessions.Session) { s.Values["user"] = "ann" })
	broken.Fail(errors.New("connection refused"))
	if session, err := s.Get(b.request(), name); session == nil || !sojourn.Unavailable(err) || answered != nil {
		t.Errorf("alone: %v, %v; the handler of errors was told %v", session, err, answered)
	}
	m, _ := s.Manager(name)
	b.via = m.LoadAndSave
	res := b.do(func(http.ResponseWriter, *http.Request) { t.Error("the handler ran") })
	if res.StatusCode != http.StatusTeapot || !sojourn.Unavailable(answered) {
		t.Errorf("inside LoadAndSave: %s, %v", res.Status, answered)
	}
}

func TestAFailedSaveChangesNothing(t *testing.T) {
	broken := &sojourntest.FaultyStore{Store: memstore.New()}
	s, b := newStore(t, broken, sojourn.Config{}), newBrowser(t)
	b.with(s, func(s *sessions.Session) { s.Values["n"] = 1 })
	b.do(func(w http.ResponseWriter, r *http.Request) {
		session, _ := s.Get(r, name)
		session.Values["n"] = 2
		broken.Fail(errors.New("connection refused"))
		if err := session.Save(r, w); !sojourn.Unavailable(err) {
			t.Errorf("save: %v", err)
		}
		session.Values["no"] = func() {}
		broken.Fail(nil)
		if err := session.Save(r, w); err == nil {
			t.Error("a function was saved")
		}
		if got := b.values(s)["n"]; got != 1 {
			t.Errorf("n is %v, want 1", got)
		}
		delete(session.Values, "no")
		if err := session.Save(r, w); err != nil { // what was not saved is saved by the next one
			t.Error(err)
		}
	})
	if got := b.values(s)["n"]; got != 2 {
		t.Errorf("n is %v, want 2", got)
	}
}

func TestAClientWhoHasGoneIsNotLoggedIn(t *testing.T) {
	s, b := newStore(t, memstore.New(), sojourn.Config{}), newBrowser(t)
	ctx, cancel := context.WithCancel(context.Background())
	r, w := b.request().WithContext(ctx), httptest.NewRecorder()
	session, _ := s.Get(r, name)
	cancel()
	if err := gorillacompat.Login(r, w, session, "ann"); !errors.Is(err, context.Canceled) {
		t.Errorf("login: %v", err)
	}
	if len(w.Result().Cookies()) != 0 {
		t.Error("a cookie was set")
	}
}

// http.TimeoutHandler has answered: a cookie put into its header afterwards goes nowhere.
func TestSaveAfterTheTimeout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStore(t, memstore.New(), sojourn.Config{})
		done := make(chan error)
		h := http.TimeoutHandler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			session, _ := s.Get(r, name)
			session.Values["a"] = 1
			<-r.Context().Done()
			synctest.Wait() // it has answered
			done <- session.Save(r, w)
		}), time.Second, "too slow")
		w := httptest.NewRecorder()
		h.ServeHTTP(w, httptest.NewRequest("GET", "/", nil))
		if err := <-done; !errors.Is(err, sojourn.ErrHeaderSent) || w.Code != http.StatusServiceUnavailable {
			t.Errorf("%v, status %d; want ErrHeaderSent", err, w.Code)
		}
	})
}

// A cookie that opens nothing is nobody's, and no error: a program that answers 500 to errors would do so for ever.
func TestAStrangeCookieIsNobody(t *testing.T) {
	stores(t, func(t *testing.T, s *gorillacompat.Store, b *browser) {
		b.jar.SetCookies(site, []*http.Cookie{{Name: name, Value: "MTc2NDExNTIwMHxEWDhFQVFMX2dBQUJFQUVRQUFBa184QUFB"}})
		b.with(s, func(session *sessions.Session) {
			if !session.IsNew {
				t.Error("the session is not new")
			}
			session.Values["a"] = 1
		})
		if v := b.values(s); v["a"] != 1 {
			t.Errorf("found %v", v)
		}
	})
}

func TestAnUnknownTypeStaysWhereItIs(t *testing.T) {
	var events []sojourn.Event
	s, b := newStore(t, memstore.New(), sojourn.Config{OnEvent: func(_ context.Context, e sojourn.Event) {
		if e.Name == sojourn.EventUnreadable {
			events = append(events, e)
		}
	}}), newBrowser(t)
	b.with(s, func(session *sessions.Session) { session.Values["a"], session.Values["odd"] = 1, odd{refuses: true} })
	b.with(s, func(session *sessions.Session) {
		if len(session.Values) != 1 {
			t.Errorf("found %v", session.Values)
		}
		session.Values["b"] = 2
	})
	if len(events) != 1 {
		t.Errorf("%d events, want 1", len(events))
	}
	oddReads = true
	defer func() { oddReads = false }()
	if v := b.values(s); len(v) != 3 || v["odd"] == nil {
		t.Errorf("found %v", v)
	}
}

// The memo: what Get has read is what Save goes on from, in one exchange each.
func TestGetAndSaveCostOneExchangeEach(t *testing.T) {
	counted := &counting{Store: memstore.New()}
	s, b := newStore(t, counted, sojourn.Config{}), newBrowser(t)
	b.with(s, func(session *sessions.Session) { session.Values["n"] = 1 })
	counted.loads, counted.writes = 0, 0
	b.with(s, func(session *sessions.Session) { session.Values["n"] = 2 })
	if counted.loads != 1 || counted.writes != 1 {
		t.Errorf("%d loads and %d writes, want 1 and 1", counted.loads, counted.writes)
	}
	counted.loads, counted.writes = 0, 0
	res := b.with(s, func(*sessions.Session) {})
	if counted.loads != 1 || counted.writes != 0 || len(res.Cookies()) != 0 {
		t.Errorf("a Save that changes nothing: %d loads, %d writes, cookies %v", counted.loads, counted.writes, res.Cookies())
	}
	counted.loads = 0
	newBrowser(t).with(s, func(*sessions.Session) {})
	if counted.loads != 0 || counted.writes != 0 {
		t.Errorf("a visitor without a session: %d loads, %d writes", counted.loads, counted.writes)
	}
}

type counting struct {
	sojourn.Store
	loads, writes int
}

func (c *counting) Load(ctx context.Context, id string) (sojourn.Record, error) {
	c.loads++
	return c.Store.Load(ctx, id)
}

func (c *counting) Create(ctx context.Context, r sojourn.Record) error {
	c.writes++
	return c.Store.Create(ctx, r)
}

func (c *counting) Update(ctx context.Context, r sojourn.Record, version uint64) error {
	c.writes++
	return c.Store.Update(ctx, r, version)
}
