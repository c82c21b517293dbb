// Package proxy puts the shop behind a gateway, or makes it one.
package proxy

import (
	"net/http"
	"net/http/httputil"
	"net/url"

	"github.com/gosojourn/sojourn/lab/compat/shop"
)

// Front passes everything on to a server whose sessions are its own.
func Front(backend *url.URL, transport http.RoundTripper) http.Handler {
	return &httputil.ReverseProxy{Transport: transport, Rewrite: func(p *httputil.ProxyRequest) {
		p.SetURL(backend)
		p.Out.Host = p.In.Host
		p.SetXForwarded()
	}}
}

// Gateway has the sessions itself. The backend learns who asks, and never sees the token.
func Gateway(s *shop.Shop, backend *url.URL) http.Handler {
	sessions := s.Sessions
	mux := http.NewServeMux()
	mux.Handle("/app/", &httputil.ReverseProxy{Rewrite: func(p *httputil.ProxyRequest) {
		p.SetURL(backend)
		p.Out.Header.Del("Cookie")
		p.Out.Header.Set("X-Owner", sessions.Info(p.In.Context()).Owner)
	}})
	mux.HandleFunc("POST /login", func(_ http.ResponseWriter, r *http.Request) {
		_ = s.Login(r.Context(), r.FormValue("name"))
	})
	return sessions.LoadAndSave(signedIn(s, mux))
}

// signedIn lets nobody through to the backend while the store cannot say who it is.
func signedIn(s *shop.Shop, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if s.Sessions.Load(r.Context()) != nil {
			return // LoadAndSave answers 503
		}
		next.ServeHTTP(w, r)
	})
}
