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

// Two managers serve one request. The login is on the server, where it can be ended. The preferences are in a
// cookie.
func ExampleNewSealed() {
	ring, err := sealed.New([]string{sealed.GenerateKey()}, sealed.Options{})
	if err != nil {
		log.Fatal(err)
	}
	logins, err := sojourn.New(memstore.New(), sojourn.Config{})
	if err != nil {
		log.Fatal(err)
	}
	preferences, err := sojourn.NewSealed(ring, sojourn.Config{Cookie: sojourn.Cookie{Name: "__Host-Http-preferences"}})
	if err != nil {
		log.Fatal(err)
	}
	colours := theme.In(preferences) // a key without In belongs to the manager nearest to the handler
	home := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintf(w, "Hello %s, in %s\n", logins.Info(r.Context()).Owner, colours.Get(r.Context()))
	})
	http.Handle("GET /{$}", preferences.LoadAndSave(logins.LoadAndSave(home)))
}

// RevokeAll ends sealed sessions too, and every copy of their cookies.
func ExampleNewSealed_revocations() {
	ring, err := sealed.New([]string{sealed.GenerateKey()}, sealed.Options{})
	if err != nil {
		log.Fatal(err)
	}
	sessions, err := sojourn.NewSealed(ring, sojourn.Config{Revocations: memstore.New()}) // with several processes, a sqlstore
	if err != nil {
		log.Fatal(err)
	}
	http.Handle("POST /logout", sessions.LoadAndSave(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		owner := sessions.Info(r.Context()).Owner
		if owner != "" {
			if err := sessions.RevokeAll(r.Context(), owner); err != nil {
				http.Error(w, "Try again.", http.StatusServiceUnavailable)
				return
			}
		}
		if err := sessions.Logout(r.Context()); err != nil {
			http.Error(w, "Try again.", http.StatusServiceUnavailable)
		}
	})))
}
