package sojourn

import (
	"context"
	"slices"
)

// A fence may be raised by a transaction of the application's, which calls the store itself (RevokeTx of sqlstore).
// The manager is told of it by the store, and can know neither whether nor when that is committed. Who
// asks for the fence afterwards has it noted that it was committed by then; and a login that began earlier is
// refused. So this request asks before its response goes out: whoever has read that response, and logs in, began
// later.

// A raisedInTx is such a fence.
type raisedInTx struct {
	owner  string
	fence  uint64
	settle func(ctx context.Context) bool
}

// Raised implements fence.Request. The managers further out may keep their sessions in the same store.
func (st *state) Raised(owner string, number uint64, settle func(ctx context.Context) bool) {
	for o := st; o != nil; o = o.outer {
		s := o.session()
		s.mu.Lock()
		s.raise(owner, number)
		if o == st {
			s.inTx = append(s.inTx, raisedInTx{owner, number, settle})
		}
		s.mu.Unlock()
	}
}

// raise notes that this request has raised owner's fence. The caller holds mu.
func (s *session) raise(owner string, number uint64) {
	if s.raised == nil {
		s.raised = make(map[string]uint64)
	}
	s.raised[owner] = number
}

// settleRaised asks for each fence that a transaction has raised. An error is nobody's concern: the next login
// of that owner asks again.
func (s *session) settleRaised() {
	s.mu.Lock()
	open := s.inTx
	s.inTx = nil
	s.mu.Unlock()
	if len(open) == 0 {
		return
	}
	ctx := &exchange{s.st, s.m.waiting().whole} // the manager's own store may be another, which waits for nothing
	open = slices.DeleteFunc(open, func(x raisedInTx) bool {
		over := x.settle(ctx)
		if over {
			s.m.revoked.put(x.owner, revocation{x.fence, s.m.turn.Add(1)}, nil)
		}
		return over
	})
	s.mu.Lock()
	s.inTx = append(s.inTx, open...)
	s.mu.Unlock()
}
