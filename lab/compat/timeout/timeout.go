// Package timeout gives the shop's handlers a time limit.
package timeout

import (
	"net/http"
	"time"

	"github.com/gosojourn/sojourn/lab/compat/nethttp"
	"github.com/gosojourn/sojourn/lab/compat/shop"
)

// Inside is the right way round: who is late has changed nothing, and the 503 is LoadAndSave's to send.
func Inside(s *shop.Shop, limit time.Duration) http.Handler {
	sessions, mux := s.Sessions, nethttp.Mux(s)
	return shop.Recovered(sessions.LoadAndSave(http.TimeoutHandler(mux, limit, "That took too long.")))
}

// Outside is the wrong way round: when the time is over, the 503 is out, and LoadAndSave goes on behind it.
func Outside(s *shop.Shop, limit time.Duration) http.Handler {
	sessions, mux := s.Sessions, nethttp.Mux(s)
	return shop.Recovered(http.TimeoutHandler(sessions.LoadAndSave(mux), limit, "That took too long."))
}
