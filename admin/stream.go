package admin

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/gosojourn/sojourn"
)

// writePatience is how long a browser may take to receive one message. It stands in place of the server's WriteTimeout,
// which would end every stream.
const writePatience = 10 * time.Second

// authorizeEvery is how often Authorize is asked whether a stream may go on.
const authorizeEvery = 30 * time.Second

// figures streams the figures as server-sent events, until the administrator's session ends, Authorize
// refuses, or the page is closed.
func (h *Handler) figures(w http.ResponseWriter, r *http.Request) {
	if h.cfg.Figures == nil {
		h.nowhere(w, r)
		return
	}
	select {
	case <-h.feed.closed:
		w.WriteHeader(http.StatusNoContent)
		return
	default:
	}
	w.Header().Set("Content-Type", "text/event-stream")
	w.Header().Set("X-Accel-Buffering", "no") // nginx would keep the messages until there are enough
	if r.Method == http.MethodHead {
		return
	}
	session, end := untilEnd(r.Context())
	defer end()
	news := make(chan []byte, 1)
	defer h.feed.join(news)()
	s := stream{w, http.NewResponseController(w)}
	again := time.NewTicker(authorizeEvery)
	defer again.Stop()
	for {
		select {
		case <-session.Done():
			if r.Context().Err() == nil {
				_ = s.send("over", lastWords(context.Cause(session)))
			}
			return
		case <-h.feed.closed:
			return
		case <-again.C:
			if words := h.noMore(r); words != "" {
				_ = s.send("over", words)
				return
			}
		case message := <-news:
			if s.send("message", string(message)) != nil {
				return
			}
		}
	}
}

// noMore says why the stream has to end, if Authorize would not begin it now.
func (h *Handler) noMore(r *http.Request) string {
	switch who, err := h.cfg.Authorize(r); {
	case sojourn.Unavailable(err):
		return "Nobody can say who you are just now: the store does not answer."
	case err != nil || who == "":
		return "You may see these figures no more."
	}
	return ""
}

// untilEnd is Until of the session that the request has, if it has one: administrators may be known by something else.
func untilEnd(ctx context.Context) (context.Context, context.CancelFunc) {
	if m, ok := sojourn.FromContext(ctx); ok && m.Info(ctx).ID != "" {
		return m.Until(ctx)
	}
	return context.WithCancel(ctx)
}

func lastWords(cause error) string {
	if errors.Is(cause, sojourn.ErrEnded) {
		return "Your session has ended."
	}
	return "Nobody can say whether your session goes on: the store does not answer."
}

// A stream writes server-sent events (HTML Standard, 9.2).
type stream struct {
	w  http.ResponseWriter
	rc *http.ResponseController
}

// send sends one line of data.
func (s stream) send(event, data string) error {
	if err := s.rc.SetWriteDeadline(time.Now().Add(writePatience)); err != nil && !errors.Is(err, http.ErrNotSupported) {
		return err
	}
	if _, err := fmt.Fprintf(s.w, "event: %s\ndata: %s\n\n", event, data); err != nil {
		return err
	}
	return s.rc.Flush()
}
