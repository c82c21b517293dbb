package suite

import (
	"context"
	"errors"
	"sync"

	"github.com/gosojourn/sojourn"
	"github.com/gosojourn/sojourn/memstore"
)

var errDown = errors.New("the database is down")

// A gate is a store in memory that can be down, for all or for writing, and counts what it is asked.
type gate struct {
	*memstore.Store

	mu    sync.Mutex
	down  string // "", "writes" or "all"
	count int
}

func (g *gate) set(down string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.down, g.count = down, 0
}

func (g *gate) asked() int {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.count
}

func (g *gate) pass(writes bool) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.count++
	if g.down == "all" || g.down == "writes" && writes {
		return errDown
	}
	return nil
}

func (g *gate) Load(ctx context.Context, id string) (sojourn.Record, error) {
	if err := g.pass(false); err != nil {
		return sojourn.Record{}, err
	}
	return g.Store.Load(ctx, id)
}

func (g *gate) Create(ctx context.Context, r sojourn.Record) error {
	if err := g.pass(true); err != nil {
		return err
	}
	return g.Store.Create(ctx, r)
}

func (g *gate) Update(ctx context.Context, r sojourn.Record, version uint64) error {
	if err := g.pass(true); err != nil {
		return err
	}
	return g.Store.Update(ctx, r, version)
}

func (g *gate) Touch(ctx context.Context, r sojourn.Record) error {
	if err := g.pass(true); err != nil {
		return err
	}
	return g.Store.Touch(ctx, r)
}

func (g *gate) Delete(ctx context.Context, id string, version uint64) error {
	if err := g.pass(true); err != nil {
		return err
	}
	return g.Store.Delete(ctx, id, version)
}
