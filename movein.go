package sojourn

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/gosojourn/sojourn/internal/carrier"
	"github.com/gosojourn/sojourn/internal/token"
)

// Moving in: what a keeper does when a request shows an old session of Config.Legacy. It is made so that
// answers may be lost, requests may come at once and to several processes, and the old servers may run on.
//
//	                      old token, no session
//	                               | create, under an id that the old token gives
//	                               v
//	   old token: same token <-- tied -- KeepFor is over, or none: the new token is shown
//	                               |                         |
//	   the old one has gone: end --+-- login, renew, logout -+--> bury, end the old one, untie
//
// bury leaves a record which says that the old session is over, so that it stays over when a server of the
// old version writes it back.

// A handOut is a token that the response carries for a session that was there before this request: the
// client loses nothing if it does not arrive, because the old token gets it again.
type handOut struct {
	id  string
	out *carrier.Outgoing
}

// A move is what a request does about the old session that it shows.
type move struct {
	m *Manager
	s *session
	b *budget // not nil: whoever keeps the old sessions has to be waited for
}

const maxOld = 4 // old tokens that are judged, of those that one request shows

func (m *Manager) move(s *session, b *budget) *move {
	if b == nil {
		b = m.waiting()
	}
	return &move{m, s, b}
}

// acting is the context of a question that changes something, asking of one that does not.
func (v *move) acting() context.Context { return &exchange{v.s.st, v.b.act} }
func (v *move) asking() context.Context { return &exchange{v.s.st, v.b.whole} }

// load reads the old session: ErrNotFound, an ErrLegacyUnreadable, or an error that is Unavailable.
func (v *move) load(old string) (l LegacySession, err error) {
	l, err = v.m.cfg.Legacy.Load(v.asking(), v.s.st.r, old)
	switch {
	case errors.Is(err, ErrNotFound), errors.Is(err, ErrLegacyUnreadable):
		return l, err
	case err != nil:
		// An error of ours inside theirs would be taken for ours.
		return l, unavailable("load", fmt.Errorf("the old session: %w", err))
	case !l.Ends.IsZero() && !time.Now().Before(l.Ends):
		return l, ErrNotFound
	case !ownerFits(l.Owner): // no store would take it, and to ask one would look as if that were down
		return l, fmt.Errorf("%w: an owner is at most 255 bytes of UTF-8, this one has %d", ErrLegacyUnreadable, len(l.Owner))
	}
	return l, nil
}

// alive asks whether the old session is there, whatever is in it.
func (v *move) alive(old string) (bool, error) {
	switch _, err := v.load(old); {
	case errors.Is(err, ErrNotFound):
		return false, nil
	case err != nil && !errors.Is(err, ErrLegacyUnreadable):
		return false, err
	}
	return true, nil
}

// end ends the old session where it is kept.
func (v *move) end(old string) error {
	err := v.m.cfg.Legacy.End(v.acting(), old)
	if errors.Is(err, errors.ErrUnsupported) {
		return nil // what is buried is over here, and nobody can do more
	}
	if err != nil {
		err = unavailable("delete", fmt.Errorf("the old session: %w", err))
	}
	return err
}

// shown is what the request shows of old sessions.
func (v *move) shown() []string {
	all := v.m.withoutOurs(v.m.cfg.Legacy.Shown(v.s.st.r), v.s.st.r)
	return all[:min(len(all), maxOld)]
}

// note tells what came of it. The caller holds mu.
func (v *move) note(reason, id string, err error) {
	v.s.note(Event{Name: EventMovedIn, ID: id, Owner: v.s.base.Owner, Reason: reason, Err: err})
}

// unavailing tells of what was to be done beside the request, and will be tried again or has to expire. The
// caller holds mu.
func (v *move) unavailing(err error) {
	v.s.note(Event{Name: EventUnavailable, ID: v.s.base.ID, Owner: v.s.base.Owner, Reason: "legacy", Err: err})
}

// mayMove reports whether the request may be taken for one of the visitor's own: where the browser may have
// held our cookie back, an old one that it did send says nothing. The caller holds mu.
func (v *move) mayMove() bool {
	if v.m.heldBack(v.s.st.r) {
		v.note("cross_site", "", nil)
		return false
	}
	return true
}

// fence is what a session of owner is stamped with, or says that everybody's or the owner's sessions were revoked
// when the old one may have been there.
func (v *move) fence(owner string, age time.Duration, last bool) (fence uint64, revoked bool, err error) {
	since := func(fence uint64, ago time.Duration) bool { return fence != 0 && (ago < 0 || age == 0 || ago <= age) }
	all, ago, err := v.m.everyoneFence(v.asking())
	if err != nil || since(all, ago) || v.m.fence == nil || owner == "" {
		return all, since(all, ago), err
	}
	fence, ago, err = v.s.readFence(v.b, owner, last)
	if errors.Is(err, errors.ErrUnsupported) && !v.m.copying {
		return all, false, nil
	} else if err != nil {
		return 0, false, err
	}
	return all + fence, since(fence, ago), nil
}

// draft makes d the record of what the old session is to become.
func (v *move) draft(d *draft, id string, l *LegacySession, fence uint64) {
	*d = draft{fresh: true}
	for _, e := range l.Values {
		if e.err != nil {
			v.s.note(Event{Name: EventUnreadable, ID: id, Reason: "legacy", Err: e.err})
			continue
		}
		d.values.Put(e.name, e.raw)
	}
	now := time.Now().UnixMilli()
	d.ID, d.Owner, d.Fence, d.Created, d.Remembered = id, l.Owner, fence, now, l.Remembered
	life := v.m.cfg.Lifetime
	if l.Remembered {
		life = v.m.cfg.RememberFor
	}
	d.Deadline = now + life.Milliseconds()
	if !l.Ends.IsZero() {
		d.Deadline = min(d.Deadline, l.Ends.UnixMilli())
	}
}

// ends is when an old session ends, by what is known of it.
func ends(l *LegacySession) int64 {
	if l.Ends.IsZero() {
		return time.Now().Add(maxLifetime).UnixMilli()
	}
	return l.Ends.UnixMilli()
}

// keptUntil is when the old session is no longer kept beside the new one; 0: when that is shown first.
func keptUntil(l *LegacySession) int64 {
	if l.KeepFor <= 0 {
		return 0
	}
	return time.Now().Add(l.KeepFor).UnixMilli()
}

// worthMoving: one that is empty is left alone, until it expires.
func worthMoving(l *LegacySession) bool { return l.Owner != "" || len(l.Values) > 0 }

// bury leaves a record which says that the old session behind id is over, until it would have ended by
// itself.
func (k *storeKeeper) bury(ctx context.Context, b *budget, id string, until int64) error {
	now := time.Now()
	if until <= now.UnixMilli() {
		return nil
	}
	var d draft
	d.ID, d.Created, d.Deadline = buriedID(id), now.UnixMilli(), until
	d.fresh = true
	var err error
	if d.Fence, _, err = k.m.everyoneFence(k.m.toSettle(ctx, b)); err != nil {
		return err
	}
	r, err := d.finish(&k.m.cfg, token.Mint(d.ID), now.UnixMilli()) // a token that nobody has
	if err != nil {
		return err
	}
	r.Expiry = time.UnixMilli(until)
	if err = k.insert(ctx, b, r); errors.Is(err, ErrConflict) {
		return nil // it is buried already
	}
	return err
}

func (k *storeKeeper) buried(ctx context.Context, b *budget, id string) (bool, error) {
	var r stored
	err := k.read(k.m.toSettle(ctx, b), buriedID(id), &r)
	if errors.Is(err, ErrNotFound) {
		return false, nil
	}
	return err == nil, err
}
