// Package websocket keeps connections open for as long as the session lives.
package websocket

import (
	"context"
	"net/http"
	"time"

	coder "github.com/coder/websocket"
	gorilla "github.com/gorilla/websocket"

	"github.com/gosojourn/sojourn/lab/compat/shop"
)

// New is the application. Each connection asks every so often whether its session is still there.
func New(s *shop.Shop, every time.Duration) http.Handler {
	sessions := s.Sessions
	mux := http.NewServeMux()
	mux.HandleFunc("GET /coder", func(w http.ResponseWriter, r *http.Request) {
		s.Add(r.Context()) // a new session's cookie is in the 101
		conn, err := coder.Accept(w, r, nil)
		if err != nil {
			return // it has answered
		}
		defer conn.CloseNow()
		owner := sessions.Info(r.Context()).Owner
		if err := conn.Write(r.Context(), coder.MessageText, []byte("Hello "+owner)); err != nil {
			return
		}
		ctx := conn.CloseRead(r.Context())
		if ended(ctx, s, every) {
			_ = conn.Close(coder.StatusPolicyViolation, "logged out")
		}
	})
	upgrader := gorilla.Upgrader{}
	mux.HandleFunc("GET /gorilla", func(w http.ResponseWriter, r *http.Request) {
		conn, err := upgrader.Upgrade(w, r, nil) // begin no session before: its cookie would be lost, and Upgrade fails
		if err != nil {
			return // it has answered
		}
		defer conn.Close()
		owner := sessions.Info(r.Context()).Owner
		if err := conn.WriteMessage(gorilla.TextMessage, []byte("Hello "+owner)); err != nil {
			return
		}
		ctx, cancel := context.WithCancel(r.Context())
		go func() { // reads until the client has gone
			defer cancel()
			for {
				if _, _, err := conn.NextReader(); err != nil {
					return
				}
			}
		}()
		if ended(ctx, s, every) {
			bye := gorilla.FormatCloseMessage(gorilla.ClosePolicyViolation, "logged out")
			_ = conn.WriteControl(gorilla.CloseMessage, bye, time.Now().Add(time.Second))
		}
	})
	mux.HandleFunc("GET /gorilla/first", func(w http.ResponseWriter, r *http.Request) {
		s.Add(r.Context())
		if conn, err := upgrader.Upgrade(w, r, nil); err == nil {
			_ = conn.Close()
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

// ended waits until the session of ctx has ended, or false: the client has gone.
func ended(ctx context.Context, s *shop.Shop, every time.Duration) bool {
	tick := time.NewTicker(every)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return false
		case <-tick.C:
			if s.Sessions.Valid(ctx) != nil {
				return true
			}
		}
	}
}
