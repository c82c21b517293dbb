package dbsc_test

import (
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"time"

	"github.com/gosojourn/sojourn"
	"github.com/gosojourn/sojourn/dbsc"
	"github.com/gosojourn/sojourn/memstore"
	"github.com/gosojourn/sojourn/sojourntest/dbscclient"
)

// An application whose sessions are bound, and a browser that can do it. In a test of your own, dbscclient is that
// browser.
func Example() {
	sessions, err := sojourn.New(memstore.New(), sojourn.Config{})
	if err != nil {
		log.Fatal(err)
	}
	bound, err := dbsc.New(sessions, dbsc.Config{})
	if err != nil {
		log.Fatal(err)
	}
	mux := http.NewServeMux()
	mux.Handle("POST /dbsc/register", bound.RegisterHandler()) // not behind the login wall
	mux.Handle("POST /dbsc/refresh", bound.RefreshHandler())
	mux.HandleFunc("POST /user/login", func(w http.ResponseWriter, r *http.Request) {
		if err := sessions.Login(r.Context(), "ann"); err != nil { // whose password was checked
			http.Error(w, "Please try again.", http.StatusServiceUnavailable)
		}
	})
	mux.HandleFunc("GET /account", func(w http.ResponseWriter, r *http.Request) {
		i := sessions.Info(r.Context())
		fmt.Fprintf(w, "%q, bound: %t", i.Owner, i.Bound)
	})
	site := httptest.NewTLSServer(sessions.LoadAndSave(mux))
	defer site.Close()

	browser := site.Client()
	browser.Jar, _ = cookiejar.New(nil)
	device := dbscclient.On(browser)
	if _, err := browser.Post(site.URL+"/user/login", "", nil); err != nil {
		log.Fatal(err)
	}
	device.DropCookies() // ten minutes later: the bound cookie is over, and the browser proves its key
	res, err := browser.Get(site.URL + "/account")
	if err != nil {
		log.Fatal(err)
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	fmt.Println(string(text), err)
	for _, e := range device.Log() {
		fmt.Println(e.Path, e.Status)
	}
	// Output:
	// "ann", bound: true <nil>
	// /dbsc/register 200
	// /dbsc/refresh 200
}

// To change a password asks for a proof that is no older than five minutes, of a session that is bound. The login page
// answers who has none.
func ExampleBinder_RequireBound() {
	sessions, err := sojourn.New(memstore.New(), sojourn.Config{})
	if err != nil {
		log.Fatal(err)
	}
	bound, err := dbsc.New(sessions, dbsc.Config{})
	if err != nil {
		log.Fatal(err)
	}
	changePassword := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "changed") })
	proven := bound.RequireBound(5*time.Minute, http.RedirectHandler("/user/login", http.StatusSeeOther))

	mux := http.NewServeMux()
	mux.Handle("GET /account/password", proven(changePassword)) // so that the form's POST finds a new proof
	mux.Handle("POST /account/password", proven(changePassword))
	_ = sessions.LoadAndSave(mux)
}
