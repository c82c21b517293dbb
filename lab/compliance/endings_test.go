package compliance_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gosojourn/sojourn"
	"github.com/gosojourn/sojourn/admin"
)

var endChecks = map[string]check{
	"O23":    privilegeRenews,
	"O25":    staleIsChallenged,
	"O29":    bothSidesEnd,
	"O35":    logoutIsFinal,
	"O46":    noPagesForEverybody,
	"O48":    atMostSoMany,
	"O49":    ownSessions,
	"O52":    staleIsChallenged,
	"V7.2.4": loginRenews,
	"V7.4.1": all(bothSidesEnd, logoutIsFinal, sealedCutOff),
	"V7.4.2": disabledAccount,
	"V7.4.3": othersEnd,
	"V7.4.5": administratorEnds,
	"V7.5.1": staleIsChallenged,
	"V7.5.2": ownSessions,
	"V7.5.3": staleIsChallenged,
	"N2":     rememberedIsNotLoggedIn,
	"N5":     bothSidesEnd,
}

func privilegeRenews(t *testing.T, open opener) {
	s := newSite(t, open(t), sojourn.Config{})
	c := s.begin("kept")
	for what, h := range map[string]http.HandlerFunc{"Login": s.login("ann"), "Renew": s.renew} {
		a := s.post(c, h)
		if a.set == "" || a.set == c {
			t.Fatalf("%s: no new token", what)
		}
		if s.name(c) != "" || s.owner(c) != "" {
			t.Errorf("%s: the old token is good for something", what)
		}
		if s.name(a.set) != "kept" {
			t.Errorf("%s: the values are lost", what)
		}
		c = a.set
	}
	s.post(c, s.logout)
	if s.name(c) != "" {
		t.Error("Logout: the token is good for something")
	}
}

func loginRenews(t *testing.T, open opener) {
	s := newSite(t, open(t), sojourn.Config{})
	first := s.beginAs("ann")
	second := s.post(first, s.login("ann")).set
	if second == "" || second == first || s.owner(first) != "" || s.owner(second) != "ann" {
		t.Errorf("a second login: %q and %q, owners %q and %q", first, second, s.owner(first), s.owner(second))
	}
}

func staleIsChallenged(t *testing.T, open opener) {
	s := newSite(t, open(t), sojourn.Config{})
	says := func(text string) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, text) })
	}
	page := func(maxAge time.Duration, c string) string {
		w := httptest.NewRecorder()
		s.LoadAndSave(s.RequireFresh(maxAge, says("log in"))(says("welcome"))).ServeHTTP(w, request("POST", c))
		return w.Body.String()
	}
	c := s.beginAs("ann")
	if got := page(time.Hour, c); got != "welcome" {
		t.Errorf("fresh: %q", got)
	}
	for what, got := range map[string]string{"stale": page(-1, c), "a visitor": page(time.Hour, s.begin("x")), "nobody": page(time.Hour, "")} {
		if got != "log in" {
			t.Errorf("%s: %q", what, got)
		}
	}
}

func bothSidesEnd(t *testing.T, open opener) {
	store := open(t)
	s := newSite(t, store, sojourn.Config{Cookie: sojourn.Cookie{Path: "/app"}})
	c := s.beginAs("ann")
	line := s.post(c, s.logout).Header().Get("Set-Cookie")
	for _, attr := range []string{"Max-Age=0", "Path=/app", "Secure", "HttpOnly", "SameSite=Lax"} {
		if !has(line, attr) {
			t.Errorf("no %s in %q", attr, line)
		}
	}
	if left := dump(t, store); len(left) != 0 {
		t.Errorf("%d records are left", len(left))
	}
	if s.owner(c) != "" {
		t.Error("a copy of the cookie is logged in")
	}
}

func logoutIsFinal(t *testing.T, open opener) {
	store := open(t)
	s := newSite(t, store, sojourn.Config{})
	c := s.beginAs("ann")
	var err error
	s.post(c, func(_ http.ResponseWriter, r *http.Request) { // a slow request that began before the logout
		name.Put(r.Context(), "late")
		s.post(c, s.logout)
		err = s.Commit(r.Context())
	})
	if err == nil || s.owner(c) != "" || s.name(c) != "" || len(dump(t, store)) != 0 {
		t.Errorf("%v; owner %q, value %q, %d records", err, s.owner(c), s.name(c), len(dump(t, store)))
	}
}

func sealedCutOff(t *testing.T, open opener) {
	s := newSealedSite(t, sojourn.Config{Revocations: open(t).(sojourn.OwnerIndex)})
	c := s.beginAs("ann")
	if s.owner(c) != "ann" {
		t.Fatal("nobody can log in")
	}
	if err := s.RevokeAll(t.Context(), "ann"); err != nil || s.owner(c) != "" {
		t.Errorf("%v; a copy of the seal is %q", err, s.owner(c))
	}
}

func disabledAccount(t *testing.T, open opener) {
	s := newSite(t, open(t), sojourn.Config{})
	a, b, other := s.beginAs("ann"), s.beginAs("ann"), s.beginAs("bob")
	var late error
	c := s.post("", func(w http.ResponseWriter, r *http.Request) { // a login whose password was checked before
		s.login("ann")(w, r)
		if err := s.RevokeAll(context.Background(), "ann"); err != nil {
			t.Error(err)
		}
		late = s.Commit(r.Context())
	}).set
	if s.owner(a) != "" || s.owner(b) != "" || s.owner(c) != "" || s.owner(other) != "bob" || late == nil {
		t.Errorf("owners %q, %q, the late one %q (%v), another %q", s.owner(a), s.owner(b), s.owner(c), late, s.owner(other))
	}
}

func othersEnd(t *testing.T, open opener) {
	s := newSite(t, open(t), sojourn.Config{})
	here, there := s.beginAs("ann"), s.beginAs("ann")
	s.post(here, func(_ http.ResponseWriter, r *http.Request) {
		if err := s.RevokeOthers(r.Context()); err != nil {
			t.Error(err)
		}
	})
	if s.owner(here) != "ann" || s.owner(there) != "" {
		t.Errorf("here %q, there %q", s.owner(here), s.owner(there))
	}
}

func administratorEnds(t *testing.T, open opener) {
	s := newSite(t, open(t), sojourn.Config{})
	ann, bob, visitor := s.beginAs("ann"), s.beginAs("bob"), s.begin("x")
	ctx := sojourn.WithActor(t.Context(), "root@example.com")
	if err := s.RevokeAll(ctx, "ann"); err != nil || s.owner(ann) != "" || s.owner(bob) != "bob" {
		t.Errorf("%v; ann's is %q, bob's %q", err, s.owner(ann), s.owner(bob))
	}
	if err := s.RevokeEveryone(ctx); err != nil || s.owner(bob) != "" || s.name(visitor) != "" {
		t.Errorf("%v; bob's is %q, the visitor's %q", err, s.owner(bob), s.name(visitor))
	}
	if s.saw(sojourn.EventAdmin, "revoke_all") != 1 || s.saw(sojourn.EventAdmin, "revoke_everyone") != 1 {
		t.Error("it is not told who did it")
	}
}

func noPagesForEverybody(t *testing.T, open opener) {
	m := newSite(t, open(t), sojourn.Config{}).Manager
	if h, err := admin.New(m, admin.Config{}); err == nil || h != nil || !strings.Contains(err.Error(), "Authorize") {
		t.Errorf("pages without an authorizer: %v", err)
	}
	h, err := admin.New(m, admin.Config{Authorize: func(*http.Request) (string, error) { return "", nil }})
	if err != nil {
		t.Fatal(err)
	}
	defer h.Close()
	w := httptest.NewRecorder()
	if h.ServeHTTP(w, request("GET", "")); w.Code != http.StatusForbidden {
		t.Errorf("nobody is answered with %d", w.Code)
	}
}

func atMostSoMany(t *testing.T, open opener) {
	store := open(t)
	s := newSite(t, store, sojourn.Config{MaxPerOwner: 3})
	first := s.beginAs("ann")
	var wait sync.WaitGroup
	for range 12 {
		wait.Go(func() { s.post("", s.login("ann")) })
	}
	wait.Wait()
	last := s.beginAs("ann")
	live := 0
	for _, err := range s.List(t.Context(), "ann") {
		if err != nil {
			t.Fatal(err)
		}
		live++
	}
	if live != 3 || s.owner(first) != "" || s.owner(last) != "ann" {
		t.Errorf("%d sessions, want 3; the first is %q, the last %q", live, s.owner(first), s.owner(last))
	}
}

func ownSessions(t *testing.T, open opener) {
	s := newSite(t, open(t), sojourn.Config{Device: deviceOf})
	here, there, bob := s.beginAs("ann"), s.beginAs("ann"), s.beginAs("bob")
	var seen []sojourn.Info
	s.post(here, func(_ http.ResponseWriter, r *http.Request) {
		for i, err := range s.List(r.Context(), "ann") {
			if err != nil {
				t.Fatal(err)
			}
			seen = append(seen, i)
			if i.Current != (i.ID == value(here)[:24]) || i.Device.Agent == "" || i.AuthTime.IsZero() {
				t.Errorf("%+v", i)
			}
		}
	})
	if len(seen) != 2 {
		t.Errorf("ann sees %d sessions, want her two", len(seen))
	}
	if err := s.Revoke(t.Context(), "ann", value(bob)[:24]); err == nil || s.owner(bob) != "bob" {
		t.Errorf("ann ends bob's: %v", err)
	}
	if err := s.Revoke(t.Context(), "ann", value(there)[:24]); err != nil || s.owner(there) != "" || s.owner(here) != "ann" {
		t.Errorf("%v; there %q, here %q", err, s.owner(there), s.owner(here))
	}
}

func rememberedIsNotLoggedIn(t *testing.T, open opener) {
	s := newSite(t, open(t), sojourn.Config{})
	c := s.post("", func(_ http.ResponseWriter, r *http.Request) {
		name.Put(r.Context(), "x")
		s.Remember(r.Context(), true)
	}).set
	if i := s.info(c); !i.Remembered || i.Owner != "" || !i.AuthTime.IsZero() {
		t.Errorf("%+v", i)
	}
	w := httptest.NewRecorder()
	deny := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusUnauthorized) })
	s.LoadAndSave(s.RequireFresh(time.Hour, deny)(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))).ServeHTTP(w, request("POST", c))
	if w.Code != http.StatusUnauthorized {
		t.Errorf("a remembered visitor is let in: %d", w.Code)
	}
}
