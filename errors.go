package sojourn

import "errors"

// The errors a caller decides by. Compare with errors.Is; what the library returns wraps them
// with what happened and where.
var (
	ErrNotFound   = errors.New("sojourn: no such session")
	ErrConflict   = errors.New("sojourn: session changed meanwhile")
	ErrEnded      = errors.New("sojourn: session has ended")
	ErrHeaderSent = errors.New("sojourn: too late to send a token")
	ErrTooLarge   = errors.New("sojourn: session too large")
)

// Unavailable reports whether err means that the store could not answer, or could not be brought
// to agree in time. Nothing is known about the session then: answer 503, never "please log in".
func Unavailable(err error) bool {
	var u *unavailableError
	return errors.As(err, &u)
}

type unavailableError struct {
	op  string
	err error
}

func (e *unavailableError) Error() string { return "sojourn: " + e.op + ": " + e.err.Error() }
func (e *unavailableError) Unwrap() error { return e.err }

func unavailable(op string, err error) error {
	if err == nil || Unavailable(err) {
		return err
	}
	return &unavailableError{op, err}
}
