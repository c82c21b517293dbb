package sojourn_test

import (
	"context"
	"net/http"
	"runtime"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gosojourn/sojourn"
	"github.com/gosojourn/sojourn/memstore"
	"github.com/gosojourn/sojourn/sojourntest"
)

func nameAt(m *sojourn.Manager, cookie string) (v string) {
	ask(m, cookie, func(_ http.ResponseWriter, r *http.Request) { v = name.Get(r.Context()) })
	return v
}

// O30: the idle limit counts from the last use, and errs by at most a twentieth, downwards.
func TestIdleLimit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newManager(t, sojourn.Config{IdleTimeout: time.Hour})
		_, c := ask(m, "", putName)
		for range 30 {
			time.Sleep(56 * time.Minute) // within what throttling may cost
			if nameAt(m, c) == "" {
				t.Fatal("a session in use has ended")
			}
			if time.Since(time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)) > 20*time.Hour {
				break
			}
		}
		time.Sleep(time.Hour)
		if nameAt(m, c) != "" {
			t.Error("an hour without use, and the session is there")
		}
	})
	synctest.Test(t, func(t *testing.T) {
		m := newManager(t, sojourn.Config{IdleTimeout: time.Hour})
		_, c := ask(m, "", putName)
		time.Sleep(time.Hour - time.Millisecond)
		ask(m, c, func(http.ResponseWriter, *http.Request) {}) // a request that uses nothing is no activity
		time.Sleep(time.Millisecond)
		if nameAt(m, c) != "" {
			t.Error("a page that asked for nothing kept the session")
		}
	})
}

// O32: the absolute limit counts from creation; use and renewal do not move it, login does.
func TestAbsoluteLimit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newManager(t, sojourn.Config{Lifetime: 10 * time.Hour, IdleTimeout: 2 * time.Hour})
		_, c := ask(m, "", putName)
		for range 9 {
			time.Sleep(time.Hour)
			_, c = ask(m, c, func(_ http.ResponseWriter, r *http.Request) { _ = m.Renew(r.Context()) })
		}
		time.Sleep(time.Hour - time.Millisecond)
		if nameAt(m, c) == "" {
			t.Fatal("the session ended before its time")
		}
		time.Sleep(time.Millisecond)
		if nameAt(m, c) != "" {
			t.Error("ten hours, and the session is there")
		}
	})
}

// N15: activity moves the idle limit alone; logging in again moves both.
func TestActivityAndLogin(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newManager(t, sojourn.Config{Lifetime: 10 * time.Hour, IdleTimeout: time.Hour})
		login := func(_ http.ResponseWriter, r *http.Request) { _ = m.Login(r.Context(), "bob") }
		info := func(c string) (i sojourn.Info) {
			ask(m, c, func(_ http.ResponseWriter, r *http.Request) { i = m.Info(r.Context()) })
			return i
		}
		_, c := ask(m, "", login)
		first := info(c)
		time.Sleep(30 * time.Minute)
		info(c)
		if used := info(c); !used.Expires.Equal(first.Expires.Add(30*time.Minute)) || !used.Deadline.Equal(first.Deadline) {
			t.Errorf("used after half an hour: %v, %v", used.Expires, used.Deadline)
		}
		time.Sleep(30 * time.Minute)
		_, c = ask(m, c, login)
		if again := info(c); !again.Deadline.Equal(first.Deadline.Add(time.Hour)) || !again.AuthTime.Equal(first.AuthTime.Add(time.Hour)) {
			t.Errorf("logged in again after an hour: %v, %v", again.Deadline, again.AuthTime)
		}
	})
}

// N12: what the cookie says of its end is what the server says, and the server does not ask it.
func TestCookieLifeFollowsTheSession(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newManager(t, sojourn.Config{Cookie: sojourn.Cookie{Persistent: true}, Lifetime: 10 * time.Hour, IdleTimeout: sojourn.NoIdleTimeout})
		w, c := ask(m, "", putName)
		if age := w.Result().Cookies()[0].MaxAge; age != 36000 {
			t.Errorf("Max-Age %d, want 36000", age)
		}
		time.Sleep(4 * time.Hour)
		w, c = ask(m, c, func(_ http.ResponseWriter, r *http.Request) { _ = m.Renew(r.Context()) })
		if age := w.Result().Cookies()[0].MaxAge; age != 21600 {
			t.Errorf("after four hours Max-Age %d, want 21600", age)
		}
		time.Sleep(6 * time.Hour)
		if nameAt(m, c) != "" {
			t.Error("the cookie outlived its session")
		}
	})
}

// Law 3: for a minute a superseded token refuses writes; after that it is a stranger's.
func TestGraceOfSupersededToken(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newManager(t, sojourn.Config{})
		_, old := ask(m, "", putName)
		ask(m, old, func(_ http.ResponseWriter, r *http.Request) { _ = m.Renew(r.Context()) })
		time.Sleep(time.Minute - time.Millisecond)
		if w, _ := ask(m, old, putName); w.Header().Get("Set-Cookie") != "" {
			t.Error("within the minute the superseded token was given a session")
		}
		time.Sleep(time.Millisecond)
		if w, c := ask(m, old, putName); w.Header().Get("Set-Cookie") == "" || c == old {
			t.Error("after the minute it was not treated as unknown")
		}
	})
}

// P12, P24: Run sweeps in its caller's goroutine, late, and ends with its context.
func TestRunSweeps(t *testing.T) {
	before := runtime.NumGoroutine()
	synctest.Test(t, func(t *testing.T) {
		store := memstore.New()
		m, err := sojourn.New(store, sojourn.Config{Lifetime: time.Hour})
		if err != nil {
			t.Fatal(err)
		}
		for range 1200 {
			ask(m, "", putName)
		}
		ctx, stop := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() { m.Run(ctx); close(done) }()
		time.Sleep(90 * time.Minute)
		if n, err := m.Sweep(t.Context()); n != 0 || err != nil {
			t.Errorf("Run left %d expired sessions (%v)", n, err)
		}
		stop()
		<-done
	})
	if n := runtime.NumGoroutine(); n > before {
		t.Errorf("%d goroutines, %d before", n, before)
	}
}

func TestContextIsReadableAfterwards(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newManager(t, sojourn.Config{})
		ctx := sojourntest.Context(t, m)
		count.Put(ctx, 1)
		count.Update(ctx, func(n int) int { return n + 1 })
		if err := m.Login(ctx, "bob"); err != nil {
			t.Fatal(err)
		}
		if err := m.Commit(ctx); err != nil {
			t.Fatal(err)
		}
		if i := m.Info(ctx); count.Get(ctx) != 2 || i.Owner != "bob" || i.ID == "" || !i.Current {
			t.Errorf("count %d, %+v", count.Get(ctx), i)
		}
	})
}

func TestBrowserKeepsItsSession(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newManager(t, sojourn.Config{})
		b := sojourntest.NewBrowser(t, m, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/login" {
				_ = m.Login(r.Context(), "bob")
				http.Redirect(w, r, "/", http.StatusSeeOther)
				return
			}
			_, _ = w.Write([]byte(m.Info(r.Context()).Owner))
		}))
		res := b.PostForm("/login", nil)
		if res.Request.URL.Path != "/" || res.ContentLength == 0 {
			t.Errorf("the redirect was not followed: %v", res.Request.URL)
		}
		b.Session(func(ctx context.Context) {
			if o := m.Info(ctx).Owner; o != "bob" {
				t.Errorf("owner %q", o)
			}
			count.Put(ctx, 5)
		})
		b.Session(func(ctx context.Context) {
			if count.Get(ctx) != 5 {
				t.Error("what was seeded is gone")
			}
		})
	})
}
