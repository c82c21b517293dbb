package sqlstore

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"sync"
	"time"
)

// A group lets callers who come while others are under way share an exchange with the server. Some
// callers, a lane each, are under way at once and alone; whoever comes then waits, and when one of
// them is done, all who wait go together: one of them leads, the others follow. So one caller
// alone never waits, there is no goroutine to start or stop, and the busier it is, the more share
// an exchange. An exchange that is silent for long gets a lane beside it, so that a few dead connections
// hold nobody up but those who are on them.
type group[T any] struct {
	lanes int
	most  int // callers who share one exchange
	run   func(ctx context.Context, calls []*call[T])

	mu      sync.Mutex
	busy    int        // lanes that are taken
	relief  int        // exchanges that are silent, and count as lanes no more
	leading []*call[T] // those whose exchange is under way, the oldest first
	queue   queue[T]
	timer   *time.Timer // looks for silent ones, while somebody waits
	armed   bool
	shares  Sharing
}

const (
	silence = 50 * time.Millisecond // after that an exchange counts as silent
	reliefs = 16                    // at most so many get a lane beside them
)

// A call is what one caller wants, and how it went.
type call[T any] struct {
	want T
	err  error
	ends time.Time       // the caller's deadline; zero: none
	wake chan []*call[T] // whom to lead, or none: it is done
	left bool            // its caller has, and nobody is to wake it
	link struct {        // in the queue
		prev, next *call[T]
		waits      bool
	}
	since  time.Time // it leads
	silent bool
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
		g.begin(c)
		g.mu.Unlock()
		return g.lead(ctx, []*call[T]{c})
	}
	c.ends, _ = ctx.Deadline()
	c.wake = make(chan []*call[T], 1)
	g.queue.push(c)
	g.watch()
	g.mu.Unlock()
	select {
	case calls := <-c.wake:
		if calls != nil {
			return g.lead(ctx, calls)
		}
		return c.want, g.told(ctx, c)
	case <-ctx.Done():
		if g.leave(c) {
			return want, &notBegun{ctx.Err()}
		}
		return want, ctx.Err()
	}
}

// told is what a follower answers. That the leader's time is over says nothing of his own.
func (g *group[T]) told(ctx context.Context, c *call[T]) error {
	if !errors.Is(c.err, context.Canceled) && !errors.Is(c.err, context.DeadlineExceeded) || ctx.Err() != nil {
		return c.err
	}
	var unsent *notBegun
	if errors.As(c.err, &unsent) {
		return errAlone // nothing was sent for anybody
	}
	if !c.ends.IsZero() && !time.Now().Before(c.ends) { // its timer is late
		return context.DeadlineExceeded
	}
	return fmt.Errorf("the call that ran the shared statement has given up: %v", c.err)
}

// lead does calls, the first of which is the caller's own, and passes the lane on.
func (g *group[T]) lead(ctx context.Context, calls []*call[T]) (T, error) {
	finished := false
	defer func() {
		g.mu.Lock()
		g.shares.add(len(calls))
		g.end(calls[0])
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

// begin notes that c leads an exchange from now on. The caller of this and what follows holds mu.
func (g *group[T]) begin(c *call[T]) {
	g.busy++
	c.since = time.Now()
	g.leading = append(g.leading, c)
}

// end notes that the exchange that c leads is over.
func (g *group[T]) end(c *call[T]) {
	i := slices.Index(g.leading, c)
	g.leading = slices.Delete(g.leading, i, i+1)
	if c.silent {
		g.relief--
	} else {
		g.busy--
	}
}

// next gives the lanes that are free to those who wait.
func (g *group[T]) next() {
	for g.busy < g.lanes && g.queue.n > 0 {
		calls := g.queue.take(g.most)
		toTheFront(calls)
		g.begin(calls[0])
		calls[0].wake <- calls
	}
	g.watch()
}

// toTheFront puts the one first whose time is over last: who leads must not leave before the others.
func toTheFront[T any](calls []*call[T]) {
	last := 0
	for i, c := range calls {
		if most := calls[last].ends; !most.IsZero() && (c.ends.IsZero() || c.ends.After(most)) {
			last = i
		}
	}
	calls[0], calls[last] = calls[last], calls[0]
}

// leave is for a caller who does not wait any longer. If it was to lead, another does. It reports that nothing
// was sent for this caller, nor will be.
func (g *group[T]) leave(c *call[T]) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	c.left = true
	if g.queue.remove(c) {
		return true
	}
	select {
	case calls := <-c.wake:
		if calls == nil {
			return false
		}
		g.end(c)
		calls = slices.DeleteFunc(slices.Clone(calls), func(x *call[T]) bool { return x.left })
		if len(calls) > 0 {
			toTheFront(calls)
			g.begin(calls[0])
			calls[0].wake <- calls
		}
		g.next()
		return true
	default: // it follows somebody who does not know that it has left
		return false
	}
}

// watch sees to it that somebody looks when the oldest exchange has been silent, if anybody waits.
func (g *group[T]) watch() {
	if g.armed || g.queue.n == 0 || g.relief >= reliefs {
		return
	}
	for _, c := range g.leading {
		if c.silent {
			continue
		}
		g.armed = true
		wait := max(silence-time.Since(c.since), 0)
		if g.timer == nil {
			g.timer = time.AfterFunc(wait, g.look)
		} else {
			g.timer.Reset(wait)
		}
		return
	}
}

// look gives a lane to those who wait for each exchange that has been silent.
func (g *group[T]) look() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.armed = false
	for _, c := range g.leading {
		if g.queue.n > 0 && g.relief < reliefs && !c.silent && time.Since(c.since) >= silence {
			c.silent = true
			g.relief++
			g.busy--
		}
	}
	g.next()
}
