package sojourn_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/gosojourn/sojourn"
)

// What people found who had not seen how it was built.

// A store that panics, or ends its goroutine, while a session is read leaves no lock behind: the panic passes
// on, and the next request is fine.
func TestStoreThatPanicsWhileLoading(t *testing.T) {
	inBubbles(t, sojourn.Config{}, func(t *testing.T, s *site) {
		c := s.beginAs("ann")
		for what, do := range map[string]func(){
			"panics":             func() { panic("in the store") },
			"ends its goroutine": runtime.Goexit,
		} {
			for _, method := range []string{"GET", "POST"} {
				s.gate.set(func(_ context.Context, op string) error {
					if op == "load" || op == "fence" {
						do()
					}
					return nil
				})
				done := make(chan struct{})
				go func() {
					defer close(done)
					defer func() { _ = recover() }()
					s.ask(method, c, func(w http.ResponseWriter, r *http.Request) { name.Get(r.Context()) })
				}()
				<-done // or the bubble is deadlocked
				s.gate.set(nil)
				if o := s.ownerOf(c); o != "ann" {
					t.Errorf("%s, %s: afterwards the session is %q's", what, method, o)
				}
			}
		}
	})
}

// One that panics while a session is ended does not keep the session's turn.
func TestStoreThatPanicsWhileEnding(t *testing.T) {
	onStore(t, sojourn.Config{}, func(t *testing.T, s *site) {
		c := s.beginAs("ann")
		s.gate.set(func(_ context.Context, op string) error {
			if op == "delete" {
				panic("in the store")
			}
			return nil
		})
		func() {
			defer func() { _ = recover() }()
			s.ask("POST", c, s.logout)
		}()
		s.gate.set(nil)
		if a := s.ask("POST", c, putName); a.code != 200 {
			t.Errorf("afterwards a save is answered %d", a.code)
		}
		if s.ask("POST", c, s.logout); s.ownerOf(c) != "" {
			t.Error("afterwards nobody can log out")
		}
	})
}

// A handler inside http.TimeoutHandler that answers 503 in time, because a deadline of its own has passed, is
// through: what it has changed is saved.
func TestOwn503InsideTimeoutHandler(t *testing.T) {
	onBoth(t, sojourn.Config{}, func(t *testing.T, s *site) {
		for what, change := range map[string]func(ctx context.Context){
			"Logout": func(ctx context.Context) { _ = s.Logout(ctx) },
			"Put":    func(ctx context.Context) { name.Put(ctx, "changed") },
		} {
			c := s.beginAs("ann")
			h := s.LoadAndSave(http.TimeoutHandler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				ctx, cancel := context.WithDeadline(r.Context(), time.Now().Add(-1))
				defer cancel()
				change(ctx)
				http.Error(w, "upstream is slow", http.StatusServiceUnavailable)
			}), time.Hour, "timeout"))
			r := httptest.NewRequest("POST", "/", nil)
			r.Header.Set("Cookie", c)
			w := httptest.NewRecorder()
			h.ServeHTTP(w, r)
			if w.Code != 503 || !strings.HasPrefix(w.Body.String(), "upstream") || s.events(sojourn.EventLeftBehind, "*") != 0 {
				t.Fatalf("%s: %d %q", what, w.Code, w.Body)
			}
			if set := w.Result().Cookies(); s.sealed && len(set) > 0 {
				c = set[0].Name + "=" + set[0].Value
			}
			if o := s.ownerOf(c); what == "Logout" && o != "" {
				t.Errorf("%q is still logged in", o)
			}
			if n := s.nameOf(c); what == "Put" && n != "changed" {
				t.Errorf("the change is lost: %q", n)
			}
		}
	})
}

// Under two live cookies of one name a Put begins no third session, which would take the real one's place.
func TestPutUnderTwoLiveCookies(t *testing.T) {
	onBoth(t, sojourn.Config{}, func(t *testing.T, s *site) {
		ann, planted := s.beginAs("ann"), s.begin()
		var err error
		a := s.ask("POST", ann+"; "+planted, func(_ http.ResponseWriter, r *http.Request) {
			name.Put(r.Context(), "x")
			err = s.Commit(r.Context())
		})
		if !errors.Is(err, sojourn.ErrAmbiguous) || a.code != 200 || a.set != "" {
			t.Errorf("Commit: %v, status %d, cookie %q", err, a.code, a.set)
		}
		if s.events(sojourn.EventTokenRefused, "ambiguous_change") != 1 {
			t.Error("nothing was told of it")
		}
		if s.ask("POST", ann+"; "+planted, s.logout); s.ownerOf(ann) != "" {
			t.Error("ann cannot log out")
		}
	})
}

// What would send nothing keeps no connection from being handed over.
func TestHijackWithNothingToSend(t *testing.T) {
	onBoth(t, sojourn.Config{}, func(t *testing.T, s *site) {
		srv := httptest.NewServer(s.LoadAndSave(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			_ = s.Renew(r.Context())
			name.Delete(r.Context())
			conn, rw, err := http.NewResponseController(w).Hijack()
			if err != nil {
				t.Error(err)
				return
			}
			_, _ = io.WriteString(rw, "HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n")
			_ = rw.Flush()
			_ = conn.Close()
		})))
		defer srv.Close()
		resp, err := http.Get(srv.URL)
		if err != nil {
			t.Fatal(err)
		}
		_ = resp.Body.Close()
	})
}

// A reply that is lost because a connection broke is settled also if the next read meets the same.
func TestSettlingOutlastsABrokenConnection(t *testing.T) {
	onStore(t, sojourn.Config{}, func(t *testing.T, s *site) {
		c := s.begin()
		var err error
		s.ask("POST", c, func(_ http.ResponseWriter, r *http.Request) {
			heals := time.Now().Add(100 * time.Millisecond)
			reset := func() error {
				if time.Now().Before(heals) {
					return errors.New("connection reset by peer")
				}
				return nil
			}
			s.gate.mu.Lock()
			s.gate.lose = func(string) error { return reset() }
			s.gate.hook = func(_ context.Context, op string) error {
				if op == "load" {
					return reset()
				}
				return nil
			}
			s.gate.mu.Unlock()
			name.Put(r.Context(), "saved")
			err = s.Commit(r.Context())
		})
		if n := s.nameOf(c); err != nil || n != "saved" {
			t.Errorf("Commit: %v, and the session says %q", err, n)
		}
	})
}

// A handler that http.TimeoutHandler gives up before it has changed anything, and which changes half of what it
// means to before LoadAndSave is through: neither half is saved for it.
func TestGivenUpBeforeItsFirstChange(t *testing.T) {
	onStore(t, sojourn.Config{}, func(t *testing.T, s *site) {
		c := s.begin()
		gone, half, whole := make(chan struct{}), make(chan struct{}), make(chan struct{})
		inner := http.TimeoutHandler(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			<-gone
			name.Put(r.Context(), "half")
			close(half)
			<-whole
		}), time.Millisecond, "late")
		a := serve(s.LoadAndSave(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			inner.ServeHTTP(w, r)
			close(gone)
			<-half
		})), request("POST", c))
		if n := s.nameOf(c); a.code != 503 || n != "first" || s.events(sojourn.EventLeftBehind, "given_up") != 1 {
			t.Errorf("answered %d; the session says %q; told %d times", a.code, n, s.events(sojourn.EventLeftBehind, "given_up"))
		}
		close(whole)
	})
}

// A request has saved, and another one replaces its session before it logs out: what it had saved is not sent
// any more. Another process would take that seal for a live session.
func TestSealOfASessionThatHasEndedIsNotSent(t *testing.T) {
	inBubbles(t, sojourn.Config{}, func(t *testing.T, s *site) {
		for what, last := range map[string]func(ctx context.Context) error{
			"logout": s.Logout,
			"put":    func(ctx context.Context) error { name.Put(ctx, "late"); return nil },
		} {
			c := s.beginAs("ann")
			a := s.ask("POST", c, func(_ http.ResponseWriter, r *http.Request) {
				name.Put(r.Context(), "early")
				s.commit(r.Context())
				if s.ask("POST", c, s.login("ann")).set == "" {
					t.Error("the other login sends nothing")
				}
				if err := last(r.Context()); err != nil {
					t.Error(err)
				}
			})
			if a.set != "" {
				t.Errorf("%s: the response sets %s", what, a.set[:20])
			}
		}
	})
}

// After an own Logout the client forgets the token, also when the session that came after it ends under the request.
func TestLogoutIsSaidWhateverComesAfterIt(t *testing.T) {
	onStore(t, sojourn.Config{}, func(t *testing.T, s *site) {
		a := s.ask("POST", s.beginAs("ann"), func(_ http.ResponseWriter, r *http.Request) {
			ctx := r.Context()
			s.logout(nil, r)
			s.commit(ctx)
			s.login("bob")(nil, r)
			s.commit(ctx)
			if err := s.RevokeAll(context.Background(), "bob"); err != nil {
				t.Error(err)
			}
			name.Put(ctx, "late")
			if err := s.Commit(ctx); !errors.Is(err, sojourn.ErrEnded) {
				t.Errorf("Commit after the revocation: %v", err)
			}
		})
		if a.set != "" || !a.unset {
			t.Errorf("sets %q, forgets: %v", a.set, a.unset)
		}
	})
}

// A call that asks the store anew replaces what a request has loaded. A function that ran before and one that went on
// from its result both run again.
func TestUpdatesOnBothSidesOfANewBase(t *testing.T) {
	add := func(n int) int { return n + 1 }
	for what, anew := range map[string]func(s *site, ctx context.Context) error{
		"RevokeOthers": (*site).revokeOthers,
		"Take": func(_ *site, ctx context.Context) error {
			_, _, err := sojourn.NewKey[string]("nothing").Take(ctx)
			return err
		},
	} {
		onStore(t, sojourn.Config{}, func(t *testing.T, s *site) {
			c := s.beginAs("ann")
			s.ask("POST", c, func(_ http.ResponseWriter, r *http.Request) {
				ctx := r.Context()
				_ = s.Load(ctx)
				s.ask("POST", c, func(_ http.ResponseWriter, r *http.Request) { count.Update(r.Context(), add) })
				count.Update(ctx, add)
				if err := anew(s, ctx); err != nil {
					t.Error(err)
				}
				count.Update(ctx, add)
			})
			if n := s.countOf(c); n != 3 {
				t.Errorf("%s: %d is counted, want 3", what, n)
			}
		})
	}
}

func (s *site) revokeOthers(ctx context.Context) error { return s.RevokeOthers(ctx) }
