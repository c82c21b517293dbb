package storetest

import (
	"time"

	"github.com/gosojourn/sojourn"
)

func createNeverOverwrites(t *tester) {
	there := t.create(newRecord(""))
	other := nextRecord(there.ID, newOwner())
	t.want(t.store.Create(t.ctx, other), "Create of an id that is taken", sojourn.ErrConflict)
	t.sees(there, "after a refused Create")
	t.want(t.store.Create(t.ctx, there), "Create of the very record that is there", sojourn.ErrConflict)
	t.sees(there, "after a refused Create")

	if index, ok := t.store.(sojourn.OwnerIndex); ok {
		if found, err := t.list(t.ctx, index, other.Owner); err == nil && len(found) > 0 {
			t.broken("after a refused Create, ListOwner yielded a record of the owner that was refused")
		}
	}
	t.must(t.store.Delete(t.ctx, there.ID, there.Version), "Delete")
	t.want(t.store.Create(t.ctx, other), "Create of an id that was deleted", nil)
	t.sees(other, "after Create of an id that was deleted")
}

func updateIsCompareAndSwap(t *tester) {
	first := t.create(newRecord(""))
	second := nextRecord(first.ID, newOwner())
	t.must(t.store.Update(t.ctx, second, first.Version), "Update from the version that is there")
	t.sees(second, "after Update")

	third := nextRecord(first.ID, "")
	for _, from := range []struct {
		what    string
		version uint64
	}{
		{"from an old version", first.Version},
		{"from its own version", third.Version},
		{"from version 0", 0},
		{"from a version with another lowest bit", second.Version ^ 1},
		{"from a version with another highest bit", second.Version ^ 1<<47},
		{"from a version with another middle bit", second.Version ^ 1<<32},
		{"from the lower half of the version", second.Version & 0xffffff},
	} {
		t.want(t.store.Update(t.ctx, third, from.version), "Update "+from.what, sojourn.ErrConflict)
		t.sees(second, "after a refused Update "+from.what)
	}
	t.must(t.store.Update(t.ctx, third, second.Version), "Update from the version that is there")
	t.sees(third, "after Update")
}

func updateNeverCreates(t *tester) {
	never := newRecord("")
	t.want(t.store.Update(t.ctx, never, never.Version), "Update of a record that never was", sojourn.ErrConflict)
	t.want(t.store.Update(t.ctx, never, 0), "Update from version 0 of a record that never was", sojourn.ErrConflict)
	t.gone(never.ID, "after Update of a record that never was")

	ended := t.create(newRecord(""))
	t.must(t.store.Delete(t.ctx, ended.ID, ended.Version), "Delete")
	t.want(t.store.Update(t.ctx, nextRecord(ended.ID, ""), ended.Version), "Update of a record that was deleted", sojourn.ErrConflict)
	t.gone(ended.ID, "after Update of a record that was deleted")
}

// touched is r with other times, for Touch.
func touched(r sojourn.Record) sojourn.Record {
	r.Expiry, r.Seen = r.Expiry.Add(-2*time.Hour), r.Seen.Add(time.Hour)
	return r
}

func touchSetsExpiryAndSeen(t *tester) {
	for _, owner := range []string{"", newOwner()} {
		there := t.create(newRecord(owner))
		for range 2 { // the second Touch is from the same version: it stays
			there = touched(there)
			there.Expiry, there.Seen = there.Expiry.Add(123e6), there.Seen.Add(456e6)
			given := nextRecord(there.ID, newOwner()) // all of it but times and version to be ignored
			given.Version, given.Expiry, given.Seen = there.Version, there.Expiry, there.Seen
			t.must(t.store.Touch(t.ctx, given), "Touch at the version that is there")
			t.sees(there, "after Touch")
		}
		next := nextRecord(there.ID, owner)
		t.want(t.store.Update(t.ctx, next, there.Version), "Update after Touch, from the version before it", nil)
		t.sees(next, "after Touch and Update")
	}
}

func touchNeedsTheVersion(t *tester) {
	first := t.create(newRecord(""))
	second := nextRecord(first.ID, "")
	t.must(t.store.Update(t.ctx, second, first.Version), "Update")
	for what, version := range map[string]uint64{
		"an old version":                     first.Version,
		"version 0":                          0,
		"a version with another highest bit": second.Version ^ 1<<47,
	} {
		given := touched(second)
		given.Version = version
		t.want(t.store.Touch(t.ctx, given), "Touch at "+what, sojourn.ErrConflict)
		t.sees(second, "after a refused Touch at "+what)
	}
	t.must(t.store.Delete(t.ctx, second.ID, second.Version), "Delete")
	t.want(t.store.Touch(t.ctx, touched(second)), "Touch of a record that was deleted", sojourn.ErrConflict)
	t.gone(second.ID, "after Touch of a record that was deleted")
}

func deleteNeedsTheVersion(t *tester) {
	first := t.create(newRecord(newOwner()))
	second := nextRecord(first.ID, newOwner())
	t.must(t.store.Update(t.ctx, second, first.Version), "Update")
	for what, version := range map[string]uint64{
		"an old version":                     first.Version,
		"a version with another lowest bit":  second.Version ^ 1,
		"a version with another highest bit": second.Version ^ 1<<47,
	} {
		t.want(t.store.Delete(t.ctx, second.ID, version), "Delete at "+what, sojourn.ErrConflict)
		t.sees(second, "after a refused Delete at "+what)
	}
	t.want(t.store.Delete(t.ctx, second.ID, second.Version), "Delete at the version that is there", nil)
	t.gone(second.ID, "after Delete")
	t.want(t.store.Delete(t.ctx, second.ID, second.Version), "Delete again", nil)
	t.want(t.store.Delete(t.ctx, second.ID, first.Version), "Delete again, at another version", nil)
	t.want(t.store.Delete(t.ctx, second.ID, 0), "Delete again, at any version", nil)

	whole, beside := t.create(newRecord(newOwner())), t.create(newRecord(""))
	t.want(t.store.Delete(t.ctx, whole.ID, 0), "Delete at any version", nil)
	t.gone(whole.ID, "after Delete at any version")
	t.sees(beside, "after Delete of another record")
}
