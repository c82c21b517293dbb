package record

import (
	"crypto/subtle"
	"errors"
	"fmt"

	"github.com/gosojourn/sojourn/internal/token"
)

const (
	// GraceMillis is how long a superseded token still reads as anonymous, so that requests that were
	// under way during a login neither fail nor plant the old token again.
	GraceMillis = 60_000
	// MaxSuperseded is how many tokens a record remembers. The promise holds for each of them, so one
	// more renewal within the grace time is refused: forgetting the oldest would break it.
	MaxSuperseded = 1000

	markLen       = 16
	supersededLen = markLen + millisLen
)

// ErrRenewals means that a session was renewed MaxSuperseded times within the grace time.
var ErrRenewals = errors.New("the session was renewed too often")

// Supersedes reports whether h was replaced within the grace time. A mark from the future, made by a
// host whose clock is ahead, counts: the token is known to be replaced.
func (c *Content) Supersedes(h token.Hash, now int64) bool {
	mark := h.Mark()
	for b := c.superseded; len(b) > 0; b = b[supersededLen:] {
		if subtle.ConstantTimeCompare(b[:markLen], mark[:]) == 1 && inGrace(b, now) {
			return true
		}
	}
	return false
}

// Supersede remembers c.Token as replaced now, and forgets what is past the grace time. On ErrRenewals
// nothing is changed.
func (c *Content) Supersede(now int64) error {
	kept := 1
	for b := c.superseded; len(b) > 0; b = b[supersededLen:] {
		if inGrace(b, now) {
			kept++
		}
	}
	if kept > MaxSuperseded {
		return fmt.Errorf("%w: %d times in %d seconds", ErrRenewals, MaxSuperseded, GraceMillis/1000)
	}
	mark := c.Token.Mark()
	list := append(make([]byte, 0, kept*supersededLen), mark[:]...)
	list = appendMillis(list, now)
	for b := c.superseded; len(b) > 0; b = b[supersededLen:] {
		if inGrace(b, now) {
			list = append(list, b[:supersededLen]...)
		}
	}
	c.superseded = list
	return nil
}

func inGrace(entry []byte, now int64) bool { return now-getMillis(entry[markLen:]) < GraceMillis }
