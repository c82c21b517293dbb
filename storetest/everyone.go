package storetest

import (
	"time"

	"github.com/gosojourn/sojourn"
)

// everyoneRevoker answers a store that can end everybody's sessions, or skips.
func (t *tester) everyoneRevoker() sojourn.EveryoneRevoker {
	t.Helper()
	e, ok := t.store.(sojourn.EveryoneRevoker)
	if !ok {
		t.Skipf("the store is no sojourn.EveryoneRevoker")
	}
	_, _, err := e.EveryoneFence(t.ctx)
	t.skipUnsupported("EveryoneFence", err)
	return e
}

// everyoneFenceOnlyRises does not ask what the fence is at first: others may be in the same store.
func everyoneFenceOnlyRises(t *tester) {
	e := t.everyoneRevoker()
	before, age, err := e.EveryoneFence(t.ctx)
	if err != nil || before == 0 && age != 0 {
		t.broken("EveryoneFence returned %d, %v, %s", before, age, say(err))
	}
	least := uint64(time.Now().Add(-time.Hour).Unix()/3600) * sojourn.EveryoneStep // by a clock that may be some minutes late
	for range 3 {
		began := time.Now()
		raised, err := e.RaiseEveryone(t.ctx)
		if err != nil {
			t.broken("RaiseEveryone returned %s", say(err))
			return
		}
		if raised <= before || raised%sojourn.EveryoneStep != 0 || raised < least {
			t.broken("RaiseEveryone returned %d, want a multiple of %d that is greater than %d and at least %d", raised, uint64(sojourn.EveryoneStep), before, least)
		}
		now, age, err := e.EveryoneFence(t.ctx)
		if err != nil || now < raised {
			t.broken("after RaiseEveryone, which returned %d, the same store's EveryoneFence returned %d, %s", raised, now, say(err))
		}
		if most := time.Since(began) + time.Second; age < -time.Second || age > most {
			t.broken("after RaiseEveryone the fence is said to be %v old, want at most %v", age, most)
		}
		before = raised
	}
	if index := t.ownerIndex("Fence"); index != nil {
		if fence := t.fence(index, newOwner()); fence != 0 {
			t.broken("after RaiseEveryone the fence of an owner who was never revoked is %d, want 0", fence)
		}
	}
}

// everyoneBelowIsDeleted makes more records than fit into a page. Their fences are so low that no record of
// others, but for those of nobody, is deleted.
func everyoneBelowIsDeleted(t *tester) {
	e := t.everyoneRevoker()
	const fence = 7
	var below, others []sojourn.Record
	for i := range 250 {
		r := newRecord("")
		if i%2 == 0 {
			r = newRecord(newOwner())
		}
		r.Fence = uint64(i % 5)
		below = append(below, t.create(r))
	}
	for _, f := range []uint64{fence, fence + 1, 1 << 41, sojourn.EveryoneStep, sojourn.EveryoneStep + 1, 1<<62 + 6} {
		r := newRecord("")
		r.Fence = f
		others = append(others, t.create(r))
		r = newRecord(newOwner())
		r.Fence = f
		others = append(others, t.create(r))
	}
	n := 0
	t.within(4*t.patience, "DeleteBelow", func() {
		for deleted, err := range e.DeleteBelow(t.ctx, fence) {
			if err != nil {
				t.broken("DeleteBelow ended with %s", say(err))
				return
			}
			n += deleted
			if _, err := t.store.Load(t.ctx, others[0].ID); err != nil {
				t.broken("in the body of DeleteBelow, Load returned %s", say(err))
			}
		}
	})
	if n < len(below) {
		t.broken("DeleteBelow yielded that %d were deleted, of at least %d", n, len(below))
	}
	for _, r := range below {
		t.gone(r.ID, "after DeleteBelow of more than its fence")
	}
	for _, r := range others {
		t.sees(r, "after DeleteBelow of its fence or less")
	}
	for _, r := range others {
		if r.Owner == "" {
			continue
		}
		if index := t.ownerIndex("ListOwner"); index != nil {
			t.lists(index, r.Owner, "after DeleteBelow of its fence or less", r)
		}
	}
}
