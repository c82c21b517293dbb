package sojourn

import "time"

// The authentication assurance levels of NIST SP 800-63B-4 (2.1.3, 2.2.3 and 2.3.3) put limits on sessions. Each
// function returns a Config that has the limits of one, and is otherwise zero: set the other fields in it.
// What a level asks of passwords and keys is the application's to see to.
//
// RememberFor is Lifetime in each, so that Remember does not carry a session past the level's absolute limit. It
// takes the idle limit away all the same: do not offer 'remember me' at AAL2 and AAL3.

// AAL1 ends a session after 30 days. It sets no idle limit, because the level asks for none.
func AAL1() Config { return withLimits(aal1) }

// AAL2 ends a session after 24 hours, or one hour without use. These are the defaults of a zero Config, too.
func AAL2() Config { return withLimits(aal2) }

// AAL3 ends a session after 12 hours, or 15 minutes without use.
func AAL3() Config { return withLimits(aal3) }

// A level is the longest that a session may last. An idle limit of 0 is none.
type level struct{ absolute, idle time.Duration }

var (
	aal1 = level{absolute: 30 * day}
	aal2 = level{absolute: day, idle: time.Hour}
	aal3 = level{absolute: 12 * time.Hour, idle: 15 * time.Minute}
)

func withLimits(l level) Config {
	c := Config{Lifetime: l.absolute, IdleTimeout: l.idle, RememberFor: l.absolute}
	if l.idle == 0 {
		c.IdleTimeout = NoIdleTimeout
	}
	return c
}

// aalOf is the highest level that these limits are within; 0 is none. An idle limit of 0 is none.
func aalOf(absolute, idle time.Duration) int {
	n := 0
	for i, l := range []level{aal1, aal2, aal3} {
		if absolute <= l.absolute && (l.idle == 0 || idle > 0 && idle <= l.idle) {
			n = i + 1
		}
	}
	return n
}
