package sojourn

import (
	"context"
	"log/slog"
	"time"
)

// An Event is something that happened to a session. It is made for the security log (OWASP Session Management,
// logging). It never holds a token or a value.
type Event struct {
	Name    EventName
	Time    time.Time // UTC
	ID      string    // public id, or ""
	Owner   string
	Reason  string // from the list beside the name; "" where there is none
	Actor   string // who did it, under a context of WithActor; else ""
	Network string // the client's, such as 192.0.2.7/32, where package throttle counts it; else ""
	Err     error
}

// An EventName says what happened. The names are those of the OWASP Logging Vocabulary where it has one. Behind
// each name are its reasons.
type EventName string

const (
	EventCreated        EventName = "session_created"
	EventLogin          EventName = "authn_login_success"
	EventRenewed        EventName = "session_renewed"            // the token was replaced: login, renew, remember
	EventEnded          EventName = "session_expired"            // logout, revoked, limit, replaced; client_changed: RequireSameClient; everyone: by RevokeEveryone, once for all
	EventUsedAfterEnd   EventName = "session_use_after_expire"   // superseded: the token was replaced by a login or Renew; revoked; dropped: the session ended while the request ran, and its changes are dropped
	EventTokenRefused   EventName = "session_token_refused"      // token_malformed, token_unknown, token_ambiguous; cross_site: a request from another site may not begin a session; ambiguous_change: nor may one that shows several. The changes are dropped
	EventUnreadable     EventName = "session_unreadable"         // record, value, legacy (an old session): it is treated as absent; values: what EncryptAtRest encrypted has been altered, and the request is answered with an error
	EventMovedIn        EventName = "session_moved_in"           // moved: a session was made of an old one, see Legacy; again: an old token got the same new one once more; settled: the new token was shown, and the old session has ended; old_gone: the old session was ended elsewhere, and the new one with it; refused, ambiguous, cross_site, revoked, unknown: an old token was shown that moves nobody in
	EventTooLate        EventName = "session_header_sent"        // a change that needs a token sent came after the header, and is dropped
	EventBypassed       EventName = "session_writer_bypassed"    // "", token_lost: a response that uses the session went out past LoadAndSave's writer; the log has one line
	EventLeftBehind     EventName = "session_change_left"        // returned: a change came after the handler had returned; given_up: http.TimeoutHandler had given the handler up. Only a call of Commit saves the change
	EventLoginAbandoned EventName = "session_login_abandoned"    // the client left before a token could be sent; the changes that needed one are dropped
	EventUnavailable    EventName = "session_store_unavailable"  // "", touch, sweep; the log has one line when an outage begins, a count every ten seconds, and one when it is over
	EventFailed         EventName = "session_save_failed"        // too large, or a value that does not encode
	EventBound          EventName = "session_bound"              // a browser has bound the session to a key of its device, see package dbsc
	EventProved         EventName = "session_bound_proof"        // it has shown that it still has the key
	EventUnproven       EventName = "session_bound_refused"      // cookie_missing, skipped_unreachable, skipped_server_error, skipped_quota_exceeded, unregistered: a request was not given the session; change: what it changed is dropped; malformed, signature, authorization, challenge, ended: a registration or a proof was refused
	EventTheft          EventName = "session_bound_theft"        // suspected: cookie_expired, cookie_unknown: only a copy of the cookies explains the request; other_key: a proof by another key
	EventClock          EventName = "session_store_clock"        // put_back: by the store's own clock, a revocation is from the future
	EventClientChanged  EventName = "session_client_changed"     // challenge, revoke: the request's client is not the one that logged in, see RequireSameClient; after revoke the session has ended, unless Err says why not
	EventRateLimit      EventName = "excess_rate_limit_exceeded" // tokens: a client network has shown too many tokens that are none, see package throttle
	EventAdmin          EventName = "authz_admin"                // revoke, revoke_all, revoke_everyone: what an actor has asked for, see WithActor; Err says why it was not done
)

// level: what an operator should look at, and what is the ordinary life of sessions. What was not done that
// somebody had asked for is never below Info.
func (e *Event) level() slog.Level {
	switch e.Name {
	case EventUnavailable, EventFailed:
		return slog.LevelError
	case EventTheft, EventRateLimit, EventTooLate, EventBypassed, EventLeftBehind, EventLoginAbandoned, EventClock:
		return slog.LevelWarn
	case EventAdmin:
		return slog.LevelInfo
	}
	return e.levelByReason()
}

func (e *Event) levelByReason() slog.Level {
	level := func(is bool, yes, no slog.Level) slog.Level {
		if is {
			return yes
		}
		return no
	}
	switch e.Name {
	case EventUnreadable:
		return level(e.Reason == "values", slog.LevelError, slog.LevelWarn)
	case EventTokenRefused:
		return level(e.Reason == "cross_site" || e.Reason == "ambiguous_change", slog.LevelWarn, slog.LevelDebug)
	case EventClientChanged:
		return level(e.Reason == "revoke", slog.LevelWarn, slog.LevelInfo)
	case EventMovedIn:
		return level(e.Reason == "revoked" || e.Reason == "ambiguous" || e.Reason == "cross_site", slog.LevelInfo, slog.LevelDebug)
	case EventUsedAfterEnd:
		return level(e.Reason == "dropped", slog.LevelInfo, slog.LevelDebug)
	}
	return slog.LevelDebug
}

// emit tells OnEvent, and the log: faults at Warn and Error, the life of sessions at Debug. The caller
// holds no lock.
func (m *Manager) emit(ctx context.Context, e Event) {
	if e.Time.IsZero() {
		e.Time = time.Now().UTC()
	}
	if e.Actor == "" {
		e.Actor = actorOf(ctx)
	}
	m.streams.heard(&e)
	if m.cfg.OnEvent != nil {
		if st := stateOf(ctx, m); st != nil {
			st.session().runEvent(e)
		} else {
			m.cfg.OnEvent(ctx, e)
		}
	}
	if e.Name == EventUnavailable {
		m.outage(ctx, &e)
		return
	}
	if e.Name == EventBypassed && m.bypassed.Swap(true) {
		return
	}
	m.log(ctx, &e, "sojourn: "+e.text())
}

// text is what the log says: the event's name, and in words what the reader has to know where no error says it.
func (e *Event) text() string {
	words := ""
	switch {
	case e.Err != nil:
	case e.Name == EventLeftBehind && e.Reason == "given_up":
		words = ": a change came after http.TimeoutHandler had given the handler up, and only a call of Commit would save it"
	case e.Name == EventLeftBehind:
		words = ": a change came after the handler had returned, and only a call of Commit would save it"
	case e.Name == EventClock:
		words = ": by the store's clock a revocation is from the future; let NTP set the clock"
	}
	return string(e.Name) + words
}

// log writes one line. more goes behind what the event says.
func (m *Manager) log(ctx context.Context, e *Event, text string, more ...slog.Attr) {
	l := e.level()
	if !m.cfg.Logger.Enabled(ctx, l) {
		return
	}
	attrs := make([]slog.Attr, 0, 11)
	attrs = append(attrs, slog.String("event", string(e.Name)))
	for _, a := range []slog.Attr{slog.String("session", e.ID), slog.String("owner", e.Owner), slog.String("reason", e.Reason), slog.String("actor", e.Actor)} {
		if a.Value.String() != "" {
			attrs = append(attrs, a)
		}
	}
	if e.Err != nil {
		attrs = append(attrs, slog.String("error", e.Err.Error()))
	}
	if l >= slog.LevelWarn { // somebody will look for the handler
		attrs = append(attrs, requestOf(ctx)...)
	}
	m.cfg.Logger.LogAttrs(ctx, l, text, append(attrs, more...)...)
}
