package gorillacompat_test

import (
	"net/http/httptest"
	"testing"

	"github.com/gorilla/sessions"

	"github.com/gosojourn/sojourn"
	"github.com/gosojourn/sojourn/memstore"
)

// A small session: read, and read and written, beside gorilla's own stores.
func BenchmarkSmallSession(b *testing.B) {
	for _, s := range []struct {
		name  string
		store sessions.Store
	}{
		{"gorilla-CookieStore", sessions.NewCookieStore(key)},
		{"gorilla-FilesystemStore", sessions.NewFilesystemStore(b.TempDir(), key)},
		{"gorillacompat-memory", newStore(b, memstore.New(), sojourn.Config{})},
		{"gorillacompat-sealed", newSealed(b, sojourn.Config{})},
	} {
		who := newBrowser(b)
		who.with(s.store, func(session *sessions.Session) {
			session.Values["user"], session.Values["n"], session.Values["theme"] = "ann@example.com", 1, "dark"
		})
		shown := who.request().Header
		b.Run("read/"+s.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				r := httptest.NewRequest("GET", "/", nil)
				r.Header = shown
				session, err := s.store.Get(r, name)
				if err != nil || session.Values["user"] != "ann@example.com" {
					b.Fatal(session.Values, err)
				}
			}
		})
		b.Run("write/"+s.name, func(b *testing.B) {
			b.ReportAllocs()
			n := 0
			for b.Loop() {
				r, w := httptest.NewRequest("GET", "/", nil), httptest.NewRecorder()
				r.Header = shown
				session, err := s.store.Get(r, name)
				if err != nil {
					b.Fatal(err)
				}
				n++
				session.Values["n"] = n
				if err := session.Save(r, w); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// What the request itself costs in the benchmark above.
func BenchmarkFloor(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		_ = httptest.NewRequest("GET", "/", nil)
		_ = httptest.NewRecorder()
	}
}
