package sqlstore

import (
	"context"
	"errors"
	"runtime"
	"slices"
	"sync"
)

// A group lets callers who come while others are under way share an exchange with the server. Some
// callers, a lane each, are under way at once and alone; whoever comes then waits, and when one of
// them is done, all who wait go together: the first of them leads, the others follow. So one caller
// alone never waits, there is no goroutine to start or stop, and the busier it is, the more share
// an exchange.
type group[T any] struct {
	lanes int
	most  int // callers who share one exchange
	run   func(ctx context.Context, calls []*call[T])

	mu    sync.Mutex
	busy  int
	queue []*call[T]
}

// A call is what one caller wants, and how it went.
type call[T any] struct {
	want T
	err  error
	wake chan []*call[T] // whom to lead, or none: it is done
	left bool            // its caller has, and nobody is to wake it
}

// errAlone: what was tried together failed as a whole, so each caller has to try by himself.
var errAlone = errors.New("sqlstore: not done together with others")

func newGroup[T any](lanes, most int, run func(ctx context.Context, calls []*call[T])) *group[T] {
	return &group[T]{lanes: lanes, most: most, run: run}
}

// usualLanes: the fewer, the more callers share an exchange; but one that is held up must not hold up all.
func usualLanes() int { return max(2, runtime.GOMAXPROCS(0)) }

// do has want done, alone or with others, and returns it as it was left. It returns early if ctx ends
// while the caller waits.
func (g *group[T]) do(ctx context.Context, want T) (T, error) {
	c := &call[T]{want: want}
	g.mu.Lock()
	if g.busy < g.lanes {
		g.busy++
		g.mu.Unlock()
		return g.lead(ctx, []*call[T]{c})
	}
	c.wake = make(chan []*call[T], 1)
	g.queue = append(g.queue, c)
	g.mu.Unlock()
	select {
	case calls := <-c.wake:
		if calls == nil {
			return c.want, c.err
		}
		return g.lead(ctx, calls)
	case <-ctx.Done():
		g.leave(c)
		return want, ctx.Err()
	}
}

// lead does calls, the first of which is the caller's own, and passes the lane on.
func (g *group[T]) lead(ctx context.Context, calls []*call[T]) (T, error) {
	finished := false
	defer func() {
		g.mu.Lock()
		g.next()
		g.mu.Unlock()
		for _, x := range calls[1:] {
			if !finished {
				x.err = errAlone
			}
			x.wake <- nil // there is room: it is woken once
		}
	}()
	g.run(ctx, calls)
	finished = true
	return calls[0].want, calls[0].err
}

// next gives the lane to those who wait. The caller holds mu.
func (g *group[T]) next() {
	n := min(len(g.queue), g.most)
	if n == 0 {
		g.busy--
		return
	}
	calls := g.queue[:n:n]
	if g.queue = g.queue[n:]; len(g.queue) == 0 {
		g.queue = nil // lets go of the array
	}
	calls[0].wake <- calls
}

// leave is for a caller who does not wait any longer. If it was to lead, another does.
func (g *group[T]) leave(c *call[T]) {
	g.mu.Lock()
	defer g.mu.Unlock()
	c.left = true
	if i := slices.Index(g.queue, c); i >= 0 {
		g.queue = slices.Concat(g.queue[:i], g.queue[i+1:])
		return
	}
	select {
	case calls := <-c.wake:
		if calls == nil {
			return
		}
		calls = slices.DeleteFunc(slices.Clone(calls), func(x *call[T]) bool { return x.left })
		if len(calls) == 0 {
			g.next()
		} else {
			calls[0].wake <- calls
		}
	default: // it follows somebody who does not know that it has left
	}
}
