package sojourn

import "errors"

// unfinished is the answer of a revocation that has raised its fence before err came. so says what is done and what is
// left.
func unfinished(so string, err error) error { return &unfinishedError{so, err} }

type unfinishedError struct {
	so  string
	err error
}

func (e *unfinishedError) Error() string        { return e.so + ": " + e.err.Error() }
func (e *unfinishedError) Is(target error) bool { return target == ErrUnfinished }

// Unwrap hides what says that nothing was done. That is true of the last step alone.
func (e *unfinishedError) Unwrap() error {
	for _, nothing := range []error{ErrRefused, ErrBusy, ErrNotFound, ErrConflict, errors.ErrUnsupported} {
		if errors.Is(e.err, nothing) {
			return nil
		}
	}
	return e.err
}
