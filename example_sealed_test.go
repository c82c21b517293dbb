package sojourn_test

import (
	"fmt"
	"log"
	"net/http"

	"github.com/gosojourn/sojourn"
	"github.com/gosojourn/sojourn/memstore"
	"github.com/gosojourn/sojourn/sealed"
)

var theme = sojourn.NewKey[string]("theme")

// Two managers in one request: the login on the server, where it can be ended, and preferences with
// the client.
func ExampleNewSealed() {
	ring, err := sealed.New([]string{sealed.GenerateKey()}, sealed.Options{})
	if err != nil {
		log.Fatal(err)
	}
	logins, err := sojourn.New(memstore.New(), sojourn.Config{})
	if err != nil {
		log.Fatal(err)
	}
	preferences, err := sojourn.NewSealed(ring, sojourn.Config{Cookie: sojourn.Cookie{Name: "__Host-preferences"}})
	if err != nil {
		log.Fatal(err)
	}
	var colours = theme.In(preferences) // the others are of the manager nearest to the handler
	home := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintf(w, "Hello %s, in %s\n", logins.Info(r.Context()).Owner, colours.Get(r.Context()))
	})
	http.Handle("GET /{$}", preferences.LoadAndSave(logins.LoadAndSave(home)))
}

// Sealed sessions end with the others when their owner's sessions are revoked.
func ExampleNewSealed_revocations() {
	ring, err := sealed.New([]string{sealed.GenerateKey()}, sealed.Options{})
	if err != nil {
		log.Fatal(err)
	}
	sessions, err := sojourn.NewSealed(ring, sojourn.Config{Revocations: memstore.New()}) // several processes: a sqlstore
	if err != nil {
		log.Fatal(err)
	}
	http.Handle("POST /logout", sessions.LoadAndSave(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		owner := sessions.Info(r.Context()).Owner
		if owner != "" {
			if err := sessions.RevokeAll(r.Context(), owner); err != nil { // everywhere, and every copy
				http.Error(w, "Try again.", http.StatusServiceUnavailable)
				return
			}
		}
		_ = sessions.Logout(r.Context())
	})))
}
