// Package chi is the shop on go-chi/chi.
package chi

import (
	"io"
	"net/http"

	"github.com/go-chi/chi/v5"
	"github.com/go-chi/chi/v5/middleware"

	"github.com/gosojourn/sojourn/lab/compat/shop"
)

// New is the application.
func New(s *shop.Shop) http.Handler {
	sessions := s.Sessions
	r := chi.NewRouter()
	r.Use(middleware.Recoverer)
	r.Use(sessions.LoadAndSave)
	r.Get("/", func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, s.Home(r.Context()))
	})
	routes(r, s)
	return r
}

// Whole wraps the router in place of Use: the recovering middleware is inside.
func Whole(s *shop.Shop) http.Handler {
	r := chi.NewRouter()
	r.Use(middleware.Recoverer)
	r.Get("/", func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, s.Home(r.Context()))
	})
	routes(r, s)
	return s.Sessions.LoadAndSave(r)
}

func routes(r chi.Router, s *shop.Shop) {
	r.Post("/login", func(w http.ResponseWriter, r *http.Request) {
		if err := s.Login(r.Context(), r.FormValue("name")); err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		http.Redirect(w, r, "/", http.StatusSeeOther)
	})
	r.Post("/logout", func(w http.ResponseWriter, r *http.Request) {
		_ = s.Sessions.Logout(r.Context())
		http.Redirect(w, r, "/", http.StatusSeeOther)
	})
	r.Get("/about", func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, "About us")
	})
	r.Post("/add", func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, s.Add(r.Context()))
	})
	r.Post("/slow", func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, s.Slow(r.Context()))
	})
	r.Post("/refuse", func(w http.ResponseWriter, r *http.Request) {
		s.Add(r.Context())
		http.Error(w, "sold out", http.StatusConflict)
	})
	r.Get("/stream", func(w http.ResponseWriter, r *http.Request) {
		s.Add(r.Context())
		_, _ = io.WriteString(w, "one")
		w.(http.Flusher).Flush()
		s.Wait()
		_, _ = io.WriteString(w, "two")
	})
	r.Post("/late", func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, "first ")
		_, _ = io.WriteString(w, s.Late(r.Context()))
	})
	r.Post("/break", func(_ http.ResponseWriter, r *http.Request) { s.Break(r.Context()) })
	r.Post("/breaklater", func(_ http.ResponseWriter, r *http.Request) { s.BreakLater(r.Context()) })
	r.Get("/chat", s.Chat)
}
