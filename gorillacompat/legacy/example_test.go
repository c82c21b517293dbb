package legacy_test

import (
	"log"
	"net/http"
	"os"
	"time"

	"github.com/gosojourn/sojourn"
	gorilla "github.com/gosojourn/sojourn/gorillacompat/legacy"
	"github.com/gosojourn/sojourn/memstore"
)

// An application that had gorilla's CookieStore moves to Sojourn. Whoever is logged in stays so.
func Example() {
	_, err := sojourn.New(memstore.New(), sojourn.Config{Legacy: &gorilla.Cookies{
		Keys:          [][]byte{[]byte(os.Getenv("SESSION_KEY"))},  // sessions.NewCookieStore([]byte(os.Getenv("SESSION_KEY")))
		SessionCookie: http.Cookie{Name: "session-name"},           // store.Get(r, "session-name")
		Owner:         "user_id",                                   // session.Values["user_id"] = id
		KeepFor:       2 * time.Hour,                               // no deployment takes longer
		Until:         time.Date(2027, 3, 1, 0, 0, 0, 0, time.UTC), // then the keys go
	}})
	if err != nil {
		log.Fatal(err)
	}
}
