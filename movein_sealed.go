package sojourn

import (
	"errors"
	"time"
)

// A sealedMove is a move into the client's own cookie. Nothing is shared, so an old session may be moved in
// more than once at the same moment; all the seals have one id, and the last one counts.
type sealedMove struct {
	*move
	k *sealKeeper
}

func (k *sealKeeper) moveIn(s *session, b *budget) {
	v := sealedMove{k.m.move(s, b), k}
	switch {
	case s.phase != live:
	case s.base.Moved() != nil:
		v.follow()
	default:
		v.forgetSettled()
	}
	if s.phase == anonymous && len(s.several) == 0 {
		v.take()
	}
}

// follow is storeMove.follow. That the old session is over is remembered by nobody, so once that is due
// it is not asked after any more.
func (v sealedMove) follow() {
	s := v.s
	t, err := parseTie(s.base.Moved())
	if err != nil {
		s.note(Event{Name: EventUnreadable, ID: s.base.ID, Reason: "legacy", Err: err})
		return
	}
	s.old = string(t.old)
	if time.Now().UnixMilli() >= t.until {
		v.settle()
		return
	}
	if v.m.inPlace {
		return // the browser has no old cookie any more that could say so
	}
	switch there, err := v.alive(s.old); {
	case err != nil:
		s.cannotLoad(s.base.ID, err)
	case !there:
		v.note("old_gone", s.base.ID, nil)
		s.base, s.phase, s.old = stored{}, anonymous, ""
	}
}

// settle ends the old session; the seal without the tie goes out with the response.
func (v sealedMove) settle() {
	s := v.s
	if err := v.end(s.old); err != nil {
		v.unavailing(err)
		return
	}
	_ = s.base.SetMoved(nil)
	s.stale, s.forgetOld, s.old = true, true, ""
	v.note("settled", s.base.ID, nil)
}

// take moves in what the request shows, if that is one old session.
func (v sealedMove) take() {
	shown := v.shown()
	if len(shown) == 0 || !v.mayMove() {
		return
	}
	var found candidate
	n := 0
	for _, old := range shown {
		c := candidate{old: old, id: movedID(v.m.cfg.Purpose, old)}
		var err error
		c.l, err = v.load(old)
		switch {
		case errors.Is(err, ErrLegacyUnreadable):
			v.s.note(Event{Name: EventUnreadable, Reason: "legacy", Err: err})
		case errors.Is(err, ErrNotFound):
		case err != nil:
			v.s.cannotLoad("", err)
			return
		case worthMoving(&c.l):
			found = c
			n++
		}
	}
	switch {
	case n > 1:
		v.note("ambiguous", "", nil)
	case n == 0:
		v.note("unknown", "", nil)
	case v.k.isPast(found.id):
		v.note("refused", "", nil)
		v.s.phase, v.s.forgetOld = ended, true
	default:
		v.seal(&found)
	}
}

func (v sealedMove) seal(c *candidate) {
	fence, revoked, err := v.fence(c.l.Owner, c.l.MaxAge, false)
	switch {
	case err != nil:
		v.s.cannotLoad("", unavailable("load", err))
		return
	case revoked:
		v.s.note(Event{Name: EventMovedIn, ID: c.id, Owner: c.l.Owner, Reason: "revoked"})
		v.s.forgetOld = true
		if err := v.end(c.old); err != nil {
			v.unavailing(err)
		}
		return
	}
	var d draft
	v.draft(&d, c.id, &c.l, fence)
	t := tie{ends: ends(&c.l), until: keptUntil(&c.l), old: []byte(c.old)}
	now := time.Now()
	d.Seen, d.Expiry = now, expiry(&d.Content, &v.m.cfg, now.UnixMilli())
	w := written{base: &d.stored}
	if err = d.SetMoved(t.encode()); err == nil {
		err = v.k.seal(v.s, &d, &w)
	}
	if err != nil {
		v.failed(err)
		return
	}
	s := v.s
	s.base, s.phase, s.old, s.shown = *w.base, live, c.old, true
	s.handed = &handOut{c.id, w.out}
	v.note("moved", c.id, nil)
}
