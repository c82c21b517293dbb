package model

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"sync"
	"time"

	"github.com/gosojourn/sojourn"
)

// A door is a store that each call waits before, and on the way back.
type door struct {
	w     *world
	store Store

	mu       sync.Mutex // what this process remembers of everybody's fence, for as long as it may
	fence    uint64
	age      time.Duration
	asked    time.Time
	answered time.Time
}

var (
	errLost    = errors.New("model: the connection broke")
	errRefuses = fmt.Errorf("model: read-only: %w", sojourn.ErrRefused)
)

// through brings one call to the store as the schedule will have it.
func (d *door) through(ctx context.Context, what string, write bool, do func(ctx context.Context) error) error {
	v := visitOf(ctx)
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("model: %w", err) // never sent
	}
	if v != nil {
		v.enter()
	}
	f, over := d.w.pass(ctx, v, what, true, write)
	late := func() { _ = do(context.WithoutCancel(ctx)) }
	switch {
	case over:
		if write {
			d.w.later(what, late)
		}
		return fmt.Errorf("model: %w", ctx.Err())
	case f == Failed, f == Late && !write:
		return errLost
	case f == Lost:
		_ = do(ctx)
		return errLost
	case f == Late:
		d.w.later(what, late)
		return errLost
	case f == Conflict && write:
		return sojourn.ErrConflict
	case f == Refused:
		return errRefuses
	}
	err := do(ctx)
	if f == Held {
		if _, over := d.w.pass(ctx, v, what+", the answer", false, write); over {
			return fmt.Errorf("model: %w", ctx.Err())
		}
	}
	return err
}

func (d *door) Load(ctx context.Context, id string) (r sojourn.Record, err error) {
	err = d.through(ctx, "load "+short(id), false, func(ctx context.Context) error {
		r, err = d.store.Load(ctx, id)
		return err
	})
	if err != nil {
		r = sojourn.Record{}
	}
	return r, err
}

func (d *door) Create(ctx context.Context, r sojourn.Record) error {
	v := visitOf(ctx)
	if v != nil {
		v.asksFor(r.ID)
	}
	taken := false
	err := d.through(ctx, "create "+short(r.ID), true, func(ctx context.Context) error {
		err := d.store.Create(ctx, r)
		taken = errors.Is(err, sojourn.ErrConflict)
		return err
	})
	if errors.Is(err, sojourn.ErrConflict) && !taken {
		d.w.ledger.takenFor(r.ID)
	}
	return err
}

func (d *door) Update(ctx context.Context, r sojourn.Record, version uint64) error {
	return d.through(ctx, "update "+short(r.ID), true, func(ctx context.Context) error { return d.store.Update(ctx, r, version) })
}

func (d *door) Touch(ctx context.Context, r sojourn.Record) error {
	return d.through(ctx, "touch "+short(r.ID), true, func(ctx context.Context) error { return d.store.Touch(ctx, r) })
}

func (d *door) Delete(ctx context.Context, id string, version uint64) error {
	return d.through(ctx, "delete "+short(id), true, func(ctx context.Context) error { return d.store.Delete(ctx, id, version) })
}

// ListOwner reads the owner's sessions in one page.
func (d *door) ListOwner(ctx context.Context, owner string) iter.Seq2[sojourn.Record, error] {
	return func(yield func(sojourn.Record, error) bool) {
		var page []sojourn.Record
		err := d.through(ctx, "list "+owner, false, func(ctx context.Context) error {
			for r, err := range d.store.ListOwner(ctx, owner) {
				if err != nil {
					return err
				}
				page = append(page, r)
			}
			return nil
		})
		if err != nil {
			yield(sojourn.Record{}, err)
			return
		}
		for _, r := range page {
			if !yield(r, nil) {
				return
			}
		}
	}
}

func (d *door) Fence(ctx context.Context, owner string) (fence uint64, age time.Duration, err error) {
	err = d.through(ctx, "fence of "+owner, false, func(ctx context.Context) error {
		fence, age, err = d.store.Fence(ctx, owner)
		return err
	})
	return fence, age, err
}

func (d *door) RevokeOwner(ctx context.Context, owner, keep string) (fence uint64, err error) {
	err = d.through(ctx, "revoke "+owner, true, func(ctx context.Context) error {
		fence, err = d.store.RevokeOwner(ctx, owner, keep)
		return err
	})
	if errors.Is(err, sojourn.ErrConflict) {
		err = errLost // not one of its answers
	}
	return fence, err
}

func (d *door) EveryoneFence(ctx context.Context) (fence uint64, age time.Duration, err error) {
	if fence, age, ok := d.knows(); ok {
		return fence, age, nil
	}
	asked := time.Now()
	var answered time.Time
	ask := func(ctx context.Context) error {
		fence, age, err = d.store.EveryoneFence(ctx)
		answered = time.Now()
		return err
	}
	if d.w.plan.Setup.Keeper == Visitors {
		err = d.through(ctx, "everybody's fence", false, ask)
	} else {
		err = ask(ctx)
	}
	if err != nil {
		return 0, 0, err
	}
	d.mu.Lock()
	if asked.After(d.asked) {
		d.fence, d.age, d.asked, d.answered = fence, age, asked, answered
	}
	d.mu.Unlock()
	return fence, age, nil
}

// knows answers everybody's fence from memory.
func (d *door) knows() (fence uint64, age time.Duration, ok bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	switch {
	case time.Since(d.asked) >= sojourn.EveryoneLease:
		return 0, 0, false
	case d.fence == 0:
		return 0, 0, true
	}
	return d.fence, d.age + time.Since(d.answered), true
}

func (d *door) RaiseEveryone(ctx context.Context) (fence uint64, err error) {
	err = d.through(ctx, "raise everyone", true, func(ctx context.Context) error {
		fence, err = d.store.RaiseEveryone(ctx)
		return err
	})
	if errors.Is(err, sojourn.ErrConflict) {
		err = errLost // not one of its answers
	}
	d.mu.Lock()
	d.asked = time.Time{}
	d.mu.Unlock()
	return fence, err
}

// DeleteBelow deletes in one page.
func (d *door) DeleteBelow(ctx context.Context, fence uint64) iter.Seq2[int, error] {
	return func(yield func(int, error) bool) {
		n := 0
		err := d.through(ctx, "delete below", true, func(ctx context.Context) error {
			for some, err := range d.store.DeleteBelow(ctx, fence) {
				if n += some; err != nil {
					return err
				}
			}
			return nil
		})
		yield(n, err)
	}
}

func short(id string) string { return id[:min(4, len(id))] }
