package storetest

import "github.com/gosojourn/sojourn"

// Wherever a revocation stops, what it deleted lies behind a fence: a login in flight would not see it else.
func revocationCutShortLeavesAFence(t *tester) {
	index := t.ownerIndex("Fence", "RevokeOwner")
	for _, n := range midways {
		owner := newOwner()
		records := []sojourn.Record{t.create(newRecord(owner)), t.create(newRecord(owner)), t.create(newRecord(owner))}
		ctx, cancel := cut(t.ctx, n)
		defer cancel()
		_, revokeErr := index.RevokeOwner(ctx, owner, "")
		gone := 0
		for _, r := range records {
			if _, err := t.store.Load(t.ctx, r.ID); is(err, sojourn.ErrNotFound) {
				gone++
			}
		}
		switch fence := t.fence(index, owner); {
		case gone > 0 && fence == 0:
			t.broken("RevokeOwner whose context ended midway deleted %d records and raised no fence", gone)
		case revokeErr == nil && (gone < len(records) || fence == 0):
			t.broken("RevokeOwner whose context ended midway returned nil, deleted %d records of %d and left the fence at %d", gone, len(records), fence)
		}
		if !ctx.reached() {
			return
		}
	}
}

// A login as another, between the moment when RevokeOwner finds a record and the moment when it deletes it.
func revokingLeavesWhatHasBecomeAnothers(t *tester) {
	index := t.ownerIndex("Fence", "RevokeOwner")
	for _, n := range midways {
		owner, other := newOwner(), newOwner()
		var was, becomes [3]sojourn.Record
		var errs [3]error
		for i := range was {
			was[i] = t.create(newRecord(owner))
			becomes[i] = nextRecord(was[i].ID, other)
		}
		ctx, finish := meanwhile(t.ctx, n, func() {
			for i := range was {
				errs[i] = t.store.Update(t.ctx, becomes[i], was[i].Version)
			}
		})
		_, err := index.RevokeOwner(ctx, owner, "")
		t.within(t.patience, "an Update to another owner during RevokeOwner", finish)
		t.want(err, "RevokeOwner during a login as another", nil)
		if !ctx.reached() {
			return
		}
		for i := range becomes {
			if errs[i] == nil {
				t.sees(becomes[i], "after RevokeOwner of the owner that it had before")
			}
		}
	}
}

// A login at each step of a revocation, as the manager makes it: it fails, or has the new fence, or came early
// enough to be deleted.
func loginMidwayOfARevocation(t *tester) {
	index := t.ownerIndex("Fence", "RevokeOwner")
	for _, n := range midways {
		owner := newOwner()
		t.create(newRecord(owner))
		r := newRecord(owner)
		var loginErr error
		ctx, finish := meanwhile(t.ctx, n, func() { loginErr = t.login(index, &r, n%2 == 0) })
		_, err := index.RevokeOwner(ctx, owner, "")
		t.within(t.patience, "a login during RevokeOwner", finish)
		t.want(err, "RevokeOwner during a login", nil)
		if !ctx.reached() {
			return
		}
		if !is(loginErr, nil, errRevoked, sojourn.ErrConflict) {
			t.broken("a login during RevokeOwner failed with %s", say(loginErr))
		}
		if loginErr == nil && r.Fence != t.fence(index, owner) {
			t.gone(r.ID, "of a session that was logged in before RevokeOwner raised the fence")
		}
	}
}
