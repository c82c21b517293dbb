package sojourn

import (
	"errors"
	"strings"
)

// The errors that a caller decides by. Compare with [errors.Is]: what the library returns wraps them, and adds
// what happened and where.
var (
	// ErrNotFound: no live session has this id, or it is not the owner's. From Revoke and from stores.
	ErrNotFound = errors.New("sojourn: no such session")

	// ErrConflict: another request has changed the session, and every retry met a newer change. From stores:
	// nothing was applied, and another try may succeed.
	ErrConflict = errors.New("sojourn: session changed meanwhile")

	// ErrEnded: the session has ended, or a login or Renew has replaced its token. The changes are dropped.
	ErrEnded = errors.New("sojourn: session has ended")

	// ErrHeaderSent: a change needs a token sent, and the response's header has gone out.
	ErrHeaderSent = errors.New("sojourn: too late to send a token")

	// ErrTooLarge: the store or the cookies cannot hold the session.
	ErrTooLarge = errors.New("sojourn: session too large")

	// ErrRefused: the store has refused a write for good, because it is read-only, full or without a right.
	// Nothing was applied, and the same call would fail again.
	ErrRefused = errors.New("sojourn: the store refuses")

	// ErrBusy: the time was over before a write was begun, because every connection was in use. Nothing was applied.
	ErrBusy = errors.New("sojourn: the store did not get to it")

	// ErrUnfinished: a revocation is begun and kept, and cannot be finished: the error says what is done and what is left.
	// Call it again. It is never ErrRefused or ErrBusy besides, which say that nothing was applied.
	ErrUnfinished = errors.New("sojourn: begun, and not finished")

	// ErrLegacyUnreadable: a Legacy has found an old session that it cannot convert.
	ErrLegacyUnreadable = errors.New("sojourn: the old session cannot be read")
)

// Unavailable reports whether err means that the store could not answer, or that every retry failed. Nothing is
// known about the session then: answer 503, never "please log in".
func Unavailable(err error) bool {
	var u *unavailableError
	return errors.As(err, &u)
}

type unavailableError struct {
	op  string
	err error
}

// Error does not say the operation twice where a store says it: "sojourn: sqlstore: load: ...".
func (e *unavailableError) Error() string {
	text := e.err.Error()
	if _, rest, ok := strings.Cut(text, ": "); ok && strings.HasPrefix(rest, e.op+": ") {
		return "sojourn: " + text
	}
	return "sojourn: " + e.op + ": " + text
}
func (e *unavailableError) Unwrap() error { return e.err }

func unavailable(op string, err error) error {
	if err == nil || Unavailable(err) {
		return err
	}
	return &unavailableError{op, err}
}
