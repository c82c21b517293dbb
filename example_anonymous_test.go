package sojourn_test

import (
	"log"
	"net/http"

	"github.com/gosojourn/sojourn"
	"github.com/gosojourn/sojourn/memstore"
	"github.com/gosojourn/sojourn/sealed"
)

var cart = sojourn.NewKey[[]string]("cart")

// A shop whose visitors fill a cart before they log in. The cart is in a sealed cookie until then, so visitors and
// crawlers cost the store nothing; Login moves it into the store.
func ExampleConfig_anonymous() {
	ring, err := sealed.New([]string{sealed.GenerateKey()}, sealed.Options{}) // the same keys on every host
	if err != nil {
		log.Fatal(err)
	}
	sessions, err := sojourn.New(memstore.New(), sojourn.Config{Anonymous: ring})
	if err != nil {
		log.Fatal(err)
	}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /cart", func(_ http.ResponseWriter, r *http.Request) {
		sojourn.Append(r.Context(), cart, r.FormValue("article"))
	})
	mux.HandleFunc("POST /login", func(w http.ResponseWriter, r *http.Request) {
		// Behind the check of the password: the cart is still there, and the visitor's cookie is gone.
		if err := sessions.Login(r.Context(), "user 4711"); err != nil {
			http.Error(w, "Try again.", http.StatusServiceUnavailable)
		}
	})
	http.Handle("/", sessions.LoadAndSave(mux))
}
