package gorillacompat

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"sync"
	"time"

	"github.com/gosojourn/sojourn"
)

// A memo is the record as a request knows it, so that Save goes on from what Get has read: it saves an
// exchange, and a session that has ended between the two is found to have ended by the compare-and-swap.
type memo struct {
	mu     sync.Mutex
	record sojourn.Record
	copied bool // by LoadNear, from a copy
	offer  bool // the next Load may have it
	old    bool // the session was found by its old token, which is good still
}

type memoKey struct{}

func memoOf(ctx context.Context) *memo {
	m, _ := ctx.Value(memoKey{}).(*memo)
	return m
}

// arm has the next Load answered from the memo.
func (m *memo) arm() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.offer = m.record.ID != ""
}

// byOld notes whether the client's old token is good.
func (m *memo) byOld(good bool) {
	if m == nil {
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.old = good
}

func (m *memo) foundByOld() bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.old
}

func (m *memo) take(id string) (r sojourn.Record, copied, ok bool) {
	if m == nil {
		return r, false, false
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if !m.offer || m.record.ID != id {
		return r, false, false
	}
	m.offer = false
	return m.record, m.copied, true
}

func (m *memo) keep(r sojourn.Record, copied bool, err error) {
	if m == nil || err != nil {
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.record, m.copied = r, copied
}

// remembering is a store that keeps memos. What the store inside does not have is errors.ErrUnsupported.
type remembering struct{ sojourn.Store }

func (s remembering) Load(ctx context.Context, id string) (sojourn.Record, error) {
	m := memoOf(ctx)
	if r, _, ok := m.take(id); ok {
		return r, nil
	}
	r, err := s.Store.Load(ctx, id)
	m.keep(r, false, err)
	return r, err
}

func (s remembering) LoadNear(ctx context.Context, id string) (sojourn.Record, bool, error) {
	near, ok := s.Store.(sojourn.Near)
	if !ok {
		r, err := s.Load(ctx, id)
		return r, false, err
	}
	m := memoOf(ctx)
	if r, copied, ok := m.take(id); ok {
		return r, copied, nil
	}
	r, copied, err := near.LoadNear(ctx, id)
	m.keep(r, copied, err)
	return r, copied, err
}

func (s remembering) Create(ctx context.Context, r sojourn.Record) error {
	err := s.Store.Create(ctx, r)
	memoOf(ctx).keep(r, false, err)
	return err
}

func (s remembering) Update(ctx context.Context, r sojourn.Record, version uint64) error {
	err := s.Store.Update(ctx, r, version)
	memoOf(ctx).keep(r, false, err)
	return err
}

func (s remembering) Touch(ctx context.Context, r sojourn.Record) error {
	err := s.Store.Touch(ctx, r)
	memoOf(ctx).keep(r, false, err)
	return err
}

func (s remembering) Local() bool {
	l, ok := s.Store.(sojourn.Local)
	return ok && l.Local()
}

func (s remembering) lacks(what string) error {
	return fmt.Errorf("gorillacompat: the store has no %s: %w", what, errors.ErrUnsupported)
}

func (s remembering) ListOwner(ctx context.Context, owner string) iter.Seq2[sojourn.Record, error] {
	if o, ok := s.Store.(sojourn.OwnerIndex); ok {
		return o.ListOwner(ctx, owner)
	}
	return func(yield func(sojourn.Record, error) bool) { yield(sojourn.Record{}, s.lacks("owner index")) }
}

func (s remembering) Fence(ctx context.Context, owner string) (uint64, time.Duration, error) {
	if o, ok := s.Store.(sojourn.OwnerIndex); ok {
		return o.Fence(ctx, owner)
	}
	return 0, 0, s.lacks("owner index")
}

func (s remembering) RevokeOwner(ctx context.Context, owner, keep string) (uint64, error) {
	if o, ok := s.Store.(sojourn.OwnerIndex); ok {
		return o.RevokeOwner(ctx, owner, keep)
	}
	return 0, s.lacks("owner index")
}

func (s remembering) ListAll(ctx context.Context) iter.Seq2[sojourn.Record, error] {
	if o, ok := s.Store.(sojourn.Lister); ok {
		return o.ListAll(ctx)
	}
	return func(yield func(sojourn.Record, error) bool) { yield(sojourn.Record{}, s.lacks("list of all")) }
}

func (s remembering) Count(ctx context.Context) (int, error) {
	if o, ok := s.Store.(sojourn.Lister); ok {
		return o.Count(ctx)
	}
	return 0, s.lacks("list of all")
}

func (s remembering) Sweep(ctx context.Context, before time.Time, limit int) (int, error) {
	if o, ok := s.Store.(sojourn.Sweeper); ok {
		return o.Sweep(ctx, before, limit)
	}
	return 0, s.lacks("sweeper")
}

func (s remembering) Check(ctx context.Context) error {
	if o, ok := s.Store.(sojourn.Checker); ok {
		return o.Check(ctx)
	}
	return s.lacks("check")
}
