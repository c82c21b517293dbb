package peers

import (
	"context"
	"errors"
	"sync/atomic"
	"time"

	"github.com/alexedwards/scs/v2"
	scsmem "github.com/alexedwards/scs/v2/memstore"

	"github.com/gosojourn/sojourn"
	"github.com/gosojourn/sojourn/memstore"
)

// A Medium stands where a database would: it counts exchanges, fails on demand, and heeds contexts, as
// database/sql does.
type Medium struct {
	Exchanges atomic.Int64
	Broken    atomic.Bool
}

var errBroken = errors.New("the database is on fire")

func (m *Medium) exchange(ctx context.Context) error {
	m.Exchanges.Add(1)
	if m.Broken.Load() {
		return errBroken
	}
	return ctx.Err()
}

// SojournWatched keeps sessions in memory behind m.
func SojournWatched(m *Medium, idle time.Duration) Library {
	return SojournOn(&watched{memstore.New(), m}, idle)
}

type watched struct {
	s *memstore.Store
	m *Medium
}

func (w *watched) Load(ctx context.Context, id string) (sojourn.Record, error) {
	if err := w.m.exchange(ctx); err != nil {
		return sojourn.Record{}, err
	}
	return w.s.Load(ctx, id)
}

func (w *watched) Create(ctx context.Context, r sojourn.Record) error {
	if err := w.m.exchange(ctx); err != nil {
		return err
	}
	return w.s.Create(ctx, r)
}

func (w *watched) Update(ctx context.Context, r sojourn.Record, version uint64) error {
	if err := w.m.exchange(ctx); err != nil {
		return err
	}
	return w.s.Update(ctx, r, version)
}

func (w *watched) Touch(ctx context.Context, r sojourn.Record) error {
	if err := w.m.exchange(ctx); err != nil {
		return err
	}
	return w.s.Touch(ctx, r)
}

func (w *watched) Delete(ctx context.Context, id string, version uint64) error {
	if err := w.m.exchange(ctx); err != nil {
		return err
	}
	return w.s.Delete(ctx, id, version)
}

// SCSWatched keeps sessions in memory behind m.
func SCSWatched(m *Medium, idle time.Duration) Library {
	return SCSOn(&watchedSCS{scsmem.NewWithCleanupInterval(0), m}, idle)
}

// watchedSCS has the methods with a context, which scs prefers.
type watchedSCS struct {
	*scsmem.MemStore
	m *Medium
}

var _ scs.CtxStore = (*watchedSCS)(nil)

func (w *watchedSCS) FindCtx(ctx context.Context, token string) ([]byte, bool, error) {
	if err := w.m.exchange(ctx); err != nil {
		return nil, false, err
	}
	return w.Find(token)
}

func (w *watchedSCS) CommitCtx(ctx context.Context, token string, b []byte, expiry time.Time) error {
	if err := w.m.exchange(ctx); err != nil {
		return err
	}
	return w.Commit(token, b, expiry)
}

func (w *watchedSCS) DeleteCtx(ctx context.Context, token string) error {
	if err := w.m.exchange(ctx); err != nil {
		return err
	}
	return w.Delete(token)
}
