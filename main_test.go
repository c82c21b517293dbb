package sojourn_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/gosojourn/sojourn"
	"github.com/gosojourn/sojourn/memstore"
)

var (
	name  = sojourn.NewKey[string]("name")
	count = sojourn.NewKey[int]("count")
)

func newManager(t testing.TB, cfg sojourn.Config) *sojourn.Manager {
	t.Helper()
	m, err := sojourn.New(memstore.New(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// ask sends one request with that Cookie header, and returns the response and the cookie to send next.
func ask(m *sojourn.Manager, cookie string, h http.HandlerFunc) (*httptest.ResponseRecorder, string) {
	r := httptest.NewRequest("GET", "https://sojourn.test/", nil)
	if cookie != "" {
		r.Header.Set("Cookie", cookie)
	}
	w := httptest.NewRecorder()
	m.LoadAndSave(h).ServeHTTP(w, r)
	if set := w.Header().Get("Set-Cookie"); set != "" {
		cookie, _, _ = strings.Cut(set, ";")
	}
	return w, cookie
}

func putName(_ http.ResponseWriter, r *http.Request) { name.Put(r.Context(), "gopher") }
