package sojourn_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"testing"
	"time"

	"github.com/gosojourn/sojourn"
)

// afterwards is the context of a request of cookie whose handler has returned.
func (s *site) afterwards(method, cookie string) (ctx context.Context) {
	s.t.Helper()
	s.ask(method, cookie, func(w http.ResponseWriter, r *http.Request) {
		name.Get(r.Context())
		_, _ = io.WriteString(w, "page")
		ctx = r.Context()
	})
	return ctx
}

// F24: a change after the handler has returned is told of, and saved by a Commit of its own.
func TestF24_AfterTheHandler(t *testing.T) {
	changes := map[string]struct {
		do   func(s *site, ctx context.Context)
		done func(s *site, c string) bool
	}{
		"Put":    {func(s *site, ctx context.Context) { name.Put(ctx, "late") }, func(s *site, c string) bool { return s.nameOf(c) == "late" }},
		"Update": {func(s *site, ctx context.Context) { count.Update(ctx, plusOne) }, func(s *site, c string) bool { return s.countOf(c) == 1 }},
		"Delete": {func(s *site, ctx context.Context) { name.Delete(ctx) }, func(s *site, c string) bool { return s.nameOf(c) == "" && s.ownerOf(c) == "bob" }},
		"Pop":    {func(s *site, ctx context.Context) { name.Pop(ctx) }, func(s *site, c string) bool { return s.nameOf(c) == "" && s.ownerOf(c) == "bob" }},
		"Logout": {func(s *site, ctx context.Context) { _ = s.Logout(ctx) }, func(s *site, c string) bool { return s.ownerOf(c) == "" }},
	}
	onBoth(t, sojourn.Config{}, func(t *testing.T, s *site) {
		for what, change := range changes {
			begin := func() string {
				return s.ask("POST", "", func(w http.ResponseWriter, r *http.Request) { putName(w, r); s.login("bob")(w, r) }).set
			}
			c := begin()
			told := s.events(sojourn.EventLeftBehind, "returned")
			change.do(s, s.afterwards("GET", c))
			if s.events(sojourn.EventLeftBehind, "returned") != told+1 || change.done(s, c) {
				t.Errorf("%s without a Commit: %d events, done %v", what, s.events(sojourn.EventLeftBehind, "returned")-told, change.done(s, c))
			}
			ctx := s.afterwards("GET", c)
			change.do(s, ctx)
			err := s.Commit(ctx)
			if ok := err == nil && change.done(s, c) || s.sealed && errors.Is(err, sojourn.ErrHeaderSent); !ok {
				t.Errorf("%s with a Commit: %v, done %v", what, err, change.done(s, c))
			}
		}
		for what, change := range map[string]func(ctx context.Context){
			"Login": func(ctx context.Context) { _ = s.Login(ctx, "bob") },
			"Renew": func(ctx context.Context) { _ = s.Renew(ctx) },
		} {
			c := s.begin()
			ctx := s.afterwards("POST", c)
			change(ctx)
			if err := s.Commit(ctx); !errors.Is(err, sojourn.ErrHeaderSent) || s.nameOf(c) != "first" {
				t.Errorf("%s: %v, want ErrHeaderSent and the session as it was", what, err)
			}
		}
	})
}

// given runs a handler inside http.TimeoutHandler, which goes on after that has answered.
func (s *site) given(cookie string, before, after func(ctx context.Context)) reply {
	answered, over := make(chan struct{}), make(chan struct{})
	h := http.TimeoutHandler(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		defer close(over)
		before(r.Context())
		<-answered
		after(r.Context())
	}), time.Second, "late")
	a := s.ask("POST", cookie, h.ServeHTTP)
	close(answered)
	<-over
	return a
}

// F25: what a handler has done that http.TimeoutHandler gives up is saved whole, by a Commit of its own, or
// not at all.
func TestF25_GivenUpWholeOrNotAtAll(t *testing.T) {
	first := func(ctx context.Context) { name.Put(ctx, "half") }
	onStore(t, sojourn.Config{}, func(t *testing.T, s *site) {
		c := s.begin()
		a := s.given(c, first, func(ctx context.Context) { count.Put(ctx, 7) })
		if n, v := s.nameOf(c), s.countOf(c); a.code != 503 || n != "first" || v != 0 {
			t.Errorf("answered %d, and the session says %q and %d: want none of it", a.code, n, v)
		}
		if s.events(sojourn.EventLeftBehind, "given_up") != 1 {
			t.Error("nothing was told")
		}
		a = s.given(c, first, func(ctx context.Context) { count.Put(ctx, 7); s.commit(ctx) })
		if n, v := s.nameOf(c), s.countOf(c); a.code != 503 || n != "half" || v != 7 {
			t.Errorf("answered %d, and the session says %q and %d: want all of it", a.code, n, v)
		}
		// A Commit before it is whole too, and so is what needs a token: that is too late by then.
		a = s.given(c, func(ctx context.Context) { name.Put(ctx, "early"); s.commit(ctx) }, func(ctx context.Context) {
			count.Put(ctx, 8)
			_ = s.Login(ctx, "bob")
			if err := s.Commit(ctx); !errors.Is(err, sojourn.ErrHeaderSent) {
				t.Errorf("Commit: %v, want ErrHeaderSent", err)
			}
		})
		if n, v := s.nameOf(c), s.countOf(c); n != "early" || v != 7 || a.set != "" {
			t.Errorf("the session says %q and %d", n, v)
		}
	})
}

// F25: a token that was minted before the handler was given up goes out with the 503.
func TestF25_GivenUpAfterALogin(t *testing.T) {
	inBubbles(t, sojourn.Config{}, func(t *testing.T, s *site) {
		a := s.given(s.begin(), func(ctx context.Context) { _ = s.Login(ctx, "bob"); s.commit(ctx) }, func(context.Context) {})
		if a.code != 503 {
			t.Errorf("answered %d", a.code)
		}
		s.loggedInBy(a, "bob")
	})
}

// F25: sealed, what is not in the 503 is nowhere, and no Commit says otherwise.
func TestF25_GivenUpSealed(t *testing.T) {
	inBubbles(t, sojourn.Config{}, func(t *testing.T, s *site) {
		if !s.sealed {
			return
		}
		c := s.begin()
		a := s.given(c, func(ctx context.Context) { name.Put(ctx, "half") }, func(ctx context.Context) {
			count.Put(ctx, 7)
			if err := s.Commit(ctx); !errors.Is(err, sojourn.ErrHeaderSent) {
				t.Errorf("Commit: %v, want ErrHeaderSent", err)
			}
		})
		if c = a.or(c); s.nameOf(c) != "first" || s.countOf(c) != 0 {
			t.Errorf("the session says %q and %d", s.nameOf(c), s.countOf(c))
		}
	})
}

// F24: a goroutine of a handler that was given up is told of its change.
func TestF24_GivenUp(t *testing.T) {
	onStore(t, sojourn.Config{}, func(t *testing.T, s *site) {
		c := s.beginAs("bob")
		s.given(c, func(context.Context) {}, func(ctx context.Context) { _ = s.Logout(ctx) })
		if s.ownerOf(c) == "bob" && s.events(sojourn.EventLeftBehind, "*") == 0 {
			t.Error("the Logout is neither done nor told of")
		}
	})
}
