package dbsc_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gosojourn/sojourn"
	"github.com/gosojourn/sojourn/dbsc"
	"github.com/gosojourn/sojourn/memstore"
	"github.com/gosojourn/sojourn/sealed"
	"github.com/gosojourn/sojourn/sojourntest"
	"github.com/gosojourn/sojourn/sojourntest/dbscclient"
)

// A copied pair of cookies is worth something until the bound cookie's end, cannot be refreshed, and is told of. The one
// whose device it is goes on.
func TestAStolenPairDies(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newApp(t, dbsc.Config{})
		p := a.member()
		thief := a.thief(p)
		thief.is("ann") // that much is true of every cookie
		time.Sleep(10 * time.Minute)
		thief.is("nobody")
		if n := a.count(sojourn.EventTheft, "cookie_expired"); n != 1 {
			t.Errorf("%d events of a cookie that is over", n)
		}
		if res := thief.PostForm("/count", nil); res.StatusCode != 200 || len(res.Cookies()) != 0 {
			t.Errorf("a change: %s, %v", res.Status, res.Cookies())
		}
		s := p.device.Sessions()[0]
		if res := thief.send("POST", "/dbsc/refresh", "Sec-Secure-Session-Id", s.ID); res.StatusCode != 403 || len(res.Cookies()) != 0 {
			t.Errorf("the thief's refresh: %s, %v", res.Status, res.Cookies())
		}
		p.is("ann")
		thief.is("nobody")
		p.Session(func(ctx context.Context) {
			if n := count.Get(ctx); n != 0 {
				t.Errorf("the thief has counted to %d", n)
			}
		})
	})
}

// Two refreshes later the copy is dead, before its time.
func TestAStolenPairDiesOfTwoRefreshes(t *testing.T) {
	a := newApp(t, dbsc.Config{})
	p := a.member()
	p.device.DropCookies()
	p.is("ann")
	thief := a.thief(p)
	for _, want := range []string{"ann", "nobody"} {
		p.device.DropCookies()
		p.is("ann")
		thief.is(want)
	}
	if n := a.count(sojourn.EventTheft, "cookie_unknown"); n != 1 {
		t.Errorf("%d events of an unknown cookie", n)
	}
}

// The session's cookie alone is worth nothing, as soon as the browser must have the other.
func TestTheSessionCookieAloneIsWorthNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newApp(t, dbsc.Config{})
		thief := a.thief(a.member())
		thief.SetCookies(thief.session())
		thief.is("ann") // requests that were under way when the session was bound
		time.Sleep(30 * time.Second)
		thief.is("nobody")
		if n := a.count(sojourn.EventUnproven, "cookie_missing"); n != 1 {
			t.Errorf("%d events", n)
		}
		// To log in, or out, is possible, and ends what was shown.
		thief.login("eve").is("eve")
		if _, err := a.owned("ann"); !errors.Is(err, sojourn.ErrNotFound) {
			t.Errorf("ann's session: %v", err)
		}
	})
}

// A change of what is withheld is dropped, and Commit says why.
func TestAChangeOfWhatIsWithheldIsDropped(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newApp(t, dbsc.Config{})
		thief := a.thief(a.member())
		time.Sleep(10 * time.Minute)
		thief.Session(func(ctx context.Context) {
			count.Put(ctx, 7)
			if err := a.m.Commit(ctx); !errors.Is(err, sojourn.ErrUnbound) || sojourn.Unavailable(err) {
				t.Errorf("Commit answers %v", err)
			}
		})
		if n := a.count(sojourn.EventUnproven, "change"); n != 1 {
			t.Errorf("%d events", n)
		}
	})
}

// A refresh does not have the session's token, and leaves encrypted values as they are.
func TestEncryptedValuesPassThroughARefresh(t *testing.T) {
	a := newAppWith(t, dbsc.Config{}, sojourn.Config{EncryptAtRest: true})
	p := a.member()
	for want := range 3 {
		p.PostForm("/count", nil)
		p.device.DropCookies()
		p.is("ann")
		p.PostForm("/renew", nil)
		p.Session(func(ctx context.Context) {
			if n := count.Get(ctx); n != want+1 {
				t.Errorf("counted to %d, want %d", n, want+1)
			}
		})
	}
}

// A Renew between the two halves of a refresh ends nothing.
func TestARenewalBesideARefresh(t *testing.T) {
	store := &between{Store: memstore.New()}
	m, err := sojourn.New(store, sojourn.Config{})
	must(t, err)
	bound, err := dbsc.New(m, dbsc.Config{})
	must(t, err)
	mux := http.NewServeMux()
	mux.Handle("/dbsc/register", bound.RegisterHandler())
	mux.Handle("/dbsc/refresh", bound.RefreshHandler())
	mux.HandleFunc("/login", func(_ http.ResponseWriter, r *http.Request) { must(t, m.Login(r.Context(), "ann")) })
	mux.HandleFunc("/renew", func(_ http.ResponseWriter, r *http.Request) { must(t, m.Renew(r.Context())) })
	p := &person{Browser: sojourntest.NewBrowser(t, m, mux), t: t}
	p.device = dbscclient.On(p.Client)
	p.PostForm("/login", nil)
	renewed := false
	store.then = func() { // when the refresh has read the record
		renewed = true
		p.PostForm("/renew", nil)
	}
	s := p.device.Sessions()[0]
	res := p.send("POST", "/dbsc/refresh", "Sec-Secure-Session-Id", s.ID, "Secure-Session-Response", p.proofOf(s, s.Cached))
	if res.StatusCode != 200 || !renewed {
		t.Errorf("the refresh answers %s", res.Status)
	}
}

// between does something, once, after a Load.
type between struct {
	sojourn.Store
	then func()
}

func (b *between) Load(ctx context.Context, id string) (sojourn.Record, error) {
	r, err := b.Store.Load(ctx, id)
	if then := b.then; then != nil {
		b.then = nil
		then()
	}
	return r, err
}

// owned is a session of owner.
func (a *app) owned(owner string) (sojourn.Info, error) {
	for i, err := range a.m.List(a.t.Context(), owner) {
		return i, err
	}
	return sojourn.Info{}, sojourn.ErrNotFound
}

// What an application does with its session leaves the binding as it is, but for a login.
func TestWhatKeepsTheBinding(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newApp(t, dbsc.Config{})
		p := a.member()
		bound := p.device.Sessions()[0].ID
		for _, path := range []string{"/count", "/renew", "/clear"} {
			p.PostForm(path, nil)
			p.is("ann")
			if i, err := a.owned("ann"); err != nil || !i.Bound {
				t.Errorf("after %s: %+v, %v", path, i, err)
			}
			time.Sleep(10 * time.Minute)
			p.is("ann")
		}
		if n := len(p.device.Sessions()); n != 1 || p.device.Sessions()[0].ID != bound {
			t.Errorf("%d bound sessions: %v", n, p.device.Failures())
		}
		p.login("ann").is("ann")
		var ids []string
		for _, s := range p.device.Sessions() {
			ids = append(ids, s.ID)
		}
		if len(ids) != 2 || ids[0] == ids[1] {
			t.Errorf("a new login is a new registration: %v", ids)
		}
		time.Sleep(10 * time.Minute)
		p.is("ann")
		for range 2 { // whichever of the two the browser thinks of first
			p.device.DropCookies()
			p.is("ann")
		}
	})
}

// Info says of a session whether it is bound, for a page of sessions.
func TestInfoSaysWhatIsBound(t *testing.T) {
	a := newApp(t, dbsc.Config{})
	a.member()
	a.plain().login("ben")
	for owner, want := range map[string]bool{"ann": true, "ben": false} {
		if i, err := a.owned(owner); err != nil || i.Bound != want {
			t.Errorf("%s: bound %t, %v", owner, i.Bound, err)
		}
	}
}

// RequireBound wants a proof that is new, gets it on the way, and refuses who has none.
func TestRequireBound(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newApp(t, dbsc.Config{})
		p := a.member()
		if got := body(t, p.Get("/password")); got != "changed by ann" || p.refreshes() != nil {
			t.Errorf("right after the login: %s, refreshes %v", got, p.refreshes())
		}
		time.Sleep(2 * time.Minute)
		thief := a.thief(p)
		if got := body(t, p.PostForm("/password", url.Values{"a": {"b"}})); got != "changed by ann" || len(p.refreshes()) != 1 {
			t.Errorf("two minutes later: %s, refreshes %v", got, p.refreshes())
		}
		if got := body(t, a.plain().login("ben").Get("/password")); got != "changed by ben" {
			t.Errorf("an unbound session, opportunistically: %s", got)
		}
		if got := body(t, a.plain().Get("/password")); got != "changed by nobody" {
			t.Errorf("nobody is for the login wall: %s", got)
		}
		time.Sleep(2 * time.Minute)
		thief.is("ann")
		if got := body(t, thief.Get("/password")); got != "refused" {
			t.Errorf("a thief whose cookie is good still: %s", got)
		}
		thief.Client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
		time.Sleep(time.Minute)
		res := thief.Get("/password?x=y")
		if res.StatusCode != 307 || res.Header.Get("Location") != "/password?x=y" {
			t.Errorf("%s to %q", res.Status, res.Header.Get("Location"))
		}
	})
}

// The redirect goes to this host, whatever the path looks like.
func TestRequireBoundRedirectsToNobodyElse(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newApp(t, dbsc.Config{})
		p := a.member()
		time.Sleep(2 * time.Minute)
		h := a.m.LoadAndSave(a.bound.RequireBound(time.Minute, http.NotFoundHandler())(http.NotFoundHandler()))
		for target, want := range map[string]string{"//evil.test/x": "/.//evil.test/x", `/\evil.test`: `/./\evil.test`, "/ok?a=//b": "/ok?a=//b"} {
			r := httptest.NewRequest("GET", "https://sojourn.test/", nil)
			r.RequestURI = target
			for _, c := range p.Cookies() {
				r.AddCookie(c)
			}
			w := httptest.NewRecorder()
			h.ServeHTTP(w, r)
			if got := w.Header().Get("Location"); w.Code != 307 || got != want {
				t.Errorf("%s: %d to %q, want %q", target, w.Code, got, want)
			}
		}
	})
}

// The handlers work outside LoadAndSave, and inside it they cost no load of a session by cookie.
func TestHandlersOutsideLoadAndSave(t *testing.T) {
	a := newApp(t, dbsc.Config{})
	inside := a.h
	outer := http.NewServeMux()
	outer.Handle("/dbsc/register", a.bound.RegisterHandler())
	outer.Handle("/dbsc/refresh", a.bound.RefreshHandler())
	outer.Handle("/", a.m.LoadAndSave(inside))
	srv := httptest.NewTLSServer(outer)
	defer srv.Close()
	p := &person{Browser: sojourntest.NewBrowser(t, a.m, inside), t: t}
	p.Client.Transport, p.Base = srv.Client().Transport, srv.URL
	p.device = dbscclient.On(p.Client)
	p.device.Quoted = true
	p.login("ann").is("ann")
	p.device.DropCookies()
	p.is("ann")
	if got := p.refreshes(); len(got) != 1 || got[0] != 200 {
		t.Errorf("the refreshes were answered %v: %v", got, p.device.Failures())
	}
}

// An answer that the store has lost ends nothing.
func TestALostAnswerEndsNothing(t *testing.T) {
	a := newApp(t, dbsc.Config{})
	p := a.member()
	for range 3 {
		p.device.DropCookies()
		a.store.LoseReply(errs)
		p.is("ann")
	}
	if n := len(p.device.Sessions()); n != 1 {
		t.Errorf("%d sessions: %v", n, p.device.Failures())
	}
}

// What a stranger posts does not keep a session alive.
func TestRefusedProofsAreNoActivity(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newApp(t, dbsc.Config{})
		p := a.member()
		s := p.device.Sessions()[0]
		for range 6 {
			time.Sleep(10 * time.Minute)
			p.send("POST", "/dbsc/refresh", "Sec-Secure-Session-Id", s.ID)
			a.alone().send("POST", "/dbsc/refresh", "Sec-Secure-Session-Id", s.ID, "Secure-Session-Response", p.proofOf(s, "stale"))
		}
		if i, err := a.owned("ann"); err == nil && time.Until(i.Expires) > 21*time.Minute {
			t.Errorf("the session lives until %v", i.Expires)
		}
	})
}

// Who has no device pays nothing: no exchange, no allocation.
func TestWhoHasNoDevicePaysNothing(t *testing.T) {
	measure := func(policy dbsc.Policy) (allocs float64, loads int) {
		store := &counting{Store: memstore.New()}
		m, err := sojourn.New(store, sojourn.Config{})
		must(t, err)
		_, err = dbsc.New(m, dbsc.Config{Policy: policy})
		must(t, err)
		b := sojourntest.NewBrowser(t, m, http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { must(t, m.Login(r.Context(), "ann")) }))
		b.PostForm("/login", nil)
		r := httptest.NewRequest("GET", "https://sojourn.test/", nil)
		for _, c := range b.Cookies() {
			r.AddCookie(c)
		}
		h := m.LoadAndSave(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			if m.Info(r.Context()).Owner != "ann" {
				t.Error("nobody is logged in")
			}
		}))
		w := nowhere{http.Header{}}
		store.n = 0
		h.ServeHTTP(w, r)
		loads = store.n
		return testing.AllocsPerRun(100, func() { h.ServeHTTP(w, r) }), loads
	}
	without, loads := measure(dbsc.Off)
	with, loadsToo := measure(dbsc.Opportunistic)
	if with > without || loadsToo != loads {
		t.Errorf("%v allocations and %d loads, without a binder %v and %d", with, loadsToo, without, loads)
	}
}

type nowhere struct{ h http.Header }

func (n nowhere) Header() http.Header         { return n.h }
func (n nowhere) Write(p []byte) (int, error) { return len(p), nil }
func (n nowhere) WriteHeader(int)             {}

type counting struct {
	sojourn.Store
	n int
}

func (c *counting) Load(ctx context.Context, id string) (sojourn.Record, error) {
	c.n++
	return c.Store.Load(ctx, id)
}

// A copy of the record may only say yes: one from before a refresh withholds nothing.
func TestAnOldCopyWithholdsNothing(t *testing.T) {
	store := &copies{Store: memstore.New(), old: map[string]sojourn.Record{}}
	m, err := sojourn.New(store, sojourn.Config{})
	must(t, err)
	bound, err := dbsc.New(m, dbsc.Config{})
	must(t, err)
	mux := http.NewServeMux()
	mux.Handle("/dbsc/register", bound.RegisterHandler())
	mux.Handle("/dbsc/refresh", bound.RefreshHandler())
	mux.HandleFunc("/login", func(_ http.ResponseWriter, r *http.Request) { must(t, m.Login(r.Context(), "ann")) })
	mux.HandleFunc("/me", func(w http.ResponseWriter, r *http.Request) { _, _ = w.Write([]byte(who(m, r))) })
	p := &person{Browser: sojourntest.NewBrowser(t, m, mux), t: t}
	p.device = dbscclient.On(p.Client)
	p.PostForm("/login", nil)
	for range 3 {
		p.device.DropCookies()
		p.is("ann")
	}
	if store.asked == 0 {
		t.Error("no copy was asked for")
	}
}

// copies keeps the first record that it has seen of each session, for ever.
type copies struct {
	sojourn.Store
	old   map[string]sojourn.Record
	asked int
}

func (c *copies) LoadNear(ctx context.Context, id string) (sojourn.Record, bool, error) {
	if r, ok := c.old[id]; ok {
		c.asked++
		return r, true, nil
	}
	r, err := c.Load(ctx, id)
	if err == nil {
		c.old[id] = r
	}
	return r, false, err
}

func TestNewSaysWhatIsWrong(t *testing.T) {
	stored := func(c sojourn.Config) *sojourn.Manager {
		m, err := sojourn.New(memstore.New(), c)
		must(t, err)
		return m
	}
	ring, err := sealed.New([]string{sealed.GenerateKey()}, sealed.Options{})
	must(t, err)
	sealing, err := sojourn.NewSealed(ring, sojourn.Config{})
	must(t, err)
	twice := stored(sojourn.Config{})
	if _, err := dbsc.New(twice, dbsc.Config{}); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		what string
		m    *sojourn.Manager
		cfg  dbsc.Config
		want []string
	}{
		{"nil", nil, dbsc.Config{}, []string{"manager is nil"}},
		{"everything", nil, dbsc.Config{Policy: 7, Lifetime: time.Second, Register: "x", Refresh: "x"},
			[]string{"manager is nil", "Policy (7)", "Lifetime (1s)", `Register ("x")`, `Refresh ("x")`, "both"}},
		{"long", stored(sojourn.Config{}), dbsc.Config{Lifetime: 25 * time.Hour}, []string{"longer than 24 hours"}},
		{"sealed", sealing, dbsc.Config{}, []string{"sealed session"}},
		{"header", stored(sojourn.Config{Header: "Authorization"}), dbsc.Config{}, []string{"Header"}},
		{"http", stored(sojourn.Config{DangerouslyAllowHTTP: true}), dbsc.Config{}, []string{"https only"}},
		{"domain", stored(sojourn.Config{Cookie: sojourn.Cookie{Domain: "example.com"}}), dbsc.Config{}, []string{"Cookie.Domain"}},
		{"partitioned", stored(sojourn.Config{Cookie: sojourn.Cookie{Partitioned: true, SameSite: http.SameSiteNoneMode}}), dbsc.Config{}, []string{"Partitioned"}},
		{"twice", twice, dbsc.Config{}, []string{"bound already"}},
		{"off, sealed", sealing, dbsc.Config{Policy: dbsc.Off}, nil},
		{"off, http", stored(sojourn.Config{DangerouslyAllowHTTP: true}), dbsc.Config{Policy: dbsc.Off}, nil},
	} {
		b, err := dbsc.New(c.m, c.cfg)
		if (err == nil) != (c.want == nil) || (err == nil) != (b != nil) {
			t.Errorf("%s: %v", c.what, err)
		}
		for _, want := range c.want {
			if err != nil && !strings.Contains(err.Error(), want) {
				t.Errorf("%s: %q lacks %q", c.what, err, want)
			}
		}
	}
	if _, err := dbsc.New(sealing, dbsc.Config{}); !errors.Is(err, errors.ErrUnsupported) {
		t.Errorf("sealed: %v", err)
	}
}
