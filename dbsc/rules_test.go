package dbsc_test

import (
	"context"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gosojourn/sojourn"
	"github.com/gosojourn/sojourn/dbsc"
	"github.com/gosojourn/sojourn/sojourntest/dbscclient"
)

// The rules are those of the draft, as servers have to keep them and as Chromium 156 keeps its side.

// registration is what the response to a login invites to.
func registration(t *testing.T, res *http.Response) (challenge, authorization string) {
	t.Helper()
	h := res.Header.Get("Secure-Session-Registration")
	if !strings.HasPrefix(h, `(ES256 RS256);path="/dbsc/register";challenge="`) {
		t.Fatalf("the login answers %q", h)
	}
	_, rest, _ := strings.Cut(h, `challenge="`)
	challenge, rest, _ = strings.Cut(rest, `"`)
	_, rest, _ = strings.Cut(rest, `authorization="`)
	authorization, _, _ = strings.Cut(rest, `"`)
	return challenge, authorization
}

// registering is a proof for a registration, by a key of its own.
func registering(t *testing.T, alg, challenge, authorization string) string {
	t.Helper()
	key, err := dbscclient.NewKey(alg)
	if err != nil {
		t.Fatal(err)
	}
	jwk, err := dbscclient.JWK(key)
	if err != nil {
		t.Fatal(err)
	}
	jws, err := dbscclient.Sign(key, map[string]any{"alg": alg, "typ": "dbsc+jwt", "jwk": jwk}, map[string]any{"jti": challenge, "authorization": authorization})
	if err != nil {
		t.Fatal(err)
	}
	return jws
}

// Rule 1: the challenge is random, for one use, for a minute, and for one login.
func TestRule1TheChallengeIsOfOneLoginOnceAndShort(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newApp(t, dbsc.Config{})
		ann := a.plain()
		log := func(name string) (string, string) {
			return registration(t, ann.PostForm("/login", url.Values{"name": {name}}))
		}
		register := func(jws string) int {
			return a.alone().send("POST", "/dbsc/register", "Secure-Session-Response", jws).StatusCode
		}
		c1, a1 := log("ann")
		c2, a2 := log("ann")
		if c1 == c2 || a1 == a2 {
			t.Error("two logins have one challenge")
		}
		if code := register(registering(t, "ES256", c1, a1)); code != 400 {
			t.Errorf("the first login's after the second: %d", code)
		}
		if code := register(registering(t, "ES256", c1, a2)); code != 400 {
			t.Errorf("the first challenge with the second authorization: %d", code)
		}
		if code := register(registering(t, "ES256", c2, a1)); code != 400 {
			t.Errorf("the second challenge with the first authorization: %d", code)
		}
		if code := register(registering(t, "ES256", c2, a2)); code != 200 {
			t.Errorf("the second login's: %d", code)
		}
		if code := register(registering(t, "ES256", c2, a2)); code != 400 {
			t.Errorf("the same again: %d", code)
		}
		c3, a3 := log("ben")
		time.Sleep(time.Minute)
		if code := register(registering(t, "ES256", c3, a3)); code != 400 {
			t.Errorf("a minute later: %d", code)
		}
		if n := a.count(sojourn.EventUnproven, "challenge"); n != 2 {
			t.Errorf("%d events of a wrong challenge", n)
		}
	})
}

// Rule 2: a registration is bound to challenge and authorization, never to cookies.
func TestRule2RegisteringShowsNoCookie(t *testing.T) {
	a := newApp(t, dbsc.Config{})
	for _, alg := range []string{"ES256", "RS256"} {
		p := a.person()
		p.device.Algorithm = alg
		r, err := http.NewRequest("POST", "/login", strings.NewReader("name=ann"))
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		r.Header.Set("Sec-Fetch-Site", "cross-site") // the client registers without cookies, as after OpenID Connect
		p.Do(r)
		if n := len(p.device.Sessions()); n != 1 {
			t.Fatalf("%s: %d sessions: %v", alg, n, p.device.Failures())
		}
		p.is("ann")
		p.device.DropCookies()
		p.is("ann")
		if got := p.refreshes(); len(got) != 1 || got[0] != 200 {
			t.Errorf("%s: the refreshes were answered %v", alg, got)
		}
	}
}

// Rule 2: who knows the session's id, which is public, gets nothing for it.
func TestRule2TheIDAloneGivesNothing(t *testing.T) {
	a := newApp(t, dbsc.Config{})
	p := a.member()
	s := p.device.Sessions()[0]
	id, _, _ := strings.Cut(s.ID, ".")
	x := a.alone()
	if res := x.send("POST", "/dbsc/refresh", "Sec-Secure-Session-Id", s.ID); res.StatusCode != 403 || len(res.Cookies()) != 0 {
		t.Errorf("a refresh without a proof: %s, %v", res.Status, res.Cookies())
	}
	x.send("POST", "/dbsc/register", "Secure-Session-Response", registering(t, "ES256", s.Cached, id+"."+s.Cached))
	if len(x.Cookies()) != 0 {
		t.Errorf("the id gave cookies: %v", x.Cookies())
	}
	p.device.DropCookies()
	p.is("ann")
	// And the proof itself gives the bound cookie alone.
	p.device.Forget()
	res := x.send("POST", "/dbsc/refresh", "Sec-Secure-Session-Id", s.ID, "Secure-Session-Response",
		p.proof(map[string]any{"jti": p.challenge()}))
	if res.StatusCode != 200 || len(x.Cookies()) != 1 || x.Cookies()[0].Name != boundName {
		t.Errorf("a proof gave %s, %v", res.Status, x.Cookies())
	}
	x.is("nobody")
}

// challenge is what the server wants p's session to sign now.
func (p *person) challenge() string {
	p.t.Helper()
	s := p.device.Sessions()[0]
	res := p.send("POST", "/dbsc/refresh", "Sec-Secure-Session-Id", s.ID)
	c, _, _ := strings.Cut(strings.TrimPrefix(res.Header.Get("Secure-Session-Challenge"), `"`), `"`)
	if res.StatusCode != 403 || c == "" {
		p.t.Fatalf("no challenge: %s, %v", res.Status, res.Header)
	}
	return c
}

// Rule 3, D2: a challenge is good once, and for a minute more; a stale one is answered by 403 with another.
func TestRule3OldNewAndStaleChallenges(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newApp(t, dbsc.Config{})
		p := a.member()
		s := p.device.Sessions()[0]
		refresh := func(jti string) *http.Response {
			return a.alone().send("POST", "/dbsc/refresh", "Sec-Secure-Session-Id", s.ID, "Secure-Session-Response", p.proof(map[string]any{"jti": jti}))
		}
		first := s.Cached
		for _, c := range []struct {
			what, jti string
			want      int
		}{
			{"new", first, 200},
			{"just superseded", first, 200},
			{"superseded twice", first, 403},
			{"invented", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", 403},
		} {
			res := refresh(c.jti)
			if res.StatusCode != c.want || res.Header.Get("Secure-Session-Challenge") == "" {
				t.Errorf("%s: %s, challenge %q", c.what, res.Status, res.Header.Get("Secure-Session-Challenge"))
			}
		}
		now := p.challenge()
		if res := refresh(now); res.StatusCode != 200 {
			t.Errorf("the one of a 403: %s", res.Status)
		}
		time.Sleep(time.Minute)
		if res := refresh(now); res.StatusCode != 403 {
			t.Errorf("superseded, a minute later: %s", res.Status)
		}
		now = p.challenge()
		if again := p.challenge(); again != now {
			t.Error("to ask for a challenge replaces the one that is good")
		}
		time.Sleep(20 * time.Minute) // twice the cookie's life
		res := refresh(now)
		if res.StatusCode != 403 || strings.Contains(res.Header.Get("Secure-Session-Challenge"), now) {
			t.Errorf("one that nobody has used in time: %s, %q", res.Status, res.Header.Get("Secure-Session-Challenge"))
		}
		p.is("ann") // the client goes through its 403 to the next
		if codes := p.refreshes(); codes[len(codes)-1] != 200 {
			t.Errorf("the refreshes were answered %v", codes)
		}
	})
}

// Rule 3: only the stored key, with its own algorithm.
func TestRule3OnlyTheStoredKeyAndAlgorithm(t *testing.T) {
	a := newApp(t, dbsc.Config{})
	p := a.member()
	s := p.device.Sessions()[0]
	for _, alg := range []string{"ES256", "RS256"} {
		other, err := dbscclient.NewKey(alg)
		if err != nil {
			t.Fatal(err)
		}
		jws, err := dbscclient.Sign(other, map[string]any{"alg": alg, "typ": "dbsc+jwt"}, map[string]any{"jti": s.Cached})
		if err != nil {
			t.Fatal(err)
		}
		if res := a.alone().send("POST", "/dbsc/refresh", "Sec-Secure-Session-Id", s.ID, "Secure-Session-Response", jws); res.StatusCode != 400 {
			t.Errorf("another key of %s: %s", alg, res.Status)
		}
	}
	if n := a.count(sojourn.EventTheft, "other_key"); n != 2 {
		t.Errorf("%d events of another key", n)
	}
	p.device.DropCookies()
	p.is("ann")
}

// Rule 3, D3: a store that cannot answer is 5xx, and ends nothing.
func TestRule3AStoreThatIsDownEndsNothing(t *testing.T) {
	a := newApp(t, dbsc.Config{})
	p := a.member()
	p.device.DropCookies()
	a.store.Fail(errs)
	if res := p.Get("/me"); res.StatusCode != 503 {
		t.Errorf("a page while the store is down: %s", res.Status)
	}
	if len(p.device.Sessions()) != 1 {
		t.Fatal("the outage has ended the bound session")
	}
	a.store.Fail(nil)
	p.is("ann")
	q := a.person()
	r := q.PostForm("/login", url.Values{"name": {"ben"}})
	c, auth := registration(t, r)
	a.store.Fail(errs)
	if res := a.alone().send("POST", "/dbsc/register", "Secure-Session-Response", registering(t, "ES256", c, auth)); res.StatusCode != 503 {
		t.Errorf("a registration while the store is down: %s", res.Status)
	}
}

// Rule 4: what is unknown, logged out, revoked or over ends at the next refresh.
func TestRule4EndedSessionsEndInTheBrowser(t *testing.T) {
	for what, end := range map[string]func(a *app, p *person){
		"logout":  func(_ *app, p *person) { p.PostForm("/logout", nil) },
		"revoked": func(a *app, _ *person) { must(a.t, a.m.RevokeAll(a.t.Context(), "ann")) },
		"revoked by id": func(a *app, p *person) {
			id, _, _ := strings.Cut(p.device.Sessions()[0].ID, ".")
			must(a.t, a.m.Revoke(a.t.Context(), "ann", id))
		},
		"everyone":      func(a *app, _ *person) { must(a.t, a.m.RevokeEveryone(a.t.Context())) },
		"idle":          func(_ *app, _ *person) { time.Sleep(time.Hour) },
		"absolute":      func(_ *app, _ *person) { time.Sleep(24 * time.Hour) },
		"another login": func(_ *app, p *person) { p.PostForm("/login", url.Values{"name": {"ann"}}) },
	} {
		t.Run(what, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				a := newApp(t, dbsc.Config{})
				p := a.member()
				s := p.device.Sessions()[0]
				end(a, p)
				res := p.send("POST", "/dbsc/refresh", "Sec-Secure-Session-Id", s.ID, "Secure-Session-Response", p.proofOf(s, s.Cached))
				if res.StatusCode != 404 || len(res.Cookies()) != 0 {
					t.Errorf("the refresh answers %s, %v", res.Status, res.Cookies())
				}
				if what == "another login" {
					return // which has a cookie of that name: the browser asks for the old session when it has none
				}
				p.device.DropCookies()
				p.Get("/me")
				for _, now := range p.device.Sessions() {
					if now.ID == s.ID {
						t.Error("the browser holds on to the session")
					}
				}
			})
		})
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func (p *person) proofOf(s dbscclient.Session, jti string) string {
	p.t.Helper()
	jws, err := dbscclient.Sign(s.Key, map[string]any{"alg": "ES256", "typ": "dbsc+jwt"}, map[string]any{"jti": jti})
	must(p.t, err)
	return jws
}

// Rule 5, D4: the attributes are those of the Set-Cookie, without Max-Age, and the cookie is not partitioned.
func TestRule5AttributesAreThoseOfTheCookie(t *testing.T) {
	a := newApp(t, dbsc.Config{})
	c, auth := registration(t, a.plain().PostForm("/login", url.Values{"name": {"ann"}}))
	res := a.alone().send("POST", "/dbsc/register", "Secure-Session-Response", registering(t, "ES256", c, auth))
	const attributes = "Path=/; Secure; HttpOnly; SameSite=Lax"
	set := res.Header.Get("Set-Cookie")
	if !strings.HasPrefix(set, boundName+"=") || !strings.HasSuffix(set, "; Max-Age=570; "+attributes) {
		t.Errorf("Set-Cookie: %s", set)
	}
	text := body(t, res)
	for _, want := range []string{`"attributes":"` + attributes + `"`, `"name":"` + boundName + `"`, `"scope":{"include_site":false,"scope_specification":[]}`,
		`"refresh_url":"/dbsc/refresh"`, `"session_identifier":"`} {
		if !strings.Contains(text, want) {
			t.Errorf("the instructions are %s, want %s in them", text, want)
		}
	}
	if h := res.Header; h.Get("Cache-Control") != "no-store" || !strings.HasPrefix(h.Get("Content-Type"), "application/json") {
		t.Errorf("header %v", h)
	}
}

// Rule 6: a logout deletes the server's state, and expires both cookies.
func TestRule6LogoutExpiresTheBoundCookie(t *testing.T) {
	a := newApp(t, dbsc.Config{})
	p := a.member()
	thief := a.thief(p)
	p.PostForm("/logout", nil)
	if c := p.Cookies(); len(c) != 0 {
		t.Errorf("cookies after the logout: %v", c)
	}
	thief.is("nobody")
}

// Rule 7, D5: no cache, no frame, no other site, no other method.
func TestRule7TheHandlersAreForTheBrowserAlone(t *testing.T) {
	a := newApp(t, dbsc.Config{})
	for _, path := range []string{"/dbsc/register", "/dbsc/refresh"} {
		for _, method := range []string{"GET", "OPTIONS", "PUT", "POST"} {
			res := a.alone().send(method, path, "Origin", "https://other.test", "Sec-Fetch-Site", "cross-site",
				"Access-Control-Request-Method", "POST", "Access-Control-Request-Headers", "secure-session-response")
			want := 405
			if method == "POST" {
				want = 400
			}
			h := res.Header
			if res.StatusCode != want || h.Get("Cache-Control") != "no-store" || h.Get("X-Frame-Options") != "DENY" ||
				!strings.Contains(h.Get("Content-Security-Policy"), "frame-ancestors 'none'") {
				t.Errorf("%s %s: %s, %v", method, path, res.Status, h)
			}
			for name := range h {
				if strings.HasPrefix(name, "Access-Control-") {
					t.Errorf("%s %s answers %s", method, path, name)
				}
			}
		}
	}
	p := a.member() // a browser's own requests come from a sibling, or after another site's, and are served
	res := a.alone().send("POST", "/dbsc/refresh", "Sec-Fetch-Site", "same-site", "Sec-Secure-Session-Id", p.device.Sessions()[0].ID)
	if res.StatusCode != 403 || res.Header.Get("Secure-Session-Challenge") == "" {
		t.Errorf("from a sibling: %s", res.Status)
	}
}

// Rule 8: what a browser says of why it did not refresh gives nobody anything.
func TestRule8SkippedGrantsNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newApp(t, dbsc.Config{})
		thief := a.thief(a.member())
		time.Sleep(10 * time.Minute)
		thief.SetCookies(thief.session())
		for _, why := range []string{"unreachable", "server_error", "quota_exceeded", "because"} {
			if got := body(t, thief.send("GET", "/me", "Secure-Session-Skipped", why)); got != "nobody" {
				t.Errorf("%s: %s", why, got)
			}
		}
		for reason, want := range map[string]int{"skipped_unreachable": 1, "skipped_server_error": 1, "skipped_quota_exceeded": 1, "cookie_missing": 1} {
			if n := a.count(sojourn.EventUnproven, reason); n != want {
				t.Errorf("%d events of %s", n, reason)
			}
		}
	})
}

// Rule 9: the page that another site leads to comes without the cookie, and the browser is had to come again.
func TestRule9APageFromAnotherSiteIsAskedForAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newApp(t, dbsc.Config{})
		p := a.member()
		time.Sleep(10 * time.Minute)
		res := p.send("GET", "/me", "Sec-Fetch-Site", "cross-site", "Sec-Fetch-Mode", "navigate")
		if text := body(t, res); res.StatusCode != 200 || !strings.Contains(text, `http-equiv="refresh" content="0"`) ||
			strings.Contains(text, "nobody") || res.Header.Get("Cache-Control") != "no-store" {
			t.Fatalf("%s: %s", res.Status, text)
		}
		if text := body(t, p.send("GET", "/static", "Sec-Fetch-Site", "cross-site", "Sec-Fetch-Mode", "navigate")); text != "static" {
			t.Errorf("a page without a session answers %s", text)
		}
		if text := body(t, p.send("GET", "/me", "Sec-Fetch-Site", "same-origin", "Sec-Fetch-Mode", "navigate")); text != "ann" {
			t.Errorf("the second time: %s", text)
		}
		// Somebody who cannot prove it is asked once, and not for ever.
		thief := a.thief(p)
		time.Sleep(10 * time.Minute)
		if text := body(t, thief.send("GET", "/me", "Sec-Fetch-Mode", "navigate")); !strings.Contains(text, "refresh") {
			t.Errorf("the thief's first: %s", text)
		}
		if text := body(t, thief.send("GET", "/me", "Sec-Fetch-Mode", "navigate")); text != "nobody" {
			t.Errorf("the thief's second: %s", text)
		}
	})
}

// Rule 10: what becomes of a client that never registers.
func TestRule10ClientsThatNeverRegister(t *testing.T) {
	for policy, want := range map[dbsc.Policy][2]string{
		dbsc.Opportunistic: {"ann", "changed by ann"}, dbsc.Required: {"nobody", "refused"}, dbsc.Off: {"ann", "changed by ann"},
	} {
		synctest.Test(t, func(t *testing.T) {
			a := newApp(t, dbsc.Config{Policy: policy})
			p := a.plain().login("ann")
			p.is("ann") // at first: a browser that can needs a moment, too
			if policy == dbsc.Required {
				if got := body(t, p.Get("/password")); got != "refused" {
					t.Errorf("policy %d: the password is %s", policy, got)
				}
			}
			time.Sleep(time.Minute + time.Millisecond)
			p.is(want[0])
			if policy != dbsc.Required {
				if got := body(t, p.Get("/password")); got != want[1] {
					t.Errorf("policy %d: the password is %s, want %s", policy, got, want[1])
				}
			}
			q := a.person().login("ben")
			if n := len(q.device.Sessions()); (n == 1) != (policy != dbsc.Off) {
				t.Errorf("policy %d: %d sessions are bound", policy, n)
			}
			time.Sleep(30 * time.Minute)
			q.is("ben")
			if got := body(t, q.Get("/password")); got != "changed by ben" {
				t.Errorf("policy %d: ben's password is %s", policy, got)
			}
		})
	}
}

// Fifty saves and two refreshes at once: nothing of the binding is lost, and no save.
func TestTheBindingSurvivesSavesAtOnce(t *testing.T) {
	for _, encrypted := range []bool{false, true} {
		savesAtOnce(t, newAppWith(t, dbsc.Config{}, sojourn.Config{EncryptAtRest: encrypted}))
	}
}

func savesAtOnce(t *testing.T, a *app) {
	p := a.member()
	s := p.device.Sessions()[0]
	fresh := make([]*person, 2)
	var all sync.WaitGroup
	for range 50 {
		all.Go(func() { p.PostForm("/held", nil) })
	}
	for range 50 {
		<-a.entered
	}
	close(a.release)
	for i := range fresh {
		all.Go(func() {
			fresh[i] = a.alone()
			res := fresh[i].send("POST", "/dbsc/refresh", "Sec-Secure-Session-Id", s.ID, "Secure-Session-Response", p.proofOf(s, s.Cached))
			if res.StatusCode != 200 {
				t.Errorf("refresh: %s", res.Status)
			}
		})
	}
	all.Wait()
	now := a.plain()
	now.SetCookies(append(fresh[1].Cookies(), p.session()...))
	now.Session(func(ctx context.Context) {
		if n := count.Get(ctx); n != 50 {
			t.Errorf("%d of 50 saves", n)
		}
	})
	for i, f := range fresh { // whichever answer reached the browser last
		q := a.plain()
		q.SetCookies(append(f.Cookies(), p.session()...))
		q.is("ann")
		if t.Failed() {
			t.Fatalf("the cookie of refresh %d is not good", i)
		}
	}
	p.device.DropCookies()
	p.device.Forget()
	p.is("ann")
}
