package storetest

import (
	"bytes"
	"fmt"
	"time"

	"github.com/gosojourn/sojourn"
)

func largeDataFitsOrIsRefused(t *tester) {
	large := bytes.Repeat([]byte("seventeen-letters"), 1+t.large/17)
	for _, size := range []int{60_000, 65_535, 65_536, t.large} {
		data := large[:size]
		what := fmt.Sprintf("%d bytes", size)
		created := newRecord("")
		created.Data = data
		t.fits(t.store.Create(t.ctx, created), "Create with "+what, size <= 60_000, sojourn.ErrTooLarge, sojourn.Record{}, created)

		there := t.create(newRecord(""))
		next := nextRecord(there.ID, "")
		next.Data = data
		t.fits(t.store.Update(t.ctx, next, there.Version), "Update to "+what, size <= 60_000, sojourn.ErrTooLarge, there, next)
	}
	for _, size := range []int{254, 255, 256, 300, 65_536} {
		owner := (newOwner() + string(bytes.Repeat([]byte("o"), size)))[:size]
		what := fmt.Sprintf("an owner of %d bytes", size)
		created := newRecord(owner)
		t.fits(t.store.Create(t.ctx, created), "Create with "+what, size <= 255, nil, sojourn.Record{}, created)

		there := t.create(newRecord(""))
		next := nextRecord(there.ID, owner)
		t.fits(t.store.Update(t.ctx, next, there.Version), "Update to "+what, size <= 255, nil, there, next)
	}
}

func timesFitOrAreRefused(t *tester) {
	var zero time.Time
	for _, row := range []struct{ expiry, seen time.Time }{
		{time.Date(2038, 1, 19, 3, 14, 7, 0, time.UTC), zero},
		{time.Date(2038, 1, 19, 3, 14, 8, 0, time.UTC), zero},
		{time.Date(2106, 2, 7, 6, 28, 16, 0, time.UTC), zero},
		{time.Date(2262, 4, 12, 0, 0, 0, 0, time.UTC), zero}, // past what an int64 has of nanoseconds
		{time.Date(9999, 12, 31, 23, 59, 59, 0, time.UTC), zero},
		{time.Date(10_000, 1, 1, 0, 0, 0, 0, time.UTC), zero},
		{time.Date(300_000_000, 1, 1, 0, 0, 0, 0, time.UTC), zero}, // … of milliseconds
		{time.Unix(1<<62, 0), zero},
		{dayAhead, time.Unix(0, 0)},
		{dayAhead, time.Unix(-1, 0)},
		{dayAhead, time.Unix(1, 0)},
		{dayAhead, time.Date(1, 1, 1, 0, 0, 0, 0, time.UTC)},
		{dayAhead, time.Date(-300_000_000, 1, 1, 0, 0, 0, 0, time.UTC)},
	} {
		what := fmt.Sprintf("an Expiry of %v", row.expiry.UTC())
		set := func(r *sojourn.Record) { r.Expiry = row.expiry }
		if row.expiry.Equal(dayAhead) {
			what = fmt.Sprintf("a Seen of %v", row.seen.UTC())
			set = func(r *sojourn.Record) { r.Seen = row.seen }
		}
		created := newRecord("")
		set(&created)
		t.fits(t.store.Create(t.ctx, created), "Create with "+what, false, nil, sojourn.Record{}, created)

		there := t.create(newRecord(""))
		next := nextRecord(there.ID, "")
		set(&next)
		t.fits(t.store.Update(t.ctx, next, there.Version), "Update to "+what, false, nil, there, next)

		there = t.create(newRecord(""))
		next = there
		set(&next)
		t.fits(t.store.Touch(t.ctx, next), "Touch to "+what, false, nil, there, next)
	}
}

// fits complains unless the write was applied whole, or, if it need not fit, was refused with
// nothing changed. A refusal that is not nil must be that error; none may be a verdict on the session.
func (t *tester) fits(err error, what string, must bool, refusal error, was, becomes sojourn.Record) {
	t.Helper()
	switch {
	case err == nil:
		t.sees(becomes, "after "+what)
	case must:
		t.broken("%s returned %s, want nil", what, say(err))
	case refusal != nil:
		t.want(err, what, nil, refusal)
	case is(err, sojourn.ErrNotFound, sojourn.ErrConflict):
		t.broken("%s returned %s, want nil or an error that says what does not fit", what, say(err))
	}
	switch {
	case err == nil:
	case was.ID == "":
		t.gone(becomes.ID, "after a refused "+what)
	default:
		t.sees(was, "after a refused "+what)
	}
}
