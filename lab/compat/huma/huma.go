// Package huma is the shop as an API of Huma, on net/http's mux.
package huma

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"github.com/gosojourn/sojourn/lab/compat/shop"
)

type text struct{ Body string }

type loginInput struct {
	Body struct {
		Name string `json:"name"`
	}
}

// seeOther is a redirect.
type seeOther struct {
	Status   int
	Location string `header:"Location"`
}

// New is the application.
func New(s *shop.Shop) http.Handler {
	sessions := s.Sessions
	mux := http.NewServeMux()
	api := humago.New(mux, huma.DefaultConfig("Shop", "1.0.0"))
	huma.Get(api, "/home", func(ctx context.Context, _ *struct{}) (*text, error) {
		return &text{s.Home(ctx)}, nil
	})
	routes(api, s)
	mux.HandleFunc("GET /chat", s.Chat)
	return shop.Recovered(sessions.LoadAndSave(mux))
}

func routes(api huma.API, s *shop.Shop) {
	huma.Post(api, "/login", func(ctx context.Context, in *loginInput) (*seeOther, error) {
		if err := s.Login(ctx, in.Body.Name); err != nil {
			return nil, huma.Error400BadRequest("login", err)
		}
		return &seeOther{http.StatusSeeOther, "/"}, nil
	})
	huma.Post(api, "/logout", func(ctx context.Context, _ *struct{}) (*seeOther, error) {
		_ = s.Sessions.Logout(ctx)
		return &seeOther{http.StatusSeeOther, "/"}, nil
	})
	huma.Get(api, "/about", func(context.Context, *struct{}) (*text, error) { return &text{"About us"}, nil })
	huma.Post(api, "/add", func(ctx context.Context, _ *struct{}) (*text, error) { return &text{s.Add(ctx)}, nil })
	huma.Post(api, "/slow", func(ctx context.Context, _ *struct{}) (*text, error) { return &text{s.Slow(ctx)}, nil })
	huma.Post(api, "/refuse", func(ctx context.Context, _ *struct{}) (*text, error) {
		s.Add(ctx)
		return nil, huma.Error409Conflict("sold out")
	})
	huma.Get(api, "/stream", func(ctx context.Context, _ *struct{}) (*huma.StreamResponse, error) {
		s.Add(ctx)
		return &huma.StreamResponse{Body: func(hc huma.Context) {
			w := hc.BodyWriter()
			_, _ = w.Write([]byte("one"))
			w.(http.Flusher).Flush()
			s.Wait()
			_, _ = w.Write([]byte("two"))
		}}, nil
	})
	huma.Post(api, "/late", func(context.Context, *struct{}) (*huma.StreamResponse, error) {
		return &huma.StreamResponse{Body: func(hc huma.Context) {
			_, _ = hc.BodyWriter().Write([]byte("first "))
			_, _ = hc.BodyWriter().Write([]byte(s.Late(hc.Context())))
		}}, nil
	})
	huma.Post(api, "/break", func(ctx context.Context, _ *struct{}) (*text, error) { s.Break(ctx); return nil, nil })
	huma.Post(api, "/breaklater", func(ctx context.Context, _ *struct{}) (*text, error) { s.BreakLater(ctx); return nil, nil })
}
