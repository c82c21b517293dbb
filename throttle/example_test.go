package throttle_test

import (
	"context"
	"fmt"
	"log"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"

	"github.com/gosojourn/sojourn"
	"github.com/gosojourn/sojourn/memstore"
	"github.com/gosojourn/sojourn/throttle"
)

// A client behind a proxy tries tokens. After three that are none it is told of, and answered 429.
func Example() {
	guard, err := throttle.New(throttle.Config{
		Limit:  3,
		Client: throttle.ForwardedFor(netip.MustParsePrefix("10.0.0.0/8")), // our proxies
		OnEvent: func(_ context.Context, e sojourn.Event) { // your security log
			if e.Name == sojourn.EventRateLimit {
				fmt.Println(e.Name, e.Network)
			}
		},
		Logger: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		log.Fatal(err)
	}
	sessions, err := sojourn.New(memstore.New(), sojourn.Config{OnEvent: guard.OnEvent})
	if err != nil {
		log.Fatal(err)
	}
	visits := sojourn.NewKey[int]("visits")
	page := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprint(w, visits.Get(r.Context()))
	})
	h := guard.Protect(sessions)(sessions.LoadAndSave(page))

	for i := range 5 {
		r := httptest.NewRequest("GET", "https://shop.test/", nil)
		r.RemoteAddr = "10.0.0.1:4711"
		r.Header.Set("X-Forwarded-For", "203.0.113.9")
		r.AddCookie(&http.Cookie{Name: "__Host-Http-id", Value: fmt.Sprintf("%064d", i)})
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		fmt.Println(w.Code)
	}
	// Output:
	// 200
	// 200
	// 200
	// excess_rate_limit_exceeded 203.0.113.9/32
	// 200
	// 429
}
