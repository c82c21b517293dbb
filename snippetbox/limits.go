package main

import (
	"crypto/sha256"
	"math"
	"net"
	"net/http"
	"net/netip"
	"strconv"
	"sync"
	"time"
)

// Who guesses passwords is slowed down by account, from wherever it is tried, and by address,
// whichever account is tried. Right guesses are not counted.
const (
	accountBurst, accountEvery = 5, time.Minute
	addressBurst, addressEvery = 20, 10 * time.Second
	signupBurst, signupEvery   = 30, 20 * time.Second

	maxLimited = 10_000 // names known at a time, so that making up names costs an attacker more than us
)

// A limit lets burst attempts pass for each name, and one more every so often.
type limit struct {
	burst int
	every time.Duration
	now   func() time.Time

	mu    sync.Mutex
	names map[[16]byte]time.Time // when the name is as good as new
}

func newLimit(burst int, every time.Duration) *limit {
	return &limit{burst: burst, every: every, now: time.Now, names: map[[16]byte]time.Time{}}
}

// take counts an attempt and returns 0, or how long to wait for the next one.
func (l *limit) take(name string) time.Duration {
	l.mu.Lock()
	defer l.mu.Unlock()
	now, k := l.now(), shorten(name)
	used, known := l.names[k]
	if used.Before(now) {
		used = now
	}
	used = used.Add(l.every)
	if wait := used.Sub(now) - time.Duration(l.burst)*l.every; wait > 0 {
		return wait
	}
	if !known && len(l.names) >= maxLimited {
		l.forget(now)
	}
	l.names[k] = used
	return 0
}

// giveBack takes an attempt out of the count.
func (l *limit) giveBack(name string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	k := shorten(name)
	if used, ok := l.names[k]; ok {
		l.names[k] = used.Add(-l.every)
	}
}

// forget makes room: what is as good as new goes, and if nothing is, what will be first.
func (l *limit) forget(now time.Time) {
	var first [16]byte
	var at time.Time
	for k, used := range l.names {
		if !used.After(now) {
			delete(l.names, k)
		} else if at.IsZero() || used.Before(at) {
			first, at = k, used
		}
	}
	if len(l.names) >= maxLimited {
		delete(l.names, first)
	}
}

// shorten makes every name take the same room.
func shorten(name string) [16]byte {
	sum := sha256.Sum256([]byte(name))
	return [16]byte(sum[:16])
}

// guesses limits attempts at passwords.
type guesses struct{ accounts, addresses *limit }

func newGuesses() guesses {
	return guesses{newLimit(accountBurst, accountEvery), newLimit(addressBurst, addressEvery)}
}

// take counts an attempt at the account of email and returns 0, or how long to wait.
func (g guesses) take(r *http.Request, email string) time.Duration {
	if wait := g.addresses.take(network(r)); wait > 0 {
		return wait
	}
	return g.accounts.take(normalEmail(email))
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
