package model

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/gosojourn/sojourn"
)

// beginCommit notes what a Commit that begins now may end.
func (v *visit) beginCommit() {
	v.minted, v.told, v.refused = false, nil, nil
	l := v.w.ledger
	l.mu.Lock()
	defer l.mu.Unlock()
	v.commitBegan = l.tick()
	v.doubted = nil
	v.had = v.holds()
	if !v.set.logout && !v.set.token && !(v.set.moves && v.cur.isSeal()) {
		return
	}
	v.doubted = v.mayEnd()
	for _, t := range v.doubted {
		doubt(t)
		v.limbo(t)
	}
	l.crowd(v.set.login)
}

// undoubt: the Commit that began has ended nothing.
func (v *visit) undoubt() {
	for _, t := range v.doubted {
		t.maybe--
	}
	v.doubted = nil
}

// mayEnd are the tokens that v's session is under, or may be. A seal has copies.
func (v *visit) mayEnd() []*token {
	var own []*token
	for _, t := range v.shown {
		if v.cur == nil || v.cur.seal == t.seal {
			own = append(own, t)
		}
	}
	if len(own) < 2 && v.cur != nil {
		own = own[:0]
	}
	if v.cur != nil && !slices.Contains(own, v.cur) {
		own = append(own, v.cur)
	}
	return v.w.ledger.copies(own)
}

// limbo: while v's login is under way, t may be replaced, and be taken back again.
func (v *visit) limbo(t *token) {
	if v.set.login == "" || t.seal {
		return
	}
	t.limbo++
	v.held = append(v.held, t)
}

func (v *visit) settleLimbo() {
	for _, t := range v.held {
		t.limbo--
	}
	v.held = nil
}

// crowd: where an owner's sessions are counted, a login may end any of them.
func (l *ledger) crowd(owner string) {
	if owner == "" || l.setup.MaxPerOwner == 0 {
		return
	}
	for _, t := range l.all {
		if t.owner == owner {
			doubt(t)
		}
	}
}

// endCommit draws the conclusions of what a Commit has answered.
func (v *visit) endCommit(err error) {
	if v.set.any || err != nil {
		v.w.say("      request %d commits: %v", v.n, err)
	}
	l := v.w.ledger
	set := v.set
	v.set, v.stranded = changes{}, false
	if v.stamping != nil {
		v.stamped = v.stamping // also if that Commit fails: a later one seals what RevokeOthers has kept
	}
	v.stamping = nil
	if err != nil {
		v.notCommitted(&set, err)
		return
	}
	if !v.loaded {
		return
	}
	v.snap = v.see()
	before := v.cur
	i := v.m.Info(v.ctx)
	l.mu.Lock()
	defer l.mu.Unlock()
	v.settleLimbo()
	v.noSealLeft = l.endsSeal(v, &set, before)
	if set.logout {
		l.loggedOut(v)
	}
	l.crowd(set.login)
	l.tooLate(v, &set, before)
	l.nowUnder(v, &set, &i, before)
	l.passes(v, &set, before)
	v.id, v.owner, v.pending = i.ID, i.Owner, i.Owner
	if set.login != "" && i.Owner != set.login {
		l.wrong("request %d is told that %s is logged in, and it is %q", v.n, set.login, i.Owner)
	}
	l.keep(v, &set)
}

// loggedOut: what was shown, and lives, has ended.
func (l *ledger) loggedOut(v *visit) {
	all := v.shown
	if v.cur != nil {
		all = []*token{v.cur}
	}
	for _, t := range all {
		if t.seal || v.cur == nil && l.everyoneGoes() {
			doubt(t)
		} else {
			l.kill(t, "logged out")
		}
	}
	v.cur = nil
}

// everyoneGoes reports whether everybody's sessions may have been revoked, which not every process knows yet.
func (l *ledger) everyoneGoes() bool {
	return l.shaky[everyone] || slices.ContainsFunc(l.ends, func(e *ending) bool { return e.owner == everyone && e.returned == 0 })
}

// nowUnder finds the token that the session is under after a Commit.
func (l *ledger) nowUnder(v *visit, set *changes, i *sojourn.Info, before *token) {
	switch {
	case i.ID == "":
		v.noSealLeft = v.noSealLeft && v.cur == nil // or it has ended under this request, which says nothing then
		v.cur = nil
	case v.minted, v.cur == nil, v.cur.seal && len(set.tags) > 0:
		l.another(v, set, l.mintedFor(v, set, i), before)
	case v.cur.id != i.ID || v.cur.owner != i.Owner:
		l.wrong("request %d: the token of session %s of %q is now good for %s of %q", v.n, short(v.cur.id), v.cur.owner, short(i.ID), i.Owner)
	case set.token && set.login != "":
		l.wrong("request %d is told that %s is logged in, and there is no new token", v.n, set.login)
	case set.token && v.cur.dead == 0: // in vain: a Remember of what was so
		v.undoubt()
	}
}

// mintedFor is the token that a Commit has put v's session under.
func (l *ledger) mintedFor(v *visit, set *changes, i *sojourn.Info) *token {
	t := &token{id: i.ID, owner: i.Owner, content: newContent(), seal: v.isSeal(i)}
	goesOn := v.cur != nil && (v.cur.id == i.ID || v.cur.seal) && !set.anew
	movesIn := goesOn && v.cur.seal && !t.seal // a record of its own, stamped anew
	t.birth = &login{asked: v.commitBegan, acked: l.tick()}
	switch {
	case movesIn:
		t.content.remembered = v.cur.content.remembered
	case goesOn:
		t.birth = v.cur.birth
		if v.cur.owner == "" || v.cur.owner == i.Owner {
			t.content = v.cur.content
		}
	}
	t.content.remembered = t.content.remembered || set.remember
	t.login = l.loginOf(v, set, t)
	return t
}

// loginOf is the login that t, which a Commit has put v's session under, is of; nil if there is none.
func (l *ledger) loginOf(v *visit, set *changes, t *token) *login {
	switch {
	case set.login != "":
		return &login{began: l.loginBegan(v, set.login), asked: v.commitBegan, acked: l.tick(), by: v.n}
	case t.seal && l.setup.Keeper == Visitors:
		return nil
	case v.stamped != nil:
		return l.stampedLogin(v)
	case v.cur != nil:
		return v.cur.login
	}
	return nil
}

// stampedLogin is that of a sealed session which RevokeOthers has put above the fence that it raised.
func (l *ledger) stampedLogin(v *visit) *login {
	return &login{began: v.stamped.returned, asked: v.stamped.called, acked: l.tick(), by: v.n}
}

// another: t is the token of v's session now, in the place of before.
func (l *ledger) another(v *visit, set *changes, t, before *token) {
	switch {
	case !v.minted && v.cur == nil && set.any:
		l.wrong("request %d has session %s without a token of its own", v.n, short(t.id))
	case v.cur.isSeal() && !t.seal:
		l.moved(v, set, t)
	}
	switch {
	case before == nil:
	case !before.seal:
		l.kill(before, "renewed")
	case !t.seal || before.id != t.id:
		doubt(before)
	}
	l.add(t)
	if v.aged {
		doubt(t)
	}
	if v.cur = t; !t.seal {
		v.last = t
	}
}

// loginBegan is when v's login began: whoever has revoked all of an owner's sessions may log in again.
func (l *ledger) loginBegan(v *visit, owner string) int {
	began := v.inside
	for _, e := range l.ends {
		if e.by == v.n && (e.owner == owner || e.owner == everyone) && e.returned != 0 {
			began = e.returned
		}
	}
	return began
}

// keep notes that what was put is there.
func (l *ledger) keep(v *visit, set *changes) {
	// Of two Pops at once the second removes nothing: what it was given beyond the first one's stays.
	contested := slices.ContainsFunc(set.popped, func(t *tag) bool { return t.pops > 1 })
	for _, t := range set.popped {
		if v.cur != nil && !contested {
			v.cur.content.gone[t.n] = l.tick()
		}
	}
	if len(set.tags) == 0 {
		return
	}
	for _, t := range set.tags {
		if v.cur == nil {
			if t.key == "log" {
				l.wrong("request %d is told that %d is kept, and has no session", v.n, t.n)
			}
			t.fate = uncertain
			continue
		}
		t.fate, t.acked, t.content = acknowledged, l.tick(), v.cur.content
		if t.owner == "" {
			t.owner = v.cur.owner
		}
	}
	if slices.ContainsFunc(set.tags, func(t *tag) bool { return !t.popped }) {
		v.asOf = v.commitBegan // a note that was popped again, in the same change set, is nothing to save
	}
}

// notCommitted: either nothing was applied, or it is not known.
func (v *visit) notCommitted(set *changes, err error) {
	nothing := nothingApplied(err)
	v.noSealLeft = false
	if !nothing && !sojourn.Unavailable(err) && !errors.Is(err, errAborted) {
		v.wrong("a Commit answers %v", err)
	}
	v.notKept(set, err, nothing)
	if !v.loaded {
		return
	}
	v.resync()
	if v.id != "" || v.failed {
		return
	}
	if errors.Is(err, sojourn.ErrEnded) && set.login == "" && !set.logout {
		v.hasReason()
	}
	v.cur = nil
}

// notKept notes what a Commit that answered err has left of what it was to do.
func (v *visit) notKept(set *changes, err error, nothing bool) {
	l := v.w.ledger
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, t := range set.tags {
		if t.fate = uncertain; nothing {
			t.fate = never
		}
	}
	down := sojourn.Unavailable(err)
	if nothing && !set.logout && !down && !errors.Is(err, sojourn.ErrEnded) {
		v.undoubt()
		v.settleLimbo()
	}
	v.held = nil // and those stay in limbo
	if errors.Is(err, context.Canceled) && !v.left && !down {
		l.wrong("request %d is told that its client has gone, which has not", v.n)
	}
}

// hasReason: somebody must have ended what is said to have ended.
func (v *visit) hasReason() {
	l := v.w.ledger
	l.mu.Lock()
	defer l.mu.Unlock()
	if v.cur != nil && v.cur.dead == 0 && v.cur.maybe <= v.own(v.cur) {
		l.wrong("request %d is told that session %s has ended, which nobody has ended", v.n, short(v.cur.id))
	}
}

// own is for how many reasons t may have ended that are v's own Commit.
func (v *visit) own(t *token) (n int) {
	for _, d := range v.doubted {
		if d == t {
			n++
		}
	}
	return n
}

// resync takes the session as the request has it now, nothing waiting.
func (v *visit) resync() {
	if v.m.Load(v.ctx) != nil {
		v.failed = true
		return
	}
	i := v.m.Info(v.ctx)
	v.id, v.owner, v.pending = i.ID, i.Owner, i.Owner
}

// maySeeRevoked: a sealed session may still be read for two seconds, by a request that changes nothing.
func (l *ledger) maySeeRevoked(v *visit, t *token) bool {
	switch {
	case l.setup.Keeper == SealedAlone:
		return true
	case l.setup.Keeper == Sealed && t.why != "expired":
		// When it was asked, not when it was answered: a fence that was looked at before counts for so long.
		return v.req.Safe && v.lookedAt.Sub(t.deadAt) < 2*time.Second+time.Millisecond
	}
	return false
}
