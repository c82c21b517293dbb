// Package templ is the shop with templates of templ. page_templ.go is made by
//
//	go run github.com/a-h/templ/cmd/templ@v0.3.1100 generate
package templ

import (
	"net/http"

	"github.com/a-h/templ"

	"github.com/gosojourn/sojourn/lab/compat/shop"
)

// New is the application.
func New(s *shop.Shop) http.Handler {
	sessions := s.Sessions
	mux := http.NewServeMux()
	mux.Handle("GET /{$}", templ.Handler(Cart(s)))
	mux.Handle("GET /greeting", templ.Handler(Greeting(s)))
	mux.Handle("GET /streamed", templ.Handler(Cart(s), templ.WithStreaming()))
	mux.HandleFunc("POST /login", func(_ http.ResponseWriter, r *http.Request) {
		_ = s.Login(r.Context(), r.FormValue("name"))
	})
	return sessions.LoadAndSave(mux)
}
