package sojourntest

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"sync"
	"time"

	"github.com/gosojourn/sojourn"
)

// A FaultyStore is a store that fails on command, in each way that a handler may meet:
//
//	Fail       nothing was done, and the error may say so or not
//	FailAfter  it was done, and the answer is an error
//	LoseReply  FailAfter, for one write
//	Stall      there is no answer
//
// It forwards every optional interface. For one that Store does not have, it returns
// [errors.ErrUnsupported]. It is never [sojourn.Local], whatever Store is, because a call may have to wait.
type FaultyStore struct {
	sojourn.Store

	mu      sync.Mutex
	fail    error
	after   error
	lose    error
	stalled chan struct{} // closed when it is over; nil if there is none
}

// Fail makes every call return err and do nothing, until Fail(nil). An err that wraps [sojourn.ErrRefused]
// is a store that is read-only or full. An err that wraps nothing is an outage.
func (f *FaultyStore) Fail(err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.fail = err
}

// FailAfter makes every Create, Update, Touch, Delete and RevokeOwner take effect and return err all the
// same, until FailAfter(nil).
func (f *FaultyStore) FailAfter(err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.after = err
}

// LoseReply is FailAfter for the next Create, Update, Touch or Delete alone, as when a connection breaks
// after the statement has arrived.
func (f *FaultyStore) LoseReply(err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.lose = err
}

// Stall makes every call wait. A call whose context ends returns the context's error and has done nothing.
// When resume is called, the calls that still wait go on as usual.
func (f *FaultyStore) Stall() (resume func()) {
	over := make(chan struct{})
	f.mu.Lock()
	defer f.mu.Unlock()
	f.stalled = over
	return sync.OnceFunc(func() {
		f.mu.Lock()
		defer f.mu.Unlock()
		if f.stalled == over {
			f.stalled = nil
		}
		close(over)
	})
}

// admit waits while the store is stalled, and answers the error of one that fails.
func (f *FaultyStore) admit(ctx context.Context) error {
	f.mu.Lock()
	stalled := f.stalled
	f.mu.Unlock()
	if stalled != nil {
		select {
		case <-stalled:
		case <-ctx.Done():
			return fmt.Errorf("sojourntest: the store is stalled: %w", ctx.Err())
		}
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.fail
}

func (f *FaultyStore) write(ctx context.Context, do func() error) error {
	if err := f.admit(ctx); err != nil {
		return err
	}
	f.mu.Lock()
	after := f.after
	if f.lose != nil {
		after, f.lose = f.lose, nil
	}
	f.mu.Unlock()
	if err := do(); after == nil {
		return err
	}
	return after
}

func (f *FaultyStore) Load(ctx context.Context, id string) (sojourn.Record, error) {
	if err := f.admit(ctx); err != nil {
		return sojourn.Record{}, err
	}
	return f.Store.Load(ctx, id)
}

// LoadNear calls Load when Store keeps no copies.
func (f *FaultyStore) LoadNear(ctx context.Context, id string) (sojourn.Record, bool, error) {
	near, ok := f.Store.(sojourn.Near)
	if !ok {
		r, err := f.Load(ctx, id)
		return r, false, err
	}
	if err := f.admit(ctx); err != nil {
		return sojourn.Record{}, false, err
	}
	return near.LoadNear(ctx, id)
}

func (f *FaultyStore) Create(ctx context.Context, r sojourn.Record) error {
	return f.write(ctx, func() error { return f.Store.Create(ctx, r) })
}

func (f *FaultyStore) Update(ctx context.Context, r sojourn.Record, version uint64) error {
	return f.write(ctx, func() error { return f.Store.Update(ctx, r, version) })
}

func (f *FaultyStore) Touch(ctx context.Context, r sojourn.Record) error {
	return f.write(ctx, func() error { return f.Store.Touch(ctx, r) })
}

func (f *FaultyStore) Delete(ctx context.Context, id string, version uint64) error {
	return f.write(ctx, func() error { return f.Store.Delete(ctx, id, version) })
}

func unsupported(what string) error {
	return fmt.Errorf("sojourntest: the store inside has no %s: %w", what, errors.ErrUnsupported)
}

func (f *FaultyStore) ListOwner(ctx context.Context, owner string) iter.Seq2[sojourn.Record, error] {
	return func(yield func(sojourn.Record, error) bool) {
		o, ok := f.Store.(sojourn.OwnerIndex)
		if err := f.admit(ctx); err != nil {
			yield(sojourn.Record{}, err)
			return
		} else if !ok {
			yield(sojourn.Record{}, unsupported("owner index"))
			return
		}
		o.ListOwner(ctx, owner)(yield)
	}
}

func (f *FaultyStore) Fence(ctx context.Context, owner string) (uint64, time.Duration, error) {
	o, ok := f.Store.(sojourn.OwnerIndex)
	if err := f.admit(ctx); err != nil {
		return 0, 0, err
	} else if !ok {
		return 0, 0, unsupported("owner index")
	}
	return o.Fence(ctx, owner)
}

func (f *FaultyStore) RevokeOwner(ctx context.Context, owner, keep string) (uint64, error) {
	o, ok := f.Store.(sojourn.OwnerIndex)
	if err := f.admit(ctx); err != nil {
		return 0, err
	} else if !ok {
		return 0, unsupported("owner index")
	}
	fence, err := o.RevokeOwner(ctx, owner, keep)
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.after != nil {
		return fence, f.after
	}
	return fence, err
}

func (f *FaultyStore) EveryoneFence(ctx context.Context) (uint64, time.Duration, error) {
	e, ok := f.Store.(sojourn.EveryoneRevoker)
	if err := f.admit(ctx); err != nil {
		return 0, 0, err
	} else if !ok {
		return 0, 0, unsupported("fence for everybody")
	}
	return e.EveryoneFence(ctx)
}

func (f *FaultyStore) RaiseEveryone(ctx context.Context) (uint64, error) {
	e, ok := f.Store.(sojourn.EveryoneRevoker)
	if err := f.admit(ctx); err != nil {
		return 0, err
	} else if !ok {
		return 0, unsupported("fence for everybody")
	}
	fence, err := e.RaiseEveryone(ctx)
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.after != nil {
		return fence, f.after
	}
	return fence, err
}

func (f *FaultyStore) DeleteBelow(ctx context.Context, fence uint64) iter.Seq2[int, error] {
	return func(yield func(int, error) bool) {
		e, ok := f.Store.(sojourn.EveryoneRevoker)
		if err := f.admit(ctx); err != nil {
			yield(0, err)
			return
		} else if !ok {
			yield(0, unsupported("fence for everybody"))
			return
		}
		e.DeleteBelow(ctx, fence)(yield)
	}
}

func (f *FaultyStore) ListAll(ctx context.Context) iter.Seq2[sojourn.Record, error] {
	return func(yield func(sojourn.Record, error) bool) {
		l, ok := f.Store.(sojourn.Lister)
		if err := f.admit(ctx); err != nil {
			yield(sojourn.Record{}, err)
			return
		} else if !ok {
			yield(sojourn.Record{}, unsupported("lister"))
			return
		}
		l.ListAll(ctx)(yield)
	}
}

func (f *FaultyStore) Count(ctx context.Context) (int, error) {
	l, ok := f.Store.(sojourn.Lister)
	if err := f.admit(ctx); err != nil {
		return 0, err
	} else if !ok {
		return 0, unsupported("lister")
	}
	return l.Count(ctx)
}

func (f *FaultyStore) Sweep(ctx context.Context, before time.Time, limit int) (int, error) {
	s, ok := f.Store.(sojourn.Sweeper)
	if err := f.admit(ctx); err != nil {
		return 0, err
	} else if !ok {
		return 0, unsupported("sweeper")
	}
	return s.Sweep(ctx, before, limit)
}

func (f *FaultyStore) Check(ctx context.Context) error {
	c, ok := f.Store.(sojourn.Checker)
	if err := f.admit(ctx); err != nil {
		return err
	} else if !ok {
		return unsupported("check")
	}
	return c.Check(ctx)
}

// Durability is that of Store, which says it whatever fails.
func (f *FaultyStore) Durability() sojourn.Durability {
	if d, ok := f.Store.(sojourn.Durable); ok {
		return d.Durability()
	}
	return sojourn.Durability{}
}
