package dbsc_test

import (
	"net/url"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gosojourn/sojourn/dbsc"
	"github.com/gosojourn/sojourn/sojourntest/dbscclient"
)

// RequireBound is for what a copied session must not do. The owner's proof is the owner's: a copy of the bound cookie that
// is older than maxAge proves nothing.
func TestFaultRequireBoundTakesNoCopyForTheOwner(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newApp(t, dbsc.Config{})
		p := a.member()
		time.Sleep(time.Minute)
		x := a.thief(p)
		time.Sleep(5 * time.Minute)
		if got := body(t, p.Get("/password")); got != "changed by ann" { // the owner's browser proves its key
			t.Fatal(got)
		}
		if got := body(t, x.PostForm("/password", url.Values{})); strings.HasPrefix(got, "changed") {
			t.Errorf("cookies that were copied five minutes ago pass RequireBound(time.Minute): %q", got)
		}
	})
}

// In the half minute after the registration the session's cookie is let in alone. RequireBound wants a proof.
func TestFaultRequireBoundWantsTheBoundCookie(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newApp(t, dbsc.Config{})
		x := a.plain()
		x.SetCookies(a.member().session())
		time.Sleep(20 * time.Second)
		if got := body(t, x.PostForm("/password", url.Values{})); strings.HasPrefix(got, "changed") {
			t.Errorf("the session's cookie alone passes RequireBound: %q", got)
		}
	})
}

// Event.ID is a session's public id or "". Who posts a proof for no session at all does not get to write one into the
// security log.
func TestFaultAnEventHasNoIDThatAStrangerMadeUp(t *testing.T) {
	a := newApp(t, dbsc.Config{})
	key, err := dbscclient.NewKey("ES256")
	if err != nil {
		t.Fatal(err)
	}
	jwk, err := dbscclient.JWK(key)
	if err != nil {
		t.Fatal(err)
	}
	made := "x\nERROR admin logged in\x1b"
	jws, err := dbscclient.Sign(key, map[string]any{"alg": "ES256", "typ": "dbsc+jwt", "jwk": jwk},
		map[string]any{"jti": strings.Repeat("A", 32), "authorization": made + "." + strings.Repeat("A", 32)})
	if err != nil {
		t.Fatal(err)
	}
	a.alone().send("POST", "/dbsc/register", "Secure-Session-Response", jws)
	for _, e := range a.events {
		if e.ID != "" {
			t.Errorf("%s %s: the id is %q", e.Name, e.Reason, e.ID)
		}
	}
	if len(a.events) != 1 {
		t.Errorf("%d events, want one", len(a.events))
	}
}
