package sojourn_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"testing"

	"github.com/gosojourn/sojourn"
	"github.com/gosojourn/sojourn/memstore"
	"github.com/gosojourn/sojourn/sojourntest"
)

// After a leak everybody has to log in once more, whoever has whose token.
func ExampleManager_RevokeEveryone() {
	t := new(testing.T) // a test has one
	sessions, err := sojourn.New(memstore.New(), sojourn.Config{})
	if err != nil {
		fmt.Println(err)
		return
	}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /login", func(w http.ResponseWriter, r *http.Request) {
		if err := sessions.Login(r.Context(), r.PostFormValue("user")); err != nil {
			http.Error(w, "Please try again.", http.StatusServiceUnavailable)
		}
	})
	mux.HandleFunc("GET /whoami", func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintf(w, "%q", sessions.Info(r.Context()).Owner)
	})
	whoami := func(b *sojourntest.Browser) string {
		name, _ := io.ReadAll(b.Get("/whoami").Body)
		return string(name)
	}
	browser := sojourntest.NewBrowser(t, sessions, mux)
	browser.PostForm("/login", map[string][]string{"user": {"ann"}})
	fmt.Println("before:", whoami(browser))

	// In production: from an administrator's command, such as sojourn revoke --everyone.
	if err := sessions.RevokeEveryone(context.Background()); err != nil {
		fmt.Println(err) // call it again
	}
	fmt.Println("after:", whoami(browser))
	// Output:
	// before: "ann"
	// after: ""
}
