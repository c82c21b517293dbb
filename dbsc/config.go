package dbsc

import (
	"errors"
	"fmt"
	"strings"
	"time"
)

// A Policy says what becomes of sessions whose browser has not bound them.
type Policy int

const (
	// Opportunistic binds the sessions of browsers that can do it. The others go on as before.
	Opportunistic Policy = iota

	// Required gives nobody who is logged in a session that is not bound, from a minute after the login on. Today
	// it shuts out Firefox, Safari, and Chromium where it has no place for keys.
	Required

	// Off offers nothing and checks nothing, also for sessions that are bound already.
	Off
)

// A Config says how sessions are bound. The zero value is ready to use.
type Config struct {
	// Policy is for sessions whose browser has bound nothing.
	//
	// Default: [Opportunistic]. Refused: an unknown value.
	//
	// Set [Required] only where you know every browser. Set [Off] to stop at once.
	Policy Policy

	// Lifetime is how long the bound cookie is good for: so long can somebody go on who has copied the
	// cookies. The browser proves its key each time that it is over, before it sends its next request.
	//
	// Default: 10 minutes. Refused: less than 2 minutes, because Chromium then proves at every request; more
	// than 24 hours.
	//
	// Shorten it where much is at stake. Every user who is active costs one proof in this time: one read and
	// one write of the session.
	Lifetime time.Duration

	// Register and Refresh are the paths of the two handlers, as the browser sees them.
	//
	// Default: "/dbsc/register" and "/dbsc/refresh". Refused: what does not begin with /; characters other than
	// letters, digits and -._~/; two that are equal.
	//
	// Change them where the application is not at the root of its host.
	Register, Refresh string
}

const (
	minLifetime = 2 * time.Minute
	maxLifetime = 24 * time.Hour

	// offerFor is how long after a login the browser may bind the session. It does so at once.
	offerFor = time.Minute

	// regardless is how long a session that has just been bound is given to requests without the bound cookie: the
	// browser sent them before it had the answer.
	regardless = 30 * time.Second

	// superseded is how long the challenge before the present one is good for.
	superseded = time.Minute
)

// resolve fills in the defaults and reports every mistake, one to a line.
func (c Config) resolve() (Config, error) {
	var bad []error
	mistake := func(format string, a ...any) { bad = append(bad, fmt.Errorf("dbsc: "+format, a...)) }
	if c.Policy < Opportunistic || c.Policy > Off {
		mistake("Policy (%d) is unknown: use Opportunistic, Required or Off", c.Policy)
	}
	if c.Lifetime == 0 {
		c.Lifetime = 10 * time.Minute
	}
	if c.Lifetime < minLifetime {
		mistake("Lifetime (%v) is shorter than 2 minutes, and browsers would prove the key at every request: use 2 minutes or more", c.Lifetime)
	} else if c.Lifetime > maxLifetime {
		mistake("Lifetime (%v) is longer than 24 hours, and a thief has all of it: shorten it", c.Lifetime)
	}
	for _, p := range []struct {
		name, def string
		path      *string
	}{{"Register", "/dbsc/register", &c.Register}, {"Refresh", "/dbsc/refresh", &c.Refresh}} {
		if *p.path == "" {
			*p.path = p.def
		}
		if !isPath(*p.path) {
			mistake("%s (%q) is no path: begin with /, and use letters, digits and -._~/", p.name, *p.path)
		}
	}
	if c.Register == c.Refresh {
		mistake("Register and Refresh are both %q: give each a path of its own", c.Register)
	}
	return c, errors.Join(bad...)
}

func isPath(s string) bool {
	for i := range len(s) {
		c := s[i]
		if (c < '0' || c > '9') && (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && strings.IndexByte("-._~/", c) < 0 {
			return false
		}
	}
	return strings.HasPrefix(s, "/") && !strings.HasPrefix(s, "//") && len(s) <= 256
}

// told is how long the browser is told that the bound cookie lives. It ends earlier than the server's memory of it, so
// a cookie that comes later than that is a copy: the browser does not have it any more.
func (c *Config) told() time.Duration { return c.Lifetime - min(c.Lifetime/20, 30*time.Second) }

// challengeFor is how long a challenge is good for that nobody has used: longer than the cookie.
func (c *Config) challengeFor() time.Duration { return 2 * c.Lifetime }
