// Package sse sends events for as long as the session lives.
package sse

import (
	"fmt"
	"net/http"
	"time"

	"github.com/gosojourn/sojourn/lab/compat/shop"
)

// New is the application: /events tells the time, every so often.
func New(s *shop.Shop, every time.Duration) http.Handler {
	sessions := s.Sessions
	mux := http.NewServeMux()
	mux.HandleFunc("GET /events", func(w http.ResponseWriter, r *http.Request) {
		s.Add(r.Context()) // before the first Flush
		w.Header().Set("Content-Type", "text/event-stream")
		stream, tick := http.NewResponseController(w), time.NewTicker(every)
		defer tick.Stop()
		for sessions.Valid(r.Context()) == nil {
			if _, err := fmt.Fprintf(w, "data: %s\n\n", sessions.Info(r.Context()).Owner); err != nil {
				return
			}
			if stream.Flush() != nil {
				return
			}
			select {
			case <-r.Context().Done():
				return
			case <-tick.C:
			}
		}
	})
	mux.HandleFunc("POST /login", func(_ http.ResponseWriter, r *http.Request) {
		_ = s.Login(r.Context(), r.FormValue("name"))
	})
	mux.HandleFunc("POST /logout", func(_ http.ResponseWriter, r *http.Request) {
		_ = sessions.Logout(r.Context())
	})
	return sessions.LoadAndSave(mux)
}
