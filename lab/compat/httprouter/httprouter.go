// Package httprouter is the shop on julienschmidt/httprouter.
package httprouter

import (
	"io"
	"net/http"

	"github.com/julienschmidt/httprouter"

	"github.com/gosojourn/sojourn/lab/compat/shop"
)

// New is the application.
func New(s *shop.Shop) http.Handler {
	sessions := s.Sessions
	r := httprouter.New()
	r.GET("/", func(w http.ResponseWriter, r *http.Request, _ httprouter.Params) {
		_, _ = io.WriteString(w, s.Home(r.Context()))
	})
	r.PanicHandler = func(w http.ResponseWriter, _ *http.Request, _ any) {
		http.Error(w, "sorry", http.StatusInternalServerError)
	}
	routes(r, s)
	return sessions.LoadAndSave(r)
}

func routes(r *httprouter.Router, s *shop.Shop) {
	r.POST("/login", func(w http.ResponseWriter, r *http.Request, _ httprouter.Params) {
		if err := s.Login(r.Context(), r.FormValue("name")); err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		http.Redirect(w, r, "/", http.StatusSeeOther)
	})
	r.POST("/logout", func(w http.ResponseWriter, r *http.Request, _ httprouter.Params) {
		_ = s.Sessions.Logout(r.Context())
		http.Redirect(w, r, "/", http.StatusSeeOther)
	})
	r.GET("/about", func(w http.ResponseWriter, _ *http.Request, _ httprouter.Params) {
		_, _ = io.WriteString(w, "About us")
	})
	r.POST("/add", func(w http.ResponseWriter, r *http.Request, _ httprouter.Params) {
		_, _ = io.WriteString(w, s.Add(r.Context()))
	})
	r.POST("/slow", func(w http.ResponseWriter, r *http.Request, _ httprouter.Params) {
		_, _ = io.WriteString(w, s.Slow(r.Context()))
	})
	r.POST("/refuse", func(w http.ResponseWriter, r *http.Request, _ httprouter.Params) {
		s.Add(r.Context())
		http.Error(w, "sold out", http.StatusConflict)
	})
	r.GET("/stream", func(w http.ResponseWriter, r *http.Request, _ httprouter.Params) {
		s.Add(r.Context())
		_, _ = io.WriteString(w, "one")
		w.(http.Flusher).Flush()
		s.Wait()
		_, _ = io.WriteString(w, "two")
	})
	r.POST("/late", func(w http.ResponseWriter, r *http.Request, _ httprouter.Params) {
		_, _ = io.WriteString(w, "first ")
		_, _ = io.WriteString(w, s.Late(r.Context()))
	})
	r.POST("/break", func(_ http.ResponseWriter, r *http.Request, _ httprouter.Params) { s.Break(r.Context()) })
	r.POST("/breaklater", func(_ http.ResponseWriter, r *http.Request, _ httprouter.Params) { s.BreakLater(r.Context()) })
	r.HandlerFunc("GET", "/chat", s.Chat)
}
