package model

import (
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"
)

// A ledger is the small model: what was acknowledged, and what may be seen because of it. Time is a
// count of what happened, so that before and after are certain also where no clock is shared.
type ledger struct {
	mu     sync.Mutex
	setup  Setup
	now    int
	tokens map[string]*token
	all    []*token
	tags   []*tag
	ends   []*ending
	shaky  map[string]bool // owners of whom, and ids of which, a revocation may yet take effect
	past   map[past]passed // seals that a process has seen end
	broken []string
}

// A token is one that a session was under: a token of the store's, or a seal.
type token struct {
	text      string // "" until a response has sent it
	id, owner string
	content   *content
	login     *login // nil while nobody is logged in
	birth     *login // when the session began, as if that were a login; nil if it is not known
	born      int
	dead      int // since when it must not be accepted; 0: never said
	deadAt    time.Time
	why       string
	limbo     int   // logins onto it that may yet be taken back: nothing that is told of it is final
	maybe     int   // for so many reasons it may have ended
	seal      bool  // its client keeps the session, so that copies of it can be shown again
	sealed    *view // what it holds, once a response has sent it
}

func (t *token) isSeal() bool  { return t != nil && t.seal }
func (t *token) inStore() bool { return t != nil && !t.seal }

// A login is one that was acknowledged; a renewal goes on with it.
type login struct {
	began int // its request, for certain: a revocation that is asked for later beats it
	asked int // from then on it may have looked at the fence: a revocation that returned before has spared it
	acked int
	by    int
}

// content is what a session holds, under whatever token.
type content struct {
	taken      map[int]bool
	gone       map[int]int // tags that an acknowledged Pop has removed, and when
	remembered bool        // perhaps
	moved      map[int]int // tags that were in a seal, and when that was moved into the store
}

// A tag is a value that is put once, so that it can be told where it went.
type tag struct {
	n       int
	key     string
	owner   string
	fate    tagFate
	acked   int
	content *content
	popped  bool // somebody may have removed it
	pops    int  // how many have been given it by a Pop
}

type tagFate uint8

const (
	pending tagFate = iota
	acknowledged
	uncertain
	never // an answer has said that it was not kept
)

// An ending is a revocation of an owner's sessions.
type ending struct {
	owner    string
	called   int
	returned int // 0: under way, or failed
	by       int
	keep     string
	deadAt   time.Time
}

func newLedger(s Setup) *ledger {
	return &ledger{setup: s, tokens: make(map[string]*token), shaky: make(map[string]bool), past: make(map[past]passed)}
}

func newContent() *content {
	return &content{taken: make(map[int]bool), gone: make(map[int]int), moved: make(map[int]int)}
}

// tick is the time of what happens now. The caller holds mu.
func (l *ledger) tick() int { l.now++; return l.now }

// wrong notes that a law is broken. The caller holds mu.
func (l *ledger) wrong(format string, a ...any) {
	l.broken = append(l.broken, fmt.Sprintf(format, a...))
}

func (l *ledger) isBroken() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.broken) > 0
}

func (l *ledger) newTag(key, owner string) *tag {
	t := &tag{n: len(l.tags) + 1, key: key, owner: owner}
	l.tags = append(l.tags, t)
	return t
}

func (l *ledger) tagOf(n int) *tag {
	if n < 1 || n > len(l.tags) {
		return nil
	}
	return l.tags[n-1]
}

// kill: from now on, whoever shows t is nobody.
func (l *ledger) kill(t *token, why string) {
	if t != nil && t.dead == 0 && t.limbo == 0 {
		t.dead, t.deadAt, t.why = l.tick(), time.Now(), why
	}
}

// doubt: t may have ended.
func doubt(t *token) {
	if t != nil {
		t.maybe++
	}
}

// add makes t known, and dead if a revocation has passed that it may not outlive.
func (l *ledger) add(t *token) {
	t.born = l.tick()
	if l.mayBePast(t) {
		doubt(t)
	}
	l.all = append(l.all, t)
	if l.shaky[t.id] && !t.seal {
		doubt(t)
	}
	if l.mayYetEnd(t) {
		doubt(t)
	}
	for _, e := range l.ends {
		switch {
		case !e.of(t) || e.keep == t.id && e.keep != "":
		case e.returned == 0 || l.masked(e, t):
			doubt(t)
		case e.ends(t):
			l.kill(t, "revoked while it logged in")
			t.deadAt = e.deadAt
		case e.meets(t):
			doubt(t)
		}
	}
}

// mayBePast reports whether t is a copy of a seal that may have ended.
func (l *ledger) mayBePast(t *token) bool {
	return t.seal && slices.ContainsFunc(l.all, func(x *token) bool { return x.seal && x.id == t.id && x.maybe > 0 })
}

// mayYetEnd reports whether something that is under way may end t.
func (l *ledger) mayYetEnd(t *token) bool {
	return l.shaky[everyone] || t.owner != "" && (l.shaky[t.owner] || l.setup.MaxPerOwner > 0)
}

// everyone is the owner of an ending of all.
const everyone = "everyone"

// of reports whether t is of those whose sessions are ended.
func (e *ending) of(t *token) bool { return e.owner == everyone || e.owner == t.owner && t.owner != "" }

// ends reports whether t is of a login that began before the revocation was asked for.
func (e *ending) ends(t *token) bool {
	if t.login == nil && e.owner == everyone {
		return t.birth != nil && t.birth.acked < e.called
	}
	if t.login == nil || e.keep != "" && t.id == e.keep {
		return false
	}
	if t.login.by == e.by {
		return t.login.acked < e.called
	}
	return t.login.began < e.called
}

// masked reports whether the request of t's login has itself raised the fence that e has raised, and perhaps later. Its own
// raise is no reason against its own login, and hides e's.
func (l *ledger) masked(e *ending, t *token) bool {
	return t.login != nil && t.login.by != e.by && slices.ContainsFunc(l.ends, func(o *ending) bool {
		return o.by == t.login.by && o.owner == e.owner && (o.returned == 0 || o.returned > e.called)
	})
}

// meets reports whether the login of t was made while the revocation was under way: either may have come first.
func (e *ending) meets(t *token) bool {
	if t.login == nil && t.birth != nil {
		return t.birth.asked < e.returned
	}
	return t.login == nil || t.login.by != e.by && t.login.asked < e.returned
}

func (l *ledger) revoke(owner, keep string, by int) *ending {
	l.mu.Lock()
	defer l.mu.Unlock()
	e := &ending{owner: owner, called: l.tick(), by: by, keep: keep}
	l.ends = append(l.ends, e)
	for _, t := range l.all {
		if e.of(t) && (keep == "" || t.id != keep) {
			doubt(t)
		}
	}
	return e
}

func (l *ledger) revoked(e *ending, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if err != nil {
		l.shaky[e.owner] = true
		for _, t := range l.all {
			if e.of(t) {
				doubt(t)
			}
		}
		return
	}
	e.returned, e.deadAt = l.tick(), time.Now()
	for _, t := range l.all {
		switch {
		case !e.of(t) || !e.ends(t):
		case l.masked(e, t):
			doubt(t)
		default:
			l.kill(t, "revoked")
		}
	}
}

// takenFor: the store has said that id is taken, which may not be so. For a seal that means that it was moved in before.
func (l *ledger) takenFor(id string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, t := range l.all {
		if t.seal && t.id == id {
			doubt(t)
		}
	}
}

// certain reports whether nothing has happened that may have ended t.
func (t *token) certain() bool { return t.dead == 0 && t.maybe == 0 }

// hourLater: what nobody uses has expired.
func (l *ledger) hourLater(held []*token) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, t := range l.all {
		if t.content.remembered || slices.ContainsFunc(held, func(h *token) bool { return h != nil && h.id == t.id }) {
			doubt(t)
			continue
		}
		l.kill(t, "expired")
	}
}

// A view is what a request sees of its session.
type view struct {
	ID, Owner   string
	Count       int
	Log, Notes  []int
	Plain, Once int
}

func (v *view) tags() []int {
	all := append(slices.Clone(v.Log), v.Notes...)
	for _, n := range []int{v.Plain, v.Once} {
		if n != 0 {
			all = append(all, n)
		}
	}
	return all
}

// seen checks a view that q has of cur, in which everything acknowledged before asOf must be.
func (l *ledger) seen(q *visit, s *view, cur *token, asOf int) {
	if s.Count != len(s.Log) {
		l.wrong("request %d sees %d counted, and %d in the log: half of a change set", q.n, s.Count, len(s.Log))
	}
	inStore := cur.inStore()
	there := make(map[int]bool)
	for _, n := range s.tags() {
		t := l.tagOf(n)
		if t == nil {
			l.wrong("request %d sees %d, which nobody has put", q.n, n)
			continue
		}
		if there[n] {
			l.wrong("request %d sees %d (%s) twice", q.n, n, t.key)
		}
		l.maySee(q, s, t)
		there[n] = true
		if inStore && cur.content.lacks(n, asOf) {
			l.wrong("request %d sees %d (%s), which was taken away before", q.n, n, t.key)
		}
	}
	for _, t := range q.set.tags {
		if t.stays() && !there[t.n] && !q.stranded {
			l.wrong("request %d does not see its own %d (%s)", q.n, t.n, t.key)
		}
	}
	if inStore && s.ID != "" && !q.set.anew {
		l.nothingLost(q, s, cur.content, asOf, there)
	}
}

// lacks reports whether n was taken away before asOf.
func (c *content) lacks(n, asOf int) bool { return c.gone[n] != 0 && c.gone[n] < asOf }

// maySee checks a value that q sees for what was said of it, and whose it is.
func (l *ledger) maySee(q *visit, s *view, t *tag) {
	switch {
	case t.fate == never:
		l.wrong("request %d sees %d (%s), of which was said that it is not kept", q.n, t.n, t.key)
	case t.owner != "" && t.owner != s.Owner && !slices.Contains(q.set.tags, t):
		l.wrong("request %d as %q sees %d (%s) of %q", q.n, s.Owner, t.n, t.key, t.owner)
	}
}

// stays: nobody has put another value in t's place or taken it away.
func (t *tag) stays() bool { return t.key == "log" || t.key == "notes" && !t.popped }

// nothingLost checks that what was acknowledged before asOf is there.
func (l *ledger) nothingLost(q *visit, s *view, c *content, asOf int, there map[int]bool) {
	for _, t := range l.tags {
		if t.content == c && t.fate == acknowledged && t.acked < asOf && t.stays() && !there[t.n] {
			l.wrong("request %d sees session %s without %d (%s), which was acknowledged", q.n, short(s.ID), t.n, t.key)
		}
	}
	for _, n := range slices.Sorted(maps.Keys(c.moved)) {
		if t := l.tagOf(n); c.moved[n] < asOf && t.stays() && !there[n] {
			l.wrong("request %d sees session %s without %d (%s), which its seal has brought along", q.n, short(s.ID), n, t.key)
		}
	}
}
