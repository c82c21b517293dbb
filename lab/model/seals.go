package model

import "slices"

// sentSeal notes the seal that the response carries, and what it holds.
func (v *visit) sentSeal(pairs []string) {
	if len(pairs) == 0 {
		return
	}
	s := v.snap
	if v.loaded && !v.failed {
		s = v.see()
	}
	l := v.w.ledger
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(pairs) > 1 {
		l.wrong("request %d sets %d cookies", v.n, len(pairs))
	}
	if s.ID == "" {
		l.wrong("request %d has no session any more, and sends a seal", v.n)
		return
	}
	t := v.cur
	if t == nil || t.text != "" || v.stamped != nil && v.stamped.called > t.born { // sealed again because its time or its key was due
		t = &token{id: s.ID, owner: s.Owner, content: newContent()}
		if v.cur != nil {
			t.content, t.login, t.birth, t.maybe = v.cur.content, v.cur.login, v.cur.birth, v.cur.maybe
		}
		if v.stamped != nil {
			t.login = l.stampedLogin(v)
		}
		l.add(t)
		if v.aged || v.cur == nil {
			doubt(t)
		}
	}
	t.text, t.sealed = pairs[0], &s
	l.tokens[pairs[0]] = t
}

// sameSeal: whoever shows a seal has what was sealed; of several copies of one session, what one of them has.
func (l *ledger) sameSeal(v *visit, s *view) {
	for _, t := range v.shown {
		if t.sealed != nil && t.sealed.equal(s) {
			v.cur = t
			return
		}
	}
	l.wrong("request %d shows a seal of %+v, and sees %+v", v.n, *v.cur.sealed, *s)
}

func (v *view) equal(s *view) bool {
	return v.ID == s.ID && v.Owner == s.Owner && v.Count == s.Count && v.Plain == s.Plain && v.Once == s.Once &&
		slices.Equal(v.Log, s.Log) && slices.Equal(v.Notes, s.Notes)
}
