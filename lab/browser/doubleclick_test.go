package browser

import (
	"context"
	"errors"
	"net/http"
	"testing"
	"time"

	"github.com/gosojourn/sojourn"
)

const name = "__Host-Http-id"

// waitFor ends the wait in a handler when the test cannot get any further.
func waitFor(t *testing.T, c <-chan struct{}, what string) {
	select {
	case <-c:
	case <-time.After(patience):
		t.Errorf("it never came: %s", what)
	}
}

// filled is a visitor of the shop with two things in the cart, and the token of the session.
func (p *shop) filled() (b *tab, before string) {
	p.t.Helper()
	b = p.browser(p.t)
	b.get("/")
	b.press("Add")
	b.says("cart: tea.")
	b.press("Add")
	b.says("Hello nobody, cart: tea tea.")
	return b, b.cookies()[name].Value
}

// A double click on 'Log in' with a full cart. The browser gives up the first request, whose login has not
// been committed yet: it is not performed, and says so, because its token would reach nobody.
func TestDoubleClickKeepsTheCart(t *testing.T) {
	p := newShop(t, "shop.test", sojourn.Config{})
	given, firstErr := p.firstGivenUp()
	b, before := p.filled()
	p.clickTwice(b)
	b.says("Hello ann, cart: tea tea.")
	waitFor(t, given, "the first login is over")
	if !errors.Is(*firstErr, context.Canceled) {
		t.Errorf("the login that nobody could learn of answers %v, want an error that is context.Canceled", *firstErr)
	}
	if n := p.sessions(); n != 1 {
		t.Errorf("ann is logged in by %d sessions, want 1", n)
	}
	if c := b.cookies()[name]; c == nil || c.Value == before {
		t.Errorf("the token of before the login is still there: %v", c)
	}
	if n := p.logins.Load(); n != 2 {
		t.Errorf("%d logins came, want 2", n)
	}
}

// Both requests have read the cart when the first login is committed: both have it. The browser reads one
// of the answers, or both.
func TestParallelLoginsKeepTheCart(t *testing.T) {
	p := newShop(t, "shop.test", sojourn.Config{})
	second, done := make(chan struct{}), make(chan struct{})
	p.arrived = func(n int, r *http.Request) {
		if n == 1 {
			waitFor(t, second, "the second request")
		} else {
			close(second)
			waitFor(t, done, "the first login is done")
		}
	}
	p.done = func(n int, _ *http.Request, err error) {
		if err != nil {
			t.Errorf("login %d: %v", n, err)
		}
		if n == 1 {
			close(done)
		}
	}
	b, _ := p.filled()
	js[bool](b, `(fetch("/login", { method: "POST" }), document.querySelector("form[action='/login']").requestSubmit(), true)`)
	b.says("Hello ann, cart: tea tea.")
}

// The first login was committed before the second click, but its answer had not come: the second request
// has the old cookie. It logs in. The cart is in the session of the first login, which no browser has a
// cookie of: README, 'What it does that you would otherwise find out later'.
func TestSecondClickAfterTheLogin(t *testing.T) {
	p := newShop(t, "shop.test", sojourn.Config{})
	b, before := p.filled()
	p.arrived = func(n int, r *http.Request) {
		if c, err := r.Cookie(name); err != nil || c.Value != before {
			t.Errorf("login %d comes with another cookie", n)
		}
	}
	p.done = func(n int, r *http.Request, err error) {
		if err != nil {
			t.Errorf("login %d: %v", n, err)
		}
		if n == 1 {
			close(p.next)
			waitFor(t, r.Context().Done(), "the browser gives up the first request")
		}
	}
	p.clickTwice(b)
	b.says("Hello ann, cart: .")
	if n := p.sessions(); n != 2 {
		t.Errorf("ann is logged in by %d sessions, want the one that is used and the one with the cart", n)
	}
	b.press("Log out")
	b.until(`location.search === "?out"`)
	b.says("Hello nobody")
	if n := p.sessions(); n != 1 {
		t.Errorf("after the logout ann is logged in by %d sessions, want 1", n)
	}
}
