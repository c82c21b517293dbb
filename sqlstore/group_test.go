package sqlstore

import (
	"context"
	"errors"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

type square struct{ n, out int }

func squares(took time.Duration, at *atomic.Int64, most *atomic.Int64) func(context.Context, []*call[square]) {
	return func(_ context.Context, calls []*call[square]) {
		n := at.Add(1)
		for m := most.Load(); n > m && !most.CompareAndSwap(m, n); m = most.Load() {
		}
		time.Sleep(took)
		for _, c := range calls {
			c.want.out = c.want.n * c.want.n
		}
		at.Add(-1)
	}
}

func TestGroupSharesExchanges(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var at, most atomic.Int64
		g := newGroup(4, 32, squares(time.Second, &at, &most))
		start := time.Now()
		var wg sync.WaitGroup
		for i := range 100 {
			wg.Go(func() {
				if got, err := g.do(t.Context(), square{n: i}); err != nil || got.out != i*i {
					t.Errorf("%d: %d, %v", i, got.out, err)
				}
			})
		}
		wg.Wait()
		// Four alone, then 96 that wait, 32 in a lane.
		if took := time.Since(start); took != 2*time.Second || most.Load() > 4 {
			t.Errorf("took %v with %d exchanges at once, want 2s and at most 4", took, most.Load())
		}
		if g.busy != 0 || g.queue != nil {
			t.Errorf("%d lanes are taken, %d wait", g.busy, len(g.queue))
		}
	})
}

func TestOneAloneNeverWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var at, most atomic.Int64
		g := newGroup(1, 32, squares(time.Second, &at, &most))
		start := time.Now()
		for i := range 3 {
			if got, err := g.do(t.Context(), square{n: i}); err != nil || got.out != i*i {
				t.Errorf("%d: %d, %v", i, got.out, err)
			}
		}
		if took := time.Since(start); took != 3*time.Second {
			t.Errorf("took %v, want 3s", took)
		}
	})
}

// Callers who leave at any moment take no lane with them and hold nobody up.
func TestGroupSurvivesWhoLeaves(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var at, most atomic.Int64
		g := newGroup(2, 4, squares(10*time.Millisecond, &at, &most))
		var wg sync.WaitGroup
		var done, left atomic.Int64
		for i := range 2000 {
			wg.Go(func() {
				time.Sleep(rand.N(time.Second))
				ctx, cancel := context.WithTimeout(t.Context(), rand.N(40*time.Millisecond))
				defer cancel()
				switch got, err := g.do(ctx, square{n: i}); {
				case err == nil && got.out == i*i:
					done.Add(1)
				case errors.Is(err, context.DeadlineExceeded):
					left.Add(1)
				default:
					t.Errorf("%d: %d, %v", i, got.out, err)
				}
			})
		}
		wg.Wait()
		if g.busy != 0 || g.queue != nil {
			t.Errorf("%d lanes are taken, %d wait", g.busy, len(g.queue))
		}
		if done.Load() < 100 || left.Load() < 100 {
			t.Errorf("%d were done and %d left: little is tested", done.Load(), left.Load())
		}
	})
}

func TestGroupSurvivesAPanic(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGroup(1, 8, func(_ context.Context, calls []*call[square]) {
			time.Sleep(time.Second)
			panic("a driver")
		})
		var alone, panicked atomic.Int64
		var wg sync.WaitGroup
		for range 5 {
			wg.Go(func() {
				defer func() {
					if recover() != nil {
						panicked.Add(1)
					}
				}()
				if _, err := g.do(t.Context(), square{}); err == errAlone {
					alone.Add(1)
				}
			})
		}
		wg.Wait()
		if panicked.Load() != 2 || alone.Load() != 3 || g.busy != 0 {
			t.Errorf("%d panicked, %d were left to themselves, %d lanes are taken; want 2, 3, 0", panicked.Load(), alone.Load(), g.busy)
		}
	})
}
