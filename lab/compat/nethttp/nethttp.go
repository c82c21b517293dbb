// Package nethttp is the shop on net/http alone.
package nethttp

import (
	"io"
	"net/http"

	"github.com/gosojourn/sojourn/lab/compat/shop"
)

// New is the application.
func New(s *shop.Shop) http.Handler {
	sessions := s.Sessions
	return shop.Recovered(sessions.LoadAndSave(Mux(s)))
}

// Mux is the application without its sessions: another handler may come between the two.
func Mux(s *shop.Shop) http.Handler {
	sessions := s.Sessions
	mux := http.NewServeMux()
	mux.HandleFunc("POST /login", func(w http.ResponseWriter, r *http.Request) {
		if err := s.Login(r.Context(), r.FormValue("name")); err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		http.Redirect(w, r, "/", http.StatusSeeOther)
	})
	mux.HandleFunc("POST /logout", func(w http.ResponseWriter, r *http.Request) {
		_ = sessions.Logout(r.Context())
		http.Redirect(w, r, "/", http.StatusSeeOther)
	})
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, s.Home(r.Context()))
	})
	mux.HandleFunc("GET /about", func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, "About us")
	})
	mux.HandleFunc("POST /add", func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, s.Add(r.Context()))
	})
	mux.HandleFunc("POST /slow", func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, s.Slow(r.Context()))
	})
	mux.HandleFunc("POST /refuse", func(w http.ResponseWriter, r *http.Request) {
		s.Add(r.Context())
		http.Error(w, "sold out", http.StatusConflict)
	})
	mux.HandleFunc("GET /stream", func(w http.ResponseWriter, r *http.Request) {
		s.Add(r.Context())
		_, _ = io.WriteString(w, "one")
		_ = http.NewResponseController(w).Flush()
		s.Wait()
		_, _ = io.WriteString(w, "two")
	})
	mux.HandleFunc("POST /late", func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, "first ")
		_, _ = io.WriteString(w, s.Late(r.Context()))
	})
	mux.HandleFunc("POST /break", func(_ http.ResponseWriter, r *http.Request) { s.Break(r.Context()) })
	mux.HandleFunc("POST /breaklater", func(_ http.ResponseWriter, r *http.Request) { s.BreakLater(r.Context()) })
	mux.HandleFunc("GET /chat", s.Chat)
	return mux
}
