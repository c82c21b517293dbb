package model

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/gosojourn/sojourn"
)

// do does one thing of the handler's.
func (v *visit) do(verb Verb) {
	if !v.loaded && !v.failed {
		if _, ok := v.look(); !ok {
			return
		}
	}
	if v.failed {
		return
	}
	begun := time.Now()
	v.verbs()[verb.Kind](verb)
	if verb.Kind != List && verb.Kind != RevokeEveryone {
		v.over(verb.String(), begun)
	}
	v.w.say("    request %d: %s", v.n, verb)
}

func (v *visit) verbs() [verbKinds]func(Verb) {
	return [verbKinds]func(Verb){
		Look: func(Verb) { v.look() }, Count: func(Verb) { v.count(false) }, SlowCount: func(Verb) { v.count(true) },
		AppendNote: v.append, PopNotes: v.pop, Put: v.put, PutOnce: v.putOnce, Take: v.take, Delete: v.delete,
		Login: v.login, Logout: v.logout, Renew: v.renew, Remember: v.remember, Commit: func(Verb) { v.commit() },
		RevokeAll: v.revokeAll, RevokeOthers: v.revokeOthers, Revoke: v.revoke, List: v.list, Valid: v.valid, FirstByte: v.firstByte,
		RevokeEveryone: v.revokeEveryone, PutLarge: v.putLarge,
	}
}

func (v *visit) tag(key string) *tag {
	l := v.w.ledger
	l.mu.Lock()
	defer l.mu.Unlock()
	t := l.newTag(key, v.pending)
	v.set.tags = append(v.set.tags, t)
	v.set.any = true
	return t
}

// count adds one to both the number and the log, each by a function that may run again.
func (v *visit) count(slow bool) {
	t := v.tag("log")
	logKey.Update(v.ctx, func(all []int) []int {
		if slow {
			v.fnWait = true
			v.w.between(v, "in a function given to Update")
		}
		return append(slices.Clone(all), t.n)
	})
	countKey.Update(v.ctx, func(n int) int { return n + 1 })
}

func (v *visit) append(Verb) {
	t := v.tag("notes")
	sojourn.Append(v.ctx, notesKey, t.n)
}

func (v *visit) pop(Verb) {
	l := v.w.ledger
	all := notesKey.Pop(v.ctx)
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, n := range all {
		if t := l.tagOf(n); t != nil {
			t.popped = true
			t.pops++
			v.set.popped = append(v.set.popped, t)
		}
	}
	v.set.any = v.set.any || len(all) > 0 // to pop nothing changes nothing
}

func (v *visit) put(Verb)     { plainKey.Put(v.ctx, v.tag("plain").n) }
func (v *visit) putOnce(Verb) { onceKey.Put(v.ctx, v.tag("once").n) }

// putLarge: no seal takes so much.
func (v *visit) putLarge(Verb) {
	largeKey.Put(v.ctx, large)
	v.set.any, v.set.moves = true, true
}

func (v *visit) delete(Verb) { plainKey.Delete(v.ctx); v.set.any = true }

// take takes a value that only one may get.
func (v *visit) take(Verb) {
	before := v.set
	v.set.any, v.set.moves = true, true
	v.beginCommit()
	n, ok, err := onceKey.Take(v.ctx)
	if errors.Is(err, errors.ErrUnsupported) {
		v.unsupported("Take", err)
		v.set = before
		return
	}
	cur := v.cur
	v.set.took = ok && !slices.ContainsFunc(before.tags, func(t *tag) bool { return t.n == n })
	took := v.set.took
	v.endCommit(err)
	if err != nil || !ok {
		return
	}
	l := v.w.ledger
	l.mu.Lock()
	defer l.mu.Unlock()
	t := l.tagOf(n)
	if v.cur != nil {
		cur = v.cur
	}
	switch {
	case t == nil || cur == nil:
	case l.setup.Keeper == Visitors && cur.seal && !v.unsure && took:
		l.wrong("request %d takes %d from a seal, which can be shown again", v.n, n)
	case cur.content.taken[n]:
		l.wrong("request %d takes %d, which was taken before", v.n, n)
	default:
		cur.content.taken[n] = true
		cur.content.gone[n] = l.tick()
	}
}

// unsupported is right for a keeper that cannot do it.
func (v *visit) unsupported(what string, err error) {
	if !v.w.plan.Setup.Keeper.sealed() {
		v.wrong("%s: %v", what, err)
	}
}

// login: what another owner had, and what was put before as that one, is not for this one.
func (v *visit) login(verb Verb) {
	if err := v.m.Login(v.ctx, verb.owner()); err != nil {
		v.wrong("Login: %v", err)
		return
	}
	if v.pending != "" && v.pending != verb.owner() {
		v.drop()
		v.set.anew = true
	}
	v.pending = verb.owner()
	v.set.login, v.set.token, v.set.any = verb.owner(), true, true
}

func (v *visit) logout(Verb) {
	if err := v.m.Logout(v.ctx); err != nil {
		v.wrong("Logout: %v", err)
		return
	}
	v.drop()
	v.pending = ""
	v.set.login = ""
	v.set.logout, v.set.any = true, true
}

// drop: what was put so far is not to be kept.
func (v *visit) drop() {
	l := v.w.ledger
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, t := range v.set.tags {
		t.fate = never
	}
	v.set.tags = nil
}

func (v *visit) renew(Verb) {
	if err := v.m.Renew(v.ctx); err != nil {
		v.wrong("Renew: %v", err)
	}
	v.set.token, v.set.any = true, true
}

func (v *visit) remember(verb Verb) {
	v.m.Remember(v.ctx, verb.Arg%2 == 0)
	v.set.token, v.set.remember, v.set.any = true, true, true
	if v.cur != nil {
		l := v.w.ledger
		l.mu.Lock()
		v.cur.content.remembered = true
		l.mu.Unlock()
	}
}

func (v *visit) commit() {
	v.beginCommit()
	v.endCommit(v.m.Commit(v.ctx))
}

func (v *visit) firstByte(Verb) {
	if v.sent {
		return
	}
	v.sent = true
	v.beginCommit()
	_, err := v.out.Write([]byte("x"))
	out := v.outcome(false)
	if err != nil && out == nil {
		out = err
	}
	v.endCommit(out)
	v.said = true
	v.sentCookies(v.rec.Result().Header["Set-Cookie"])
	if v.refused != nil {
		v.failed = true
	}
}

func (v *visit) revokeAll(verb Verb) {
	owner := verb.owner()
	l := v.w.ledger
	e := l.revoke(owner, "", v.n)
	err := v.m.RevokeAll(v.ctx, owner)
	if errors.Is(err, errors.ErrUnsupported) && v.w.plan.Setup.Keeper == SealedAlone {
		return
	}
	v.w.say("      revoked all of %s: %v", owner, err)
	l.revoked(e, err)
	if err == nil && v.id != "" && v.owner == owner {
		v.forgotten()
	}
}

func (v *visit) revokeEveryone(Verb) {
	l := v.w.ledger
	e := l.revoke(everyone, "", v.n)
	err := v.m.RevokeEveryone(v.ctx)
	if errors.Is(err, errors.ErrUnsupported) && v.w.plan.Setup.Keeper == SealedAlone {
		return
	}
	v.w.say("      revoked everyone: %v", err)
	l.revoked(e, err)
	if out := err == nil || strings.Contains(err.Error(), "everybody is out"); out && v.id != "" {
		v.forgotten()
	}
}

// forgotten: the request's own session was ended by it, and what it has put so far with it, but for a login.
func (v *visit) forgotten() {
	if v.set.login == "" {
		v.drop()
		v.set = changes{}
	}
	v.resync()
	if v.id != "" {
		v.wrong("its own session was revoked, and it still has %s", short(v.id))
	}
	v.cur = nil
}

// revokeOthers commits a login first, so that it can be told what became of which.
func (v *visit) revokeOthers(Verb) {
	if v.set.login != "" {
		v.commit()
		return // what RevokeOthers would commit itself is told apart so
	}
	if v.owner == "" || v.set.login != "" || v.set.logout {
		return
	}
	l := v.w.ledger
	keep := v.id
	if v.cur.isSeal() {
		keep = "" // other copies of its seal end too
	}
	e := l.revoke(v.owner, keep, v.n)
	err := v.m.RevokeOthers(v.ctx)
	v.w.say("      revoked the others of %s: %v", v.owner, err)
	unsupported := errors.Is(err, errors.ErrUnsupported) && v.w.plan.Setup.Keeper == SealedAlone
	if errors.Is(err, sojourn.ErrEnded) || errors.Is(err, sojourn.ErrHeaderSent) || unsupported {
		l.mu.Lock()
		l.ends = slices.DeleteFunc(l.ends, func(x *ending) bool { return x == e }) // nothing was done
		l.mu.Unlock()
	} else {
		l.revoked(e, err)
	}
	if err == nil {
		v.stamping = e
		v.set.any = v.set.any || v.cur.isSeal()
	}
	if v.m.Load(v.ctx) != nil {
		v.failed = true
		return
	}
	if errors.Is(err, sojourn.ErrEnded) {
		v.lost()
	}
}

// lost: the keeper has said that the session has ended.
func (v *visit) lost() {
	l := v.w.ledger
	l.mu.Lock()
	defer l.mu.Unlock()
	if v.cur != nil && v.cur.certain() {
		l.wrong("request %d is told that session %s has ended, which nobody has ended", v.n, short(v.cur.id))
	}
	v.cur, v.id, v.owner, v.stranded, v.noSealLeft = nil, "", "", true, false
	if !v.set.any {
		v.pending = ""
	}
}

func (v *visit) revoke(verb Verb) {
	l := v.w.ledger
	owner, id := verb.owner(), ""
	l.mu.Lock()
	var doomed []*token
	for _, t := range l.all {
		if t.owner == owner {
			id = t.id
		}
	}
	l.shaky[id] = true // what it is under later may end by this too
	for _, t := range l.all {
		if t.id == id && !t.seal {
			doubt(t)
			if t.owner == owner {
				doomed = append(doomed, t)
			}
		}
	}
	l.mu.Unlock()
	if id == "" {
		return
	}
	err := v.m.Revoke(v.ctx, owner, id)
	if errors.Is(err, errors.ErrUnsupported) {
		v.unsupported("Revoke", err)
		return
	}
	v.w.say("      revoked %s of %s: %v", short(id), owner, err)
	if err != nil {
		return
	}
	l.mu.Lock()
	for _, t := range doomed {
		l.kill(t, "revoked by id")
	}
	l.mu.Unlock()
	if v.id == id {
		v.forgotten()
	}
}

// list: all that certainly live, none that is certainly dead, each once.
func (v *visit) list(verb Verb) {
	owner := verb.owner()
	l := v.w.ledger
	l.mu.Lock()
	began := l.tick()
	l.mu.Unlock()
	seen := make(map[string]bool)
	for i, err := range v.m.List(v.ctx, owner) {
		if err != nil {
			if errors.Is(err, errors.ErrUnsupported) {
				v.unsupported("List", err)
			} else if !sojourn.Unavailable(err) {
				v.wrong("List: %v", err)
			}
			return
		}
		if seen[i.ID] || i.Owner != owner {
			v.wrong("List of %s yields %s of %q", owner, short(i.ID), i.Owner)
		}
		seen[i.ID] = true
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, t := range l.all {
		if t.owner == owner && t.born < began && t.certain() && !seen[t.id] {
			l.wrong("request %d lists %s without session %s, which lives", v.n, owner, short(t.id))
		}
	}
}

func (v *visit) valid(Verb) {
	l := v.w.ledger
	l.mu.Lock()
	began := l.tick()
	l.mu.Unlock()
	err := v.m.Valid(v.ctx)
	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case v.cur == nil:
	case err == nil && v.cur.seal && l.goneHere(v, v.cur.id, began):
		l.wrong("request %d: Valid says that a seal of session %s lives, which this process has seen end", v.n, short(v.cur.id))
	case err == nil && v.cur.dead != 0 && v.cur.dead < began && !l.setup.Keeper.sealed():
		l.wrong("request %d: Valid says that session %s lives, which was dead (%s)", v.n, short(v.cur.id), v.cur.why)
	case errors.Is(err, sojourn.ErrEnded) && v.cur.certain():
		l.wrong("request %d: Valid says that session %s has ended, which nobody has ended", v.n, short(v.cur.id))
	case err != nil && !errors.Is(err, sojourn.ErrEnded) && !sojourn.Unavailable(err):
		l.wrong("request %d: Valid: %v", v.n, err)
	}
}

// nothingApplied: errors that promise it.
func nothingApplied(err error) bool {
	for _, e := range []error{sojourn.ErrEnded, sojourn.ErrHeaderSent, sojourn.ErrCrossSite, sojourn.ErrAmbiguous, sojourn.ErrTooLarge, sojourn.ErrRefused} {
		if errors.Is(err, e) {
			return true
		}
	}
	return errors.Is(err, context.Canceled) && !sojourn.Unavailable(err)
}
