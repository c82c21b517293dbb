package memstore_test

import (
	"context"
	"log"
	"os/signal"
	"syscall"

	"github.com/gosojourn/sojourn"
	"github.com/gosojourn/sojourn/memstore"
)

// A program that runs for long has its manager sweep: without it, sessions that have expired are taken
// away only as new ones come.
func Example() {
	sessions, err := sojourn.New(memstore.New(), sojourn.Config{})
	if err != nil {
		log.Fatal(err)
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	go sessions.Run(ctx)
	// … http.ListenAndServe with sessions.LoadAndSave around the handlers
}
