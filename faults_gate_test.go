package sojourn_test

import (
	"context"
	"errors"
	"iter"
	"sync"
	"time"

	"github.com/gosojourn/sojourn"
	"github.com/gosojourn/sojourn/memstore"
)

// A gate is a store in memory that is asked over a network, as the manager sees it: each question passes
// the hook first, which may hold it up, answer in the store's place, or lose the store's answer.
type gate struct {
	*memstore.Store

	mu    sync.Mutex
	hook  func(ctx context.Context, op string) error // before the store: an error is the answer
	lose  func(op string) error                      // behind the store: an error replaces its answer
	calls map[string]int
}

func newGate() *gate { return &gate{Store: memstore.New(), calls: map[string]int{}} }

// set makes hook the answer to all that follows; nil lets the store answer.
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
	g.calls[op]++
	hook := g.hook
	g.mu.Unlock()
	if hook == nil {
		return ctx.Err() // as whoever asks over a network
	}
	return hook(ctx, op)
}

func (g *gate) behind(op string, err error) error {
	g.mu.Lock()
	lose := g.lose
	g.mu.Unlock()
	if err == nil && lose != nil {
		return lose(op)
	}
	return err
}

func writes(op string) bool {
	return op == "create" || op == "update" || op == "touch" || op == "delete" || op == "revoke"
}

// stall is the hook of a store that says nothing to those questions.
func stall(which func(op string) bool) func(context.Context, string) error {
	return func(ctx context.Context, op string) error {
		if !which(op) {
			return nil
		}
		<-ctx.Done()
		return ctx.Err()
	}
}

// slow is the hook of a store that answers each question after d.
func slow(d time.Duration) func(context.Context, string) error {
	return func(ctx context.Context, op string) error {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(d):
			return nil
		}
	}
}

var errFire = errors.New("the database is on fire")

// down is the hook of a store that fails those questions.
func down(which func(op string) bool, err error) func(context.Context, string) error {
	return func(_ context.Context, op string) error {
		if which(op) {
			return err
		}
		return nil
	}
}

func everything(string) bool { return true }

func only(ops ...string) func(string) bool {
	return func(op string) bool {
		for _, o := range ops {
			if o == op {
				return true
			}
		}
		return false
	}
}

func (g *gate) Local() bool { return false }

func (g *gate) ListAll(ctx context.Context) iter.Seq2[sojourn.Record, error] {
	return func(yield func(sojourn.Record, error) bool) {
		if err := g.pass(ctx, "list all"); err != nil {
			yield(sojourn.Record{}, err)
			return
		}
		g.Store.ListAll(ctx)(yield)
	}
}

func (g *gate) Count(ctx context.Context) (int, error) {
	if err := g.pass(ctx, "count"); err != nil {
		return 0, err
	}
	return g.Store.Count(ctx)
}

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
	return g.behind("create", g.Store.Create(ctx, r))
}

func (g *gate) Update(ctx context.Context, r sojourn.Record, version uint64) error {
	if err := g.pass(ctx, "update"); err != nil {
		return err
	}
	return g.behind("update", g.Store.Update(ctx, r, version))
}

func (g *gate) Touch(ctx context.Context, r sojourn.Record) error {
	if err := g.pass(ctx, "touch"); err != nil {
		return err
	}
	return g.behind("touch", g.Store.Touch(ctx, r))
}

func (g *gate) Delete(ctx context.Context, id string, version uint64) error {
	if err := g.pass(ctx, "delete"); err != nil {
		return err
	}
	return g.behind("delete", g.Store.Delete(ctx, id, version))
}

func (g *gate) ListOwner(ctx context.Context, owner string) iter.Seq2[sojourn.Record, error] {
	return func(yield func(sojourn.Record, error) bool) {
		if err := g.pass(ctx, "list"); err != nil {
			yield(sojourn.Record{}, err)
			return
		}
		g.Store.ListOwner(ctx, owner)(yield)
	}
}

func (g *gate) Fence(ctx context.Context, owner string) (uint64, time.Duration, error) {
	if err := g.pass(ctx, "fence"); err != nil {
		return 0, 0, err
	}
	fence, age, err := g.Store.Fence(ctx, owner)
	if time.UnixMilli(int64(fence)).After(time.Now().Add(time.Minute)) {
		age = time.Hour // by the store's own clock, whatever the clock of the host that asks says
	}
	return fence, age, err
}

func (g *gate) RevokeOwner(ctx context.Context, owner, keep string) (uint64, error) {
	if err := g.pass(ctx, "revoke"); err != nil {
		return 0, err
	}
	return g.Store.RevokeOwner(ctx, owner, keep)
}
