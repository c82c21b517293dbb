package storetest

import (
	"context"
	"math"
	"sync/atomic"
	"time"
)

// A midway is a context at whose nth question, whether it has ended, something happens: a call under it is
// interrupted at a step of its own, every time at the same one, without a race that has to be won.
type midway struct {
	context.Context
	left atomic.Int32
	then func()
}

func newMidway(ctx context.Context, n int, then func()) *midway {
	m := &midway{Context: ctx, then: then}
	m.left.Store(int32(n))
	return m
}

func (m *midway) Done() <-chan struct{} { m.asked(); return m.Context.Done() }
func (m *midway) Err() error            { m.asked(); return m.Context.Err() }

func (m *midway) asked() {
	if m.left.Add(-1) == 0 {
		m.then()
	}
}

// reached says whether it was asked that often.
func (m *midway) reached() bool { return m.left.Load() <= 0 }

// cut is a midway that ends there.
func cut(ctx context.Context, n int) (*midway, context.CancelFunc) {
	ctx, cancel := context.WithCancel(ctx)
	return newMidway(ctx, n, cancel), cancel
}

// meanwhile is a midway at which do runs, and finish waits for it. The call under the context waits too, but
// not for long: it may have asked with a lock held that do needs.
func meanwhile(ctx context.Context, n int, do func()) (m *midway, finish func()) {
	done := make(chan struct{})
	m = newMidway(ctx, n, func() {
		go func() {
			defer close(done)
			do()
		}()
		timer := time.NewTimer(50 * time.Millisecond)
		defer timer.Stop()
		select {
		case <-done:
		case <-timer.C:
		}
	})
	return m, func() {
		if !m.over() {
			<-done
		}
	}
}

// over has whoever asks from now on count no more, and answers whether that is before it was reached. A driver may
// ask when its call has returned.
func (m *midway) over() bool {
	for {
		left := m.left.Load()
		if left <= 0 {
			return false
		}
		if m.left.CompareAndSwap(left, math.MaxInt32) {
			return true
		}
	}
}

// midways are the questions to interrupt at, until one is not asked any more.
var midways = []int{1, 2, 3, 4, 5, 6, 7, 8, 10, 12, 14, 17, 20, 25, 30, 40, 50}
