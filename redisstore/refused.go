package redisstore

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/redis/rueidis"

	"github.com/gosojourn/sojourn"
)

// refusals are the first words of what Redis answers to a command that it has not done and will not do:
// the same command would be answered the same until somebody has seen to the server.
//
//	OOM         maxmemory is reached, and noeviction, which Check wants, makes no room
//	MISCONF     the last snapshot or append to disk failed: the disk is full, mostly
//	READONLY    this is a replica
//	NOREPLICAS  fewer replicas than min-replicas-to-write
//	NOPERM      the user may not do this, or not to this key
//	NOAUTH, WRONGPASS, DENIED  the user may not do anything
//	WRONGTYPE   the key is another program's
//
// What passes by itself is not among them: LOADING, BUSY, TRYAGAIN, CLUSTERDOWN, MASTERDOWN.
var refusals = []string{"OOM", "MISCONF", "READONLY", "NOREPLICAS", "NOPERM", "NOAUTH", "WRONGPASS", "DENIED", "WRONGTYPE"}

// refuses says whether err is a refusal. A script stops at its first command that is refused, and that is
// the first that writes: the server judges memory, disk and role once per script, and a script has one key.
func refuses(err error) bool {
	e, ok := rueidis.IsRedisErr(err)
	if !ok {
		return false
	}
	return refusal(e.Error())
}

func refusal(text string) bool {
	text = strings.TrimPrefix(text, "ERR ")
	// NOPERM, within a script; the second is Redis 8's.
	if strings.HasPrefix(text, "The user executing the script can't") || strings.HasPrefix(text, "ACL failure in script") {
		return true
	}
	// Before version 7, what a script was refused stands behind "Error running script (…): @user_script: 3: -".
	if strings.HasPrefix(text, "Error running script") {
		_, text, _ = strings.Cut(text, " -")
	}
	word, _, _ := strings.Cut(text, " ")
	return slices.Contains(refusals, word)
}

// failed says what went wrong, in Redis's own words, and whether it is a refusal.
func failed(op string, err error) error {
	if refuses(err) && !errors.Is(err, sojourn.ErrRefused) {
		return fmt.Errorf("redisstore: %s: %w: %w", op, sojourn.ErrRefused, err)
	}
	return fmt.Errorf("redisstore: %s: %w", op, err)
}
