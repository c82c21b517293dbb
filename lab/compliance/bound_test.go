package compliance_test

import (
	"errors"
	"io"
	"log/slog"
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
	"github.com/gosojourn/sojourn/sojourntest"
	"github.com/gosojourn/sojourn/sojourntest/dbscclient"
)

// What a manager with package dbsc does.
var boundChecks = map[string]check{
	"O34": stolenPairDies,
	"O53": stolenPairDies,
	"D1":  proofsAreJudged,
	"D2":  challengesAreShort,
	"D3":  anOutageEndsNothing,
	"D4":  notPartitioned,
	"D5":  noOtherSite,
}

// A bound is an application whose sessions are bound, and one person with a device that is logged in.
type bound struct {
	t       *testing.T
	store   *sojourntest.FaultyStore
	m       *sojourn.Manager
	h       http.Handler
	browser *sojourntest.Browser
	device  *dbscclient.Device
}

func newBound(t *testing.T) *bound {
	t.Helper()
	b := &bound{t: t, store: &sojourntest.FaultyStore{Store: memstore.New()}}
	var err error
	if b.m, err = sojourn.New(b.store, sojourn.Config{Logger: slog.New(slog.DiscardHandler)}); err != nil {
		t.Fatal(err)
	}
	binder, err := dbsc.New(b.m, dbsc.Config{})
	if err != nil {
		t.Fatal(err)
	}
	mux := http.NewServeMux()
	mux.Handle("/dbsc/register", binder.RegisterHandler())
	mux.Handle("/dbsc/refresh", binder.RefreshHandler())
	mux.HandleFunc("POST /login", func(_ http.ResponseWriter, r *http.Request) {
		if err := b.m.Login(r.Context(), r.PostFormValue("name")); err != nil {
			t.Error(err)
		}
	})
	mux.HandleFunc("/me", func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, "<"+b.m.Info(r.Context()).Owner+">") })
	if !b.m.Policy().BindsDevice {
		t.Error("the policy does not say that sessions are bound")
	}
	b.h = mux
	b.browser = sojourntest.NewBrowser(t, b.m, b.h)
	b.device = dbscclient.On(b.browser.Client)
	b.browser.PostForm("/login", url.Values{"name": {"ann"}})
	if n := len(b.device.Sessions()); n != 1 || who(t, b.browser) != "<ann>" {
		t.Fatalf("%d bound sessions of %s: %v", n, who(t, b.browser), b.device.Failures())
	}
	return b
}

func who(t *testing.T, b *sojourntest.Browser) string {
	t.Helper()
	text, err := io.ReadAll(b.Get("/me").Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// ask sends one request without cookies, as whoever is elsewhere.
func (b *bound) ask(method, path string, header ...string) *http.Response {
	r := httptest.NewRequest(method, "https://sojourn.test"+path, nil)
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	b.m.LoadAndSave(b.h).ServeHTTP(w, r)
	return w.Result()
}

// refresh answers a refresh of ann's session with a proof of that header and challenge.
func (b *bound) refresh(header map[string]any, challenge string) *http.Response {
	b.t.Helper()
	s := b.device.Sessions()[0]
	proof, err := dbscclient.Sign(s.Key, header, map[string]any{"jti": challenge})
	if err != nil {
		b.t.Fatal(err)
	}
	return b.ask("POST", "/dbsc/refresh", "Sec-Secure-Session-Id", s.ID, "Secure-Session-Response", proof)
}

var proofHeader = map[string]any{"alg": "ES256", "typ": "dbsc+jwt"}

func stolenPairDies(t *testing.T, _ opener) {
	synctest.Test(t, func(t *testing.T) {
		b := newBound(t)
		thief := sojourntest.NewBrowser(t, b.m, b.h)
		thief.SetCookies(b.browser.Cookies())
		time.Sleep(10 * time.Minute)
		if got := who(t, thief); got != "<>" {
			t.Errorf("ten minutes later the thief is %s", got)
		}
		if got := who(t, b.browser); got != "<ann>" {
			t.Errorf("ann herself is %s", got)
		}
	})
}

func proofsAreJudged(t *testing.T, _ opener) {
	b := newBound(t)
	challenge := b.device.Sessions()[0].Cached
	for what, header := range map[string]map[string]any{
		"no algorithm": {"alg": "none", "typ": "dbsc+jwt"}, "another algorithm": {"alg": "HS256", "typ": "dbsc+jwt"},
		"another typ": {"alg": "ES256", "typ": "jwt"}, "no typ": {"alg": "ES256"},
	} {
		if res := b.refresh(header, challenge); res.StatusCode != http.StatusBadRequest || len(res.Cookies()) != 0 {
			t.Errorf("%s: %s", what, res.Status)
		}
	}
	other, err := dbscclient.NewKey("ES256")
	if err != nil {
		t.Fatal(err)
	}
	proof, err := dbscclient.Sign(other, proofHeader, map[string]any{"jti": challenge})
	if err != nil {
		t.Fatal(err)
	}
	res := b.ask("POST", "/dbsc/refresh", "Sec-Secure-Session-Id", b.device.Sessions()[0].ID, "Secure-Session-Response", proof)
	if res.StatusCode != http.StatusBadRequest {
		t.Errorf("another key: %s", res.Status)
	}
	if res := b.refresh(proofHeader, challenge); res.StatusCode != http.StatusOK {
		t.Errorf("as it should be: %s", res.Status)
	}
}

func challengesAreShort(t *testing.T, _ opener) {
	synctest.Test(t, func(t *testing.T) {
		b := newBound(t)
		first := b.device.Sessions()[0].Cached
		for _, step := range []struct {
			what string
			want int
		}{{"new", 200}, {"just superseded", 200}, {"superseded twice", 403}} {
			if res := b.refresh(proofHeader, first); res.StatusCode != step.want || res.Header.Get("Secure-Session-Challenge") == "" {
				t.Errorf("%s: %s, challenge %q", step.what, res.Status, res.Header.Get("Secure-Session-Challenge"))
			}
		}
		now := strings.Trim(strings.Split(b.ask("POST", "/dbsc/refresh", "Sec-Secure-Session-Id", b.device.Sessions()[0].ID).Header.Get("Secure-Session-Challenge"), ";")[0], `"`)
		time.Sleep(30 * time.Minute)
		if res := b.refresh(proofHeader, now); res.StatusCode != 403 {
			t.Errorf("stale: %s", res.Status)
		}
	})
}

func anOutageEndsNothing(t *testing.T, _ opener) {
	b := newBound(t)
	s := b.device.Sessions()[0]
	if res := b.ask("POST", "/dbsc/refresh", "Sec-Secure-Session-Id", s.ID); res.StatusCode != http.StatusForbidden || res.Header.Get("Secure-Session-Challenge") == "" {
		t.Errorf("without a proof: %s, want 403 with a challenge", res.Status)
	}
	b.store.Fail(errors.New("no route to host"))
	if res := b.refresh(proofHeader, s.Cached); res.StatusCode != http.StatusServiceUnavailable {
		t.Errorf("while the store is down: %s, want 503", res.Status)
	}
	b.store.Fail(nil)
	if err := b.m.RevokeAll(t.Context(), "ann"); err != nil {
		t.Fatal(err)
	}
	if res := b.refresh(proofHeader, s.Cached); res.StatusCode != http.StatusNotFound {
		t.Errorf("of a session that has ended: %s, want 404", res.Status)
	}
}

func notPartitioned(t *testing.T, _ opener) {
	b := newBound(t)
	res := b.refresh(proofHeader, b.device.Sessions()[0].Cached)
	line := res.Header.Get("Set-Cookie")
	if !strings.HasPrefix(line, "__Host-") || strings.Contains(line, "Partitioned") || !has(line, "Secure") || !has(line, "HttpOnly") {
		t.Errorf("%q", line)
	}
	m, err := sojourn.New(memstore.New(), sojourn.Config{Cookie: sojourn.Cookie{SameSite: http.SameSiteNoneMode, Partitioned: true}})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := dbsc.New(m, dbsc.Config{}); err == nil || !strings.Contains(err.Error(), "Partitioned") {
		t.Errorf("a partitioned session is bound: %v", err)
	}
}

func noOtherSite(t *testing.T, _ opener) {
	b := newBound(t)
	for _, path := range []string{"/dbsc/register", "/dbsc/refresh"} {
		for _, method := range []string{"POST", "OPTIONS", "GET"} {
			res := b.ask(method, path, "Origin", "https://other.test", "Sec-Fetch-Site", "cross-site", "Access-Control-Request-Method", "POST")
			if res.StatusCode < 400 || len(res.Cookies()) != 0 || !strings.Contains(res.Header.Get("Content-Security-Policy"), "frame-ancestors 'none'") {
				t.Errorf("%s %s: %s %v", method, path, res.Status, res.Header)
			}
			for name := range res.Header {
				if strings.HasPrefix(name, "Access-Control-") {
					t.Errorf("%s %s answers %s", method, path, name)
				}
			}
		}
	}
}
