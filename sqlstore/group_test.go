package sqlstore

import (
	"context"
	"errors"
	"math/rand/v2"
	"runtime"
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
		g := newGroup(4, 32, squares(10*time.Millisecond, &at, &most))
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
		if took := time.Since(start); took != 20*time.Millisecond || most.Load() > 4 {
			t.Errorf("took %v with %d exchanges at once, want 20ms and at most 4", took, most.Load())
		}
		if g.busy != 0 || g.queue.n != 0 || g.queue.first != nil || len(g.leading) != 0 {
			t.Errorf("%d lanes are taken, %d wait, %d lead", g.busy, g.queue.n, len(g.leading))
		}
	})
}

func TestOneAloneNeverWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var at, most atomic.Int64
		g := newGroup(1, 32, squares(10*time.Millisecond, &at, &most))
		start := time.Now()
		for i := range 3 {
			if got, err := g.do(t.Context(), square{n: i}); err != nil || got.out != i*i {
				t.Errorf("%d: %d, %v", i, got.out, err)
			}
		}
		if took := time.Since(start); took != 30*time.Millisecond {
			t.Errorf("took %v, want 30ms", took)
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
		if g.busy != 0 || g.queue.n != 0 || g.queue.first != nil || len(g.leading) != 0 {
			t.Errorf("%d lanes are taken, %d wait, %d lead", g.busy, g.queue.n, len(g.leading))
		}
		if done.Load() < 100 || left.Load() < 100 {
			t.Errorf("%d were done and %d left: little is tested", done.Load(), left.Load())
		}
	})
}

func TestGroupSurvivesAPanic(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGroup(1, 8, func(_ context.Context, calls []*call[square]) {
			time.Sleep(10 * time.Millisecond)
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

// Dead connections hold up those who are on them, and the others for a moment.
func TestSilentExchangesGetARelief(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var silent, loud atomic.Int64
		g := newGroup(2, 4, func(ctx context.Context, calls []*call[square]) {
			if calls[0].want.n < 0 {
				silent.Add(1)
				<-ctx.Done()
				tellAll(calls, ctx.Err())
				return
			}
			time.Sleep(time.Millisecond)
			for _, c := range calls {
				c.want.out = c.want.n * c.want.n
			}
		})
		ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
		defer cancel()
		var dead, wg sync.WaitGroup
		for range 2 {
			dead.Go(func() { g.do(ctx, square{n: -1}) })
		}
		synctest.Wait()
		start := time.Now()
		for i := range 32 {
			wg.Go(func() {
				for range 100 {
					if got, err := g.do(t.Context(), square{n: i}); err != nil || got.out != i*i {
						t.Errorf("%d: %d, %v", i, got.out, err)
					}
					loud.Add(1)
				}
			})
		}
		wg.Wait()
		// 3,200 calls, four in each of two lanes, a millisecond each, and once the silence before.
		if took := time.Since(start); took > silence+500*time.Millisecond {
			t.Errorf("%d calls took %v beside %d dead connections", loud.Load(), took, silent.Load())
		}
		// More of them than there may be reliefs: the rest waits, and leaves when its time is over.
		for range 100 {
			dead.Go(func() {
				if _, err := g.do(ctx, square{n: -1}); !errors.Is(err, context.DeadlineExceeded) {
					t.Errorf("on a dead connection: %v", err)
				}
			})
		}
		time.Sleep(time.Minute)
		g.mu.Lock()
		n := len(g.leading)
		g.mu.Unlock()
		if n != reliefs+2 {
			t.Errorf("%d exchanges are under way, want %d", n, reliefs+2)
		}
		dead.Wait()
		time.Sleep(silence) // the timer goes off once more
		synctest.Wait()
		if g.busy != 0 || g.relief != 0 || g.queue.n != 0 || g.armed {
			t.Errorf("%d lanes are taken, %d silent, %d wait, armed %v", g.busy, g.relief, g.queue.n, g.armed)
		}
	})
}

// Whoever leads has at least as much time as those who follow.
func TestWhoLeadsLeavesLast(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGroup(1, 8, func(ctx context.Context, calls []*call[square]) {
			select {
			case <-time.After(40 * time.Millisecond):
			case <-ctx.Done():
				tellAll(calls, ctx.Err())
			}
		})
		var wg sync.WaitGroup
		ask := func(limit time.Duration, want error) {
			wg.Go(func() {
				ctx := t.Context()
				if limit > 0 {
					var cancel context.CancelFunc
					ctx, cancel = context.WithTimeout(ctx, limit)
					defer cancel()
				}
				if _, err := g.do(ctx, square{}); !errors.Is(err, want) {
					t.Errorf("with %v: %v, want %v", limit, err, want)
				}
			})
			synctest.Wait()
		}
		ask(0, nil) // takes the lane for 40 ms
		ask(60*time.Millisecond, context.DeadlineExceeded)
		ask(time.Second, nil)
		ask(70*time.Millisecond, context.DeadlineExceeded)
		ask(2*time.Second, nil)
		wg.Wait()
	})
}

// F17: 16,000 who wait with one deadline.
func TestF17_LeavingIsCheap(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGroup(1, 32, func(ctx context.Context, calls []*call[square]) { <-ctx.Done() })
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
		defer cancel()
		var wg sync.WaitGroup
		for range 16_000 {
			wg.Go(func() { g.do(ctx, square{}) })
		}
		synctest.Wait()
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		wg.Wait()
		runtime.ReadMemStats(&after)
		if n := (after.TotalAlloc - before.TotalAlloc) / 16_000; n > 500 {
			t.Errorf("each who leaves costs %d bytes", n)
		}
		if g.queue.n != 0 || g.queue.first != nil || g.queue.last != nil {
			t.Errorf("%d still wait", g.queue.n)
		}
	})
}
