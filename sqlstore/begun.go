package sqlstore

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"

	"github.com/gosojourn/sojourn"
)

// A context that ends while a statement waits for a connection of the pool ends with the same error as one that
// ends while the server is at it. But nothing was sent then, so nothing is done later either: who saves is told
// so, and need not fear for what has become of it.

// notBegun says that a statement was not sent.
type notBegun struct{ err error }

func (e *notBegun) Error() string { return e.err.Error() }
func (e *notBegun) Unwrap() error { return e.err }

// A sent is the first argument of a statement. Only on a connection that is there is it asked for its value.
type sent struct {
	value any
	asked bool
}

// Value implements [driver.Valuer].
func (s *sent) Value() (driver.Value, error) {
	s.asked = true
	return s.value, nil
}

// watched has the first of args note whether it is sent, where the pool has no connection to give: elsewhere that
// would cost an object for nothing. Where the last connection goes at this moment, the outcome stays unknown.
func (s *statements) watched(args []any) ([]any, *sent) {
	if p := s.db.Stats(); p.MaxOpenConnections == 0 || p.InUse < p.MaxOpenConnections || len(args) == 0 {
		return args, nil
	}
	first := &sent{value: args[0]}
	return append([]any{first}, args[1:]...), first
}

// judge answers a notBegun for err if the time was over before anything was sent.
func (s *sent) judge(ctx context.Context, err error) error {
	if s == nil || s.asked || err == nil || ctx.Err() == nil || !errors.Is(err, ctx.Err()) {
		return err
	}
	return &notBegun{err}
}

// unbegun is what a statement that decides alone about a write answers: that it was not sent, if so.
func unbegun(err error) error {
	var n *notBegun
	if !errors.As(err, &n) {
		return err
	}
	return fmt.Errorf("%w: %w", sojourn.ErrBusy, err)
}
