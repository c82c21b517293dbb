// Package throttle notices clients that try many session tokens, and answers them 429 for a while (OWASP Session
// Management, session id guessing and brute force detection).
//
// A [Throttle] counts, for each client network, how many different tokens that are none the requests from there have shown:
// unknown, malformed, forged or expired. Past a limit there is an event, and for the rest of the window requests
// from there that show a token are answered 429 unless their session is live. A request without a token is always
// served, and so is a new visitor. docs/detection.md says more.
//
// A guesser does not find a token of 240 random bits at any rate. What this is for is to be told of somebody who tries, and
// to give the attempts of one network an end.
package throttle

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/netip"
	"strconv"
	"time"

	"github.com/gosojourn/sojourn"
)

// A Config says when a network is past the limit, and what is done then. The zero value is ready to use.
type Config struct {
	// Limit is how many different tokens that are none a network may show within Window. One token counts once in a
	// while, however often it is shown: a page that polls with an expired cookie is no guesser.
	//
	// Default: 100. Refused: a negative number.
	//
	// Raise it where many people share an address. Lower it where each has one.
	Limit int

	// Window is how long tokens are counted, from the first. A network that is past the limit is refused until the window
	// is over, and then begins anew.
	//
	// Default: 1 minute. Refused: less than a second; more than a day, because honest people are refused, too.
	Window time.Duration

	// Client answers the address of the client, or the zero Addr when it cannot be told; such a request is neither
	// counted nor refused. An IPv4 address is a network of its own, and an IPv6 address counts with its /64.
	//
	// Default: [RemoteAddr], which is right where no proxy is in front.
	//
	// Set it to [ForwardedFor] behind a proxy. Otherwise all clients are one network, that of the proxy. Mask the
	// address to count larger networks.
	Client func(*http.Request) netip.Addr

	// SpareStore refuses every request from there that shows a token, before the store is asked.
	//
	// Default: the store is asked, and a request whose session is live is served.
	//
	// Set it where the store has to be spared. Then one client can have everybody behind its address refused for the
	// rest of the window, also those who are logged in.
	SpareStore bool

	// Refused answers what is refused. Retry-After is set already, in seconds (RFC 9110, 10.2.3). It has no session.
	//
	// Default: a line of plain text with status 429 (RFC 6585, 4).
	Refused http.Handler

	// OnEvent is told of every [sojourn.Event] that OnEvent of the Throttle is told of, with its Network, and of
	// [sojourn.EventRateLimit].
	//
	// Default: nobody is told. Set it to what Config.OnEvent of the manager would be without a Throttle.
	OnEvent func(context.Context, sojourn.Event)

	// Logger gets a line at Warn for each [sojourn.EventRateLimit].
	//
	// Default: slog.Default(), as it is when New is called.
	Logger *slog.Logger
}

// A Throttle counts for any number of managers. It takes less than a megabyte, however many clients come, and starts no
// goroutine. It is safe for concurrent use. Each process counts by itself.
type Throttle struct {
	cfg   Config
	since time.Time
	seen  *table
}

// New returns a Throttle that has counted nothing. Its error names every mistake in cfg, one to a line.
func New(cfg Config) (*Throttle, error) {
	var errs []error
	if cfg.Limit < 0 {
		errs = append(errs, fmt.Errorf("throttle: Limit is %d: use a positive number, or 0 for 100", cfg.Limit))
	}
	if cfg.Window != 0 && (cfg.Window < time.Second || cfg.Window > 24*time.Hour) {
		errs = append(errs, fmt.Errorf("throttle: Window is %v: use 1s to 24h, or 0 for a minute", cfg.Window))
	}
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	if cfg.Limit == 0 {
		cfg.Limit = 100
	}
	if cfg.Window == 0 {
		cfg.Window = time.Minute
	}
	if cfg.Client == nil {
		cfg.Client = RemoteAddr
	}
	if cfg.Refused == nil {
		cfg.Refused = http.HandlerFunc(tooMany)
	}
	if cfg.Logger == nil {
		cfg.Logger = slog.Default()
	}
	return &Throttle{cfg: cfg, since: time.Now(), seen: newTable(cfg.Limit, cfg.Window)}, nil
}

func tooMany(w http.ResponseWriter, _ *http.Request) {
	http.Error(w, http.StatusText(http.StatusTooManyRequests), http.StatusTooManyRequests)
}

// A visit is what a request's context has for OnEvent.
type visit struct {
	network netip.Prefix
	mark    uint64
}

// Protect returns middleware for the requests of m. It goes outside m.LoadAndSave. m's Config.OnEvent has to be OnEvent of
// the Throttle, or call it.
//
// What a network that is past the limit shows does not prolong that. Where the store is asked and cannot answer, the answer
// is that of m's ErrorHandler.
func (t *Throttle) Protect(m *sojourn.Manager) func(next http.Handler) http.Handler {
	return func(next http.Handler) http.Handler {
		onlyLive := m.LoadAndSave(t.onlyLive(m, next))
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			mark, shows := m.Shows(r)
			if !shows {
				next.ServeHTTP(w, r)
				return
			}
			network, known := networkOf(t.cfg.Client(r))
			if !known {
				next.ServeHTTP(w, r)
				return
			}
			past := t.refusedFor(network) > 0
			if past && t.cfg.SpareStore {
				t.refuse(w, r, network)
				return
			}
			r = r.WithContext(context.WithValue(r.Context(), t, &visit{network, mark}))
			if past {
				onlyLive.ServeHTTP(w, r)
			} else {
				next.ServeHTTP(w, r)
			}
		})
	}
}

// onlyLive serves a request of a network that is past the limit if its session is live.
func (t *Throttle) onlyLive(m *sojourn.Manager, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if m.Load(r.Context()) != nil {
			return // LoadAndSave answers in place of a handler that has not
		}
		if m.Info(r.Context()).ID != "" {
			next.ServeHTTP(w, r)
			return
		}
		t.refuse(w, r, r.Context().Value(t).(*visit).network)
	})
}

func (t *Throttle) refuse(w http.ResponseWriter, r *http.Request, network netip.Prefix) {
	seconds := (t.refusedFor(network) + time.Second - 1) / time.Second
	w.Header().Set("Retry-After", strconv.Itoa(int(max(seconds, 1))))
	t.cfg.Refused.ServeHTTP(w, r)
}

// refusedFor is how much longer network is past the limit, or 0.
func (t *Throttle) refusedFor(network netip.Prefix) time.Duration {
	return t.seen.refusedFor(network, time.Since(t.since))
}

// OnEvent is the [sojourn.Config.OnEvent] of a protected manager. It counts tokens that were refused, and passes each event
// on to Config.OnEvent of the Throttle.
func (t *Throttle) OnEvent(ctx context.Context, e sojourn.Event) {
	v, _ := ctx.Value(t).(*visit)
	if v != nil {
		e.Network = v.network.String()
	}
	t.tell(ctx, e)
	if v == nil || !guessed(&e) || !t.seen.count(v.network, v.mark, time.Since(t.since)) {
		return
	}
	t.cfg.Logger.LogAttrs(ctx, slog.LevelWarn,
		"sojourn: "+string(sojourn.EventRateLimit)+": a client network has shown too many session tokens that are none, and is answered 429 for a while",
		slog.String("event", string(sojourn.EventRateLimit)), slog.String("network", v.network.String()),
		slog.Int("limit", t.cfg.Limit), slog.Duration("window", t.cfg.Window))
	t.tell(ctx, sojourn.Event{Name: sojourn.EventRateLimit, Time: time.Now().UTC(), Reason: "tokens", Network: v.network.String()})
}

func (t *Throttle) tell(ctx context.Context, e sojourn.Event) {
	if t.cfg.OnEvent != nil {
		t.cfg.OnEvent(ctx, e)
	}
}

// guessed reports whether e is about a token that may have been guessed. A token that a login, a Renew or a revocation
// has ended was good once: after RevokeEveryone everybody shows one.
func guessed(e *sojourn.Event) bool {
	switch e.Name {
	case sojourn.EventTokenRefused:
		return e.Reason == "token_unknown" || e.Reason == "token_malformed"
	case sojourn.EventMovedIn:
		return e.Reason == "unknown"
	}
	return false
}
