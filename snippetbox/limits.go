package main

import (
	"context"
	"math"
	"net"
	"net/http"
	"net/netip"
	"strconv"
	"sync"
	"time"

	"github.com/go-chi/httprate"
)

// Who guesses passwords is slowed down by account, from wherever it is tried, and by address,
// whichever account is tried. Right guesses are not counted.
const (
	accountGuesses, accountWindow = 5, 5 * time.Minute
	addressGuesses, addressWindow = 30, 5 * time.Minute
	signupTries, signupWindow     = 30, 10 * time.Minute
)

// A limit lets so many attempts pass for each name in a window of time, which slides.
type limit struct {
	tries  int
	window time.Duration

	mu      sync.Mutex // so that the counter sees windows in the order in which they come
	rate    *httprate.RateLimiter
	counter httprate.LimitCounter
}

func newLimit(tries int, window time.Duration) *limit {
	counter := httprate.NewLocalLimitCounter(window)
	return &limit{tries: tries, window: window, counter: counter,
		rate: httprate.NewRateLimiter(tries, window,
			httprate.WithLimitCounter(counter), // whose windows are those of the clock, so that giveBack knows them
			httprate.WithResponseHeaders(httprate.ResponseHeaders{}))}
}

// take counts an attempt and returns 0, or how long to wait for the next one.
func (l *limit) take(ctx context.Context, name string) time.Duration {
	l.mu.Lock()
	defer l.mu.Unlock()
	if r := (&http.Request{}).WithContext(ctx); !l.rate.OnLimit(nil, r, name) { // no header to write, so no writer
		return 0
	}
	return l.wait(name, time.Now().UTC())
}

// wait is how long it takes until another attempt passes. The one before counts for as much of it as the
// sliding window still covers of it, and httprate rounds to whole attempts.
func (l *limit) wait(name string, now time.Time) time.Duration {
	current := now.Truncate(l.window)
	count, before, err := l.counter.Get(name, current, current.Add(-l.window))
	if err != nil {
		return l.window
	}
	most := float64(l.tries) - 0.5
	until := current
	if float64(count) >= most || before == 0 {
		until, count, before = current.Add(l.window), 0, max(count, 1)
	}
	covered := (most - float64(count)) / float64(before)
	until = until.Add(time.Duration((1 - min(covered, 1)) * float64(l.window)))
	return max(until.Sub(now), time.Second)
}

// giveBack takes an attempt out of the count.
func (l *limit) giveBack(name string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.counter.IncrementBy(name, time.Now().UTC().Truncate(l.window), -1)
}

// guesses limits attempts at passwords.
type guesses struct{ accounts, addresses *limit }

func newGuesses() guesses {
	return guesses{newLimit(accountGuesses, accountWindow), newLimit(addressGuesses, addressWindow)}
}

// take counts an attempt at the account of email and returns 0, or how long to wait.
func (g guesses) take(r *http.Request, email string) time.Duration {
	if wait := g.addresses.take(r.Context(), network(r)); wait > 0 {
		return wait
	}
	return g.accounts.take(r.Context(), normalEmail(email))
}

func (g guesses) giveBack(r *http.Request, email string) {
	g.addresses.giveBack(network(r))
	g.accounts.giveBack(normalEmail(email))
}

// address is where r came from.
func address(r *http.Request) string {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		return r.RemoteAddr
	}
	return host
}

// network is whom an address belongs to: of IPv6, a subscriber has at least 2^64.
func network(r *http.Request) string {
	a, err := netip.ParseAddr(address(r))
	if err != nil {
		return r.RemoteAddr
	}
	a = a.Unmap().WithZone("")
	if a.Is6() {
		p, _ := a.Prefix(64)
		return p.String()
	}
	return a.String()
}

// tooMany answers 429 with the form that was sent, which says when to try again.
func (app *application) tooMany(w http.ResponseWriter, r *http.Request, page string, f form, wait time.Duration) {
	seconds := int(math.Ceil(wait.Seconds()))
	w.Header().Set("Retry-After", strconv.Itoa(seconds))
	f.Problem = "Too many attempts. Please try again in " + about(seconds) + "."
	app.show(w, r, http.StatusTooManyRequests, page, view{Form: f})
}

// about rounds up, so that nobody comes too early.
func about(seconds int) string {
	switch {
	case seconds == 1:
		return "a second"
	case seconds < 60:
		return strconv.Itoa(seconds) + " seconds"
	case seconds == 60:
		return "a minute"
	}
	return strconv.Itoa((seconds+59)/60) + " minutes"
}
