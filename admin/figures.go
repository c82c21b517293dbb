package admin

import (
	"context"
	"errors"
	"maps"
	"sync"
	"time"

	"github.com/gosojourn/sojourn"
)

// Figures count what a manager does, in this process: sessions that began and ended, logins, tokens that were refused,
// and how long the store takes to answer. They keep the last ten minutes, in about 30 kB, and nothing about anybody.
//
// They are a [sojourn.Observer]; OnEvent is a [sojourn.Config.OnEvent], to be called by yours if you have one:
//
//	figures := admin.NewFigures()
//	sessions, err := sojourn.New(store, sojourn.Config{Observer: figures, OnEvent: figures.OnEvent})
//
// Beside an observer that you have already, use [sojourn.Observers]. Figures are of one manager.
type Figures struct {
	mu    sync.Mutex
	since time.Time
	asked bool       // the store was, under our eyes
	last  int64      // which step the newest is
	steps [keep]step // a ring: step n is in steps[n%keep]
}

const (
	keep = 60               // steps
	long = 10 * time.Second // each
)

// A step is what happened in ten seconds.
type step struct {
	created, logins, failed int
	ended, refused          counts
	took                    histogram
	live                    int // sessions in the store
	counted                 bool
}

// counts are by reason. Reasons are from fixed lists, so there are few.
type counts map[string]int

func (c *counts) add(reason string) {
	if *c == nil {
		*c = make(counts, 4)
	}
	(*c)[reason]++
}

func (c counts) sum() (n int) {
	for _, k := range c {
		n += k
	}
	return n
}

// NewFigures returns figures that have seen nothing yet.
func NewFigures() *Figures {
	now := time.Now()
	return &Figures{since: now, last: stepOf(now)}
}

func stepOf(t time.Time) int64 { return t.UnixNano() / int64(long) }

// now is the step that now is in. The caller holds mu.
func (f *Figures) now() *step {
	n := stepOf(time.Now())
	for i := max(f.last+1, n-keep+1); i <= n; i++ {
		f.steps[i%keep] = step{}
	}
	f.last = max(f.last, n) // a clock that was put back does not empty what is there
	return &f.steps[f.last%keep]
}

// OnEvent counts e. It does not block.
func (f *Figures) OnEvent(_ context.Context, e sojourn.Event) {
	f.mu.Lock()
	defer f.mu.Unlock()
	switch s := f.now(); e.Name {
	case sojourn.EventCreated:
		s.created++
	case sojourn.EventLogin:
		s.logins++
	case sojourn.EventEnded:
		s.ended.add(e.Reason)
	case sojourn.EventTokenRefused:
		s.refused.add(e.Reason)
	}
}

// Start implements [sojourn.Observer]. What goes through all sessions is not timed: it would hide the rest.
func (f *Figures) Start(ctx context.Context, op sojourn.Op) (context.Context, func(err error)) {
	switch op.Name {
	case sojourn.OpList, sojourn.OpListAll, sojourn.OpCount, sojourn.OpSweep:
		return ctx, f.answered
	}
	began := time.Now()
	return ctx, func(err error) {
		f.note(err, time.Since(began))
	}
}

func (f *Figures) answered(err error) { f.note(err, -1) }

func (f *Figures) note(err error, took time.Duration) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.asked = true
	s := f.now()
	if !answer(err) {
		s.failed++
	} else if took >= 0 {
		s.took.add(took)
	}
}

// answer reports whether err is one of a store, and not the want of one.
func answer(err error) bool {
	for _, is := range []error{sojourn.ErrNotFound, sojourn.ErrConflict, sojourn.ErrTooLarge, errors.ErrUnsupported} {
		if errors.Is(err, is) {
			return true
		}
	}
	return err == nil
}

// setLive notes how many sessions there are.
func (f *Figures) setLive(n int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	s := f.now()
	s.live, s.counted = n, true
}

// seen reports whether a manager has told these figures of a question to its store.
func (f *Figures) seen() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.asked
}

// recent answers the steps, oldest first, as they are now. The last one is not over.
func (f *Figures) recent() (all [keep]step) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.now()
	for i := range all {
		s := f.steps[(f.last+1+int64(i))%keep]
		s.ended, s.refused = maps.Clone(s.ended), maps.Clone(s.refused)
		all[i] = s
	}
	return all
}
