package sojourn_test

import (
	"context"
	"fmt"
	"log"
	"net/http"
	"net/http/httptest"
	"time"

	"github.com/gosojourn/sojourn"
	"github.com/gosojourn/sojourn/memstore"
)

// A server that strangers reach without a proxy that bounds them. What a request has begun is done to its end, also for
// clients that have gone. So bound how many are begun: those behind them wait in front of LoadAndSave, where nothing has
// been asked for yet, and leave when their clients do.
func Example_requestsAtOnce() {
	sessions, err := sojourn.New(memstore.New(), sojourn.Config{})
	if err != nil {
		log.Fatal(err)
	}
	visits := sojourn.NewKey[int]("visits")
	page := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		visits.Update(r.Context(), func(n int) int { return n + 1 })
		fmt.Fprint(w, "Visit number ", visits.Get(r.Context()))
	})
	server := &http.Server{
		Handler:           atOnce(16, sessions.LoadAndSave(page)), // twice the connections to the database
		ReadHeaderTimeout: 5 * time.Second,
		MaxHeaderBytes:    16 << 10, // net/http's own is 1 MB; proxies allow 8 to 32 kB
	}

	here, gone := context.Background(), canceled()
	for _, ctx := range []context.Context{here, gone} {
		w := httptest.NewRecorder()
		server.Handler.ServeHTTP(w, httptest.NewRequestWithContext(ctx, "POST", "/", nil))
		fmt.Println(len(w.Result().Cookies()), "cookie:", w.Body)
	}
	// Output:
	// 1 cookie: Visit number 1
	// 0 cookie:
}

func atOnce(n int, next http.Handler) http.Handler {
	places := make(chan struct{}, n)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		select {
		case places <- struct{}{}:
			defer func() { <-places }()
			if r.Context().Err() == nil {
				next.ServeHTTP(w, r)
			}
		case <-r.Context().Done():
		}
	})
}

func canceled() context.Context {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	return ctx
}
