// Package connect is the shop as procedures of connect-go.
package connect

import (
	"context"
	"errors"
	"net/http"

	"connectrpc.com/connect"
	"google.golang.org/protobuf/types/known/emptypb"
	"google.golang.org/protobuf/types/known/wrapperspb"

	"github.com/gosojourn/sojourn/lab/compat/shop"
)

type (
	nothing = emptypb.Empty
	text    = wrapperspb.StringValue
)

// Service is the path below which the procedures are.
const Service = "/shop.v1.ShopService/"

// New is the application.
func New(s *shop.Shop) http.Handler {
	sessions := s.Sessions
	mux := http.NewServeMux()
	handle(mux, "Home", func(ctx context.Context, _ *connect.Request[nothing]) (*connect.Response[text], error) {
		return connect.NewResponse(wrapperspb.String(s.Home(ctx))), nil
	}, connect.WithIdempotency(connect.IdempotencyNoSideEffects))
	routes(mux, s)
	return shop.Recovered(sessions.LoadAndSave(mux)) // connect.WithRecover answers too late
}

func routes(mux *http.ServeMux, s *shop.Shop) {
	answer := func(page func(context.Context) string) func(context.Context, *connect.Request[nothing]) (*connect.Response[text], error) {
		return func(ctx context.Context, _ *connect.Request[nothing]) (*connect.Response[text], error) {
			return connect.NewResponse(wrapperspb.String(page(ctx))), nil
		}
	}
	handle(mux, "Login", func(ctx context.Context, in *connect.Request[text]) (*connect.Response[nothing], error) {
		if err := s.Login(ctx, in.Msg.GetValue()); err != nil {
			return nil, connect.NewError(connect.CodeInvalidArgument, err)
		}
		return connect.NewResponse(&nothing{}), nil
	})
	handle(mux, "Logout", func(ctx context.Context, _ *connect.Request[nothing]) (*connect.Response[nothing], error) {
		return connect.NewResponse(&nothing{}), s.Sessions.Logout(ctx)
	})
	handle(mux, "About", answer(func(context.Context) string { return "About us" }), connect.WithIdempotency(connect.IdempotencyNoSideEffects))
	handle(mux, "Add", answer(s.Add))
	handle(mux, "Slow", answer(s.Slow))
	handle(mux, "Break", answer(func(ctx context.Context) string { s.Break(ctx); return "" }))
	handle(mux, "BreakLater", answer(func(ctx context.Context) string { s.BreakLater(ctx); return "" }))
	handle(mux, "Refuse", func(ctx context.Context, _ *connect.Request[nothing]) (*connect.Response[text], error) {
		s.Add(ctx)
		return nil, connect.NewError(connect.CodeAlreadyExists, errors.New("sold out")) // 409
	})
	stream := func(name string, page func(ctx context.Context, send func(string) error) error) {
		mux.Handle(Service+name, connect.NewServerStreamHandler(Service+name,
			func(ctx context.Context, _ *connect.Request[nothing], out *connect.ServerStream[text]) error {
				return page(ctx, func(t string) error { return out.Send(wrapperspb.String(t)) })
			}))
	}
	stream("Stream", func(ctx context.Context, send func(string) error) error {
		s.Add(ctx)
		_ = send("one")
		s.Wait()
		return send("two")
	})
	stream("Late", func(ctx context.Context, send func(string) error) error {
		_ = send("first ")
		return send(s.Late(ctx))
	})
}

func handle[In, Out any](mux *http.ServeMux, name string, do func(context.Context, *connect.Request[In]) (*connect.Response[Out], error), o ...connect.HandlerOption) {
	mux.Handle(Service+name, connect.NewUnaryHandler(Service+name, do, o...))
}
