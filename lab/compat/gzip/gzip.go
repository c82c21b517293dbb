// Package gzip compresses the shop's pages.
package gzip

import (
	"net/http"

	"github.com/gorilla/handlers"
	"github.com/klauspost/compress/gzhttp"

	"github.com/gosojourn/sojourn/lab/compat/nethttp"
	"github.com/gosojourn/sojourn/lab/compat/shop"
)

// Outside is gorilla/handlers around LoadAndSave. Recovered is within it: the handler's deferred Close
// would answer a panic with 200.
func Outside(s *shop.Shop) http.Handler {
	sessions, mux := s.Sessions, nethttp.Mux(s)
	return handlers.CompressHandler(shop.Recovered(sessions.LoadAndSave(mux)))
}

// Inside is gorilla/handlers within LoadAndSave.
func Inside(s *shop.Shop) http.Handler {
	sessions, mux := s.Sessions, nethttp.Mux(s)
	return sessions.LoadAndSave(handlers.CompressHandler(shop.Recovered(mux)))
}

// Unrecovered is the mistake: a panic passes through CompressHandler.
func Unrecovered(s *shop.Shop) http.Handler {
	sessions, mux := s.Sessions, nethttp.Mux(s)
	return shop.Recovered(sessions.LoadAndSave(handlers.CompressHandler(mux)))
}

// GzhttpOutside is klauspost's gzhttp around LoadAndSave.
func GzhttpOutside(s *shop.Shop) http.Handler {
	sessions, mux := s.Sessions, nethttp.Mux(s)
	return shop.Recovered(gzhttp.GzipHandler(sessions.LoadAndSave(mux)))
}

// GzhttpInside is klauspost's gzhttp within LoadAndSave.
func GzhttpInside(s *shop.Shop) http.Handler {
	sessions, mux := s.Sessions, nethttp.Mux(s)
	return shop.Recovered(sessions.LoadAndSave(gzhttp.GzipHandler(mux)))
}
