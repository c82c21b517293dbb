package storetest

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/gosojourn/sojourn"
)

// refused complains unless err is a refusal that says why, and no verdict on the session.
func (t *tester) refused(err error, what string) {
	t.Helper()
	switch {
	case is(err, sojourn.ErrNotFound, sojourn.ErrConflict):
		t.broken("%s returned %s, want an error that wraps ErrRefused", what, say(err))
	case errors.Is(err, sojourn.ErrTooLarge):
	case !errors.Is(err, sojourn.ErrRefused):
		t.broken("%s returned %s, want an error that wraps ErrRefused", what, say(err))
	case strings.Trim(strings.ReplaceAll(err.Error(), sojourn.ErrRefused.Error(), ""), " :;,.") == "":
		t.broken("%s returned ErrRefused without a word of why", what)
	}
}

// What one store has room for another has not, so each row may also be kept; cases of promise 13 look at
// what is left behind.
func whatDoesNotFitIsRefused(t *tester) {
	for _, row := range []struct {
		what   string
		change func(r *sojourn.Record)
	}{
		{"an Expiry in the year 300,000,000", func(r *sojourn.Record) { r.Expiry = time.Date(300_000_000, 1, 1, 0, 0, 0, 0, time.UTC) }},
		{"a Seen before the year 1", func(r *sojourn.Record) { r.Seen = time.Date(-300_000_000, 1, 1, 0, 0, 0, 0, time.UTC) }},
		{"an owner of 256 bytes", func(r *sojourn.Record) { r.Owner = newOwner() + strings.Repeat("o", 256-len(newOwner())) }},
		{"a version of more than 48 bits", func(r *sojourn.Record) { r.Version = 1 << 60 }},
	} {
		created := newRecord("")
		row.change(&created)
		if err := t.store.Create(t.ctx, created); err != nil {
			t.refused(err, "Create with "+row.what)
		}
		there := t.create(newRecord(""))
		next := nextRecord(there.ID, "")
		row.change(&next)
		if err := t.store.Update(t.ctx, next, there.Version); err != nil {
			t.refused(err, "Update to "+row.what)
		}
	}
}

// A medium that is read-only refuses all writes; one that is full may still delete. What it refuses is
// said at once and leaves everything as it was.
func mediumThatRefusesIsQuoted(t *tester) {
	if t.medium.Refuse == nil {
		t.Skipf("nothing makes this medium refuse: see Medium.Refuse of storetest.RunFaults")
	}
	owner := newOwner()
	updated, toTouch, deleted, owned := t.create(newRecord("")), t.create(newRecord("")), t.create(newRecord("")), t.create(newRecord(owner))
	created, next, later := newRecord(""), nextRecord(updated.ID, ""), touched(toTouch)
	index, indexed := t.store.(sojourn.OwnerIndex)

	var createErr, updateErr, touchErr, deleteErr, revokeErr error
	undo := t.medium.Refuse()
	func() {
		defer undo()
		t.within(t.patience/2, "a write that the medium refuses", func() {
			createErr = t.store.Create(t.ctx, created)
			updateErr = t.store.Update(t.ctx, next, updated.Version)
			touchErr = t.store.Touch(t.ctx, later)
			deleteErr = t.store.Delete(t.ctx, deleted.ID, deleted.Version)
			if indexed {
				_, revokeErr = index.RevokeOwner(t.ctx, owner, "")
			}
		})
	}()
	t.refused(createErr, "Create on a medium that refuses")
	t.refused(updateErr, "Update on a medium that refuses")
	t.refusedOrDone(touchErr, "Touch", toTouch, later)
	t.refusedOrDone(deleteErr, "Delete", deleted, sojourn.Record{})
	t.gone(created.ID, "after a Create that was refused")
	t.sees(updated, "after an Update that was refused")
	switch {
	case !indexed || errors.Is(revokeErr, errors.ErrUnsupported):
	case revokeErr == nil:
		t.gone(owned.ID, "after RevokeOwner on a medium that refuses, which returned nil,")
	default:
		t.refused(revokeErr, "RevokeOwner on a medium that refuses")
		t.sees(owned, "after a RevokeOwner that was refused")
		if fence, _, err := index.Fence(t.ctx, owner); err == nil && fence != 0 {
			t.broken("after a RevokeOwner that was refused, Fence is %d, want 0", fence)
		}
	}
	t.want(t.store.Create(t.ctx, created), "Create on a medium that refuses no more", nil)
	t.want(t.store.Update(t.ctx, next, updated.Version), "Update on a medium that refuses no more", nil)
}

func (t *tester) refusedOrDone(err error, what string, was, becomes sojourn.Record) {
	t.Helper()
	when := fmt.Sprintf("after a %s on a medium that refuses, which returned %s", what, say(err))
	want := was
	if err == nil {
		want = becomes
	} else {
		t.refused(err, what+" on a medium that refuses")
	}
	if want.ID == "" {
		t.gone(was.ID, when+",")
	} else {
		t.sees(want, when)
	}
}
