package sojourn_test

import (
	"context"
	"fmt"
	"log"
	"net/http"
	"testing"

	"github.com/gosojourn/sojourn"
	"github.com/gosojourn/sojourn/memstore"
	"github.com/gosojourn/sojourn/sojourntest"
)

// Somebody shows a browser's cookie in a script. The page asks for a login, and the browser itself is left alone,
// also after an upgrade.
func ExampleManager_RequireSameClient() {
	sessions, err := sojourn.New(memstore.New(), sojourn.Config{
		Device: func(r *http.Request) sojourn.Device { return sojourn.Device{Agent: r.UserAgent()} },
	})
	if err != nil {
		log.Fatal(err)
	}
	loginPage := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprint(w, "Please log in again.") // in your program, a redirect to the login
	})
	account := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprint(w, "Hello, ", sessions.Info(r.Context()).Owner)
	})
	mux := http.NewServeMux()
	mux.HandleFunc("POST /login", func(_ http.ResponseWriter, r *http.Request) {
		_ = sessions.Login(r.Context(), "ann") // your program looks at a password first
	})
	mux.Handle("GET /account", sessions.RequireSameClient(nil, loginPage)(account))

	var t testing.T
	b := sojourntest.NewBrowser(&t, sessions, mux)
	ask := func(method, path, agent string) string {
		r, err := http.NewRequestWithContext(context.Background(), method, path, nil)
		if err != nil {
			log.Fatal(err)
		}
		r.Header.Set("User-Agent", agent)
		return body(b.Do(r))
	}
	ask("POST", "/login", "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0")
	fmt.Println(ask("GET", "/account", "Mozilla/5.0 (X11; Linux x86_64; rv:146.0) Gecko/20100101 Firefox/146.0"))
	fmt.Println(ask("GET", "/account", "curl/8.14.1"))
	// Output:
	// Hello, ann
	// Please log in again.
}
