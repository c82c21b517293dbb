package sojourn

import (
	"net/http"
	"slices"
	"strings"
	"time"
)

// Where the old cookie has the name of ours, a browser has one of the two. Both kinds of token are told apart
// by their form: what has ours is ours. So that people stay logged in on servers of the old version, a browser
// keeps the old cookie until KeepFor is over, and gets ours then; a Login, Renew or Remember sends it at once.
//
//	old token, KeepFor not over: waits; the session is there, and nothing is sent
//	old token, KeepFor is over:  the new token is sent, the same one each time
//	new token, the first time:   the old servers cannot be asked any more; for a minute the old token is good
//	                             for requests that were under way
//	new token, a minute later:   settled as elsewhere

// placeGrace is for how long an old token is good when its new one has been shown.
const placeGrace = time.Minute

// oneCookie reports whether a browser cannot have the old cookie and ours at once: then ours takes its place, and to
// expire the old one would be to expire ours.
func (m *Manager) oneCookie() bool {
	old, own := m.cfg.Legacy.Cookie(), &m.cfg.Cookie
	path := old.Path
	if path == "" {
		path = "/"
	}
	return m.inPlace && path == own.Path && strings.EqualFold(strings.TrimPrefix(old.Domain, "."), own.Domain)
}

// showsOld reports whether what r shows under our name is an old session's, if it is not ours.
func (m *Manager) showsOld(r *http.Request) bool {
	return m.inPlace && len(m.cfg.Legacy.Shown(r)) > 0
}

// withoutOurs leaves out what has the form of our own tokens.
func (m *Manager) withoutOurs(all []string, r *http.Request) []string {
	if !m.inPlace || m.copying || len(all) == 0 {
		return all
	}
	ours := m.carrier.Tokens(r.Header)
	return slices.DeleteFunc(all, func(old string) bool { return slices.Contains(ours.Texts[:ours.N], old) })
}

// waits reports whether the browser is to keep the old token still.
func (v *move) waits(t *tie) bool {
	return v.m.inPlace && !t.shown && time.Now().UnixMilli() < t.until
}

// besideOurs looks for an old session that lives beside ours, under one name: one of them may have been planted, so
// neither is read.
func (v storeMove) besideOurs() {
	s := v.s
	if !v.m.inPlace || s.phase != live {
		return
	}
	for _, old := range v.shown() {
		c := candidate{old: old, id: movedID(v.m.cfg.Purpose, old)}
		if c.id == s.base.ID {
			continue
		}
		if err := v.judge(&c); err != nil {
			s.cannotLoad("", err)
			return
		}
		if c.what <= oldRefused {
			continue
		}
		if c.what == oldMoved {
			s.several = append(s.several, c.base)
		}
		s.several = append(s.several, s.base)
		s.base, s.phase = stored{}, anonymous
		s.note(Event{Name: EventTokenRefused, Reason: "token_ambiguous"})
		return
	}
}

// goneInPlace ends the session of an old token whose old session has gone: nobody else has its token.
func (v storeMove) goneInPlace(c *candidate) error {
	over, err := v.k.buried(v.s.st, v.b, c.id)
	if over || err != nil {
		return err
	}
	if err = v.k.buryTied(v.s.st, v.b, &c.base); err == nil {
		err = v.k.remove(v.s.st, v.b, &c.base, &c.base)
	}
	if err != nil && !isEnded(err) {
		return err
	}
	v.note("old_gone", c.id, nil)
	c.what, c.base = oldUnknown, stored{}
	return nil
}

// overSince is when the old session behind id was over, in milliseconds since 1970; now, if that is not known.
func (v storeMove) overSince(id string) (int64, error) {
	r, err := v.k.reread(v.asking(), buriedID(id))
	if err != nil || r.ID == "" {
		return time.Now().UnixMilli(), err
	}
	return r.Created, nil
}

// endBeside ends, for a Login, the old sessions that came under our name: one that lived on would stand beside the new
// session from then on.
func (s *session) endBeside(b *budget) error {
	if !s.m.inPlace {
		return nil
	}
	return s.m.move(s, b).endStrays()
}
