package main

import (
	"context"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/gosojourn/sojourn"
	"github.com/gosojourn/sojourn/sealed"
	"github.com/gosojourn/sojourn/sqlstore"
)

// counted counts what its store is asked.
type counted struct {
	*sqlstore.Store
	asked atomic.Int32
}

func (c *counted) Load(ctx context.Context, id string) (sojourn.Record, error) {
	c.asked.Add(1)
	return c.Store.Load(ctx, id)
}

func (c *counted) Create(ctx context.Context, r sojourn.Record) error {
	c.asked.Add(1)
	return c.Store.Create(ctx, r)
}

func (c *counted) Update(ctx context.Context, r sojourn.Record, version uint64) error {
	c.asked.Add(1)
	return c.Store.Update(ctx, r, version)
}

func (c *counted) Touch(ctx context.Context, r sojourn.Record) error {
	c.asked.Add(1)
	return c.Store.Touch(ctx, r)
}

func (c *counted) Delete(ctx context.Context, id string, version uint64) error {
	c.asked.Add(1)
	return c.Store.Delete(ctx, id, version)
}

func TestVisitorsPagesCostNothing(t *testing.T) {
	s := newSite(t)
	store := &counted{Store: s.faulty.Store.(*sqlstore.Store)}
	var err error
	if s.sessionManager, err = sojourn.New(store, s.sessionConfig(options{idle: s.sessionLimit, lifetime: 12 * s.sessionLimit})); err != nil {
		t.Fatal(err)
	}
	b := newBrowser(t, serve(t, s.routes()))
	for range 2 {
		for _, path := range []string{"/", "/snippet/view/1", "/user/login", "/user/signup", "/nowhere"} {
			if r := b.get(path); r.Header.Get("Set-Cookie") != "" || strings.Contains(r.body, `id="visits"`) {
				t.Errorf("%s begins a session: %v", path, r.Header)
			}
		}
	}
	if n, rows := store.asked.Load(), s.sessions(t); n != 0 || rows != 0 {
		t.Errorf("%d calls of the store and %d rows, want none", n, rows)
	}
	b.stay().get("/account").want(t, http.StatusSeeOther)
	if n := store.asked.Load(); n != 1 || s.sessions(t) != 1 {
		t.Errorf("%d calls of the store to remember where to go, want 1", n)
	}
}

// With -seal-visitors the page to go to after the login, and the message that says why, are kept by the browser: no row
// until somebody logs in.
func TestVisitorsAreSealed(t *testing.T) {
	s := newSite(t)
	ring, err := sealed.New([]string{sealed.GenerateKey()}, sealed.Options{})
	if err != nil {
		t.Fatal(err)
	}
	store := &counted{Store: s.faulty.Store.(*sqlstore.Store)}
	cfg := s.sessionConfig(options{idle: s.sessionLimit, lifetime: 12 * s.sessionLimit})
	cfg.Anonymous, s.sealsVisitors = ring, true
	if s.sessionManager, err = sojourn.New(store, cfg); err != nil {
		t.Fatal(err)
	}
	b := newBrowser(t, serve(t, s.routes()))
	b.get("/account").want(t, 200, reasons["/account"], "Log in</button>")
	if n, rows := store.asked.Load(), s.sessions(t); n != 0 || rows != 0 {
		t.Errorf("%d calls of the store and %d rows for a visitor, want none", n, rows)
	}
	signUp(t, b, "ann")
	b.get("/account")
	if r := b.post("/user/login", credentials("ann", pass)); r.Request.URL.Path != "/account" {
		t.Errorf("the login leads to %s, not to the page that was asked for", r.Request.URL.Path)
	}
	if n := s.sessions(t); n != 1 {
		t.Errorf("%d rows after the login", n)
	}
	out := b.stay().post("/user/logout", nil)
	for _, line := range out.Header["Set-Cookie"] {
		if strings.Contains(line, "visitor=") && strings.Contains(line, "Max-Age=0") {
			t.Errorf("the login has left a visitor's cookie: %s", line)
		}
	}
	b.get("/").want(t, 200)
	if n := s.sessions(t); n != 0 {
		t.Errorf("%d rows after the logout", n)
	}
}

func TestHomeTellsHowToBegin(t *testing.T) {
	s := newSite(t)
	newBrowser(t, s.url).get("/").want(t, 200, `<a class="button" href="/snippet/create">Create snippet</a>`, "You need an account for that")
	r := member(t, s.url, "ann").get("/")
	r.want(t, 200, `<a class="button" href="/snippet/create">Create snippet</a>`)
	if strings.Contains(r.body, "You need an account") {
		t.Error("Ann is told that she needs an account")
	}
}

func TestRedirectToLogInSaysWhy(t *testing.T) {
	s := newSite(t)
	for path, why := range reasons {
		b := newBrowser(t, s.url)
		b.get(path).want(t, 200, why, "Log in</button>")
		if r := b.get("/user/login"); strings.Contains(r.body, why) {
			t.Errorf("%s: it is said twice", path)
		}
	}
	b := newBrowser(t, s.url).stay()
	b.get("/account")
	b.get("/account")
	if n := strings.Count(b.get("/user/login").body, reasons["/account"]); n != 1 {
		t.Errorf("two pages of one kind say why %d times", n)
	}
}
