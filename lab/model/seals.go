package model

import (
	"slices"
	"strings"
	"time"

	"github.com/gosojourn/sojourn"
)

// past is a seal's session in a process that has seen it end.
type past struct {
	host int
	id   string
}

type passed struct {
	tick  int
	at    time.Time
	ended bool // by a logout; else another session has taken its place
}

// remembered is for how long, for certain, a process knows a seal that it has seen end. It is a minute, of which a
// Commit may have taken some.
const remembered = 50 * time.Second

// kinds tells the cookies of tokens from those of seals.
func (l *ledger) kinds(pairs []string) (tokens, seals []string) {
	switch l.setup.Keeper {
	case InStore:
		return pairs, nil
	case Sealed, SealedAlone:
		return nil, pairs
	}
	for _, p := range pairs {
		if isSeal(p) {
			seals = append(seals, p)
		} else {
			tokens = append(tokens, p)
		}
	}
	return tokens, seals
}

// isSeal reports whether a cookie is a visitor's seal.
func isSeal(pair string) bool { return strings.Contains(pair, "-visitor=") }

// shownKinds tells the tokens that v shows from the seals.
func (v *visit) shownKinds() (tokens, seals []*token) {
	for _, t := range v.shown {
		if t.seal {
			seals = append(seals, t)
		} else {
			tokens = append(tokens, t)
		}
	}
	return tokens, seals
}

// copies are own, and all copies of the seals among them.
func (l *ledger) copies(own []*token) (all []*token) {
	for _, t := range l.all {
		if slices.ContainsFunc(own, func(o *token) bool { return o == t || o.seal && t.seal && o.id == t.id }) {
			all = append(all, t)
		}
	}
	return all
}

// isSeal tells who keeps the session i of v, after a Commit. Renewed, a record keeps its id and a seal does not; and
// what goes into the store is asked of it.
func (v *visit) isSeal(i *sojourn.Info) bool {
	switch {
	case v.w.plan.Setup.Keeper != Visitors:
		return v.w.plan.Setup.Keeper.sealed()
	case !v.minted && v.cur != nil:
		return v.cur.seal
	}
	return !v.creates[i.ID] && (v.cur == nil || v.cur.id != i.ID)
}

// sentSeal notes the seal that the response carries, and what it holds.
func (v *visit) sentSeal(pairs []string) {
	l := v.w.ledger
	s := v.snap
	if v.loaded && !v.failed && len(pairs) > 0 {
		s = v.see()
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case len(pairs) == 0:
		if v.owesSeal() {
			l.wrong("request %d does not send its new seal", v.n)
		}
	case len(pairs) > 1:
		l.wrong("request %d sets %d cookies", v.n, len(pairs))
	case s.ID == "":
		l.wrong("request %d has no session any more, and sends a seal", v.n)
	case l.setup.Keeper == Visitors && (s.Owner != "" || v.cur.inStore()):
		l.wrong("request %d has session %s of %q in the store, and sends a seal", v.n, short(s.ID), s.Owner)
	default:
		t := v.cur
		if v.isOld(t) {
			t = l.sealedAgain(v, &s)
		}
		t.text, t.sealed = pairs[0], &s
		l.tokens[pairs[0]] = t
	}
}

// owesSeal reports whether v has put something into its seal, of which the browser has to hear.
func (v *visit) owesSeal() bool {
	return v.cur.isSeal() && v.cur.text == "" && v.cur.certain() && !v.unsure && !v.failed && v.copyOf(&v.snap) == nil
}

// isOld reports whether t is not the seal that v's response sends.
func (v *visit) isOld(t *token) bool {
	return t == nil || t.text != "" || v.stamped != nil && v.stamped.called > t.born
}

// sealedAgain is the seal of a session that was sealed because its time or its key was due.
func (l *ledger) sealedAgain(v *visit, s *view) *token {
	t := &token{id: s.ID, owner: s.Owner, content: newContent(), seal: true}
	if v.cur != nil {
		t.content, t.login, t.birth, t.maybe = v.cur.content, v.cur.login, v.cur.birth, v.cur.maybe
	}
	if v.stamped != nil && l.setup.Keeper.sealed() {
		t.login = l.stampedLogin(v)
	}
	l.add(t)
	if v.aged || v.cur == nil {
		doubt(t)
	}
	return t
}

// sameSeal: whoever shows a seal has what was sealed; of several copies of one session, what one of them has.
func (l *ledger) sameSeal(v *visit, s *view) {
	if t := v.copyOf(s); t != nil {
		v.cur = t
		return
	}
	l.wrong("request %d shows a seal of %+v, and sees %+v", v.n, *v.cur.sealed, *s)
}

// copyOf is the seal that v shows which holds s.
func (v *visit) copyOf(s *view) *token {
	for _, t := range v.shown {
		if t.sealed != nil && t.sealed.equal(s) {
			return t
		}
	}
	return nil
}

func (v *view) equal(s *view) bool {
	return v.ID == s.ID && v.Owner == s.Owner && v.Count == s.Count && v.Plain == s.Plain && v.Once == s.Once &&
		slices.Equal(v.Log, s.Log) && slices.Equal(v.Notes, s.Notes)
}

// due is the token whose session v has to be given, if that is certain: a live one of the store's, or else a seal that
// nothing hides. For a minute a token hides what is beside it after it was renewed.
func (l *ledger) due(v *visit) *token {
	lives := func(t *token) bool { return t.certain() && t.born < v.began }
	tokens, seals := v.shownKinds()
	switch {
	case len(tokens) == 1 && lives(tokens[0]):
		return tokens[0]
	case len(seals) == 1 && lives(seals[0]):
		for _, t := range tokens {
			if t.dead == 0 || t.dead >= v.began || t.why == "renewed" {
				return nil
			}
		}
		return seals[0]
	}
	return nil
}

// given judges that v was given s, which is v.cur's, beside what else it shows.
func (l *ledger) given(v *visit, s *view) {
	tokens, _ := v.shownKinds()
	due := l.due(v)
	l.eitherOr(v, s, tokens, due)
	switch {
	case due != nil && due.id != s.ID:
		l.wrong("request %d shows a live token of session %s, and is given %s", v.n, short(due.id), short(s.ID))
	case l.setup.Keeper != Visitors:
	case s.Owner != "" && v.cur.seal:
		l.wrong("request %d is %q by a seal", v.n, s.Owner)
	case several(tokens, v.began):
		l.wrong("request %d shows several live tokens, and is given session %s", v.n, short(s.ID))
	case v.cur.seal && !v.unsure && slices.ContainsFunc(tokens, func(t *token) bool { return l.hides(v, t) }):
		l.wrong("request %d shows a token that was renewed, and is given a seal", v.n)
	}
	if v.cur.seal && l.goneHere(v, s.ID, v.began) {
		l.wrong("request %d is given the seal of session %s, which this process has seen end", v.n, short(s.ID))
	}
}

// eitherOr: a seal that has gone into the store is shown beside the token that it has there, under the same id.
func (l *ledger) eitherOr(v *visit, s *view, tokens []*token, due *token) {
	seal := v.copyOf(s)
	for _, t := range tokens {
		switch {
		case seal == nil || t.id != s.ID || t.owner != s.Owner:
		case t == due:
			v.cur = t
			return
		case !l.wasDead(v, t):
			v.cur, v.unsure = seal, true
		}
	}
}

// goneHere reports whether v's process has seen the seal of session id end before.
func (l *ledger) goneHere(v *visit, id string, before int) bool {
	p := l.past[past{v.req.Host, id}]
	return !v.unsure && p.tick != 0 && p.tick < before && time.Since(p.at) < remembered
}

// several: tokens of more than one session live.
func several(tokens []*token, began int) bool {
	ids := make(map[string]bool)
	for _, t := range tokens {
		if t.certain() && t.born < began {
			ids[t.id] = true
		}
	}
	return len(ids) > 1
}

// hides: t was renewed less than a minute ago, and the session lives.
func (l *ledger) hides(v *visit, t *token) bool {
	return t.dead != 0 && t.dead < v.began && t.why == "renewed" && v.lookedAt.Sub(t.deadAt) < remembered &&
		slices.ContainsFunc(l.all, func(x *token) bool { return !x.seal && x.id == t.id && x.certain() })
}

// holds is what v's seal holds, as committed.
func (v *visit) holds() (s view) {
	switch {
	case v.cur == nil || !v.cur.seal:
	case v.snap.ID == v.cur.id:
		s = v.snap
	case v.cur.sealed != nil:
		s = *v.cur.sealed
	}
	return s
}

// moved judges the session t of the store's that v's seal has become, and notes what it has brought along.
func (l *ledger) moved(v *visit, set *changes, t *token) {
	seal, had := v.cur, v.had
	if set.anew {
		had = view{}
	}
	brought := make(map[int]bool)
	for _, n := range v.snap.tags() {
		x := l.tagOf(n)
		switch own := slices.Contains(set.tags, x); {
		case own:
		case !slices.Contains(had.tags(), n):
			l.wrong("request %d moves its seal into the store, and has %d, which was not in it", v.n, n)
		default:
			brought[n] = true
			l.maySee(v, &v.snap, x)
			if x.key == "log" || x.key == "notes" {
				t.content.moved[n] = l.tick()
			}
		}
	}
	if l.sealOver(v, v.cur) && len(brought) > 0 {
		l.wrong("request %d keeps %d values of a seal that had ended", v.n, len(brought))
	}
	l.movedBefore(v, set, t, brought)
	if set.anew || !seal.certainBut(v.own(seal)) {
		return
	}
	for _, n := range slices.Concat(had.Log, had.Notes) {
		if x := l.tagOf(n); x.stays() && !brought[n] {
			l.wrong("request %d moves its seal into the store without %d (%s)", v.n, n, x.key)
		}
	}
}

// certainBut: nothing but so many Commits may have ended t.
func (t *token) certainBut(n int) bool { return t.dead == 0 && t.maybe <= n }

// sealOver: the seal t had ended for certain, also for v's process, when v's Commit began.
func (l *ledger) sealOver(v *visit, t *token) bool {
	if v.unsure || !t.seal || l.setup.Keeper != Visitors {
		return false
	}
	return t.dead != 0 && t.dead < v.commitBegan || l.past[past{v.req.Host, t.id}].ended && l.goneHere(v, t.id, v.commitBegan)
}

// tooLate: what is put into a seal that has ended is not said to be kept.
func (l *ledger) tooLate(v *visit, set *changes, before *token) {
	if len(set.tags) > 0 && set.login == "" && !set.logout && before != nil && l.sealOver(v, before) {
		l.wrong("request %d is told that %d is kept, in a seal that had ended", v.n, set.tags[0].n)
	}
}

// movedBefore: a seal goes into the store once under its id; and what was taken there is not to be had again.
func (l *ledger) movedBefore(v *visit, set *changes, t *token, brought map[int]bool) {
	for _, x := range l.all {
		if x.seal || x.id != v.cur.id || !x.certain() || x.born > v.commitBegan || v.unsure {
			continue
		}
		if t.id == x.id || set.took {
			l.wrong("request %d moves the seal of session %s into the store, which was there", v.n, short(x.id))
		}
		for n := range brought {
			if x.content.taken[n] && x.content.gone[n] < v.commitBegan && !l.putAgain(x.content, n) {
				l.wrong("request %d moves its seal into the store with %d, which was taken there", v.n, n)
			}
		}
	}
}

// putAgain: under the key of n, something else has been put into c. What the seal holds under that key is not left out
// then, because it might as well be a cart that the first session has changed.
func (l *ledger) putAgain(c *content, n int) bool {
	return slices.ContainsFunc(l.tags, func(t *tag) bool { return t.n != n && t.key == l.tagOf(n).key && t.content == c })
}

// passes notes what has become of the seal that v's session was before a Commit.
func (l *ledger) passes(v *visit, set *changes, before *token) {
	switch {
	case before == nil || !before.seal || v.unsure || v.aged: // or it has expired, and nothing goes on from it
	case v.cur.isSeal() && v.cur.id == before.id:
		v.undoubt()
	case v.cur != nil || set.logout:
		k := past{v.req.Host, before.id}
		if p, ok := l.past[k]; !ok || time.Since(p.at) > 2*time.Minute {
			l.past[k] = passed{l.tick(), time.Now(), set.logout}
		}
	}
}

// endsSeal reports whether v's browser is to have no seal after a Commit.
func (l *ledger) endsSeal(v *visit, set *changes, before *token) bool {
	switch {
	case v.said:
		return false
	case set.login != "":
		return true
	case set.logout:
		return before != nil && before.certainBut(v.own(before))
	}
	return v.noSealLeft
}

// noSeal: who has logged in or out, and nothing else meanwhile, has no seal any more.
func (l *ledger) noSeal(v *visit, pairs []string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.setup.Keeper != Visitors || !v.alone || !v.noSealLeft || v.failed || v.cur != nil && (v.cur.seal || !v.cur.certain()) {
		return
	}
	if _, seals := l.kinds(pairs); len(seals) > 0 {
		l.wrong("request %d has logged in or out, and its browser still has a visitor's seal", v.n)
	}
}
