package storetest

import (
	"context"
	"runtime"
	"time"

	"github.com/gosojourn/sojourn"
)

// cut says whether err is one with which a store may answer under a done context instead of the outcome.
func (t *tester) cut(err error, what string) bool {
	t.Helper()
	if is(err, sojourn.ErrNotFound, sojourn.ErrConflict) {
		t.broken("%s under a done context returned %s, want the outcome or another error", what, say(err))
	}
	return err != nil
}

// wholeOrNot complains unless the record is as it was, or as it was to be; a zero Record is none.
// After nil only the latter will do.
func (t *tester) wholeOrNot(err error, what, id string, was, becomes sojourn.Record) {
	t.Helper()
	cut := t.cut(err, what)
	got, loadErr := t.store.Load(t.ctx, id)
	if loadErr != nil && !is(loadErr, sojourn.ErrNotFound) {
		t.broken("after %s under a done context, Load returned %s", what, say(loadErr))
		return
	}
	switch {
	case differs(got, becomes) == "":
	case !cut:
		t.broken("%s under a done context returned nil, but was not applied", what)
	case differs(got, was) != "":
		t.broken("%s under a done context returned %s and was applied in part", what, say(err))
	}
}

func doneContextIsNoAnswer(t *tester) {
	canceled, cancel := context.WithCancel(t.ctx)
	cancel()
	late, cancel := context.WithDeadline(t.ctx, time.Now().Add(-time.Second))
	defer cancel()
	for _, ctx := range []context.Context{canceled, late} {
		there := t.create(newRecord(newOwner()))
		got, err := t.store.Load(ctx, there.ID)
		if !t.cut(err, "Load") {
			if diff := differs(got, there); diff != "" {
				t.broken("Load under a done context returned %s", diff)
			}
		}
		if _, err := t.store.Load(ctx, newID()); err == nil || is(err, sojourn.ErrConflict) {
			t.broken("Load of an unknown id under a done context returned %s, want ErrNotFound or an error that is not ErrConflict", say(err))
		}
		t.writeUnder(func() (context.Context, context.CancelFunc) { return ctx, func() {} })
		if sweeper, ok := t.store.(sojourn.Sweeper); ok {
			_, err := sweeper.Sweep(ctx, time.Now().Add(-24*time.Hour), 10)
			t.cut(err, "Sweep")
		}
		if index, ok := t.store.(sojourn.OwnerIndex); ok {
			t.indexUnder(ctx, index)
		}
		t.sees(there, "after calls under a done context")
	}
}

// writeUnder makes one write of each kind, each under a context of its own.
func (t *tester) writeUnder(newContext func() (context.Context, context.CancelFunc)) {
	t.Helper()
	under := func(write func(ctx context.Context) error) error {
		ctx, cancel := newContext()
		defer cancel()
		return write(ctx)
	}
	created := newRecord("")
	err := under(func(ctx context.Context) error { return t.store.Create(ctx, created) })
	t.wholeOrNot(err, "Create", created.ID, sojourn.Record{}, created)

	there := t.create(newRecord(""))
	next := nextRecord(there.ID, newOwner())
	err = under(func(ctx context.Context) error { return t.store.Update(ctx, next, there.Version) })
	t.wholeOrNot(err, "Update", there.ID, there, next)

	there = t.create(newRecord(""))
	next = touched(there)
	err = under(func(ctx context.Context) error { return t.store.Touch(ctx, next) })
	t.wholeOrNot(err, "Touch", there.ID, there, next)

	there = t.create(newRecord(""))
	err = under(func(ctx context.Context) error { return t.store.Delete(ctx, there.ID, there.Version) })
	t.wholeOrNot(err, "Delete", there.ID, there, sojourn.Record{})
}

func (t *tester) indexUnder(ctx context.Context, index sojourn.OwnerIndex) {
	t.Helper()
	r := t.create(newRecord(newOwner()))
	found, err := t.list(ctx, index, r.Owner)
	if !t.cut(err, "ListOwner") && len(found) != 1 {
		t.broken("ListOwner under a done context yielded %d records and no error, want 1 or an error", len(found))
	}
	fence, _, err := index.Fence(ctx, r.Owner)
	if !t.cut(err, "Fence") && fence != 0 {
		t.broken("Fence under a done context returned %d, want 0 or an error", fence)
	}
	// A fence without the deletion is half a revocation and does no harm; the other half would.
	raised, err := index.RevokeOwner(ctx, r.Owner, "")
	cut := t.cut(err, "RevokeOwner")
	_, err = t.store.Load(t.ctx, r.ID)
	fence, _, fenceErr := index.Fence(t.ctx, r.Owner)
	switch {
	case fenceErr != nil:
	case !cut && (err == nil || fence != raised):
		t.broken("RevokeOwner under a done context returned nil, but was not applied whole")
	case err != nil && fence == 0:
		t.broken("RevokeOwner under a done context deleted and raised no fence")
	}
}

// Contexts that end while the write is under way, sooner or later.
func writeCutShortIsWholeOrNotAtAll(t *tester) {
	for i := range 12 {
		t.writeUnder(func() (context.Context, context.CancelFunc) {
			ctx, cancel := context.WithCancel(t.ctx)
			go func() {
				for range i * i {
					runtime.Gosched()
				}
				cancel()
			}()
			return ctx, cancel
		})
	}
	for _, n := range midways[:8] {
		t.writeUnder(func() (context.Context, context.CancelFunc) { return cut(t.ctx, n) })
	}
}
