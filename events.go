package sojourn

import (
	"context"
	"log/slog"
	"time"
)

// An Event is something that happened to a session, for the security log (OWASP Session Management,
// logging). It never holds a token or a value.
type Event struct {
	Name   EventName
	Time   time.Time // UTC
	ID     string    // public id, or ""
	Owner  string
	Reason string // from the list beside the name; "" where there is none
	Err    error
}

// An EventName is taken from the OWASP Logging Vocabulary where that has one.
type EventName string

const (
	EventCreated        EventName = "session_created"
	EventLogin          EventName = "authn_login_success"
	EventRenewed        EventName = "session_renewed"           // the token was replaced: login, renew, remember
	EventEnded          EventName = "session_expired"           // logout, revoked, limit, replaced
	EventUsedAfterEnd   EventName = "session_use_after_expire"  // superseded: a token that a login or Renew has replaced; dropped: the session ended while the request ran, its changes are not kept
	EventTokenRefused   EventName = "session_token_refused"     // token_malformed, token_unknown, token_ambiguous
	EventUnreadable     EventName = "session_unreadable"        // record, value: treated as absent
	EventTooLate        EventName = "session_header_sent"       // a change that needs a token sent came after the header; it is not kept
	EventLoginAbandoned EventName = "session_login_abandoned"   // the client was gone before a token could be sent
	EventUnavailable    EventName = "session_store_unavailable" // "", touch, sweep
	EventFailed         EventName = "session_save_failed"       // too large, or a value that does not encode
)

// level: what an operator should look at, and what is the ordinary life of sessions.
func (e *Event) level() slog.Level {
	switch e.Name {
	case EventUnavailable, EventFailed:
		return slog.LevelError
	case EventTooLate, EventUnreadable:
		return slog.LevelWarn
	}
	return slog.LevelDebug
}

// emit tells OnEvent, and the log: faults at Warn and Error, the life of sessions at Debug.
func (m *Manager) emit(ctx context.Context, e Event) {
	e.Time = time.Now().UTC()
	if m.cfg.OnEvent != nil {
		m.cfg.OnEvent(ctx, e)
	}
	l := e.level()
	if !m.cfg.Logger.Enabled(ctx, l) {
		return
	}
	attrs := make([]slog.Attr, 0, 5)
	attrs = append(attrs, slog.String("event", string(e.Name)))
	for _, a := range []slog.Attr{slog.String("session", e.ID), slog.String("owner", e.Owner), slog.String("reason", e.Reason)} {
		if a.Value.String() != "" {
			attrs = append(attrs, a)
		}
	}
	if e.Err != nil {
		attrs = append(attrs, slog.String("error", e.Err.Error()))
	}
	m.cfg.Logger.LogAttrs(ctx, l, "sojourn: "+string(e.Name), attrs...)
}
