// Package htmx answers htmx with parts of pages.
package htmx

import (
	"fmt"
	"html"
	"net/http"

	"github.com/gosojourn/sojourn/lab/compat/shop"
)

// New is the application.
func New(s *shop.Shop) http.Handler {
	sessions := s.Sessions
	mux := http.NewServeMux()
	mux.Handle("GET /cart", signedIn(s, func(w http.ResponseWriter, r *http.Request) {
		text := html.EscapeString(s.Home(r.Context()))
		w.Header().Add("Vary", "HX-Request")
		if r.Header.Get("HX-Request") == "" {
			_, _ = fmt.Fprintf(w, "<!doctype html><title>Cart</title><p id=cart>%s</p>", text)
			return
		}
		_, _ = fmt.Fprintf(w, "<p id=cart>%s</p>", text)
	}))
	mux.Handle("POST /add", signedIn(s, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("HX-Trigger", "added")
		_, _ = fmt.Fprintf(w, "<p id=cart>%s</p>", s.Add(r.Context()))
	}))
	mux.HandleFunc("GET /login", func(w http.ResponseWriter, _ *http.Request) {
		_, _ = fmt.Fprint(w, "<!doctype html><title>Log in</title>")
	})
	mux.HandleFunc("POST /login", func(w http.ResponseWriter, r *http.Request) {
		_ = s.Login(r.Context(), r.FormValue("name"))
		w.Header().Set("HX-Redirect", "/cart") // a whole page: the login may change all of it
	})
	return sessions.LoadAndSave(mux)
}

// signedIn sends others to the login page. htmx would put what a redirect leads to into the middle of the
// page, so it is told to go there.
func signedIn(s *shop.Shop, h http.HandlerFunc) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if err := s.Sessions.Load(r.Context()); err != nil {
			return // LoadAndSave answers 503
		}
		switch {
		case s.Sessions.Info(r.Context()).Owner != "":
			h(w, r)
		case r.Header.Get("HX-Request") != "":
			w.Header().Set("HX-Redirect", "/login")
			w.WriteHeader(http.StatusUnauthorized)
		default:
			http.Redirect(w, r, "/login", http.StatusSeeOther)
		}
	})
}
