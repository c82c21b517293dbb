// Package datastar is the shop with Datastar.
package datastar

import (
	"net/http"

	"github.com/starfederation/datastar-go/datastar"

	"github.com/gosojourn/sojourn/lab/compat/shop"
)

// New is the application.
func New(s *shop.Shop) http.Handler {
	sessions := s.Sessions
	mux := http.NewServeMux()
	mux.HandleFunc("POST /login", func(w http.ResponseWriter, r *http.Request) {
		signals := struct {
			Name string `json:"name"`
		}{}
		if err := datastar.ReadSignals(r, &signals); err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		_ = s.Login(r.Context(), signals.Name)
		sse := datastar.NewSSE(w, r) // the header goes out here: change the session before
		_ = sse.PatchElements(`<p id="who">` + s.Home(r.Context()) + `</p>`)
	})
	mux.HandleFunc("POST /late", func(w http.ResponseWriter, r *http.Request) {
		sse := datastar.NewSSE(w, r)
		_ = sse.PatchElements(`<p id="who">` + s.Late(r.Context()) + `</p>`)
	})
	return sessions.LoadAndSave(mux)
}
