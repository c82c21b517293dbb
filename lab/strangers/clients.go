package strangers

import (
	"context"
	"errors"
	"io"
	"net/http"
	"testing"
	"time"

	"github.com/gosojourn/sojourn"
)

// left is a context whose client has gone, late one whose deadline has passed.
func left(ctx context.Context) context.Context {
	ctx, cancel := context.WithCancel(ctx)
	cancel()
	return ctx
}

// within calls h with a context that is over, as end makes it.
func (s *site) within(method, cookie string, end func(context.Context) context.Context, h http.HandlerFunc) reply {
	r := request(method, cookie)
	return s.send(r.WithContext(end(r.Context())), h)
}

// clients: they leave, deadlines pass, handlers are given up, goroutines stay.
var clients = []story{
	{"F20 after a deadline of the server's own, all is done", func(t *testing.T, s *site) {
		s.with(sojourn.Config{})
		past, cancel := context.WithDeadline(t.Context(), time.Now())
		defer cancel()
		over := func(context.Context) context.Context { return past }
		owner := anybody()
		var err error
		a := s.within("POST", s.begin(), over, do(func(ctx context.Context) {
			err = errors.Join(s.Login(ctx, owner), s.Commit(ctx))
		}))
		if err != nil || s.ownerOf(a.set) != owner {
			t.Errorf("Commit: %v, and the cookie is %q's", err, s.ownerOf(a.set))
		}
		a = s.within("POST", "", over, do(func(ctx context.Context) { name.Put(ctx, "new") }))
		if a.code != 200 || s.nameOf(a.set) != "new" {
			t.Errorf("a new visitor's Put: %d, %q", a.code, s.nameOf(a.set))
		}
	}},
	{"F20 for a client that has left, what needs a token is an error", func(t *testing.T, s *site) {
		s.with(sojourn.Config{})
		owner := anybody()
		for what, f := range map[string]func(ctx context.Context){
			"Login": func(ctx context.Context) { _ = s.Login(ctx, owner) },
			"Put":   func(ctx context.Context) { name.Put(ctx, "x") },
		} {
			var err error
			a := s.within("POST", "", left, do(func(ctx context.Context) {
				f(ctx)
				err = s.Commit(ctx)
			}))
			if !errors.Is(err, context.Canceled) || a.set != "" {
				t.Errorf("%s: Commit: %v, cookie %q", what, err, a.set)
			}
			if a := s.within("POST", "", left, do(f)); a.code != 503 {
				t.Errorf("%s, committed by the middleware: %d", what, a.code)
			}
		}
		if n := s.listed(owner); n != 0 || s.events(sojourn.EventLoginAbandoned, "*") != 4 {
			t.Errorf("%d sessions of nobody, %d events", n, s.events(sojourn.EventLoginAbandoned, "*"))
		}
	}},
	{"F21 a logout is done for a client that has left", func(t *testing.T, s *site) {
		s.with(sojourn.Config{})
		owner := anybody()
		c := s.beginAs(owner)
		var err error
		s.within("POST", c, left, do(func(ctx context.Context) {
			s.Remember(ctx, true)
			err = errors.Join(s.Logout(ctx), s.Commit(ctx))
		}))
		if o := s.ownerOf(c); err != nil || o != "" {
			t.Errorf("Commit: %v, and the cookie is %q's", err, o)
		}
	}},
	{"F22 a revocation runs to its end", func(t *testing.T, s *site) {
		s.with(sojourn.Config{})
		owner := anybody()
		c, other := s.beginAs(owner), s.beginAs(owner)
		var err error
		s.within("POST", c, left, do(func(ctx context.Context) { err = s.RevokeOthers(ctx) }))
		if a, b := s.ownerOf(c), s.ownerOf(other); err != nil || a != owner || b != "" {
			t.Errorf("RevokeOthers: %v; %q and %q", err, a, b)
		}
		s.within("POST", c, left, do(func(ctx context.Context) { err = s.RevokeAll(ctx, owner) }))
		if err != nil || s.listed(owner) != 0 {
			t.Errorf("RevokeAll: %v, and %d sessions are left", err, s.listed(owner))
		}
	}},
	{"F23 a client that leaves before the first use loses nothing", func(t *testing.T, s *site) {
		s.with(sojourn.Config{})
		c := s.begin()
		for range 10 {
			ctx, leave := context.WithCancel(t.Context())
			s.send(request("GET", c).WithContext(ctx), do(func(ctx context.Context) {
				leave()
				count.Update(ctx, plusOne)
			}))
		}
		if n := s.countOf(c); n != 10 {
			t.Errorf("%d of 10 increments", n)
		}
	}},
	{"F24 after the handler, a Commit of its own saves", func(t *testing.T, s *site) {
		s.with(sojourn.Config{})
		owner := anybody()
		c := s.beginAs(owner)
		var late context.Context
		page := func(w http.ResponseWriter, r *http.Request) {
			_ = s.Load(r.Context())
			_, _ = io.WriteString(w, "page")
			late = r.Context()
		}
		s.ask("GET", c, page)
		name.Put(late, "late")
		if n := s.nameOf(c); n != "" || s.events(sojourn.EventLeftBehind, "returned") != 1 {
			t.Errorf("without a Commit: %q, %d events", n, s.events(sojourn.EventLeftBehind, "returned"))
		}
		if err := s.Commit(late); err != nil || s.nameOf(c) != "late" {
			t.Errorf("Commit: %v, %q", err, s.nameOf(c))
		}
		s.ask("GET", c, page)
		if err := errors.Join(s.Logout(late), s.Commit(late)); err != nil || s.ownerOf(c) != "" {
			t.Errorf("a late Logout: %v, and the cookie is %q's", err, s.ownerOf(c))
		}
	}},
	{"F25 what http.TimeoutHandler gives up is saved whole or not at all", func(t *testing.T, s *site) {
		s.with(sojourn.Config{})
		for _, own := range []bool{false, true} {
			c := s.begin()
			answered, over := make(chan struct{}), make(chan struct{})
			h := http.TimeoutHandler(do(func(ctx context.Context) {
				defer close(over)
				name.Put(ctx, "half")
				<-answered
				count.Put(ctx, 7)
				if own {
					if err := s.Commit(ctx); err != nil {
						t.Errorf("Commit: %v", err)
					}
				}
			}), time.Millisecond, "late")
			a := s.send(request("POST", c), h)
			close(answered)
			<-over
			n, v := s.nameOf(c), s.countOf(c)
			if whole := n == "half" && v == 7; a.code != 503 || whole != own || !own && (n != "first" || v != 0) {
				t.Errorf("answered %d, own Commit %v: %q and %d", a.code, own, n, v)
			}
		}
	}},
}
