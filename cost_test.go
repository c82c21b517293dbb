package sojourn_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/gosojourn/sojourn"
	"github.com/gosojourn/sojourn/sealed"
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
	{"write1", 6, func(ctx context.Context) { name.Put(ctx, "a gopher of more than that") }},
}

// seeded is a request in a session of m that holds so many keys.
func seeded(m *sojourn.Manager, keys int) *http.Request {
	_, c := ask(m, "", func(_ http.ResponseWriter, r *http.Request) {
		for i := range keys - 2 {
			sojourn.NewKey[string](fmt.Sprint("key", i)).Put(r.Context(), "some value")
		}
		name.Put(r.Context(), "a gopher of more than a word")
		second.Put(r.Context(), "another of more than a word")
	})
	r := httptest.NewRequest("GET", "http://localhost/", nil)
	r.Header.Set("Cookie", c)
	return r
}

// Allocations of a request with a session, the same whatever the number of keys in it.
func TestAllocations(t *testing.T) {
	m := newManager(t, sojourn.Config{})
	for _, keys := range []int{2, 20} {
		r := seeded(m, keys)
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
	m := newManager(b, sojourn.Config{})
	r := seeded(m, 5)
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

// The same with a sealed session; one object is the response's header. The race detector costs up to two more.
func TestSealedAllocations(t *testing.T) {
	m := newSealed(t, sojourn.Config{}, sealed.GenerateKey())
	for _, keys := range []int{2, 20} {
		r := seeded(m, keys)
		for i, limit := range []float64{3, 15, 31} {
			h := m.LoadAndSave(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { costs[i].do(r.Context()) }))
			if n := testing.AllocsPerRun(200, func() { h.ServeHTTP(discard{http.Header{}}, r) }); n > limit {
				t.Errorf("%s with %d keys: %v allocations, at most %v", costs[i].name, keys, n, limit)
			}
		}
	}
}

func BenchmarkSealedRequest(b *testing.B) {
	m := newSealed(b, sojourn.Config{}, sealed.GenerateKey())
	r := seeded(m, 5)
	for _, c := range costs {
		h := m.LoadAndSave(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { c.do(r.Context()) }))
		b.Run(c.name, func(b *testing.B) {
			b.ReportAllocs()
			w := discard{http.Header{}}
			for b.Loop() {
				clear(w.h)
				h.ServeHTTP(w, r)
			}
		})
	}
}
