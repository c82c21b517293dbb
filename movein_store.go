package sojourn

import (
	"errors"
	"time"

	"github.com/gosojourn/sojourn/internal/token"
)

// A storeMove is a move into a store.
type storeMove struct {
	*move
	k *storeKeeper
}

// moveIn goes on from what the request's own tokens have come to; text is the live one. The caller holds mu.
func (k *storeKeeper) moveIn(s *session, b *budget, text string) {
	v := storeMove{k.m.move(s, b), k}
	v.besideOurs()
	switch {
	case s.phase != live:
	case s.base.Moved() != nil:
		v.follow(text)
	default:
		v.forgetSettled()
	}
	if s.phase == anonymous && len(s.several) == 0 {
		v.take()
	}
}

// forgetSettled has the browser forget an old cookie that it still shows, because the answer that said so before
// was lost.
func (v *move) forgetSettled() {
	for _, old := range v.shown() {
		if movedID(v.m.cfg.Purpose, old) == v.s.base.ID {
			v.s.forgetOld = true
		}
	}
}

// follow is for a session that is tied to an old one: while that is kept beside it, it lives as long, and
// then the old one is ended.
func (v storeMove) follow(text string) {
	s := v.s
	t, err := parseTie(s.base.Moved())
	if err == nil {
		s.old, err = t.oldBy(text, s.base.ID)
	}
	if err != nil {
		s.note(Event{Name: EventUnreadable, ID: s.base.ID, Reason: "legacy", Err: errTie})
		return
	}
	if t.until != 0 && !v.m.inPlace && !v.livesByOld() {
		return
	}
	first := !t.shown
	if first && v.m.inPlace && t.until != 0 {
		t.until = time.Now().Add(placeGrace).UnixMilli()
	}
	if time.Now().UnixMilli() >= t.until {
		v.settle(&t)
	} else if first {
		t.shown = true
		if err := v.retie(t.encode()); err != nil {
			v.unavailing(err)
		}
	}
}

// livesByOld asks after the old session, and ends this one if a server of the old version has ended that.
func (v storeMove) livesByOld() bool {
	s := v.s
	there, err := v.alive(s.old)
	if err == nil && !there {
		// It may be that we have ended it, and the answer to what was to follow was lost.
		if there, err = v.k.buried(s.st, v.b, s.base.ID); err == nil && !there {
			v.endWithOld()
			return false
		}
	}
	if err != nil {
		s.cannotLoad(s.base.ID, err)
	}
	return err == nil
}

// endWithOld ends a session whose old one was ended by a server of the old version. Another request there may
// write it back; it stays over here.
func (v storeMove) endWithOld() {
	s := v.s
	err := v.k.buryTied(s.st, v.b, &s.base)
	if err == nil {
		err = v.k.remove(s.st, v.b, &s.base, &s.base)
	}
	if err != nil && !isEnded(err) {
		s.cannotLoad(s.base.ID, err)
		return
	}
	v.note("old_gone", s.base.ID, nil)
	s.base, s.phase, s.old = stored{}, anonymous, ""
}

// settle ends the old session for good, now that the browser has shown the new token. What fails is done
// by the next request: the session is right as it is.
func (v storeMove) settle(t *tie) {
	s := v.s
	var err error
	if !t.shown {
		// First, so that whoever looks whether his own move stands knows that this one is the browser's.
		t.shown = true
		err = v.retie(t.encode())
	}
	if err == nil && s.phase == live {
		err = v.k.bury(s.st, v.b, s.base.ID, t.ends)
	}
	if err == nil && s.phase == live {
		err = v.end(s.old)
	}
	if err == nil && s.phase == live {
		err = v.endStrays()
	}
	if err == nil && s.phase == live {
		err = v.retie(nil)
	}
	if err != nil {
		v.unavailing(err)
		return
	}
	s.forgetOld, s.old = true, ""
	if s.phase == live {
		v.note("settled", s.base.ID, nil)
	}
}

// retie gives the record another tie, or none, and leaves what else other requests make of it.
func (v storeMove) retie(to []byte) error {
	s, base := v.s, &v.s.base
	var last error
	for attempt := range maxAttempts {
		if attempt > 0 {
			if v.b.pause(backoff(attempt)) != nil {
				break
			}
			now, err := v.k.reread(v.asking(), s.base.ID)
			switch {
			case err != nil:
				return err
			case now.ID == "", now.Token != s.base.Token:
				s.base, s.phase = stored{}, ended // logged out, or in, at the same moment
				return nil
			}
			if err := v.k.unlock(now, s.base.text, s.base.key); err != nil {
				return err
			}
			if now.Moved() == nil {
				s.base = *now
				return nil
			}
			base = now
		}
		var d draft
		d.on(base)
		_ = d.SetMoved(to)
		r, err := d.finish(&v.m.cfg, "", time.Now().UnixMilli())
		if err != nil {
			return err
		}
		if last = v.k.store.Update(v.acting(), r, base.Version); last == nil {
			d.Record = r
			s.base = d.stored
			return nil
		}
		if answerOf(last) == refused {
			break
		}
	}
	return unavailable("save", last)
}

// A candidate is what an old token comes to.
type candidate struct {
	old  string
	id   string
	what candidateKind
	wait bool   // the browser keeps the old token still
	text string // of a session that is there
	base stored
	l    LegacySession // of one that is not
}

type candidateKind uint8

const (
	oldUnknown candidateKind = iota
	oldRefused               // it was moved in, and that is over
	oldMoved                 // it has been moved in, and nobody has shown the new token
	oldFresh                 // it is to be moved in
)

// take moves in what the request shows, if that is one old session.
func (v storeMove) take() {
	shown := v.shown()
	if len(shown) == 0 || !v.mayMove() {
		return
	}
	var found candidate
	var refused *candidate
	n := 0
	for _, old := range shown {
		c := candidate{old: old, id: movedID(v.m.cfg.Purpose, old)}
		if err := v.judge(&c); err != nil {
			v.s.cannotLoad("", err)
			return
		}
		switch {
		case c.what == oldRefused:
			refused = &c
		case c.what > oldRefused:
			found = c
			n++
		}
	}
	switch {
	case n > 1:
		v.note("ambiguous", "", nil)
	case n == 1:
		v.accept(&found)
	case refused != nil:
		v.refuseShown(refused)
	default:
		v.note("unknown", "", nil)
	}
}

// refuse: an old token whose session has moved on, to now. The request may have been under way when that was, so it
// plants no cookie of ours, and the old one goes. A Login or Logout ends the session, unless somebody has logged
// in there since.
func (v storeMove) refuse(now *stored) {
	v.note("refused", "", nil)
	s := v.s
	if s.phase, s.forgetOld = ended, true; now != nil && now.ID != "" && now.Auth == 0 {
		s.several = append(s.several, *now)
	}
}

// refuseShown is refuse; but where the browser has no place for another cookie of ours, an old token that was over long
// before is as good as none, so that its visitor can begin a session.
func (v storeMove) refuseShown(c *candidate) {
	if v.m.inPlace {
		since, err := v.overSince(c.id)
		if err != nil {
			v.s.cannotLoad("", err)
			return
		}
		if time.Now().UnixMilli()-since > placeGrace.Milliseconds() {
			v.note("refused", "", nil)
			return
		}
	}
	v.refuse(&c.base)
}

// judge finds out what c.old is worth now.
func (v storeMove) judge(c *candidate) error {
	c.what = oldUnknown
	err := v.k.read(v.asking(), c.id, &c.base)
	if err == nil {
		return v.judgeMoved(c)
	}
	if !errors.Is(err, ErrNotFound) {
		return err
	}
	if over, err := v.over(c); over || err != nil {
		return err
	}
	c.l, err = v.load(c.old)
	switch {
	case errors.Is(err, ErrNotFound):
		// It may have been moved in, and ended, since the record was looked for.
		_, err = v.over(c)
		return err
	case errors.Is(err, ErrLegacyUnreadable):
		v.s.note(Event{Name: EventUnreadable, Reason: "legacy", Err: err})
	case err != nil:
		return err
	case worthMoving(&c.l):
		c.what = oldFresh
	}
	return nil
}

// over reports whether c.old was moved in, and has ended; c.base is what it has become, if that lives.
func (v storeMove) over(c *candidate) (bool, error) {
	over, err := v.k.buried(v.s.st, v.b, c.id)
	if !over || err != nil {
		return false, err
	}
	c.what = oldRefused
	now, err := v.k.reread(v.asking(), c.id)
	if err == nil {
		c.base = *now
	}
	return true, err
}

// judgeMoved is judge for what has been moved in before.
func (v storeMove) judgeMoved(c *candidate) error {
	c.what = oldRefused
	t, err := parseTie(c.base.Moved())
	if err != nil {
		return nil // there is none any more
	}
	c.text, err = t.textBy(c.old, c.base.ID)
	if err != nil || !token.WellFormed(c.text) || v.k.judge(&c.base, c.text) != current {
		return nil
	}
	if err := v.k.unlock(&c.base, c.text, nil); err != nil {
		return err
	}
	if t.shown && t.until <= time.Now().UnixMilli() {
		return nil // the browser has the new one, so whoever shows this is another
	}
	there, err := v.alive(c.old)
	switch {
	case err != nil:
		return err
	case there:
		c.what, c.wait = oldMoved, v.waits(&t)
	case v.m.inPlace:
		return v.goneInPlace(c)
	}
	return nil
}

// accept makes c's session the request's own.
func (v storeMove) accept(c *candidate) {
	if c.what == oldFresh {
		switch done, err := v.create(c); {
		case err != nil:
			v.failed(err)
			return
		case !done:
			return
		}
	}
	reason := "moved"
	if c.what == oldMoved {
		reason = "again"
	}
	s := v.s
	s.base, s.phase, s.old, s.shown = c.base, live, c.old, true
	if !c.wait {
		s.handed = &handOut{c.base.ID, v.m.handOver(c.text, &s.base)}
	} else if c.what == oldMoved {
		return // as with every request until then
	}
	v.note(reason, c.base.ID, nil)
}

// failed: nothing was moved in. What no store will ever hold leaves the visitor a stranger.
func (v *move) failed(err error) {
	if errors.Is(err, ErrTooLarge) && !Unavailable(err) {
		v.s.note(Event{Name: EventFailed, Err: err})
		return
	}
	v.s.cannotLoad("", unavailable("load", err))
}
