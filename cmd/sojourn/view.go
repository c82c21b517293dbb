package main

import (
	"context"
	"errors"
	"iter"
	"time"

	"github.com/gosojourn/sojourn"
)

// A view is a store whose answers are looked at on their way to the manager, which tells what a record says.
type view struct {
	*opened
	only       *sojourn.Record // all that ListAll answers, if it is set
	bytes      int             // of the record that was yielded last
	unreadable int             // records that the manager could make nothing of
	swept      func(n int)     // told of each batch
}

func (v *view) ListAll(ctx context.Context) iter.Seq2[sojourn.Record, error] {
	if v.only != nil {
		return func(yield func(sojourn.Record, error) bool) { yield(*v.only, nil) }
	}
	return v.measured(v.opened.ListAll(ctx))
}

func (v *view) ListOwner(ctx context.Context, owner string) iter.Seq2[sojourn.Record, error] {
	return v.measured(v.opened.ListOwner(ctx, owner))
}

func (v *view) measured(all iter.Seq2[sojourn.Record, error]) iter.Seq2[sojourn.Record, error] {
	return func(yield func(sojourn.Record, error) bool) {
		for r, err := range all {
			v.bytes = len(r.Data)
			if !yield(r, err) {
				return
			}
		}
	}
}

func (v *view) Sweep(ctx context.Context, before time.Time, limit int) (int, error) {
	s, ok := v.backend.(sojourn.Sweeper)
	if !ok {
		return 0, errors.ErrUnsupported
	}
	n, err := s.Sweep(ctx, before, limit)
	if v.swept != nil {
		v.swept(n)
	}
	return n, err
}

// find answers one live session.
func (v *view) find(ctx context.Context, m *sojourn.Manager, id string) (sojourn.Info, error) {
	r, err := v.Load(ctx, id)
	if err != nil {
		return sojourn.Info{}, err
	}
	v.only, v.bytes = &r, len(r.Data)
	defer func() { v.only = nil }()
	for info, err := range m.All(ctx) {
		return info, err
	}
	if v.unreadable > 0 {
		return sojourn.Info{}, errUnreadable
	}
	return sojourn.Info{}, sojourn.ErrNotFound
}

var errUnreadable = errors.New("what is stored of this session cannot be read: nobody can use it; revoke takes it away")
