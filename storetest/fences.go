package storetest

import (
	"slices"
	"time"

	"github.com/gosojourn/sojourn"
)

// fence reads the owner's fence, and revoke raises it.
func (t *tester) fence(index sojourn.OwnerIndex, owner string) uint64 {
	t.Helper()
	fence, _, err := index.Fence(t.ctx, owner)
	t.must(err, "Fence")
	return fence
}

func (t *tester) revoke(index sojourn.OwnerIndex, owner, keep string) uint64 {
	t.Helper()
	const hour = 3_600_000 // of milliseconds: the clock that counts is the store's, not ours
	before, now := t.fence(index, owner), uint64(time.Now().UnixMilli())
	raised, err := index.RevokeOwner(t.ctx, owner, keep)
	t.must(err, "RevokeOwner")
	after := t.fence(index, owner)
	switch {
	case raised <= before:
		t.broken("RevokeOwner returned the fence %d where it was %d, want a larger one", raised, before)
	case raised+hour < now:
		t.broken("RevokeOwner returned the fence %d at %d ms since 1970, want at least those", raised, now)
	case after != raised:
		t.broken("RevokeOwner returned the fence %d, but then Fence returned %d", raised, after)
	}
	return raised
}

func fenceRisesWithEachRevocation(t *tester) {
	index := t.ownerIndex("Fence", "RevokeOwner")
	owner := newOwner()
	if fence := t.fence(index, owner); fence != 0 {
		t.broken("Fence of an owner who was never revoked is %d, want 0", fence)
	}
	t.create(newRecord(owner))
	if fence := t.fence(index, owner); fence != 0 {
		t.broken("Fence of an owner who logged in but was never revoked is %d, want 0", fence)
	}
	for range 3 { // within one millisecond, as like as not
		t.revoke(index, owner, "")
	}
	before := t.fence(index, owner)
	if fence := t.fence(index, newOwner()); fence != 0 {
		t.broken("Fence of another owner is %d, want 0", fence)
	}

	const each = 6
	var raised [racers * each]uint64
	t.together(racers, func(i int) {
		for j := range each {
			var err error
			raised[i*each+j], err = index.RevokeOwner(t.ctx, owner, "")
			t.want(err, "RevokeOwner, one of many at once,", nil)
		}
	})
	slices.Sort(raised[:])
	if n := len(slices.Compact(slices.Clone(raised[:]))); n != len(raised) {
		t.broken("%d RevokeOwners at once returned only %d different fences", len(raised), n)
	}
	if raised[0] <= before {
		t.broken("of many RevokeOwners at once one returned the fence %d where it was %d", raised[0], before)
	}
	if last := raised[len(raised)-1]; t.fence(index, owner) != last {
		t.broken("after many RevokeOwners at once the fence is %d, want the largest that one returned, %d", t.fence(index, owner), last)
	}
}

// clockSlack is how far an age may be off: some clocks tell milliseconds.
const clockSlack = 5 * time.Millisecond

// A revocation took place between two moments of this process.
type revocation struct{ began, ended time.Time }

func (t *tester) revokeAt(index sojourn.OwnerIndex, owner string) (r revocation) {
	t.Helper()
	r.began = time.Now()
	_, err := index.RevokeOwner(t.ctx, owner, "")
	t.must(err, "RevokeOwner")
	r.ended = time.Now()
	return r
}

// ages complains unless the owner's fence is as old as the revocation, and says how long ago it ended.
// Clocks need not agree on the time for that, only on how fast it passes.
func (t *tester) ages(index sojourn.OwnerIndex, owner string, r revocation, when string) (ago time.Duration) {
	t.Helper()
	asked := time.Now()
	_, age, err := index.Fence(t.ctx, owner)
	t.must(err, "Fence")
	least, most := asked.Sub(r.ended)-clockSlack, time.Since(r.began)+clockSlack
	if age < least || age > most {
		t.stop("%s, Fence says that the fence was raised %v ago, want %v to %v", when, age, least, most)
	}
	return asked.Sub(r.ended)
}

func fenceTellsItsAge(t *tester) {
	index := t.ownerIndex("Fence", "RevokeOwner")
	owner, other := newOwner(), newOwner()
	ageless := func(owner, whose string) {
		if fence, age, err := index.Fence(t.ctx, owner); err != nil || fence != 0 || age != 0 {
			t.broken("Fence of %s is %d, of age %v (%v), want 0 and 0", whose, fence, age, err)
		}
	}
	ageless(owner, "an owner who was never revoked")
	first := t.revokeAt(index, owner)
	for t.ages(index, owner, first, "after a revocation") < 10*clockSlack {
	}
	t.ages(index, owner, t.revokeAt(index, owner), "after another revocation")
	ageless(other, "an owner who was not revoked, beside one who was,")

	// So many at once that numbers run ahead of any clock.
	many := revocation{began: time.Now()}
	t.together(racers, func(int) {
		for range 12 {
			_, err := index.RevokeOwner(t.ctx, other, "")
			t.want(err, "RevokeOwner, one of many at once,", nil)
		}
	})
	many.ended = time.Now()
	t.ages(index, other, many, "after many revocations at once")
	last := t.revokeAt(index, other)
	t.ages(index, other, last, "after many revocations and one more")
}

func youngFenceOutlivesASweep(t *tester) {
	index, sweeper := t.ownerIndex("Fence", "RevokeOwner"), t.sweeper()
	owner := newOwner()
	t.create(newRecord(owner))
	revoked := t.revokeAt(index, owner)
	fence := t.fence(index, owner)
	for swept := 1; swept > 0; {
		var err error
		swept, err = sweeper.Sweep(t.ctx, time.Now(), 1000)
		t.must(err, "Sweep")
	}
	if after := t.fence(index, owner); after != fence {
		t.broken("after Sweep the fence is %d, want %d as before", after, fence)
		return
	}
	t.ages(index, owner, revoked, "after Sweep")
}
