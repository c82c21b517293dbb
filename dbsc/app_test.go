package dbsc_test

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gosojourn/sojourn"
	"github.com/gosojourn/sojourn/dbsc"
	"github.com/gosojourn/sojourn/memstore"
	"github.com/gosojourn/sojourn/sojourntest"
	"github.com/gosojourn/sojourn/sojourntest/dbscclient"
)

var (
	count = sojourn.NewKey[int]("count")
	errs  = errors.New("the test's store is down")
)

const boundName = "__Host-id-bound"

// An app is a small application with a login.
type app struct {
	t     *testing.T
	m     *sojourn.Manager
	bound *dbsc.Binder
	store *sojourntest.FaultyStore
	h     http.Handler

	entered, release chan struct{} // of requests that are held

	mu     sync.Mutex
	events []sojourn.Event
}

func newApp(t *testing.T, cfg dbsc.Config) *app { return newAppWith(t, cfg, sojourn.Config{}) }

func newAppWith(t *testing.T, cfg dbsc.Config, sc sojourn.Config) *app {
	t.Helper()
	a := &app{t: t, store: &sojourntest.FaultyStore{Store: memstore.New()}, entered: make(chan struct{}), release: make(chan struct{})}
	sc.Logger = slog.New(slog.DiscardHandler)
	sc.OnEvent = func(_ context.Context, e sojourn.Event) {
		a.mu.Lock()
		defer a.mu.Unlock()
		a.events = append(a.events, e)
	}
	var err error
	if a.m, err = sojourn.New(a.store, sc); err != nil {
		t.Fatal(err)
	}
	if a.bound, err = dbsc.New(a.m, cfg); err != nil {
		t.Fatal(err)
	}
	mux := http.NewServeMux()
	mux.Handle("/dbsc/register", a.bound.RegisterHandler())
	mux.Handle("/dbsc/refresh", a.bound.RefreshHandler())
	answer := func(w http.ResponseWriter, err error) {
		if err != nil {
			http.Error(w, "Please try again.", http.StatusServiceUnavailable)
		}
	}
	mux.HandleFunc("POST /login", func(w http.ResponseWriter, r *http.Request) {
		if err := a.m.Login(r.Context(), r.PostFormValue("name")); err != nil {
			answer(w, err)
			return
		}
		answer(w, a.m.Commit(r.Context()))
	})
	mux.HandleFunc("POST /logout", func(w http.ResponseWriter, r *http.Request) { answer(w, a.m.Logout(r.Context())) })
	mux.HandleFunc("POST /renew", func(w http.ResponseWriter, r *http.Request) { answer(w, a.m.Renew(r.Context())) })
	mux.HandleFunc("POST /clear", func(_ http.ResponseWriter, r *http.Request) { a.m.Clear(r.Context()) })
	mux.HandleFunc("POST /count", func(_ http.ResponseWriter, r *http.Request) {
		count.Update(r.Context(), func(n int) int { return n + 1 })
	})
	mux.HandleFunc("POST /held", func(_ http.ResponseWriter, r *http.Request) { // which has loaded the session by now
		a.entered <- struct{}{}
		<-a.release
		count.Update(r.Context(), func(n int) int { return n + 1 })
	})
	mux.HandleFunc("/me", func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, who(a.m, r)) // refused where the response was replaced
	})
	refused := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "refused", http.StatusForbidden) })
	mux.Handle("/password", a.bound.RequireBound(time.Minute, refused)(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, "changed by "+who(a.m, r))
	})))
	mux.HandleFunc("/static", func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "static") })
	a.h = mux
	return a
}

func who(m *sojourn.Manager, r *http.Request) string {
	if o := m.Info(r.Context()).Owner; o != "" {
		return o
	}
	return "nobody"
}

// count tells how many events of this name and reason there were.
func (a *app) count(name sojourn.EventName, reason string) (n int) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, e := range a.events {
		if e.Name == name && e.Reason == reason {
			n++
		}
	}
	return n
}

// A person has a browser, with or without a device that keeps keys.
type person struct {
	*sojourntest.Browser
	t      *testing.T
	device *dbscclient.Device
}

func (a *app) person() *person {
	p := &person{Browser: sojourntest.NewBrowser(a.t, a.m, a.h), t: a.t}
	p.device = dbscclient.On(p.Client)
	return p
}

// plain is a person whose browser knows nothing of keys.
func (a *app) plain() *person {
	return &person{Browser: sojourntest.NewBrowser(a.t, a.m, a.h), t: a.t}
}

// thief is somebody elsewhere with a copy of p's cookies.
func (a *app) thief(p *person) *person {
	x := a.plain()
	x.SetCookies(p.pair())
	return x
}

func (p *person) login(name string) *person {
	p.t.Helper()
	if res := p.PostForm("/login", url.Values{"name": {name}}); res.StatusCode != http.StatusOK {
		p.t.Fatalf("login: %s", res.Status)
	}
	return p
}

// member is somebody who is logged in, in a session that is bound.
func (a *app) member() *person {
	a.t.Helper()
	p := a.person().login("ann")
	if n := len(p.device.Sessions()); n != 1 {
		a.t.Fatalf("%d bound sessions after the login: %v", n, p.device.Failures())
	}
	return p
}

// pair is what there is to steal: the session's cookie and the bound one.
func (p *person) pair() []*http.Cookie {
	return slices.DeleteFunc(p.Cookies(), func(c *http.Cookie) bool { return strings.HasSuffix(c.Name, "-asked") })
}

// session is the session's own cookie.
func (p *person) session() []*http.Cookie {
	return slices.DeleteFunc(p.pair(), func(c *http.Cookie) bool { return c.Name == boundName })
}

func body(t *testing.T, res *http.Response) string {
	t.Helper()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(string(b))
}

func (p *person) is(name string) {
	p.t.Helper()
	if got := body(p.t, p.Get("/me")); got != name {
		p.t.Errorf("the request is %q's, want %q's", got, name)
	}
}

// refreshes are the statuses that the device has been given at the refresh handler.
func (p *person) refreshes() (codes []int) {
	for _, e := range p.device.Log() {
		if e.Path == "/dbsc/refresh" {
			codes = append(codes, e.Status)
		}
	}
	return codes
}

// send makes one request of p's with these headers, and no device in between.
func (p *person) send(method, path string, header ...string) *http.Response {
	p.t.Helper()
	r, err := http.NewRequest(method, path, nil)
	if err != nil {
		p.t.Fatal(err)
	}
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	return p.Do(r)
}

// alone is a client without a cookie.
func (a *app) alone() *person { return a.plain() }

// proof is what the device of p would sign for its session.
func (p *person) proof(claims map[string]any) string {
	p.t.Helper()
	s := p.device.Sessions()[0]
	jws, err := dbscclient.Sign(s.Key, map[string]any{"alg": "ES256", "typ": "dbsc+jwt"}, claims)
	if err != nil {
		p.t.Fatal(err)
	}
	return jws
}
