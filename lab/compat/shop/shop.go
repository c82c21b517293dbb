// Package shop is what the programs of this module have in common: what a small shop does with its
// sessions, whatever the framework that asks it to.
package shop

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"github.com/coder/websocket"

	"github.com/gosojourn/sojourn"
)

var (
	flash = sojourn.NewKey[string]("flash")
	cart  = sojourn.NewKey[int]("cart")
)

// A Shop is one application.
type Shop struct {
	Sessions *sojourn.Manager
	Pause    func() // in the middle of a slow page; may be nil
}

// Home greets the visitor, and tells a message once.
func (s *Shop) Home(ctx context.Context) string {
	who := s.Sessions.Info(ctx).Owner
	if who == "" {
		who = "stranger"
	}
	return fmt.Sprintf("Hello %s. %sIn your cart: %d", who, flash.Pop(ctx), cart.Get(ctx))
}

// Login logs name in. Who that is has been checked elsewhere.
func (s *Shop) Login(ctx context.Context, name string) error {
	flash.Put(ctx, "Welcome! ")
	return s.Sessions.Login(ctx, name)
}

// Add puts one thing into the cart, and tells how many are in there.
func (s *Shop) Add(ctx context.Context) string {
	cart.Update(ctx, func(n int) int { return n + 1 })
	return fmt.Sprintf("In your cart: %d", cart.Get(ctx))
}

// Slow changes the session, and takes its time.
func (s *Shop) Slow(ctx context.Context) string {
	flash.Put(ctx, "That took long. ")
	s.Wait()
	return "done"
}

// Wait is where a slow page takes its time.
func (s *Shop) Wait() {
	if s.Pause != nil {
		s.Pause()
	}
}

// Late logs in when the response has begun, which is a mistake.
func (s *Shop) Late(ctx context.Context) string {
	_ = s.Sessions.Login(ctx, "late")
	if err := s.Sessions.Commit(ctx); errors.Is(err, sojourn.ErrHeaderSent) {
		return "refused"
	}
	return "logged in"
}

// Break changes the session, and panics.
func (s *Shop) Break(ctx context.Context) {
	cart.Put(ctx, 1000)
	panic("boom")
}

// BreakLater logs in, commits, changes more, and panics.
func (s *Shop) BreakLater(ctx context.Context) {
	_ = s.Login(ctx, "ann")
	_ = s.Sessions.Commit(ctx)
	s.Break(ctx)
}

// Chat is a WebSocket that ends with the session.
func (s *Shop) Chat(w http.ResponseWriter, r *http.Request) {
	conn, err := websocket.Accept(w, r, nil)
	if err != nil {
		return
	}
	defer conn.CloseNow()
	ctx := r.Context()
	for text := "Hello " + s.Sessions.Info(ctx).Owner; ; text = "still here" {
		if err := conn.Write(ctx, websocket.MessageText, []byte(text)); err != nil {
			return
		}
		if _, _, err := conn.Read(ctx); err != nil {
			return
		}
		if err := s.Sessions.Valid(ctx); err != nil {
			_ = conn.Close(websocket.StatusPolicyViolation, "logged out")
			return
		}
	}
}

// Recovered answers a panic of h: net/http itself would only close the connection.
func Recovered(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer func() {
			switch v := recover(); v {
			case nil:
			case http.ErrAbortHandler:
				panic(v)
			default:
				http.Error(w, "sorry", http.StatusInternalServerError)
			}
		}()
		h.ServeHTTP(w, r)
	})
}
