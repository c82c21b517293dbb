// Package gorillamux is the shop on gorilla/mux.
package gorillamux

import (
	"io"
	"net/http"

	"github.com/gorilla/handlers"
	"github.com/gorilla/mux"

	"github.com/gosojourn/sojourn/lab/compat/shop"
)

// New is the application.
func New(s *shop.Shop) http.Handler {
	sessions := s.Sessions
	r := mux.NewRouter()
	r.Use(handlers.RecoveryHandler())
	r.Use(sessions.LoadAndSave)
	r.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, s.Home(r.Context()))
	}).Methods("GET")
	routes(r, s)
	return r
}

func routes(r *mux.Router, s *shop.Shop) {
	r.HandleFunc("/login", func(w http.ResponseWriter, r *http.Request) {
		if err := s.Login(r.Context(), r.FormValue("name")); err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		http.Redirect(w, r, "/", http.StatusSeeOther)
	}).Methods("POST")
	r.HandleFunc("/logout", func(w http.ResponseWriter, r *http.Request) {
		_ = s.Sessions.Logout(r.Context())
		http.Redirect(w, r, "/", http.StatusSeeOther)
	}).Methods("POST")
	r.HandleFunc("/about", func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, "About us")
	}).Methods("GET")
	r.HandleFunc("/add", func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, s.Add(r.Context()))
	}).Methods("POST")
	r.HandleFunc("/slow", func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, s.Slow(r.Context()))
	}).Methods("POST")
	r.HandleFunc("/refuse", func(w http.ResponseWriter, r *http.Request) {
		s.Add(r.Context())
		http.Error(w, "sold out", http.StatusConflict)
	}).Methods("POST")
	r.HandleFunc("/stream", func(w http.ResponseWriter, r *http.Request) {
		s.Add(r.Context())
		_, _ = io.WriteString(w, "one")
		w.(http.Flusher).Flush()
		s.Wait()
		_, _ = io.WriteString(w, "two")
	}).Methods("GET")
	r.HandleFunc("/late", func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, "first ")
		_, _ = io.WriteString(w, s.Late(r.Context()))
	}).Methods("POST")
	r.HandleFunc("/break", func(_ http.ResponseWriter, r *http.Request) { s.Break(r.Context()) }).Methods("POST")
	r.HandleFunc("/breaklater", func(_ http.ResponseWriter, r *http.Request) { s.BreakLater(r.Context()) }).Methods("POST")
	r.HandleFunc("/chat", s.Chat)
}
