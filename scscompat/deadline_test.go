package scscompat_test

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	scs "github.com/gosojourn/sojourn/scscompat"
)

// onBoth tells a story on a store of Sojourn's and on one of scs's.
func onBoth(t *testing.T, tell func(t *testing.T, s *scs.SessionManager)) {
	for name, open := range map[string]func() scs.Store{
		"native": func() scs.Store { return nil }, "rows": func() scs.Store { return newPlainStore() },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { tell(t, newApp(open())) })
		})
	}
}

func left(s *scs.SessionManager, ctx context.Context) string {
	return time.Until(s.Deadline(ctx)).Round(time.Second).String()
}

// A deadline that is put off outlives the cookie that the browser has, so the cookie is sent again; one that is
// brought forward does not, nor does one that is put off when the response has begun.
func TestSetDeadline(t *testing.T) {
	onBoth(t, func(t *testing.T, s *scs.SessionManager) {
		token := begin(t, s)
		for _, x := range []struct {
			to   time.Duration
			late bool
			want string // Max-Age
		}{{30 * time.Minute, false, ""}, {2 * time.Hour, true, ""}, {3 * time.Hour, false, "Max-Age=10800;"}} {
			w, next := ask(s, token, func(w http.ResponseWriter, ctx context.Context) {
				if x.late {
					_, _ = w.Write([]byte("page"))
				}
				s.SetDeadline(ctx, time.Now().Add(x.to))
			})
			if set := w.Header().Get("Set-Cookie"); !strings.Contains(set, x.want) || (set == "") != (x.want == "") {
				t.Errorf("to %s: the cookie is %q, want %q", x.to, set, x.want)
			}
			token = next
			ask(s, token, func(_ http.ResponseWriter, ctx context.Context) {
				if got := left(s, ctx); got != x.to.String() || s.GetInt(ctx, "userID") != 7 {
					t.Errorf("to %s: %s are left, of person %d", x.to, got, s.GetInt(ctx, "userID"))
				}
			})
		}
		ask(s, token, func(_ http.ResponseWriter, ctx context.Context) { s.SetDeadline(ctx, time.Now().Add(-time.Hour)) })
		if time.Sleep(2 * time.Second); userAt(s, token) != 0 {
			t.Error("a session lives on whose deadline was set to the past")
		}
	})
}

// RememberMe is about the cookie: the deadline stays, and so does what was put.
func TestRememberMeMovesNoDeadline(t *testing.T) {
	onBoth(t, func(t *testing.T, s *scs.SessionManager) {
		s.Cookie.Persist = false
		token := begin(t, s)
		_, token = ask(s, token, func(_ http.ResponseWriter, ctx context.Context) { s.SetDeadline(ctx, time.Now().Add(30*time.Minute)) })
		w, token := ask(s, token, func(_ http.ResponseWriter, ctx context.Context) { s.RememberMe(ctx, true) })
		if !strings.Contains(w.Header().Get("Set-Cookie"), "Max-Age=1800;") {
			t.Errorf("the cookie is %q", w.Header().Get("Set-Cookie"))
		}
		w, token = ask(s, token, func(w http.ResponseWriter, ctx context.Context) {
			page := fmt.Sprint(left(s, ctx), s.GetInt(ctx, "userID"))
			s.RememberMe(ctx, false)
			_, _ = w.Write([]byte(page))
		})
		if w.Body.String() != "30m0s7" || strings.Contains(w.Header().Get("Set-Cookie"), "Max-Age") || w.Header().Get("Set-Cookie") == "" {
			t.Errorf("%q with %q", w.Body, w.Header().Get("Set-Cookie"))
		}
		if userAt(s, token) != 7 {
			t.Error("the person is logged out")
		}
	})
}

// scs lets a persistent cookie end with the idle limit, and sends it again with each response. So must whoever serves
// the same sessions: a browser that comes from scs would lose it however busy it is.
func TestCookieOfScsIsSentAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newApp(newPlainStore())
		s.IdleTimeout = 20 * time.Minute
		token := begin(t, s)
		time.Sleep(10 * time.Minute)
		for what, do := range map[string]func(w http.ResponseWriter, ctx context.Context){
			"nothing": func(http.ResponseWriter, context.Context) {},
			"reads":   func(_ http.ResponseWriter, ctx context.Context) { s.GetInt(ctx, "userID") },
			"writes":  func(_ http.ResponseWriter, ctx context.Context) { s.Put(ctx, "n", 1) },
		} {
			w, next := ask(s, token, do)
			set := w.Header().Get("Set-Cookie")
			if next != token || !strings.Contains(set, "Max-Age=85800;") {
				t.Errorf("%s: the cookie is %q", what, set)
			}
		}
		s.Cookie.Persist = false // scs gives such a cookie no end
		if w, _ := ask(s, token, func(http.ResponseWriter, context.Context) {}); w.Header().Get("Set-Cookie") != "" {
			t.Errorf("of this browser session: %q", w.Header().Get("Set-Cookie"))
		}
	})
}

// It is not sent again behind a login in another tab, whose token it would replace.
func TestCookieIsNotSentAgainBehindALogin(t *testing.T) {
	s := newApp(newPlainStore())
	s.IdleTimeout = 20 * time.Minute
	token := begin(t, s)
	w, _ := ask(s, token, func(_ http.ResponseWriter, ctx context.Context) {
		s.Put(ctx, "n", 1)
		if _, _, err := s.Commit(ctx); err != nil {
			t.Error(err)
		}
		ask(s, token, func(_ http.ResponseWriter, ctx context.Context) {
			if err := s.RenewToken(ctx); err != nil {
				t.Error(err)
			}
		})
	})
	if set := w.Header().Get("Set-Cookie"); set != "" {
		t.Errorf("the slower response carries %q", set)
	}
}
