package storetest

import (
	"context"
	"errors"
	"strings"
	"sync"
	"time"

	"github.com/gosojourn/sojourn"
)

// A call is one method, on records of its own, under a context that matters.
type call struct {
	name string
	do   func(ctx context.Context) error
	is   []sojourn.Record // what its record may be afterwards; a zero Record is none
}

// calls returns one of every method that the store has.
func (t *tester) calls() []call {
	t.Helper()
	owner, created := newOwner(), newRecord(newOwner())
	loaded, updated, toTouch, deleted := t.create(newRecord("")), t.create(newRecord("")), t.create(newRecord("")), t.create(newRecord(""))
	next, later := nextRecord(updated.ID, newOwner()), touched(toTouch)
	all := []call{
		{"Load", func(ctx context.Context) error { _, err := t.store.Load(ctx, loaded.ID); return err }, []sojourn.Record{loaded}},
		{"Create", func(ctx context.Context) error { return t.store.Create(ctx, created) }, []sojourn.Record{{}, created}},
		{"Update", func(ctx context.Context) error { return t.store.Update(ctx, next, updated.Version) }, []sojourn.Record{updated, next}},
		{"Touch", func(ctx context.Context) error { return t.store.Touch(ctx, later) }, []sojourn.Record{toTouch, later}},
		{"Delete", func(ctx context.Context) error { return t.store.Delete(ctx, deleted.ID, deleted.Version) }, []sojourn.Record{deleted, {}}},
	}
	if sweeper, ok := t.store.(sojourn.Sweeper); ok {
		all = append(all, call{"Sweep", func(ctx context.Context) error {
			_, err := sweeper.Sweep(ctx, time.Now().Add(-24*time.Hour), 10)
			return err
		}, nil})
	}
	if index, ok := t.store.(sojourn.OwnerIndex); ok {
		owned := t.create(newRecord(owner))
		all = append(all,
			call{"ListOwner", func(ctx context.Context) error { _, err := t.list(ctx, index, owner); return err }, nil},
			call{"Fence", func(ctx context.Context) error { _, _, err := index.Fence(ctx, owner); return err }, nil},
			call{"RevokeOwner", func(ctx context.Context) error { _, err := index.RevokeOwner(ctx, owner, ""); return err }, []sojourn.Record{owned, {}}})
	}
	return all
}

// givenUp complains of an error that would be taken for an answer.
func (t *tester) givenUp(err error, what string) {
	t.Helper()
	if is(err, sojourn.ErrNotFound, sojourn.ErrConflict, sojourn.ErrRefused) {
		t.broken("%s whose context had ended returned %s, want the outcome or an error that settles nothing", what, say(err))
	}
}

// works complains unless the store answers as if nothing had been.
func (t *tester) works(when string) {
	t.Helper()
	t.within(t.patience, when+", what had a whole context", func() {
		for _, c := range t.calls() {
			if err := c.do(t.ctx); !errors.Is(err, errors.ErrUnsupported) {
				t.want(err, when+", "+c.name, nil)
			}
		}
	})
}

// Often enough that a connection lost each time is missed.
func doneContextEndsACallAtOnce(t *tester) {
	canceled, cancel := context.WithCancel(t.ctx)
	cancel()
	late, cancel := context.WithDeadline(t.ctx, time.Now().Add(-time.Second))
	defer cancel()
	for _, ctx := range []context.Context{canceled, late} {
		for _, c := range t.calls() {
			what := c.name + " under a context that was done before"
			t.within(t.patience/5, what, func() { _ = c.do(ctx) }) // what it may answer is promise 12
			t.within(t.patience, "100 calls of "+what, func() {
				for range 100 {
					_ = c.do(ctx)
				}
			})
		}
	}
	t.works("after calls under a done context")
}

func listingEndsWithItsContext(t *tester) {
	const sessions = 500
	index := t.ownerIndex("ListOwner")
	owner := newOwner()
	t.createMany(sessions, func() sojourn.Record { return newRecord(owner) })
	for _, when := range []string{"before it began", "in its body"} {
		ctx, cancel := context.WithCancel(t.ctx)
		defer cancel()
		if when == "before it began" {
			cancel()
		}
		listed, last := 0, error(nil)
		for _, err := range index.ListOwner(ctx, owner) {
			cancel()
			if last = err; err == nil {
				listed++
			}
		}
		if last == nil || listed >= sessions {
			t.broken("ListOwner whose context ended %s yielded %d records of %d and ended with %s, want an error, and soon", when, listed, sessions, say(last))
		}
	}
}

// What waits for a medium that is silent gives up with its context and leaves nothing behind there.
func stalledCallEndsWithItsContext(t *tester) {
	if t.medium.Stall == nil {
		t.Skipf("nothing stalls this medium: see Medium.Stall of storetest.RunFaults")
	}
	var given []call
	for range 2 {
		given = append(given, t.calls()...)
	}
	undo := sync.OnceFunc(t.medium.Stall())
	defer undo()
	errs, late := t.giveUp(given, t.patience/200, t.patience/5)
	if len(late) > 0 {
		t.stop("%v after their contexts had ended, these had not returned from a stalled medium: %s", t.patience/5, strings.Join(late, ", "))
	}
	for i, c := range given {
		t.givenUp(errs[i], c.name+" on a stalled medium")
		if c.name == "Update" && errs[i] == nil {
			t.stop("Update returned nil while the medium was stalled: does Medium.Stall stall it?")
		}
	}
	if t.medium.Idle != nil {
		ctx, cancel := context.WithTimeout(t.ctx, t.patience/2)
		defer cancel()
		if err := t.medium.Idle(ctx); err != nil {
			t.broken("calls that were given up still hold a lock or a connection: %v", err)
		}
	}
	undo()
	t.works("after the medium was stalled")
	for _, c := range given {
		t.isOneOf(c)
	}
}

// giveUp makes all calls at once, under contexts that end soon: half as when a client leaves, half as
// when a deadline passes. It names those that had not returned a grace after that.
func (t *tester) giveUp(calls []call, soon, grace time.Duration) (errs []error, late []string) {
	t.Helper()
	errs = make([]error, len(calls))
	type end struct {
		i   int
		err error
	}
	ends := make(chan end, len(calls))
	for i, c := range calls {
		ctx, cancel := context.WithTimeout(t.ctx, soon)
		if i%2 == 1 {
			ctx, cancel = context.WithCancel(t.ctx)
			defer time.AfterFunc(soon, cancel).Stop()
		}
		defer cancel()
		go func() { ends <- end{i, c.do(ctx)} }()
	}
	timer := time.NewTimer(soon + grace)
	defer timer.Stop()
	returned := make([]bool, len(calls))
	for range calls {
		select {
		case e := <-ends:
			errs[e.i], returned[e.i] = e.err, true
			continue
		case <-timer.C:
		}
		break
	}
	for i, c := range calls {
		if !returned[i] {
			late = append(late, c.name)
		}
	}
	return errs, late
}

// isOneOf complains unless what a call wrote, or did not write, is whole.
func (t *tester) isOneOf(c call) {
	t.Helper()
	id := ""
	for _, r := range c.is {
		id = max(id, r.ID)
	}
	if id == "" {
		return
	}
	got, err := t.store.Load(t.ctx, id)
	if err != nil && !is(err, sojourn.ErrNotFound) {
		t.broken("after a %s that was given up, Load returned %s", c.name, say(err))
		return
	}
	for _, r := range c.is {
		if differs(got, r) == "" {
			return
		}
	}
	t.broken("a %s that was given up was applied in part", c.name)
}
