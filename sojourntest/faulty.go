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

// A FaultyStore is a store that can be made to fail. It forwards every optional interface; one that
// Store does not have is errors.ErrUnsupported.
type FaultyStore struct {
	sojourn.Store

	mu   sync.Mutex
	fail error
	lose error
}

// Fail makes every call answer err, and do nothing, until Fail(nil).
func (f *FaultyStore) Fail(err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.fail = err
}

// LoseReply makes the next Create, Update, Touch or Delete take effect and answer err all the same,
// as when a connection breaks after the statement has arrived.
func (f *FaultyStore) LoseReply(err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.lose = err
}

func (f *FaultyStore) failing() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.fail
}

func (f *FaultyStore) write(do func() error) error {
	f.mu.Lock()
	fail, lose := f.fail, f.lose
	if fail == nil {
		f.lose = nil
	}
	f.mu.Unlock()
	if fail != nil {
		return fail
	}
	err := do()
	if lose != nil {
		return lose
	}
	return err
}

func (f *FaultyStore) Load(ctx context.Context, id string) (sojourn.Record, error) {
	if err := f.failing(); err != nil {
		return sojourn.Record{}, err
	}
	return f.Store.Load(ctx, id)
}

func (f *FaultyStore) Create(ctx context.Context, r sojourn.Record) error {
	return f.write(func() error { return f.Store.Create(ctx, r) })
}

func (f *FaultyStore) Update(ctx context.Context, r sojourn.Record, version uint64) error {
	return f.write(func() error { return f.Store.Update(ctx, r, version) })
}

func (f *FaultyStore) Touch(ctx context.Context, r sojourn.Record) error {
	return f.write(func() error { return f.Store.Touch(ctx, r) })
}

func (f *FaultyStore) Delete(ctx context.Context, id string, version uint64) error {
	return f.write(func() error { return f.Store.Delete(ctx, id, version) })
}

func unsupported(what string) error {
	return fmt.Errorf("sojourntest: the store inside has no %s: %w", what, errors.ErrUnsupported)
}

func (f *FaultyStore) ListOwner(ctx context.Context, owner string) iter.Seq2[sojourn.Record, error] {
	return func(yield func(sojourn.Record, error) bool) {
		o, ok := f.Store.(sojourn.OwnerIndex)
		if err := f.failing(); err != nil {
			yield(sojourn.Record{}, err)
			return
		} else if !ok {
			yield(sojourn.Record{}, unsupported("owner index"))
			return
		}
		o.ListOwner(ctx, owner)(yield)
	}
}

func (f *FaultyStore) Fence(ctx context.Context, owner string) (uint64, error) {
	o, ok := f.Store.(sojourn.OwnerIndex)
	if err := f.failing(); err != nil {
		return 0, err
	} else if !ok {
		return 0, unsupported("owner index")
	}
	return o.Fence(ctx, owner)
}

func (f *FaultyStore) RevokeOwner(ctx context.Context, owner, keep string) (uint64, error) {
	o, ok := f.Store.(sojourn.OwnerIndex)
	if err := f.failing(); err != nil {
		return 0, err
	} else if !ok {
		return 0, unsupported("owner index")
	}
	return o.RevokeOwner(ctx, owner, keep)
}

func (f *FaultyStore) Sweep(ctx context.Context, before time.Time, limit int) (int, error) {
	s, ok := f.Store.(sojourn.Sweeper)
	if err := f.failing(); err != nil {
		return 0, err
	} else if !ok {
		return 0, unsupported("sweeper")
	}
	return s.Sweep(ctx, before, limit)
}

func (f *FaultyStore) Check(ctx context.Context) error {
	c, ok := f.Store.(sojourn.Checker)
	if err := f.failing(); err != nil {
		return err
	} else if !ok {
		return unsupported("check")
	}
	return c.Check(ctx)
}

func (f *FaultyStore) Local() bool {
	l, ok := f.Store.(sojourn.Local)
	return ok && l.Local()
}
