package sojourn_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/gosojourn/sojourn"
	"github.com/gosojourn/sojourn/memstore"
)

// What a login costs beside the streams of other people.
func BenchmarkLoginBesideStreams(b *testing.B) {
	for _, streams := range []int{0, 1_000, 10_000} {
		b.Run(fmt.Sprint(streams), func(b *testing.B) {
			m, err := sojourn.New(memstore.New(), sojourn.Config{})
			if err != nil {
				b.Fatal(err)
			}
			login := func(do func(ctx context.Context)) {
				h := m.LoadAndSave(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
					if err := m.Login(r.Context(), "ann"); err != nil {
						b.Fatal(err)
					}
					do(r.Context())
				}))
				h.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest("POST", "https://sojourn.test/", nil))
			}
			for range streams {
				login(func(ctx context.Context) {
					if err := m.Commit(ctx); err != nil {
						b.Fatal(err)
					}
					_, cancel := m.Until(ctx)
					b.Cleanup(cancel)
				})
			}
			// People with one session each, so that a login lists nobody else's.
			h := m.LoadAndSave(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
				if err := m.Login(r.Context(), r.URL.Path); err != nil {
					b.Fatal(err)
				}
			}))
			n := 0
			for b.Loop() {
				n++
				h.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest("POST", fmt.Sprintf("https://sojourn.test/%d", n), nil))
			}
		})
	}
}
