package storetest

import (
	"time"

	"github.com/gosojourn/sojourn"
)

// endings are the ways in which a record comes to have an Expiry in the past.
var endings = []struct {
	how string
	end func(t *tester, r sojourn.Record, expiry time.Time) sojourn.Record
}{
	{"Create with an Expiry in the past", func(t *tester, r sojourn.Record, expiry time.Time) sojourn.Record {
		r.Expiry = expiry
		t.must(t.store.Create(t.ctx, r), "Create with an Expiry in the past")
		return r
	}},
	{"Update to an Expiry in the past", func(t *tester, r sojourn.Record, expiry time.Time) sojourn.Record {
		t.create(r)
		next := nextRecord(r.ID, r.Owner)
		next.Expiry = expiry
		t.must(t.store.Update(t.ctx, next, r.Version), "Update to an Expiry in the past")
		return next
	}},
	{"Touch to an Expiry in the past", func(t *tester, r sojourn.Record, expiry time.Time) sojourn.Record {
		t.create(r)
		r.Expiry = expiry
		t.must(t.store.Touch(t.ctx, r), "Touch to an Expiry in the past")
		return r
	}},
}

// longAgo are times that a record could have expired at.
func longAgo() []time.Time {
	now := time.Now()
	return []time.Time{now, now.Add(-time.Millisecond), now.Add(-time.Hour), now.Add(-400 * 24 * time.Hour)}
}

func expiredIsNotThere(t *tester) {
	for _, e := range endings {
		for _, expiry := range longAgo() {
			r := e.end(t, newRecord(""), expiry)
			t.gone(r.ID, "after "+e.how)

			revived := nextRecord(r.ID, "")
			t.want(t.store.Update(t.ctx, revived, r.Version), "after "+e.how+", Update", sojourn.ErrConflict)
			t.gone(r.ID, "after "+e.how+" and Update")

			r.Expiry = revived.Expiry
			t.want(t.store.Touch(t.ctx, r), "after "+e.how+", Touch", sojourn.ErrConflict)
			t.gone(r.ID, "after "+e.how+" and Touch")

			t.want(t.store.Delete(t.ctx, r.ID, revived.Version), "after "+e.how+", Delete at another version", nil)
			t.want(t.store.Delete(t.ctx, r.ID, r.Version), "after "+e.how+", Delete", nil)
			t.want(t.store.Delete(t.ctx, r.ID, 0), "after "+e.how+", Delete at any version", nil)
			t.gone(r.ID, "after "+e.how+" and Delete")
		}
	}
}

func expiredIsNotListed(t *tester) {
	index := t.ownerIndex("ListOwner")
	owner := newOwner()
	live := t.create(newRecord(owner))
	for _, e := range endings {
		for _, expiry := range longAgo() {
			e.end(t, newRecord(owner), expiry)
			t.lists(index, owner, "after "+e.how, live)
		}
	}
}

// Whatever a store takes away on the side, it takes of the dead. Those that have half a minute left are there
// through many new sessions.
func recordIsThereUntilItsExpiry(t *tester) {
	const records = 100
	ending := t.createMany(records, func() sojourn.Record {
		r := newRecord("")
		r.Expiry = time.Now().Truncate(time.Second).Add(45 * time.Second)
		return r
	})
	t.createMany(records, func() sojourn.Record { return newRecord("") })
	for _, r := range ending {
		_, err := t.store.Load(t.ctx, r.ID)
		if time.Now().Before(r.Expiry.Add(-time.Second)) { // else this machine is too slow to say
			t.want(err, "of a record with less than a minute left, Load", nil)
		}
	}
}
