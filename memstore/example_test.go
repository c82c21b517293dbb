package memstore_test

import (
	"context"
	"fmt"
	"log"
	"net/http"
	"net/http/httptest"
	"os/signal"
	"syscall"

	"github.com/gosojourn/sojourn"
	"github.com/gosojourn/sojourn/memstore"
)

var visits = sojourn.NewKey[int]("visits")

func Example() {
	sessions, err := sojourn.New(memstore.New(), sojourn.Config{})
	if err != nil {
		log.Fatal(err)
	}
	page := sessions.LoadAndSave(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		visits.Update(r.Context(), func(n int) int { return n + 1 })
		fmt.Fprintf(w, "visit %d\n", visits.Get(r.Context()))
	}))

	first := httptest.NewRecorder()
	page.ServeHTTP(first, httptest.NewRequest("GET", "https://example.com/", nil))
	again := httptest.NewRequest("GET", "https://example.com/", nil)
	again.AddCookie(first.Result().Cookies()[0])
	second := httptest.NewRecorder()
	page.ServeHTTP(second, again)

	fmt.Print(first.Body.String(), second.Body.String())
	// Output:
	// visit 1
	// visit 2
}

// A program that runs for long has its manager sweep: without it, sessions that have expired are taken
// away only as new ones come.
func ExampleStore_Sweep() {
	sessions, err := sojourn.New(memstore.New(), sojourn.Config{})
	if err != nil {
		log.Fatal(err)
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	go sessions.Run(ctx)
	// … http.ListenAndServe
}
