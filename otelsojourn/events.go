package otelsojourn

import (
	"context"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"

	"github.com/gosojourn/sojourn"
)

// reasons are those of each event that there may be: a series each.
var reasons = map[sojourn.EventName][]string{
	sojourn.EventCreated:        {""},
	sojourn.EventLogin:          {""},
	sojourn.EventRenewed:        {""},
	sojourn.EventEnded:          {"logout", "revoked", "limit", "replaced", "client_changed", "everyone"},
	sojourn.EventUsedAfterEnd:   {"superseded", "revoked", "dropped"},
	sojourn.EventTokenRefused:   {"token_malformed", "token_unknown", "token_ambiguous", "cross_site", "ambiguous_change"},
	sojourn.EventUnreadable:     {"record", "value", "legacy", "values"},
	sojourn.EventMovedIn:        {"moved", "again", "settled", "old_gone", "refused", "ambiguous", "cross_site", "revoked", "unknown"},
	sojourn.EventTooLate:        {""},
	sojourn.EventBypassed:       {"", "token_lost"},
	sojourn.EventLeftBehind:     {"returned", "given_up"},
	sojourn.EventLoginAbandoned: {""},
	sojourn.EventUnavailable:    {"", "touch", "sweep", "until", "legacy"},
	sojourn.EventFailed:         {""},
	sojourn.EventClock:          {"put_back"},
	sojourn.EventClientChanged:  {"challenge", "revoke"},
	sojourn.EventRateLimit:      {"tokens"},
	sojourn.EventBound:          {""},
	sojourn.EventProved:         {""},
	sojourn.EventUnproven:       {"cookie_missing", "skipped_unreachable", "skipped_server_error", "skipped_quota_exceeded", "unregistered", "change", "malformed", "signature", "authorization", "challenge", "ended"},
	sojourn.EventTheft:          {"cookie_expired", "cookie_unknown", "other_key"},
	sojourn.EventAdmin:          {"revoke", "revoke_all", "revoke_everyone"},
}

// An event counts those of one name, by their reason.
type event struct {
	counter metric.Int64Counter
	by      map[string][]metric.AddOption
	other   []metric.AddOption
}

func makeEvents(m *maker) map[sojourn.EventName]*event {
	const sessions = "{session}"
	counters := map[sojourn.EventName]metric.Int64Counter{
		sojourn.EventCreated:       m.counter("sojourn.session.creations", sessions, "Sessions that began."),
		sojourn.EventLogin:         m.counter("sojourn.session.logins", "{login}", "Logins that were committed."),
		sojourn.EventRenewed:       m.counter("sojourn.session.renewals", "{token}", "Tokens that were replaced: by a login, Renew or Remember."),
		sojourn.EventEnded:         m.counter("sojourn.session.endings", "{ending}", "Ends of sessions that somebody asked for. All sessions of an owner that are revoked at once are one."),
		sojourn.EventUsedAfterEnd:  m.counter("sojourn.session.late_uses", "{request}", "Requests with a session that had ended, or that ended meanwhile."),
		sojourn.EventMovedIn:       m.counter("sojourn.session.moves", "{request}", "What came of requests that showed a session of another library, see Config.Legacy."),
		sojourn.EventBound:         m.counter("sojourn.binding.registrations", sessions, "Sessions that a browser has bound to a key of its device."),
		sojourn.EventProved:        m.counter("sojourn.binding.proofs", "{proof}", "Proofs that a browser still has the key."),
		sojourn.EventUnproven:      m.counter("sojourn.binding.refusals", "{request}", "Requests that were not given a bound session, and proofs that were refused."),
		sojourn.EventAdmin:         m.counter("sojourn.session.administrations", "{call}", "What administrators have asked for, done or not, see WithActor."),
		sojourn.EventTokenRefused:  m.counter("sojourn.token.refusals", "{request}", "Requests whose token, or change, was refused."),
		sojourn.EventClientChanged: m.counter("sojourn.client.changes", "{request}", "Requests whose client is not the one that logged in, see RequireSameClient."),
		sojourn.EventRateLimit:     m.counter("sojourn.token.rate_limits", "{network}", "Client networks that have shown too many tokens that are none, see package throttle."),
	}
	faults := m.counter("sojourn.faults", "{fault}", "What somebody should look at, by event.")
	all := make(map[sojourn.EventName]*event, len(reasons)+1)
	for name, known := range reasons {
		e := &event{counter: counters[name], by: make(map[string][]metric.AddOption, len(known))}
		var of []attribute.KeyValue
		if e.counter == nil {
			e.counter, of = faults, []attribute.KeyValue{eventKey.String(string(name))}
		}
		for _, reason := range known {
			e.by[reason] = m.because(reason, of)
		}
		e.other = m.because(other, of)
		all[name] = e
	}
	all[other] = &event{counter: faults, other: m.because("", []attribute.KeyValue{eventKey.String(other)})}
	return all
}

// because is the attributes of a series.
func (m *maker) because(reason string, of []attribute.KeyValue) []metric.AddOption {
	if reason != "" {
		of = append(of[:len(of):len(of)], reasonKey.String(reason))
	}
	return []metric.AddOption{m.set(of...)}
}

// begin has each series begin at 0: an alert on an increase does not see one that begins at 1.
func (e *event) begin() {
	for _, attrs := range e.by {
		e.counter.Add(context.Background(), 0, attrs...)
	}
}

// OnEvent counts e: it is a [sojourn.Config.OnEvent], to be called by one of your own if you have one.
func (i *Instruments) OnEvent(ctx context.Context, e sojourn.Event) {
	c := i.events[e.Name]
	if c == nil {
		c = i.events[other]
	}
	attrs, known := c.by[e.Reason]
	if !known {
		attrs = c.other
	}
	c.counter.Add(ctx, 1, attrs...)
}
