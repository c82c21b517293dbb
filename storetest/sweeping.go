package storetest

import (
	"errors"
	"time"

	"github.com/gosojourn/sojourn"
)

// Others may sweep the same data at the same time, and a store may take away the dead on the side; so
// what a Sweep took is seen by its ids being free again, not by counting.
func sweepTakesWhatHasExpired(t *tester) {
	sweeper := t.sweeper()
	owner := newOwner()
	var dead, live []sojourn.Record
	for i := range 12 {
		for _, e := range endings {
			r := newRecord([]string{"", owner}[i%2])
			dead = append(dead, e.end(t, r, time.Now().Add(-25*time.Hour-time.Duration(i)*time.Minute)))
		}
		r := newRecord([]string{owner, ""}[i%2])
		r.Expiry = time.Now().Add(time.Minute * time.Duration(10+i*i))
		live = append(live, t.create(r))
	}
	last := &live[len(live)-1]
	*last = touched(*last)
	t.must(t.store.Touch(t.ctx, *last), "Touch")

	now := time.Now()
	for swept := 1; swept > 0; {
		var err error
		swept, err = sweeper.Sweep(t.ctx, now, 7)
		t.must(err, "Sweep")
		if swept > 7 || swept < 0 {
			t.stop("Sweep with limit 7 returned %d", swept)
		}
	}
	for _, r := range live {
		t.sees(r, "after Sweep before its Expiry")
	}
	for _, r := range dead {
		t.gone(r.ID, "after Sweep")
		next := nextRecord(r.ID, "")
		t.want(t.store.Create(t.ctx, next), "Create of an id that expired a day before and was swept", nil)
		t.want(t.store.Delete(t.ctx, r.ID, 0), "Delete", nil)
	}
	if index, ok := t.store.(sojourn.OwnerIndex); ok {
		if _, err := t.list(t.ctx, index, owner); errors.Is(err, errors.ErrUnsupported) {
			return
		}
		var owned []sojourn.Record
		for _, r := range live {
			if r.Owner == owner {
				owned = append(owned, r)
			}
		}
		t.lists(index, owner, "after Sweep", owned...)
	}
}

func sweepHeedsItsLimit(t *tester) {
	sweeper := t.sweeper()
	old := time.Now().Add(-400 * 24 * time.Hour)
	for range 10 {
		endings[2].end(t, newRecord(""), old) // by Touch: a Create could take away the dead on the side
	}
	for _, limit := range []int{0, 1, 3} {
		n, err := sweeper.Sweep(t.ctx, old.Add(time.Hour), limit)
		t.want(err, "Sweep", nil)
		if n < 0 || n > limit {
			t.broken("Sweep with limit %d returned %d", limit, n)
		}
	}
	live := t.create(newRecord(""))
	for _, before := range []time.Time{time.UnixMilli(0), old.Add(-24 * time.Hour), old, time.Now()} {
		_, err := sweeper.Sweep(t.ctx, before, 1000)
		t.want(err, "Sweep", nil)
		t.sees(live, "after Sweep")
	}
}

// What a Sweep took cannot be seen, but it cannot be taken twice: the answers of all Sweeps add up to what
// there was. Others who sweep the same data at the same time may spoil a count, not three.
func sweepCountsWhatItTakes(t *tester) {
	const dead, tries = 66, 3 // so many that some lie together, whatever a store is divided into
	sweeper := t.sweeper()
	var counted [tries]int
	for i := range counted {
		// A moment that no other test has.
		expiry := time.Date(1975, 1, 1, 0, 0, 0, 0, time.UTC).Add(time.Duration(newVersion()%(20*365*24*3600)) * time.Second)
		for _, r := range t.createMany(dead, func() sojourn.Record { return newRecord("") }) {
			r.Expiry = expiry // by Touch: a Create could take away the dead on the side
			t.must(t.store.Touch(t.ctx, r), "Touch to an Expiry in the past")
		}
		for swept, limit := 1, 1; swept > 0; counted[i] += swept {
			limit = 4 - limit // 3 and 1 by turns
			var err error
			swept, err = sweeper.Sweep(t.ctx, expiry.Add(25*time.Hour), limit) // a store may leave what is younger than a day
			t.must(err, "Sweep")
			if swept > limit || swept < 0 || counted[i] > 1000*dead {
				t.stop("Sweep with limit %d returned %d", limit, swept)
			}
		}
		if counted[i] == dead {
			return
		}
	}
	t.broken("of %d records that had expired, Sweeps said that they took %v, in three tries: they take more than they say, or less", dead, counted)
}
