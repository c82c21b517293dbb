package sojourn

import (
	"context"
	"sync/atomic"
	"time"
)

// A budget is the time of one call that may ask the keeper: everything it asks and waits for ends within
// it. What changes something is asked within three quarters; the rest is for the one read that settles
// what became of a lost answer.
//
// A nil budget is that of a call which has to wait for nothing: the keeper answers from memory.
//
// Calls that begin in the same twentieth of StoreTimeout share one: a timer for each would cost more than
// what the manager does besides. So none ends before 0.95 of StoreTimeout, and none after it.
type budget struct {
	begun      time.Time
	ends       time.Time
	act, whole context.Context
	cancel     [2]context.CancelFunc // called by nobody: the deadlines do it
}

type budgets struct{ now atomic.Pointer[budget] }

// budget is that of a call which begins now.
func (m *Manager) budget() *budget {
	if m.local {
		return nil
	}
	return m.waiting()
}

// waiting is the budget of a call that has to wait, whatever for.
func (m *Manager) waiting() *budget {
	now, length := time.Now(), m.cfg.StoreTimeout
	if b := m.budgets.now.Load(); b != nil && now.Sub(b.begun) < length/20 && !now.Before(b.begun) {
		return b
	}
	b := &budget{begun: now, ends: now.Add(length)}
	b.act, b.cancel[0] = context.WithDeadline(context.Background(), now.Add(length/4*3))
	b.whole, b.cancel[1] = context.WithDeadline(context.Background(), b.ends)
	m.budgets.now.Store(b)
	return b
}

// over reports whether there is no time left to change anything.
func (b *budget) over() bool { return b != nil && b.act.Err() != nil }

// end is when the time is over; zero if it is not bounded.
func (b *budget) end() (t time.Time) {
	if b != nil {
		t = b.ends
	}
	return t
}

// pause waits for d, or until nothing can be changed any more.
func (b *budget) pause(d time.Duration) error {
	if b == nil {
		return pause(context.Background(), d)
	}
	return pause(b.act, d)
}

// An exchange is the context of one question to the keeper: the values of the request, and an end of its
// own. That the client leaves, or a deadline of the application passes, ends no exchange.
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

// detached is a context without its end.
type detached struct{ context.Context }

func (detached) Deadline() (time.Time, bool) { return time.Time{}, false }
func (detached) Done() <-chan struct{}       { return nil }
func (detached) Err() error                  { return nil }

// toAct is the context of a question that changes something, toSettle of one that only asks. What answers
// from memory waits for nothing, and an end that could come would only cost.
func (m *Manager) toAct(ctx context.Context, b *budget) context.Context {
	if m.local {
		return endless(ctx)
	}
	return &exchange{ctx, b.act}
}

func (m *Manager) toSettle(ctx context.Context, b *budget) context.Context {
	if m.local {
		return endless(ctx)
	}
	return &exchange{ctx, b.whole}
}

func endless(ctx context.Context) context.Context {
	if st, ok := ctx.(*state); ok {
		return detachedState{st}
	}
	return detached{ctx}
}

// detachedState is detached, of a request: one pointer, so it costs no object.
type detachedState struct{ *state }

func (detachedState) Deadline() (time.Time, bool) { return time.Time{}, false }
func (detachedState) Done() <-chan struct{}       { return nil }
func (detachedState) Err() error                  { return nil }

// paged is the context of a question that is answered page by page. Each page has a budget of its own, unless
// all of it is a part of what has one.
type paged struct {
	context.Context
	m     *Manager
	part  bool
	bound atomic.Pointer[context.Context]
}

func (m *Manager) paged(ctx context.Context, b *budget) *paged {
	x := &paged{Context: ctx, m: m, part: b != nil}
	if x.part {
		x.bound.Store(&b.act)
	}
	x.renew()
	return x
}

func (x *paged) renew() {
	if !x.part {
		x.bound.Store(&x.m.waiting().whole)
	}
}

func (x *paged) Deadline() (time.Time, bool) { return (*x.bound.Load()).Deadline() }
func (x *paged) Done() <-chan struct{}       { return (*x.bound.Load()).Done() }
func (x *paged) Err() error                  { return (*x.bound.Load()).Err() }
func (x *paged) Value(key any) any           { return x.Context.Value(key) }

func pause(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-t.C:
		return nil
	}
}
