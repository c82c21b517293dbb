package sojourn

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/gosojourn/sojourn/internal/carrier"
	"github.com/gosojourn/sojourn/internal/token"
)

// takeBack undoes a login that does not count: nobody has its token. A visitor who was nobody becomes
// that again, with what he had. A session of somebody's is not brought back, because a revocation may
// have passed it by while it was another's; it ends, but not on the strength of a question that got no
// answer.
func (k *storeKeeper) takeBack(s *session, b *budget, before, wrote *stored, verdict bool) {
	ctx := k.m.toSettle(s.st, b)
	if before != nil && before.Owner == "" {
		// As a version of its own, which descends from before: whoever wrote that may still be looking for it.
		var d draft
		d.on(before)
		r, err := d.finish(&k.m.cfg, "", time.Now().UnixMilli())
		if err == nil {
			err = k.store.Update(ctx, r, wrote.Version)
		}
		if err == nil || !verdict {
			return
		}
	}
	if verdict || before == nil {
		_ = k.store.Delete(ctx, wrote.ID, wrote.Version) // expiry takes what stays
	}
}

// errSuperseded is ErrEnded of a session that goes on, under a token that a login or Renew has given it.
var errSuperseded = fmt.Errorf("%w: its token was replaced", ErrEnded)

// create begins a session, under an id of its own. why is the error of the path that it replaces: what
// that one would have kept from this login, this one keeps, and no more.
func (k *storeKeeper) create(s *session, b *budget, wk *work, why error) (w written, err error) {
	if wk.owner == "" { // a login has entered before it asked for the fence
		if err := k.enter(s, b); err != nil {
			return w, err
		}
		defer k.exit()
	}
	return k.tryToCreate(s, b, wk, why)
}

func (k *storeKeeper) tryToCreate(s *session, b *budget, wk *work, why error) (w written, err error) {
	var last error
	losses := 0
	for attempt := range maxAttempts {
		if attempt > 0 && b.pause(backoff(attempt)) != nil {
			break
		}
		text, r, err := k.compose(s, b, wk, why, attempt > 0)
		if err != nil || text == "" {
			return w, err
		}
		switch last = k.insert(s.st, b, r); {
		case last == nil:
			d := &wk.turn.draft
			d.Record = r
			w = written{base: &d.stored, new: true}
			w.out = k.m.handOver(text, w.base)
			return w, nil
		case answerOf(last) == conflict:
			if wk.once {
				return w, ErrEnded // whoever was there first has it
			}
			wk.moved = wk.from != nil
		case answerOf(last) == refused, wk.once:
			return w, last
		case answerOf(last) == unbegun:
			return w, unavailable("create", last)
		case answerOf(last) == lost:
			if losses++; losses == maxLost {
				return w, last
			}
		}
	}
	if answerOf(last) == conflict {
		last = errExhausted
	}
	return w, unavailable("create", last)
}

// errBeginnings: the time was over before one of those that begin sessions was through.
var errBeginnings = fmt.Errorf("%d sessions were being begun all of StoreTimeout, and this one had no turn: the store is too slow, or there is a flood", maxBeginnings)

// enter waits for the turn to begin a session. A client that leaves meanwhile could not receive its token, so it waits no
// longer; a deadline of the application ends no wait.
func (k *storeKeeper) enter(s *session, b *budget) error {
	if k == nil || k.m.local {
		return nil
	}
	select {
	case k.doors <- struct{}{}:
		return nil
	default:
	}
	left := s.st.Context.Done()
	for {
		select {
		case k.doors <- struct{}{}:
			return nil
		case <-left:
			if err := clientLeft(s.st.Context); err != nil {
				return &leftError{err}
			}
			left = nil
		case <-b.act.Done():
			return unavailable("create", errBeginnings)
		}
	}
}

func (k *storeKeeper) exit() {
	if k != nil && !k.m.local {
		<-k.doors
	}
}

// compose makes the draft what the plan comes to, in a session that nobody has yet: its token, and the record. There is no
// token where the changes leave nothing to keep.
func (k *storeKeeper) compose(s *session, b *budget, wk *work, why error, again bool) (text string, r Record, err error) {
	same, err := k.beginNew(s, b, wk, why, again)
	if err != nil {
		return "", r, err
	}
	d, now := &wk.turn.draft, time.Now().UnixMilli()
	if err = d.apply(s, wk.ops, same, now); err != nil || wk.from == nil && !d.worthCreating() {
		return "", r, err
	}
	d.fresh = true
	text = token.Mint(d.ID)
	if r, err = d.finish(&k.m.cfg, text, now); !again {
		wk.first = r.Version
	}
	return text, r, err
}

// beginNew makes the draft a session that nobody has yet. same: its values are those that the request has seen.
func (k *storeKeeper) beginNew(s *session, b *budget, wk *work, why error, again bool) (same bool, err error) {
	d := &wk.turn.draft
	*d = draft{fresh: true}
	fence, _, err := k.m.everyoneFence(k.m.toSettle(s.st, b))
	d.Fence = fence
	d.ID = token.NewID()
	d.Owner = s.owner() // so that another one's login drops what was put before it
	switch from := wk.from; {
	case err != nil:
		return false, err
	case from != nil && from.Fence < fence: // revoked with everybody's, which was not known here yet
		if wk.owner == "" {
			return false, ErrEnded
		}
		return false, nil
	case from != nil:
		id := d.ID
		d.on(from)
		d.sealed, d.Fence = false, fence
		if again {
			d.ID = id
			return false, k.leaveOut(s, b, d, wk)
		}
		return true, nil
	case errors.Is(why, errSuperseded) && s.base.Owner == "":
		d.values.Reset(s.base.Values, s.base.Stamps) // loaded while its token was current
		for i := range wk.ops {
			if o := &wk.ops[i]; o.kind == opTake {
				d.values.Delete(o.name) // another request may have taken it since
			}
		}
		return true, nil
	}
	return why == nil, nil
}

// leaveOut takes from d what is not in the session any more that wk.from has moved into, because somebody may have
// taken it. Of a record that is gone, or that cannot be read under from's own key, that is all. Where only an answer was
// lost, it may have moved nowhere, or by this work itself.
func (k *storeKeeper) leaveOut(s *session, b *budget, d *draft, wk *work) error {
	from := wk.from
	now, err := k.reread(k.m.toSettle(s.st, b), from.ID)
	if err != nil {
		return err
	}
	if !wk.moved && (now.ID == "" || now.Version == wk.first) {
		return nil
	}
	for name := range from.Values.Names() {
		if v, _ := now.Values.Get(name); v == nil {
			d.values.Delete(name)
		}
	}
	return nil
}

// handOver is the token on its way to the client.
func (m *Manager) handOver(text string, r *stored) *carrier.Outgoing {
	out := m.carrier.Send(text, r.Remembered, time.Until(time.UnixMilli(r.Deadline)))
	return &out
}

// insert creates r. One whose answer was lost is looked for, and never asked for again: it might land when
// the session has ended, and bring that back. Where it is not to be seen, another id is tried; what lands
// later under this one is nobody's, and expires.
func (k *storeKeeper) insert(ctx context.Context, b *budget, r Record) error {
	cause := k.store.Create(k.m.toAct(ctx, b), r)
	switch answerOf(cause) {
	case applied:
		k.m.answers(opSave)
		return nil
	case refused:
		return refusedBy("create", cause)
	case conflict, unbegun:
		return cause
	}
	var there stored
	err := k.read(k.m.toSettle(ctx, b), r.ID, &there)
	if err == nil && (there.Version == r.Version || there.DescendsFrom(r.Version)) {
		return nil
	}
	return unavailable("create", cause)
}
