package sojourn_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/gosojourn/sojourn"
)

type discard struct{ h http.Header }

func (d discard) Header() http.Header         { return d.h }
func (d discard) Write(p []byte) (int, error) { return len(p), nil }
func (d discard) WriteHeader(int)             {}

var second = sojourn.NewKey[string]("second")

// costs are the cases of the request path; a benchmark and an exact limit for each.
var costs = []struct {
	name  string
	limit float64
	do    func(ctx context.Context)
}{
	{"untouched", 2, func(context.Context) {}},
	{"read2", 5, func(ctx context.Context) { name.Get(ctx); second.Get(ctx) }},
	{"write1", 6, func(ctx context.Context) { name.Put(ctx, "gopher!") }},
}

func seeded(t testing.TB, keys int) (*sojourn.Manager, *http.Request) {
	m := newManager(t, sojourn.Config{})
	_, c := ask(m, "", func(_ http.ResponseWriter, r *http.Request) {
		for i := range keys - 2 {
			sojourn.NewKey[string](fmt.Sprint("key", i)).Put(r.Context(), "some value")
		}
		name.Put(r.Context(), "gopher")
		second.Put(r.Context(), "another")
	})
	r := httptest.NewRequest("GET", "/", nil)
	r.Header.Set("Cookie", c)
	return m, r
}

// Allocations of a request with a session, the same whatever the number of keys in it.
func TestAllocations(t *testing.T) {
	for _, keys := range []int{2, 20} {
		m, r := seeded(t, keys)
		for _, c := range costs {
			h := m.LoadAndSave(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { c.do(r.Context()) }))
			w := discard{http.Header{}}
			if n := testing.AllocsPerRun(200, func() { h.ServeHTTP(w, r) }); n > c.limit {
				t.Errorf("%s with %d keys: %v allocations, at most %v", c.name, keys, n, c.limit)
			}
		}
	}
}

func BenchmarkRequest(b *testing.B) {
	bare := http.HandlerFunc(func(http.ResponseWriter, *http.Request) {})
	m, r := seeded(b, 5)
	w := discard{http.Header{}}
	b.Run("bare", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			bare.ServeHTTP(w, r)
		}
	})
	for _, c := range costs {
		h := m.LoadAndSave(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { c.do(r.Context()) }))
		b.Run(c.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				h.ServeHTTP(w, r)
			}
		})
	}
}
