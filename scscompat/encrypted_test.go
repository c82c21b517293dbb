package scscompat_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/gosojourn/sojourn"
	"github.com/gosojourn/sojourn/memstore"
	scs "github.com/gosojourn/sojourn/scscompat"
)

// scs has to read the rows of a store of its own.
func TestEncryptAtRestOnAStoreOfScs(t *testing.T) {
	s := newApp(newPlainStore())
	s.Adjust = func(c *sojourn.Config) { c.EncryptAtRest = true }
	if _, err := s.Manager(); err == nil || !strings.Contains(err.Error(), "EncryptAtRest") {
		t.Errorf("%v", err)
	}
}

// Iterate has no tokens: it says so, and changes nothing in the open that would be encrypted otherwise.
func TestIterateOfEncryptedSessions(t *testing.T) {
	store := memstore.New()
	app := func(encrypt bool) *scs.SessionManager {
		return &scs.SessionManager{Lifetime: time.Hour, Cookie: scs.SessionCookie{Name: "session"}, Store: scs.Native(store),
			Adjust: func(c *sojourn.Config) { c.EncryptAtRest = encrypt }}
	}
	off, on := app(false), app(true)
	put := func(s *scs.SessionManager) {
		s.LoadAndSave(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { s.Put(r.Context(), "name", "gopher") })).
			ServeHTTP(httptest.NewRecorder(), httptest.NewRequest("GET", "https://sojourn.test/", nil))
	}
	put(off)
	seen := 0
	err := on.Iterate(context.Background(), func(ctx context.Context) error {
		seen++
		on.Put(ctx, "name", "changed")
		_, _, err := on.Commit(ctx)
		return err
	})
	if seen != 1 || err == nil || !strings.Contains(err.Error(), "EncryptAtRest") {
		t.Errorf("a change without the token: %d, %v", seen, err)
	}
	if err := off.Iterate(context.Background(), func(ctx context.Context) error {
		if got := off.GetString(ctx, "name"); got != "gopher" {
			t.Errorf("it was saved as %q", got)
		}
		return nil
	}); err != nil {
		t.Error(err)
	}
	put(on)
	if err := off.Iterate(context.Background(), func(context.Context) error { return nil }); err == nil || !strings.Contains(err.Error(), "EncryptAtRest") {
		t.Errorf("of an encrypted session: %v", err)
	}
}
