package storetest

import (
	"errors"
	"runtime"
	"sync"

	"github.com/gosojourn/sojourn"
)

func revokingDeletesAllButKeep(t *tester) {
	index := t.ownerIndex("Fence", "RevokeOwner")
	owner, other := newOwner(), newOwner()
	records := make([]sojourn.Record, 5)
	for i := range records {
		records[i] = t.create(newRecord(owner))
	}
	others := []sojourn.Record{
		t.create(newRecord(other)),
		t.create(newRecord(owner + "x")),
		t.create(newRecord(owner[:len(owner)-1])),
		t.create(newRecord("")),
	}
	left := t.create(newRecord(owner)) // … whose owner it is no more
	leaves := nextRecord(left.ID, "")
	t.must(t.store.Update(t.ctx, leaves, left.Version), "Update")
	others = append(others, leaves)

	keep := records[2]
	t.revoke(index, owner, keep.ID)
	for _, r := range records {
		if r.ID != keep.ID {
			t.gone(r.ID, "after RevokeOwner")
		}
	}
	t.sees(keep, "after RevokeOwner that keeps it")
	for _, r := range others {
		t.sees(r, "after RevokeOwner of another owner")
	}
	if fence := t.fence(index, other); fence != 0 {
		t.broken("after RevokeOwner of another owner the fence is %d, want 0", fence)
	}

	t.revoke(index, owner, others[0].ID)
	t.gone(keep.ID, "after RevokeOwner that keeps another's record")
	t.sees(others[0], "after RevokeOwner of another owner")

	for _, keep := range []string{"", newID(), "no id", "%", swapCase(t.create(newRecord(owner)).ID)} {
		r := t.create(newRecord(owner))
		t.revoke(index, owner, keep)
		t.gone(r.ID, "after RevokeOwner that keeps nothing of that owner")
	}
	for range 3 {
		t.create(newRecord(owner))
	}
	t.revoke(index, owner, "")
	if index := t.ownerIndex("ListOwner"); index != nil {
		t.lists(index, owner, "after RevokeOwner")
		again := t.create(newRecord(owner))
		t.lists(index, owner, "after a login that came after RevokeOwner", again)
	}
}

// Who sees that a record has gone must see the fence that it fell to.
func fenceRisesBeforeAnythingIsDeleted(t *tester) {
	index := t.ownerIndex("Fence", "RevokeOwner")
	for range rounds {
		owner := newOwner()
		var ids []string
		for _, r := range t.createMany(40, func() sojourn.Record { return newRecord(owner) }) {
			ids = append(ids, r.ID)
		}
		ids = []string{ids[0], ids[13], ids[26], ids[39]} // to watch: the more there are, the longer it takes
		t.together(1+len(ids), func(i int) {
			if i == 0 {
				_, err := index.RevokeOwner(t.ctx, owner, "")
				t.want(err, "RevokeOwner", nil)
				return
			}
			for {
				switch _, err := t.store.Load(t.ctx, ids[i-1]); {
				case err == nil:
					runtime.Gosched()
					continue
				case errors.Is(err, sojourn.ErrNotFound):
					if fence, _, err := index.Fence(t.ctx, owner); err != nil || fence == 0 {
						t.broken("a record was deleted by RevokeOwner while Fence was still %d (%v)", fence, err)
					}
				default:
					t.broken("Load during RevokeOwner returned %s", say(err))
				}
				return
			}
		})
	}
}

// Logins as the manager makes them: read the fence, write the record with it, read the fence again,
// and if it has moved, give up. Each that did not give up was there before the fence was raised, so that
// RevokeOwner finds it, or has the new fence. The logins begin before RevokeOwner and last longer.
func noLoginOutlivesARevocation(t *tester) {
	const most = 20
	index := t.ownerIndex("Fence", "RevokeOwner")
	for range rounds {
		owner := newOwner()
		var mu sync.Mutex
		var loggedIn []sojourn.Record
		begun, revoked := make(chan struct{}), make(chan struct{})
		begin := sync.OnceFunc(func() { close(begun) })
		t.together(racers, func(i int) {
			if i == 0 {
				<-begun
				_, err := index.RevokeOwner(t.ctx, owner, "")
				t.want(err, "RevokeOwner during logins", nil)
				close(revoked)
				return
			}
			defer begin()
			for range most {
				r := newRecord(owner)
				switch err := t.login(index, &r, i%2 == 0); {
				case err == nil:
					mu.Lock()
					loggedIn = append(loggedIn, r)
					mu.Unlock()
				case !is(err, errRevoked, sojourn.ErrConflict):
					t.broken("a login during RevokeOwner failed with %s", say(err))
				}
				begin()
				select {
				case <-revoked:
					return
				default:
					runtime.Gosched() // or a fast store's logins are over before RevokeOwner has begun
				}
			}
		})
		fence := t.fence(index, owner)
		for _, r := range loggedIn {
			if r.Fence == fence {
				continue
			}
			if _, err := t.store.Load(t.ctx, r.ID); err == nil {
				t.broken("a session that was logged in before RevokeOwner raised the fence outlived it")
			}
		}
	}
}

var errRevoked = errors.New("revoked while logging in")

// login writes r, in place of an anonymous session if there is to be one.
func (t *tester) login(index sojourn.OwnerIndex, r *sojourn.Record, inPlace bool) error {
	anonymous := nextRecord(r.ID, "")
	if inPlace {
		if err := t.store.Create(t.ctx, anonymous); err != nil {
			return err
		}
	}
	before, _, err := index.Fence(t.ctx, r.Owner)
	if err != nil {
		return err
	}
	if r.Fence = before; inPlace {
		err = t.store.Update(t.ctx, *r, anonymous.Version)
	} else {
		err = t.store.Create(t.ctx, *r)
	}
	if err != nil {
		return err
	}
	after, _, err := index.Fence(t.ctx, r.Owner)
	if err != nil {
		return err
	}
	if after != before {
		if err := t.store.Delete(t.ctx, r.ID, r.Version); err != nil {
			return err
		}
		return errRevoked
	}
	return nil
}
