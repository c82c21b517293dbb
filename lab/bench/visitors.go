package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/gosojourn/sojourn"
)

// visitors use sessions of a crowd, eight at a time, each his own.
type visitors struct {
	c     *crowd
	known []sojourn.Record // as it was written last

	mu   sync.Mutex
	errs error
}

const atATime = 8

func newVisitors(c *crowd, n int) *visitors {
	v := &visitors{c: c, known: make([]sojourn.Record, n)}
	for i, of := range rand.Perm(c.size)[:n] {
		v.known[i] = crowdRecord(crowdID(of), crowdOwner(of), time.Now().Add(24*time.Hour))
	}
	return v
}

// doing answers a function that does it n times. Eight at a time, because one alone waits for the disk most.
func (v *visitors) doing(ctx context.Context, do func(*visitors, context.Context, int) error) func(n int) {
	return func(n int) {
		var wg sync.WaitGroup
		for w := range atATime {
			wg.Go(func() {
				for range (n + atATime - 1 - w) / atATime {
					if err := do(v, ctx, rand.IntN(len(v.known)/atATime)*atATime+w); err != nil {
						v.mu.Lock()
						v.errs = errors.Join(v.errs, err)
						v.mu.Unlock()
						return
					}
				}
			})
		}
		wg.Wait()
	}
}

func (v *visitors) failed(others *visitors) error { return errors.Join(v.errs, others.errs) }

func (v *visitors) load(ctx context.Context, i int) error {
	_, err := v.c.store.Load(ctx, v.known[i].ID)
	return err
}

func (v *visitors) update(ctx context.Context, i int) error {
	r := &v.known[i]
	if r.Version == crowdVersion { // somebody before may have written it
		now, err := v.c.store.Load(ctx, r.ID)
		if err != nil {
			return err
		}
		*r = now
	}
	was := r.Version
	r.Version = rand.Uint64N(1<<48-2) + 2
	return v.c.store.Update(ctx, *r, was)
}

func (v *visitors) list(ctx context.Context, i int) error {
	n := 0
	for _, err := range v.c.store.ListOwner(ctx, v.known[i].Owner) {
		if err != nil {
			return err
		}
		n++
	}
	if n < perOwner {
		return fmt.Errorf("%s has %d sessions, not %d", v.known[i].Owner, n, perOwner)
	}
	return nil
}
