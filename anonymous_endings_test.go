package sojourn_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gosojourn/sojourn"
	"github.com/gosojourn/sojourn/memstore"
	"github.com/gosojourn/sojourn/sojourntest"
)

// visitorsOf makes two managers of one store and one ring, each as another process, and a browser at the first that has
// stored something.
func visitorsOf(t *testing.T) (here, there *sojourn.Manager, b *sojourntest.Browser) {
	t.Helper()
	store := memstore.New()
	ring, err := oneRing()
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range []**sojourn.Manager{&here, &there} {
		if *m, err = sojourn.New(store, sojourn.Config{Anonymous: ring}); err != nil {
			t.Fatal(err)
		}
	}
	b = sojourntest.NewBrowser(t, here, nil)
	b.Session(func(ctx context.Context) { name.Put(ctx, "kept"); second.Put(ctx, "taken") })
	return here, there, b
}

// What has been taken out of a session is not in one that a login begins with an older copy of its seal.
func TestAnonymousLoginWithACopyAfterTake(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		here, there, b := visitorsOf(t)
		for _, m := range []*sojourn.Manager{there, here} {
			copied := sojourntest.NewBrowser(t, m, nil)
			copied.SetCookies(b.Cookies())
			if m == there {
				b.Session(func(ctx context.Context) {
					if v, ok, err := second.Take(ctx); v != "taken" || !ok || err != nil {
						t.Fatal(v, ok, err)
					}
				})
			} else {
				time.Sleep(3 * time.Minute) // this process has forgotten that the seal was used
			}
			copied.Session(func(ctx context.Context) {
				if err := errors.Join(m.Login(ctx, "eve"), m.Commit(ctx)); err != nil {
					t.Error(err)
				}
			})
			copied.Session(func(ctx context.Context) {
				if v, ok, err := second.Take(ctx); ok || m.Info(ctx).Owner != "eve" || name.Get(ctx) != "kept" {
					t.Errorf("taken again: %q, %v; owner %q, name %q", v, err, m.Info(ctx).Owner, name.Get(ctx))
				}
			})
		}
	})
}

// A logout with an old seal is no right to the session of somebody who has logged in since.
func TestAnonymousLogoutEndsNoLogin(t *testing.T) {
	here, there, b := visitorsOf(t)
	thief := sojourntest.NewBrowser(t, there, nil)
	thief.SetCookies(b.Cookies())
	b.Session(func(ctx context.Context) { _ = here.Login(ctx, "alice") })
	thief.Session(func(ctx context.Context) { _ = there.Logout(ctx) })
	b.Session(func(ctx context.Context) {
		if who := here.Info(ctx).Owner; who != "alice" {
			t.Errorf("alice is %q", who)
		}
	})
}

// A logout that was too late to expire the seal can be made again.
func TestAnonymousLogoutAgain(t *testing.T) {
	here, _, b := visitorsOf(t)
	r := httptest.NewRequest("POST", "https://sojourn.test/", nil)
	for _, c := range b.Cookies() {
		r.AddCookie(c)
	}
	serve(here.LoadAndSave(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_ = http.NewResponseController(w).Flush()
		if err := errors.Join(here.Logout(r.Context()), here.Commit(r.Context())); !errors.Is(err, sojourn.ErrHeaderSent) {
			t.Errorf("late: %v", err)
		}
	})), r)
	b.Session(func(ctx context.Context) { _ = here.Logout(ctx) })
	if left := b.Cookies(); len(left) != 0 {
		t.Errorf("the browser keeps %d cookies", len(left))
	}
}

// Where http.TimeoutHandler has answered, nobody expires the seal, and Commit says so.
func TestAnonymousLogoutBehindTimeoutHandler(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		here, _, b := visitorsOf(t)
		r := httptest.NewRequest("POST", "https://sojourn.test/", nil)
		for _, c := range b.Cookies() {
			r.AddCookie(c)
		}
		done := make(chan error, 1)
		serve(http.TimeoutHandler(here.LoadAndSave(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			time.Sleep(2 * time.Second)
			done <- errors.Join(here.Logout(r.Context()), here.Commit(r.Context()))
		})), time.Second, "slow"), r)
		if err := <-done; !errors.Is(err, sojourn.ErrHeaderSent) {
			t.Errorf("Commit: %v", err)
		}
	})
}

// A visitor's change is not told as saved where this process has ended everybody's sessions meanwhile.
func TestAnonymousPutAfterRevokeEveryone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		here, _, b := visitorsOf(t)
		time.Sleep(10 * time.Second)
		b.Session(func(ctx context.Context) {
			_ = here.Load(ctx)
			if err := here.RevokeEveryone(context.Background()); err != nil {
				t.Error(err)
			}
			name.Put(ctx, "late")
			if err := here.Commit(ctx); !errors.Is(err, sojourn.ErrEnded) {
				t.Errorf("Commit: %v", err)
			}
		})
	})
}

// A login by another site's form is shown no cookies. The seal may be there all the same, and is expired.
func TestAnonymousLoginFromAnotherSite(t *testing.T) {
	here, _, b := visitorsOf(t)
	r := httptest.NewRequest("POST", "https://sojourn.test/acs", nil)
	r.Header.Set("Sec-Fetch-Site", "cross-site")
	w := httptest.NewRecorder()
	here.LoadAndSave(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		_ = here.Login(r.Context(), "alice")
	})).ServeHTTP(w, r)
	seal := b.Cookies()[0].Name
	for _, c := range w.Result().Cookies() {
		if c.Name == seal && c.MaxAge < 0 {
			return
		}
	}
	t.Errorf("the seal %s is not expired by %v", seal, w.Header()["Set-Cookie"])
}

// So it is with sealed sessions of people who are logged in, whichever revocation it was.
func TestSealedPutAfterARevocation(t *testing.T) {
	for what, revoke := range map[string]func(m *sojourn.Manager) error{
		"everyone's":  func(m *sojourn.Manager) error { return m.RevokeEveryone(context.Background()) },
		"the owner's": func(m *sojourn.Manager) error { return m.RevokeAll(context.Background(), "bob") },
	} {
		synctest.Test(t, func(t *testing.T) {
			m, _ := twoSealed(t, memstore.New())
			b := sojourntest.NewBrowser(t, m, nil)
			b.Session(func(ctx context.Context) { _ = m.Login(ctx, "bob") })
			time.Sleep(10 * time.Second)
			b.Session(func(ctx context.Context) {
				_ = m.Load(ctx)
				done := make(chan error)
				go func() { done <- revoke(m) }()
				synctest.Wait()
				name.Put(ctx, "late")
				if err := m.Commit(ctx); !errors.Is(err, sojourn.ErrEnded) {
					t.Errorf("%s: Commit: %v", what, err)
				}
				if err := <-done; err != nil {
					t.Error(err)
				}
			})
		})
	}
}

// One question for everybody's fence that gets no answer holds up who has asked it, and the others for a moment; an
// outage is not asked about by all who wait at once.
func TestAnonymousSilentQuestionHoldsUpNobodyElse(t *testing.T) {
	for what, c := range map[string]struct {
		silent  func(n int) bool // the nth question
		code    int
		longest time.Duration // for all but the one who asked first
		most    int           // questions
	}{
		"one connection is dead": {func(n int) bool { return n == 1 }, http.StatusOK, 250 * time.Millisecond, 3},
		"all are":                {func(int) bool { return true }, http.StatusServiceUnavailable, time.Second, 6},
	} {
		t.Run(what, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				g := newGate()
				s := newVisited(t, sojourn.Config{StoreTimeout: time.Second}, g)
				j := newVisitor(s)
				time.Sleep(10 * time.Second) // nothing is known any more
				var mu sync.Mutex
				asked := 0
				g.set(func(ctx context.Context, op string) error {
					if op != "everyone" {
						return nil
					}
					mu.Lock()
					asked++
					silent := c.silent(asked)
					mu.Unlock()
					if silent {
						<-ctx.Done()
						return ctx.Err()
					}
					return nil
				})
				began, late, wrong := time.Now(), 0, 0
				var all sync.WaitGroup
				for range 300 {
					all.Go(func() {
						a := s.ask("GET", j.String(), func(_ http.ResponseWriter, r *http.Request) { name.Get(r.Context()) })
						mu.Lock()
						defer mu.Unlock()
						if time.Since(began) > c.longest {
							late++
						}
						if a.code != c.code {
							wrong++
						}
					})
				}
				all.Wait()
				if late > 1 || wrong > 1 || asked > c.most {
					t.Errorf("%d of 300 waited longer than %v, %d are not answered %d, %d questions; want 1, 1, %d at most", late, c.longest, wrong, c.code, asked, c.most)
				}
			})
		})
	}
}
