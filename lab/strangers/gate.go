package strangers

import (
	"context"
	"errors"
	"iter"
	"sync"
	"time"

	"github.com/gosojourn/sojourn"
)

// A gate is the way to a store: hook is asked first, and an error of its own is the answer.
type gate struct {
	sojourn.Store

	mu    sync.Mutex
	hook  func(ctx context.Context, op string) error
	calls map[string]int
}

func (g *gate) set(hook func(ctx context.Context, op string) error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.hook, g.calls = hook, map[string]int{}
}

func (g *gate) count(op string) int {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.calls[op]
}

func (g *gate) pass(ctx context.Context, op string) error {
	g.mu.Lock()
	if g.calls != nil {
		g.calls[op]++
	}
	hook := g.hook
	g.mu.Unlock()
	if hook == nil {
		return nil
	}
	return hook(ctx, op)
}

var errFire = errors.New("the database is on fire")

// fails is the hook of a store that answers err to those questions.
func fails(err error, ops ...string) func(context.Context, string) error {
	return func(_ context.Context, op string) error {
		for _, o := range ops {
			if o == op {
				return err
			}
		}
		return nil
	}
}

// stalls is the hook of a store that does not answer those questions.
func stalls(ops ...string) func(context.Context, string) error {
	return func(ctx context.Context, op string) error {
		if fails(errFire, ops...)(ctx, op) == nil {
			return nil
		}
		<-ctx.Done()
		return ctx.Err()
	}
}

var writes = []string{"create", "update", "touch", "delete", "revoke"}

func (g *gate) Load(ctx context.Context, id string) (sojourn.Record, error) {
	if err := g.pass(ctx, "load"); err != nil {
		return sojourn.Record{}, err
	}
	return g.Store.Load(ctx, id)
}

func (g *gate) Create(ctx context.Context, r sojourn.Record) error {
	if err := g.pass(ctx, "create"); err != nil {
		return err
	}
	return g.Store.Create(ctx, r)
}

func (g *gate) Update(ctx context.Context, r sojourn.Record, version uint64) error {
	if err := g.pass(ctx, "update"); err != nil {
		return err
	}
	return g.Store.Update(ctx, r, version)
}

func (g *gate) Touch(ctx context.Context, r sojourn.Record) error {
	if err := g.pass(ctx, "touch"); err != nil {
		return err
	}
	return g.Store.Touch(ctx, r)
}

func (g *gate) Delete(ctx context.Context, id string, version uint64) error {
	if err := g.pass(ctx, "delete"); err != nil {
		return err
	}
	return g.Store.Delete(ctx, id, version)
}

func (g *gate) index() sojourn.OwnerIndex { return g.Store.(sojourn.OwnerIndex) }

func (g *gate) ListOwner(ctx context.Context, owner string) iter.Seq2[sojourn.Record, error] {
	return func(yield func(sojourn.Record, error) bool) {
		if err := g.pass(ctx, "list"); err != nil {
			yield(sojourn.Record{}, err)
			return
		}
		g.index().ListOwner(ctx, owner)(yield)
	}
}

func (g *gate) Fence(ctx context.Context, owner string) (uint64, time.Duration, error) {
	if err := g.pass(ctx, "fence"); err != nil {
		return 0, 0, err
	}
	return g.index().Fence(ctx, owner)
}

func (g *gate) RevokeOwner(ctx context.Context, owner, keep string) (uint64, error) {
	if err := g.pass(ctx, "revoke"); err != nil {
		return 0, err
	}
	return g.index().RevokeOwner(ctx, owner, keep)
}
