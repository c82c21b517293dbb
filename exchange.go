package sojourn

import (
	"context"
	"sync/atomic"
	"time"
)

// An exchange is the context of one question to the store: the values of the request, and a deadline
// that it shares with the other questions of the same moment, because a timer for each would cost more
// than what the manager does besides. That the client leaves ends no exchange; the deadline does.
type exchange struct {
	context.Context // of the request
	bound           context.Context
}

func (x *exchange) Deadline() (time.Time, bool) { return x.bound.Deadline() }
func (x *exchange) Done() <-chan struct{}       { return x.bound.Done() }
func (x *exchange) Err() error                  { return x.bound.Err() }

// Value asks the bound first: package context finds there what it hangs children on without a goroutine.
func (x *exchange) Value(key any) any {
	if v := x.bound.Value(key); v != nil {
		return v
	}
	return x.Context.Value(key)
}

// A moment is how long exchanges that begin in it share a deadline: a twentieth of StoreTimeout, so none
// ends before that, and none more than a twentieth later.
type moment struct {
	bound  context.Context
	cancel context.CancelFunc // nobody calls it: the deadline does
	ends   time.Time
}

type moments struct{ now atomic.Pointer[moment] }

func (x *moments) bound(timeout time.Duration) context.Context {
	now := time.Now()
	if m := x.now.Load(); m != nil && now.Before(m.ends) {
		return m.bound
	}
	length := timeout / 20
	bound, cancel := context.WithTimeout(context.Background(), timeout+length)
	x.now.Store(&moment{bound, cancel, now.Add(length)})
	return bound
}

// exchange bounds one question to the store, unless that is in this process, or bound more closely. In
// this process there is nothing to wait for: an end that could come would only cost the goroutine with
// which database/sql waits for it.
func (m *Manager) exchange(ctx context.Context) context.Context {
	if ctx.Err() != nil {
		return ctx
	}
	if m.local {
		if st, ok := ctx.(*state); ok {
			return detached{st}
		}
		return ctx
	}
	bound := m.moments.bound(m.cfg.StoreTimeout)
	if own, ok := ctx.Deadline(); ok {
		if shared, _ := bound.Deadline(); own.Before(shared) {
			return ctx
		}
	}
	return &exchange{ctx, bound}
}
