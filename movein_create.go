package sojourn

import (
	"context"
	"errors"
	"time"

	"github.com/gosojourn/sojourn/internal/token"
)

// create makes c's session, or finds the one that another request has made meanwhile. done is false when there
// is to be none after all.
func (v storeMove) create(c *candidate) (done bool, err error) {
	for range maxLost {
		fence, revoked, err := v.fence(c.l.Owner, c.l.MaxAge, false)
		if err != nil {
			return false, err
		}
		if revoked {
			v.revoked(c)
			return false, nil
		}
		switch err = v.insert(c, fence); {
		case err == nil:
			return v.stands(c, fence)
		case !errors.Is(err, ErrConflict):
			return false, err
		}
		if err = v.judge(c); err != nil {
			return false, err
		}
		switch c.what {
		case oldMoved:
			return true, nil
		case oldRefused:
			v.refuse(&c.base)
			return false, nil
		case oldUnknown:
			return false, nil
		}
	}
	return false, errExhausted
}

func (v storeMove) insert(c *candidate, fence uint64) error {
	var d draft
	v.draft(&d, c.id, &c.l, fence)
	c.text = token.Mint(c.id)
	t, err := tieTo(c.id, c.text, c.old, ends(&c.l), keptUntil(&c.l))
	if err == nil {
		err = d.SetMoved(t.encode())
	}
	if err != nil {
		return tooLarge(err)
	}
	r, err := d.finish(&v.m.cfg, c.text, time.Now().UnixMilli())
	if err != nil {
		return err
	}
	if err = v.k.insert(v.s.st, v.b, r); err == nil {
		c.wait = v.waits(&t)
		d.Record = r
		c.base = d.stored
	}
	return err
}

// stands looks again, now that the session is written: whoever ends the old one does so before the new one,
// and a revocation raises the fence before it looks for sessions. So what was ended while this was
// written is found here, or finds it.
func (v storeMove) stands(c *candidate, fence uint64) (bool, error) {
	now, revoked, err := v.fence(c.l.Owner, c.l.MaxAge, true)
	if err != nil {
		return false, err
	}
	revoked = revoked || now != fence
	over, err := v.k.buried(v.s.st, v.b, c.id)
	if err != nil {
		return false, err
	}
	there, err := v.alive(c.old)
	if err != nil {
		return false, err
	}
	switch {
	case revoked:
		if err := v.k.remove(v.s.st, v.b, &c.base, &c.base); err != nil && !isEnded(err) {
			return false, err
		}
		v.revoked(c)
		return false, nil
	case over || !there:
		return false, v.withdraw(c)
	}
	return true, nil
}

// withdraw takes back a session whose old one is over, unless the browser has shown its token meanwhile, and it was
// that request which has ended the old one. Then the record is at another version.
func (v storeMove) withdraw(c *candidate) error {
	switch err := v.k.store.Delete(v.acting(), c.id, c.base.Version); answerOf(err) {
	case applied:
		v.refuse(nil)
		return nil
	case conflict:
		now, err := v.k.reread(v.asking(), c.id)
		if err != nil {
			return err
		}
		v.refuse(now)
		return nil
	default:
		return unavailable("delete", err)
	}
}

// revoked: the owner's sessions were ended here when the old one may have been among them.
func (v storeMove) revoked(c *candidate) {
	v.s.note(Event{Name: EventMovedIn, ID: c.id, Owner: c.l.Owner, Reason: "revoked"})
	v.s.forgetOld = true
	if err := v.end(c.old); err != nil {
		v.unavailing(err)
	}
}

// buryTied makes sure that what r was made of does not come back when r has ended.
func (k *storeKeeper) buryTied(ctx context.Context, b *budget, r *stored) error {
	if r.Moved() == nil {
		return nil
	}
	t, err := parseTie(r.Moved())
	if err != nil {
		t.ends = time.Now().Add(maxLifetime).UnixMilli()
	}
	return k.bury(ctx, b, r.ID, t.ends)
}
