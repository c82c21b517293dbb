package sojourn_test

import (
	"errors"
	"fmt"
	"log"
	"net/http"
	"net/http/httptest"
	"net/url"

	"github.com/gosojourn/sojourn"
	"github.com/gosojourn/sojourn/memstore"
)

// A bank sends people back by a form. Browsers keep a Lax cookie back from that POST, so their session is
// not known, and no other is begun in its place. A redirect (303) to a GET of our own shows the cookie.
func ExampleErrCrossSite() {
	sessions, err := sojourn.New(memstore.New(), sojourn.Config{}) // SameSite=Lax
	if err != nil {
		log.Fatal(err)
	}
	paid := sojourn.NewKey[string]("paid")

	back := func(w http.ResponseWriter, r *http.Request) {
		order := r.FormValue("order") // believe the bank's signature here, not the sender
		paid.Put(r.Context(), order)
		switch err := sessions.Commit(r.Context()); {
		case errors.Is(err, sojourn.ErrCrossSite):
			http.Redirect(w, r, "/back?order="+url.QueryEscape(order), http.StatusSeeOther)
		case err != nil:
			http.Error(w, "Please try again.", http.StatusServiceUnavailable)
		default:
			fmt.Fprint(w, "Thank you.")
		}
	}

	r := httptest.NewRequest("POST", "/back?order=7", nil)
	r.Header.Set("Sec-Fetch-Site", "cross-site") // as browsers say it
	w := httptest.NewRecorder()
	sessions.LoadAndSave(http.HandlerFunc(back)).ServeHTTP(w, r)
	fmt.Println(w.Code, w.Header().Get("Location"), len(w.Result().Cookies()))
	// Output: 303 /back?order=7 0
}

// Browsers keep a Strict cookie back from every request that another site has caused: from a link too, and
// from the redirect that answers it. A page of our own that asks again shows the cookie.
func ExampleErrCrossSite_strict() {
	sessions, err := sojourn.New(memstore.New(), sojourn.Config{Cookie: sojourn.Cookie{SameSite: http.SameSiteStrictMode}})
	if err != nil {
		log.Fatal(err)
	}
	campaign := sojourn.NewKey[string]("campaign")

	landing := func(w http.ResponseWriter, r *http.Request) {
		campaign.Put(r.Context(), r.FormValue("campaign"))
		switch err := sessions.Commit(r.Context()); {
		case errors.Is(err, sojourn.ErrCrossSite):
			w.Header().Set("Content-Type", "text/html; charset=utf-8")
			again := "/?campaign=" + url.QueryEscape(r.FormValue("campaign"))
			fmt.Fprintf(w, `<meta http-equiv="refresh" content="0;url=%s">`, again)
		case err != nil:
			http.Error(w, "Please try again.", http.StatusServiceUnavailable)
		default:
			fmt.Fprint(w, "Welcome.")
		}
	}

	for _, site := range []string{"cross-site", "same-origin"} {
		r := httptest.NewRequest("GET", "/?campaign=spring", nil)
		r.Header.Set("Sec-Fetch-Site", site)
		w := httptest.NewRecorder()
		sessions.LoadAndSave(http.HandlerFunc(landing)).ServeHTTP(w, r)
		fmt.Println(w.Body, len(w.Result().Cookies()))
	}
	// Output:
	// <meta http-equiv="refresh" content="0;url=/?campaign=spring"> 0
	// Welcome. 1
}
