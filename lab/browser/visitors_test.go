package browser

import (
	"context"
	"errors"
	"testing"

	"github.com/chromedp/cdproto/network"

	"github.com/gosojourn/sojourn"
	"github.com/gosojourn/sojourn/sealed"
)

const visitorsName = name + "-visitor"

// sealedShop is a shop whose visitors keep their carts in a cookie of their own until they log in.
func sealedShop(t *testing.T) *shop {
	t.Helper()
	ring, err := sealed.New([]string{sealed.GenerateKey()}, sealed.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return newShop(t, "shop.test", sojourn.Config{Anonymous: ring})
}

// fillSealed puts two things into the cart of a visitor, and answers the seal.
func (p *shop) fillSealed() (b *tab, seal string) {
	p.t.Helper()
	b = p.browser(p.t)
	b.get("/")
	b.press("Add")
	b.says("cart: tea.")
	b.press("Add")
	b.says("Hello nobody, cart: tea tea.")
	all := b.cookies()
	if all[name] != nil || all[visitorsName] == nil {
		p.t.Fatalf("a visitor has the cookies %v, want %s alone", all, visitorsName)
	}
	if n, err := p.m.Count(p.t.Context()); err != nil || n != 0 {
		p.t.Errorf("%d sessions in the store for a visitor, %v; want none", n, err)
	}
	return b, all[visitorsName].Value
}

// plant has the browser show a seal again that it has had.
func (b *tab) plant(seal string) {
	b.t.Helper()
	call(b, network.SetCookie, network.SetCookieParams{Name: visitorsName, Value: seal, URL: b.s.url + "/", Path: "/",
		Secure: new(true), HTTPOnly: new(true), SameSite: network.CookieSameSiteLax})
	if c := b.cookies()[visitorsName]; c == nil || c.Value != seal {
		b.t.Fatalf("the browser does not take the old seal: %v", c)
	}
}

// The cart of a visitor is there after the login, and the seal that it was in is worth nothing then: not beside the
// session, not behind its logout, and not in the browser of somebody who has copied it.
func TestVisitorIsSealedUntilLogin(t *testing.T) {
	p := sealedShop(t)
	b, seal := p.fillSealed()
	b.press("Log in")
	b.says("Hello ann, cart: tea tea.")
	if all := b.cookies(); all[name] == nil || all[visitorsName] != nil {
		t.Errorf("after the login the cookies are %v, want %s alone", all, name)
	}

	thief := p.browser(t)
	thief.get("/")
	thief.plant(seal)
	thief.get("/")
	thief.says("Hello nobody, cart: .")

	b.plant(seal)
	b.press("Add")
	b.says("Hello ann, cart: tea tea tea.")
	b.press("Log out")
	b.says("Hello nobody, cart: .")
	if all := b.cookies(); all[name] != nil || all[visitorsName] != nil {
		t.Errorf("after the logout the cookies are %v, want none", all)
	}
	b.plant(seal)
	b.get("/")
	b.says("Hello nobody, cart: .")
	if n := p.sessions(); n != 0 {
		t.Errorf("ann is logged in by %d sessions after the logout", n)
	}
}

// A double click on 'Log in', whose first request the browser gives up before its login was committed: the cart is
// where it was, in the seal, and the second login has it.
func TestDoubleClickKeepsTheSealedCart(t *testing.T) {
	p := sealedShop(t)
	given, firstErr := p.firstGivenUp()
	b, _ := p.fillSealed()
	p.clickTwice(b)
	b.says("Hello ann, cart: tea tea.")
	waitFor(t, given, "the first login is over")
	if !errors.Is(*firstErr, context.Canceled) {
		t.Errorf("the login that nobody could learn of answers %v, want an error that is context.Canceled", *firstErr)
	}
	if n := p.sessions(); n != 1 {
		t.Errorf("ann is logged in by %d sessions, want 1", n)
	}
	if all := b.cookies(); all[name] == nil || all[visitorsName] != nil {
		t.Errorf("after the login the cookies are %v, want %s alone", all, name)
	}
}

// Snippetbox with -seal-visitors: why somebody is to log in, and where to go on, are in the seal until then.
func TestSnippetboxSealsItsVisitors(t *testing.T) {
	s := start(t, "https", "-seal-visitors")
	b := s.browser(t)
	b.signUp("ann")
	b.get("/snippet/create")
	b.says("Please log in to create a snippet.")
	if all := b.cookies(); all[name] != nil || all[visitorsName] == nil {
		t.Errorf("a visitor has the cookies %v, want %s and no session", all, visitorsName)
	}
	b.fill(map[string]string{"email": "ann@example.com", "password": pass})
	b.press("Log in")
	b.says("Publish snippet")
	if all := b.cookies(); all[name] == nil || all[visitorsName] != nil {
		t.Errorf("after the login the cookies are %v, want %s and no seal", all, name)
	}
	b.press("Log out")
	b.says("logged out successfully")
	b.get("/account")
	b.says("Log in")
	b.lacks("ann@example.com")
}
