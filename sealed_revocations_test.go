package sojourn_test

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gosojourn/sojourn"
	"github.com/gosojourn/sojourn/memstore"
	"github.com/gosojourn/sojourn/sealed"
	"github.com/gosojourn/sojourn/sojourntest"
)

// G5, V7.4.1: revocation reaches sealed sessions: what writes at once, what reads within two seconds.
func TestSealedRevocations(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		key, revocations := sealed.GenerateKey(), &sojourntest.FaultyStore{Store: memstore.New()}
		// Two processes, which share nothing but the revocations.
		here := newSealed(t, sojourn.Config{Revocations: revocations}, key)
		there := newSealed(t, sojourn.Config{Revocations: revocations}, key)
		_, c := ask(here, "", func(_ http.ResponseWriter, r *http.Request) {
			_ = here.Login(r.Context(), "bob")
			putName(nil, r)
		})
		status := func(m *sojourn.Manager, method string) (owner string, code int) {
			r := httptest.NewRequest(method, "/", nil)
			r.Header.Set("Cookie", c)
			w := httptest.NewRecorder()
			m.LoadAndSave(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { owner = m.Info(r.Context()).Owner })).ServeHTTP(w, r)
			return owner, w.Code
		}
		if owner, _ := status(there, "GET"); owner != "bob" {
			t.Fatal("nobody is logged in")
		}
		revocations.Fail(errors.New("the database is on fire"))
		if owner, code := status(there, "GET"); owner != "bob" || code != 200 {
			t.Errorf("a moment after it was asked, it has to be asked again: %q, %d", owner, code)
		}
		if owner, code := status(there, "POST"); owner != "" || code != http.StatusServiceUnavailable {
			t.Errorf("POST while the revocations cannot be read: %q, %d, want 503", owner, code)
		}
		time.Sleep(2 * time.Second)
		if owner, code := status(there, "GET"); owner != "" || code != http.StatusServiceUnavailable {
			t.Errorf("GET while the revocations cannot be read: %q, %d, want 503", owner, code)
		}
		revocations.Fail(nil)
		if owner, _ := status(there, "GET"); owner != "bob" {
			t.Fatal("it does not recover")
		}
		if err := here.RevokeAll(t.Context(), "bob"); err != nil {
			t.Fatal(err)
		}
		if owner, _ := status(here, "GET"); owner != "" {
			t.Error("where it was revoked it is not known")
		}
		if owner, _ := status(there, "POST"); owner != "" {
			t.Error("a POST after the revocation")
		}
		if owner, _ := status(there, "GET"); owner != "" {
			t.Error("once it is known, a GET after the revocation")
		}
		third := newSealed(t, sojourn.Config{Revocations: revocations}, key)
		if owner, _ := status(third, "GET"); owner != "" {
			t.Error("a GET after the revocation in a new process")
		}
	})
}

// Within two seconds, and no later, does a read in another process learn of a revocation.
func TestSealedRevocationAge(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		key, revocations := sealed.GenerateKey(), memstore.New()
		here := newSealed(t, sojourn.Config{Revocations: revocations}, key)
		there := newSealed(t, sojourn.Config{Revocations: revocations}, key)
		_, c := ask(here, "", func(_ http.ResponseWriter, r *http.Request) {
			_ = here.Login(r.Context(), "bob")
			putName(nil, r)
		})
		nameAt(there, c)
		if err := here.RevokeAll(t.Context(), "bob"); err != nil {
			t.Fatal(err)
		}
		time.Sleep(2 * time.Second)
		if nameAt(there, c) != "" {
			t.Error("two seconds after the revocation")
		}
	})
}

// What nobody but a store can do is said, never passed over in silence.
func TestSealedSaysWhatItCannot(t *testing.T) {
	m := newSealed(t, sojourn.Config{}, sealed.GenerateKey())
	ask(m, "", func(_ http.ResponseWriter, r *http.Request) {
		ctx := r.Context()
		var list error
		for _, list = range m.List(ctx, "bob") {
		}
		_, sweep := m.Sweep(ctx)
		_, _, take := name.Take(ctx)
		_ = m.Login(ctx, "bob")
		for what, err := range map[string]error{
			"List": list, "Sweep": sweep, "Take": take, "Revoke": m.Revoke(ctx, "bob", strings.Repeat("x", 24)),
			"RevokeAll": m.RevokeAll(ctx, "bob"), "RevokeOthers": m.RevokeOthers(ctx),
		} {
			if !errors.Is(err, errors.ErrUnsupported) {
				t.Errorf("%s: %v, want ErrUnsupported", what, err)
			}
		}
	})
	ring, _ := sealed.New([]string{sealed.GenerateKey()}, sealed.Options{})
	if _, err := sojourn.NewSealed(ring, sojourn.Config{MaxPerOwner: 5}); err == nil || !strings.Contains(err.Error(), "MaxPerOwner") {
		t.Errorf("MaxPerOwner: %v", err)
	}
	if _, err := sojourn.NewSealed(nil, sojourn.Config{}); err == nil {
		t.Error("no sealer, no error")
	}
}

// A response under a seal that this process has seen end does not plant it again.
func TestSealedEndedIsNotPlantedAgain(t *testing.T) {
	m := newSealed(t, sojourn.Config{}, sealed.GenerateKey())
	_, c := ask(m, "", putName)
	ask(m, c, func(_ http.ResponseWriter, r *http.Request) { _ = m.Logout(r.Context()) })
	w, _ := ask(m, c, func(_ http.ResponseWriter, r *http.Request) {
		name.Put(r.Context(), "again")
		if err := m.Commit(r.Context()); !errors.Is(err, sojourn.ErrEnded) {
			t.Errorf("Commit: %v, want ErrEnded", err)
		}
	})
	if set := w.Header()["Set-Cookie"]; set != nil {
		t.Errorf("cookies were set: %q", set)
	}
}
