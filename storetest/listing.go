package storetest

import (
	"context"
	"errors"

	"github.com/gosojourn/sojourn"
)

func listYieldsTheRecordsOfOneOwner(t *tester) {
	index := t.ownerIndex("ListOwner")
	owner, other := newOwner(), newOwner()
	t.lists(index, owner, "before there is any")
	first := t.create(newRecord(owner))
	t.lists(index, owner, "with one record", first)
	second := t.create(newRecord(owner))
	others := t.create(newRecord(other))
	t.create(newRecord(""))
	t.lists(index, owner, "with two records and one of another", first, second)
	t.lists(index, other, "with two records of another", others)

	first = touched(first)
	t.must(t.store.Touch(t.ctx, first), "Touch")
	next := nextRecord(second.ID, owner)
	t.must(t.store.Update(t.ctx, next, second.Version), "Update")
	t.lists(index, owner, "after Touch and Update", first, next)

	t.must(t.store.Delete(t.ctx, first.ID, first.Version), "Delete")
	t.lists(index, owner, "after Delete of one", next)
	t.must(t.store.Delete(t.ctx, second.ID, 0), "Delete")
	t.lists(index, owner, "after Delete of both")
	t.lists(index, other, "after Delete of another's", others)
}

func recordIsListedUnderItsPresentOwner(t *tester) {
	index := t.ownerIndex("ListOwner")
	a, b := newOwner(), newOwner()
	r := t.create(newRecord(""))
	become := func(owner string) {
		next := nextRecord(r.ID, owner)
		t.must(t.store.Update(t.ctx, next, r.Version), "Update to another owner")
		r = next
	}
	become(a)
	t.lists(index, a, "after a login", r)
	become(b)
	t.lists(index, a, "after a login as another")
	t.lists(index, b, "after a login as another", r)
	become(b)
	t.lists(index, b, "after an Update without change of owner", r)
	become("")
	t.lists(index, a, "after the owner became \"\"")
	t.lists(index, b, "after the owner became \"\"")
	t.sees(r, "after the owner became \"\"")
	become(a)
	t.lists(index, a, "after the first owner came back", r)
	t.lists(index, b, "after the first owner came back")
}

// The body does what an application may do with the sessions that it lists.
func bodyMayCallTheStore(t *tester) {
	index := t.ownerIndex("ListOwner")
	owner, other := newOwner(), newOwner()
	spectator := t.create(newRecord(other))
	for range 5 {
		t.create(newRecord(owner))
	}
	ctx, cancel := context.WithTimeout(t.ctx, t.patience)
	defer cancel()
	complain := func(what string, err error) bool {
		if err != nil {
			t.broken("in the body of a listing, %s returned %s", what, say(err))
		}
		return err == nil
	}
	t.within(t.patience+t.patience/2, "a ListOwner whose body calls the store", func() {
		n := 0
		for r, err := range index.ListOwner(ctx, owner) {
			if !complain("ListOwner", err) {
				return
			}
			n++
			_, err = t.store.Load(ctx, r.ID)
			ok := complain("Load", err) &&
				complain("Touch", t.store.Touch(ctx, r))
			next := nextRecord(r.ID, owner)
			ok = ok && complain("Update", t.store.Update(ctx, next, r.Version))
			for _, err := range index.ListOwner(ctx, other) {
				ok = ok && complain("ListOwner", err)
			}
			for _, err := range index.ListOwner(ctx, owner) {
				ok = ok && complain("ListOwner of the same owner", err)
			}
			if _, _, err := index.Fence(ctx, owner); !is(err, errors.ErrUnsupported) {
				ok = ok && complain("Fence", err)
			}
			ok = ok && complain("Create", t.store.Create(ctx, newRecord(other)))
			ok = ok && complain("Delete", t.store.Delete(ctx, r.ID, 0))
			if !ok {
				return
			}
		}
		if n != 5 {
			t.broken("with a body that deletes, ListOwner yielded %d records of 5", n)
		}
	})
	t.lists(index, owner, "after a body that deletes")
	t.sees(spectator, "after a body that deletes")
}

func listStopsWhenTheBodyStops(t *tester) {
	index := t.ownerIndex("ListOwner")
	owner := newOwner()
	for range 3 {
		t.create(newRecord(owner))
	}
	calls := 0
	index.ListOwner(t.ctx, owner)(func(sojourn.Record, error) bool {
		calls++
		return false
	})
	if calls != 1 {
		t.stop("ListOwner called its body %d times though it stopped at the first", calls)
	}
	// What a listing that was left still held would be missing now.
	t.within(t.patience, "what came after many listings that were left", func() {
		for range 100 {
			for range index.ListOwner(t.ctx, owner) {
				break
			}
		}
		for id := range must(t.list(t.ctx, index, owner)) {
			t.want(t.store.Delete(t.ctx, id, 0), "Delete after many listings that were left", nil)
		}
	})
}

func must[T any](v T, _ error) T { return v }

// The only error that a store can be made to have is that of its context.
func errorComesLast(t *tester) {
	index := t.ownerIndex("ListOwner")
	owner := newOwner()
	for range 3 {
		t.create(newRecord(owner))
	}
	done, cancel := context.WithCancel(t.ctx)
	cancel()
	if found, err := t.list(done, index, owner); err == nil && len(found) != 3 {
		t.broken("ListOwner under a done context yielded %d records of 3, and no error", len(found))
	}
	ctx, cancel := context.WithCancel(t.ctx)
	defer cancel()
	listed, last := 0, error(nil)
	for _, err := range index.ListOwner(ctx, owner) {
		cancel()
		switch {
		case last != nil:
			t.stop("ListOwner went on after its error %q", last)
		case err != nil:
			last = err
		default:
			listed++
		}
	}
	if last == nil && listed != 3 {
		t.broken("ListOwner whose context ended yielded %d records of 3, and no error", listed)
	}
}

// More sessions than a page may have, of which some end and some change while they are listed.
func longListYieldsEachRecordOnce(t *tester) {
	const sessions = 1050
	index := t.ownerIndex("ListOwner")
	owner := newOwner()
	records := t.createMany(sessions, func() sojourn.Record { return newRecord(owner) })
	yielded := map[string]int{}
	ended := map[string]bool{}
	end := func(id string) {
		ended[id] = true
		t.must(t.store.Delete(t.ctx, id, 0), "Delete while listing")
	}
	at := 0
	next := func() sojourn.Record {
		for ended[records[at].ID] {
			at++
		}
		at++
		return records[at-1]
	}
	listed := 0
	for r, err := range index.ListOwner(t.ctx, owner) {
		if err != nil {
			t.stop("ListOwner of %d records ended with %s", sessions, say(err))
		}
		yielded[r.ID]++
		listed++
		if listed%25 == 0 && !ended[r.ID] {
			end(r.ID) // more of those behind it go than come, whatever the order: who counts them passes one over
		}
		if listed%50 == 0 {
			end(next().ID)
			x := next()
			t.want(t.store.Update(t.ctx, nextRecord(x.ID, owner), x.Version), "Update while listing", nil)
			t.want(t.store.Create(t.ctx, newRecord(owner)), "Create while listing", nil)
		}
	}
	missing, twice := 0, 0
	for _, r := range records {
		if yielded[r.ID] == 0 && !ended[r.ID] {
			missing++
		}
	}
	for _, n := range yielded {
		if n > 1 {
			twice++
		}
	}
	if missing > 0 || twice > 0 {
		t.broken("of %d records that were there all the while, ListOwner passed over %d and yielded %d more than once",
			sessions-len(ended), missing, twice)
	}
}

// noOwnerIsAnError is about the owner that every anonymous session has.
func noOwnerIsAnError(t *tester) {
	index := t.ownerIndex()
	r := t.create(newRecord(""))
	yielded, last := 0, error(nil)
	for _, err := range index.ListOwner(t.ctx, "") {
		if last = err; err == nil {
			yielded++
		}
	}
	if last == nil || yielded > 0 {
		t.broken("ListOwner of \"\" yielded %d records and ended with %s, want an error and nothing else", yielded, say(last))
	}
	if fence, _, err := index.Fence(t.ctx, ""); err == nil {
		t.broken("Fence of \"\" returned %d, want an error", fence)
	}
	for _, keep := range []string{"", r.ID, newID()} {
		if fence, err := index.RevokeOwner(t.ctx, "", keep); err == nil {
			t.broken("RevokeOwner of \"\" returned %d, want an error", fence)
		}
	}
	t.sees(r, "after RevokeOwner of \"\"")
}
