package histories

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/anishathalye/porcupine"
)

// Logins: who is logged in, in two browsers with tabs that ask at once. Each session is an object of its own,
// because nothing is promised about two at one moment: a revocation ends one of an owner's sessions after the
// other. Within a session the order is strict: it begins once, its token is replaced by Login and Renew, only
// the present token reads and writes, and what has ended stays so (laws 2, 3).
var Logins = Spec{Name: "logins", Jars: 2,
	Next: func(rng *rand.Rand, c *Client, i int) Deed {
		old := max(0, rng.IntN(12)-8)
		whom := []string{"ann", "bob"}[rng.IntN(2)] + c.crowd // who plays elsewhere is somebody else
		switch n := rng.IntN(20); {
		case n < 7:
			return Deed{Do: "who", Safe: rng.IntN(2) == 0, Old: old}
		case n < 10:
			return Deed{Do: "mark", Value: fmt.Sprintf("k%d.%d", c.ID, i), Old: old}
		case n < 15:
			return Deed{Do: "login", Whom: whom, Old: old}
		case n == 15:
			return Deed{Do: "logout", Old: old}
		case n < 18:
			return Deed{Do: "renew", Old: old}
		case n == 18:
			return Deed{Do: "others", Old: old}
		}
		return Deed{Do: "revoke", Whom: whom}
	},
	parts: bySession, model: loginsModel.ToModel(),
}

// A session is the state of one. A login that does not count is seen by others all the same: from its write on
// the old token is replaced by one that nobody has, until it is taken back.
type session struct {
	live               bool
	token, owner, mark string
	away               int    // the login, of those that do not count, that has it; 0: none
	before             string // the token that it is to be taken back to; "": it cannot be
}

func (s session) current(token string) bool { return s.live && s.away == 0 && s.token == token }

// A step is what an operation is to one session.
type step struct {
	Op
	do string // of the operation; or begin, end, away, back
	n  int    // pairs away and back
	// excused: a revocation of that owner is beside a login. It may be refused for that, and for nothing else; and what it
	// has made of the session that it was shown may be ended by that, before it begins another.
	excused bool
	// reborn: a library whose sessions keep their name may begin one anew under the name of one that has ended, with
	// nothing of what was in it.
	reborn bool
}

var ended = session{}

var loginsModel = porcupine.NondeterministicModel{
	Init: func() []any { return []any{session{}} },
	Step: func(state, input, _ any) (next []any) {
		for _, s := range after(state.(session), input.(step)) {
			next = append(next, s)
		}
		return next
	},
	DescribeOperation: func(input, _ any) string {
		s := input.(step)
		return s.do + "; " + s.String()
	},
	DescribeState: func(state any) string {
		s := state.(session)
		if !s.live {
			return "none"
		}
		return fmt.Sprintf("%s: owner %q, mark %q, away %d", short(s.token), s.owner, s.mark, s.away)
	},
}

// after are the states in which i may leave s; none if i cannot have happened there.
func after(s session, i step) []session {
	current := s.current(i.Shown)
	switch i.do {
	case "begin": // the token is new, so nothing was there under it
		return only(!s.live, session{live: true, token: i.Sent, owner: i.Owner, mark: i.Mark})
	case "mark", "maybe":
		return written(s, i, current)
	case "renew", "login":
		return replaced(s, i, current)
	case "end", "revoke":
		return over(s, i, current)
	case "away", "back", "refused":
		return passing(s, i, current)
	case "nobody":
		if current && i.excused {
			return []session{ended}
		}
	}
	return only(found(s, i, current), s)
}

func only(ok bool, next session) []session {
	if !ok {
		return nil
	}
	return []session{next}
}

// found says whether i, which changes nothing, may have found s.
func found(s session, i step, current bool) bool {
	switch i.do {
	case "nobody": // that its token is none
		return !current && (s.away == 0 || s.away != i.n)
	case "nobody's": // that nobody is logged in
		return !current || s.owner == ""
	case "others":
		return current && i.Owner == s.owner && s.owner != ""
	}
	if !current {
		return i.Owner == "" && i.Mark == ""
	}
	return i.Owner == s.owner && i.Mark == s.mark
}

func replaced(s session, i step, current bool) []session {
	owner, kept := s.owner, s.mark
	if i.do == "login" {
		owner = i.Whom
		if s.owner != "" && s.owner != owner {
			kept = ""
		}
		if !current && i.reborn {
			kept, current = "", true
		}
	}
	return only(current && i.Owner == owner && i.Mark == kept, session{live: true, token: i.Sent, owner: owner, mark: kept})
}

func over(s session, i step, current bool) []session {
	switch {
	case i.do == "end" && current, i.do == "revoke" && s.live && s.owner == i.Whom && i.Whom != "":
		return []session{ended}
	case i.do == "revoke" && s.live && i.Whom == "": // of an owner who cannot be told
		return []session{s, ended}
	}
	return []session{s}
}

func written(s session, i step, current bool) []session {
	marked := s
	marked.mark = i.Value
	switch {
	case current && i.do == "maybe": // what found that its session has ended may have taken effect before
		return []session{s, marked}
	case current:
		return []session{marked}
	case i.Outcome == Unknown, i.do == "maybe":
		return []session{s}
	case i.reborn && i.Owner == "":
		return []session{{live: true, token: i.Shown, mark: i.Value}}
	}
	return nil
}

// passing are the two halves of a login that does not count, or whose token was lost. In between the session
// is that owner's, and may be revoked as such. A visitor's is put back, or ends if that fails; somebody's ends.
func passing(s session, i step, current bool) []session {
	switch {
	case i.do == "away" && current:
		next := session{live: true, owner: i.Whom, mark: s.mark, away: i.n}
		if i.Do == "renew" {
			next.owner = s.owner
		} else if s.owner == "" {
			next.before = s.token
		}
		return []session{s, next}
	case i.do == "back" && s.live && s.away == i.n:
		if s.before == "" {
			return []session{ended}
		}
		return []session{ended, {live: true, token: s.before, mark: s.mark}}
	case i.do == "refused":
		if i.excused {
			return []session{s}
		}
		return nil
	}
	return []session{s}
}

// bySession divides a history by the sessions that it is about.
func bySession(ops []Op, near time.Duration) [][]porcupine.Operation { return divide(ops, near, false) }

// byMovingSession is bySession where a replaced token is a session with another name.
func byMovingSession(ops []Op, near time.Duration) [][]porcupine.Operation {
	return divide(ops, near, true)
}

func divide(ops []Op, near time.Duration, moving bool) [][]porcupine.Operation {
	d := divided{ops: ops, near: near, moving: moving, of: map[string][]porcupine.Operation{}}
	for i, o := range ops {
		if visible(o) {
			d.place(i+1, o)
		}
	}
	d.revocations()
	var all [][]porcupine.Operation
	for _, part := range d.of {
		all = append(all, part)
	}
	return all
}

// A divided is a history by the ids of its sessions.
type divided struct {
	ops    []Op
	near   time.Duration
	moving bool
	of     map[string][]porcupine.Operation
}

// idOf is the part of a token that stays when it is replaced (docs/design.md).
func idOf(token string) string {
	if len(token) == 64 {
		return token[:24]
	}
	return token
}

func (d *divided) add(token string, s step, from int64) {
	if token == "" {
		return
	}
	p := operation(s.Op, s, nil)
	p.Call = from
	d.of[idOf(token)] = append(d.of[idOf(token)], p)
}

func (d *divided) place(n int, o Op) {
	s := step{Op: o, do: o.Do, n: n, reborn: d.moving}
	switch here := o.Sent == "" || idOf(o.Sent) == idOf(o.Shown); {
	case !here:
		d.elsewhere(s)
	case o.Do == "revoke", o.Do == "others" && o.Outcome == Unknown:
		// revocations has the former; the latter does nothing to its own
	case o.Outcome == Ended:
		d.ended(s)
	case o.Outcome == Revoked:
		d.refused(s)
	case o.Outcome == Unknown && o.Do != "mark" && o.Do != "logout":
		d.pass(s)
	default:
		d.here(s)
	}
}

// elsewhere: the response begins a session. The one that was shown was not there, or not under that token.
func (d *divided) elsewhere(s step) {
	s.do = "begin"
	d.add(s.Sent, s, s.Call)
	s.do = "nobody"
	switch {
	case d.moving && (s.Do == "login" || s.Do == "renew"):
		s.do = "end"
	case s.Do == "login":
		s.excused = d.besideRevocation(s, 0)
	}
	d.add(s.Shown, s, s.Call)
}

func (d *divided) here(s step) {
	from := s.Call
	switch {
	case s.Do == "logout":
		s.do = "end"
	case s.Do == "renew" && s.Sent == "":
		s.do = "nobody"
	case s.Do == "who" && s.Safe && d.near > 0 && (s.Owner != "" || s.Mark != ""): // a copy only says yes
		from = aged(s.Op, d.ops, d.near)
	}
	d.add(s.Shown, s, from)
}

// ended: what found that its session has ended.
func (d *divided) ended(s step) {
	switch s.Do {
	case "logout":
		s.do = "end"
	case "others":
		s.do = "nobody's"
	default:
		if do := map[string]string{"mark": "maybe", "renew": "away"}[s.Do]; do != "" {
			s.do = do
			d.add(s.Shown, s, s.Call)
		}
		s.do = "nobody"
	}
	d.add(s.Shown, s, s.Call)
}

func (d *divided) refused(s step) {
	// The fence's age is by the store's clock, as it was when the store answered; the request's by this host's, when
	// the answer came. So one that began less than that way after the revocation is refused, too.
	s.excused = d.besideRevocation(s, s.Return-s.Call+int64(time.Millisecond)) // SQLite's clock
	s.do = "refused"
	name := s.Shown
	if name == "" {
		name = fmt.Sprint("nobody ", s.n) // a part of its own, so that it is judged
	}
	d.add(name, s, s.Call)
	d.pass(s)
}

// besideRevocation reports whether a revocation of the owner who logs in may have been under way meanwhile, or that long before.
func (d *divided) besideRevocation(s step, before int64) bool {
	return slices.ContainsFunc(d.ops, func(r Op) bool {
		beside := r.Call <= s.Return && (s.Call-r.Return <= before || r.Outcome == Unknown)
		return beside && (r.Do == "revoke" && r.Whom == s.Whom || r.Do == "others" && (r.Owner == s.Whom || r.Outcome == Unknown))
	})
}

func (d *divided) pass(s step) {
	s.do = "away"
	d.add(s.Shown, s, s.Call)
	if s.Do == "login" {
		s.do = "back"
		d.add(s.Shown, s, s.Call)
	}
}

// revocations concern every session of that owner but the one that stays.
func (d *divided) revocations() {
	for _, o := range d.ops {
		if o.Do != "revoke" && o.Do != "others" || o.Outcome == None || o.Outcome == Ended {
			continue
		}
		s := step{Op: o, do: "revoke"}
		if o.Do == "others" {
			s.Whom = o.Owner // "" where the client does not know it
		}
		for id := range d.of {
			if o.Do == "others" && id == idOf(o.Shown) {
				continue
			}
			d.of[id] = append(d.of[id], operation(o, s, nil))
		}
	}
}
