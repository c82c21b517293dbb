package sealed_test

import (
	"fmt"
	"log"
	"os"
	"strings"
	"time"

	"github.com/gosojourn/sojourn"
	"github.com/gosojourn/sojourn/sealed"
)

// Preferences that the browser keeps for a year, and the server not at all.
func Example() {
	ring, err := sealed.New(strings.Fields(os.Getenv("SESSION_KEYS")), sealed.Options{}) // the newest first
	if err != nil {
		log.Print(err) // sealed: there is no key: make one with sealed.GenerateKey …
		return
	}
	preferences, err := sojourn.NewSealed(ring, sojourn.Config{
		Lifetime:    365 * 24 * time.Hour,
		IdleTimeout: sojourn.NoIdleTimeout,
		Cookie:      sojourn.Cookie{Name: "__Host-preferences", Persistent: true},
	})
	if err != nil {
		log.Fatal(err)
	}
	_ = preferences // … preferences.LoadAndSave around the handlers
}

func ExampleGenerateKey() {
	fmt.Println(len(sealed.GenerateKey()))
	// Output: 43
}
