package sojourn

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/gosojourn/sojourn/internal/queue"
	"github.com/gosojourn/sojourn/internal/record"
	"github.com/gosojourn/sojourn/internal/token"
)

// A storeKeeper keeps sessions in a Store: records by id, replaced by compare-and-swap.
type storeKeeper struct {
	m     *Manager
	store Store
	near  Near // store, if it keeps copies
	saves queue.Queue[*save, note]
	doors chan struct{} // who is beginning a session
}

const (
	maxAttempts = 20
	maxLost     = 3 // so many answers are lost before the outcome is said to be unknown: more would burden a store that is in trouble
	maxBackoff  = 50 * time.Millisecond

	// maxBeginnings is how many sessions begin at once. Strangers may ask for any number, and what they have asked a store for
	// is in the way of everybody else: they wait here.
	maxBeginnings = 64
)

// backoff is a random while that grows with each attempt.
func backoff(attempt int) time.Duration {
	return rand.N(min(time.Millisecond<<min(attempt, 10), maxBackoff))
}

func (k *storeKeeper) can(v verb) error {
	m := k.m
	switch v {
	case verbList, verbRevoke, verbEndAll:
		if m.index == nil && v != verbRevoke {
			return fmt.Errorf("sojourn: %s: this store does not know the sessions of an owner: use one that has an OwnerIndex: %w", v, errors.ErrUnsupported)
		}
	case verbEndEveryone:
		if m.everyone == nil {
			return fmt.Errorf("sojourn: %s: this store cannot: use one that is an EveryoneRevoker: %w", v, errors.ErrUnsupported)
		}
	case verbAll:
		if m.lister == nil {
			return fmt.Errorf("sojourn: %s: this store does not list everybody: %w", v, errors.ErrUnsupported)
		}
	case verbSweep:
		if m.sweeper == nil {
			return fmt.Errorf("sojourn: %s: this store does not sweep: %w", v, errors.ErrUnsupported)
		}
	}
	return nil
}

type verdict uint8

const (
	unknown    verdict = iota
	current            // this token, now
	superseded         // a Login or Renew has replaced it within the grace time
)

// judge says what text is to the record that bears its id.
func (k *storeKeeper) judge(r *stored, text string) verdict {
	sum := token.Sum(k.m.cfg.Purpose, text)
	switch {
	case r.Token.Equal(sum):
		return current
	case r.Supersedes(sum, time.Now().UnixMilli()):
		return superseded
	}
	return unknown
}

func (k *storeKeeper) find(s *session, b *budget) {
	text := k.findShown(s, b)
	if k.m.cfg.Legacy != nil {
		k.moveIn(s, b, text)
	}
}

// findShown judges the tokens that the request shows, and answers the live one.
func (k *storeKeeper) findShown(s *session, b *budget) (live string) {
	shown := k.m.carrier.Tokens(s.st.r.Header)
	s.shown, s.phase = shown.Any, anonymous
	if shown.N == 0 {
		if k.m.showsOld(s.st.r) {
			s.shown = false
		} else if shown.Malformed {
			s.note(Event{Name: EventTokenRefused, Reason: "token_malformed"})
		}
		return ""
	}
	var f findings
	for _, text := range shown.Texts[:shown.N] {
		if !k.consider(s, b, text, &f) {
			return ""
		}
	}
	if f.found > 0 || f.old || !f.out {
		k.conclude(s, token.ID(shown.Texts[0]), f.found, f.old)
	}
	return f.live
}

// findings are what became of the tokens that a request shows.
type findings struct {
	found int    // so many live
	live  string // the first of them
	old   bool   // one was replaced of late
	out   bool   // one ended with everybody's
}

// consider judges one token. It answers false if the session cannot be read.
func (k *storeKeeper) consider(s *session, b *budget, text string, f *findings) bool {
	id, r := token.ID(text), &s.base // for the first that lives
	if f.found > 0 {
		r = new(stored)
	}
	v, err := k.lookInto(s, b, text, r)
	if f.found == 0 && (err != nil || v != current) {
		s.base = stored{}
	}
	switch {
	case err == errEveryoneOut:
		f.out = true
		s.note(Event{Name: EventUsedAfterEnd, ID: id, Reason: "revoked"})
	case errors.Is(err, ErrNotFound):
		s.noteDamage(id, err)
	case err != nil:
		s.several = nil
		s.cannotLoad(id, err)
		return false
	case v == superseded:
		f.old = true
	case v == current:
		if f.found++; f.found > 1 {
			s.several = append(s.several, *r)
		} else {
			f.live = text
		}
	}
	return true
}

// lookInto is look, and the values of a record under this token can be read.
func (k *storeKeeper) lookInto(s *session, b *budget, text string, r *stored) (verdict, error) {
	v, err := k.look(s, b, text, r)
	if err == nil && v == current {
		err = k.unlock(r, text, r.key)
	}
	return v, err
}

// conclude makes what was found of all that was shown the request's session.
func (k *storeKeeper) conclude(s *session, id string, found int, old bool) {
	switch {
	case found == 1:
		s.phase = live
	case found > 1:
		// The newest must not win: a sibling subdomain could make its own session the victim's.
		s.several = append(s.several, s.base)
		s.base = stored{}
		s.note(Event{Name: EventTokenRefused, Reason: "token_ambiguous"})
	case old:
		s.phase = ended
		s.note(Event{Name: EventUsedAfterEnd, ID: id, Reason: "superseded"})
	default:
		s.note(Event{Name: EventTokenRefused, ID: id, Reason: "token_unknown"})
	}
}

func (s *session) noteDamage(id string, err error) {
	var d *damagedError
	if errors.As(err, &d) {
		s.note(Event{Name: EventUnreadable, ID: id, Reason: "record", Err: d.err})
	}
}

// damagedError is a record that does not parse: absent, and worth telling.
type damagedError struct{ err error }

func (e *damagedError) Error() string { return ErrNotFound.Error() + ": " + e.err.Error() }
func (e *damagedError) Unwrap() error { return ErrNotFound }

// look finds the record of a token and judges the token by it. A copy of the record may only say yes.
func (k *storeKeeper) look(s *session, b *budget, text string, into *stored) (verdict, error) {
	id := token.ID(text)
	if s.base.ID == id {
		*into = s.base
		return k.judge(into, text), nil
	}
	if k.mayBeCopy(s) {
		ctx := k.m.toSettle(s.st, b)
		var copied bool
		var err error
		into.Record, copied, err = k.near.LoadNear(ctx, id)
		v := unknown
		if err = k.take(ctx, into, id, err); err == nil {
			v = k.judge(into, text)
		}
		if !copied || v == current {
			s.copied = s.copied || copied
			return v, err
		}
	}
	if err := k.read(k.m.toSettle(s.st, b), id, into); err != nil {
		return unknown, err
	}
	return k.judge(into, text), nil
}

// mayBeCopy: of a request that changes nothing. Loading before a safe handler says that the handler does
// change something.
func (k *storeKeeper) mayBeCopy(s *session) bool {
	return k.near != nil && !s.asking && k.m.cfg.Load != LoadEager && safe(s.st.r.Method)
}

// read asks the store. The answer is ErrNotFound, or an error that is Unavailable, or nil. After an error into is
// empty.
func (k *storeKeeper) read(ctx context.Context, id string, into *stored) (err error) {
	into.Record, err = k.store.Load(ctx, id)
	if err = k.take(ctx, into, id, err); err != nil {
		*into = stored{}
	}
	return err
}

// take makes the record in r, with which a store answered, one that can be judged. The errors are those of read;
// after one, r is nothing to go by.
func (k *storeKeeper) take(ctx context.Context, r *stored, id string, err error) error {
	if err != nil && !errors.Is(err, ErrNotFound) {
		return unavailable("load", err)
	}
	k.m.answers(opLoad)
	now := time.Now()
	if err != nil || r.ID != id || !now.Before(r.Expiry) {
		return ErrNotFound
	}
	if err := k.m.out(ctx, r.Fence); err != nil {
		return err
	}
	if err = r.Content.Read(r.Data); errors.Is(err, record.ErrUnknownFormat) {
		return unavailable("load", err)
	} else if err != nil {
		return &damagedError{err}
	}
	if now.UnixMilli() >= r.Deadline {
		return ErrNotFound
	}
	return nil
}

// gone stands, as what is known of a record, for its not being there.
var gone stored

// reread answers the record as it is now, or gone; an error is Unavailable.
func (k *storeKeeper) reread(ctx context.Context, id string) (*stored, error) {
	r := new(stored)
	if err := k.read(ctx, id, r); errors.Is(err, ErrNotFound) {
		return &gone, nil
	} else if err != nil {
		return nil, err
	}
	return r, nil
}

func (k *storeKeeper) confirm(ctx context.Context, b *budget, r *stored) (now stored, err error) {
	err = k.read(k.m.toSettle(ctx, b), r.ID, &now)
	switch {
	case errors.Is(err, ErrNotFound):
		return now, ErrEnded
	case err == nil && now.Token != r.Token:
		return now, ErrEnded
	case err == nil:
		err = k.unlock(&now, r.text, r.key)
	}
	return now, err
}

func (k *storeKeeper) still(b *budget, w *watched) (ends time.Time, err error) {
	var r stored
	ctx := k.m.toSettle(context.Background(), b)
	if k.near != nil {
		r.Record, _, err = k.near.LoadNear(ctx, w.id)
		if err = k.take(ctx, &r, w.id, err); err != nil {
			return ends, asEnded(err)
		}
	} else if err := k.read(ctx, w.id, &r); err != nil {
		return ends, asEnded(err)
	}
	if w.owner != "" && r.Owner != w.owner {
		return ends, ErrEnded
	}
	return r.limit(), nil
}

// asEnded is what a read comes to, of a session that was there.
func asEnded(err error) error {
	if errors.Is(err, ErrNotFound) {
		return ErrEnded
	}
	return err
}

// end deletes the record while it is under the token that was judged.
func (k *storeKeeper) end(s *session, b *budget, r *stored) error {
	if r.ID != s.base.ID {
		return k.remove(s.st, b, r, r)
	}
	sv := new(save)
	sv.begin(s, b, nil, true)
	known, done := k.await(b, r.ID, sv)
	if done != nil {
		return done.err
	}
	if known == nil {
		known = r
	}
	var after *stored
	defer func() { k.saves.Leave(r.ID, &sv.turn, note{known: after}) }()
	err := k.remove(s.st, b, r, known)
	if err == nil {
		after = &gone
	}
	return err
}

// remove deletes the record of r, beginning from what is known of it. A lost answer is asked again: to
// delete twice is to delete.
func (k *storeKeeper) remove(ctx context.Context, b *budget, r, known *stored) error {
	var last error
	losses := 0
	for attempt := range maxAttempts {
		if attempt > 0 {
			if b.pause(backoff(attempt)) != nil {
				break
			}
			var err error
			if known, err = k.reread(k.m.toSettle(ctx, b), r.ID); err != nil {
				return uncertain("delete", errors.Join(err, last))
			}
		}
		switch {
		case known.ID == "":
			return nil
		case known.Token != r.Token:
			return ErrEnded
		}
		last = k.store.Delete(k.m.toAct(ctx, b), r.ID, known.Version)
		switch answerOf(last) {
		case applied:
			k.m.answers(opSave)
			return nil
		case refused, unbegun:
			if losses > 0 {
				return uncertain("delete", last)
			}
			return refusedBy("delete", last)
		case lost:
			if losses++; losses == maxLost || b.over() {
				return k.removed(ctx, b, r, last)
			}
		}
	}
	return unavailable("delete", last)
}

// removed settles a deletion whose answer was lost.
func (k *storeKeeper) removed(ctx context.Context, b *budget, r *stored, cause error) error {
	if now, err := k.reread(k.m.toSettle(ctx, b), r.ID); err == nil && now.ID == "" {
		return nil
	}
	return unavailable("delete", cause)
}

// write saves onto the session that was loaded, or into a new one. A login never depends on the old
// record: where that is gone, or under another token, it begins a session.
func (k *storeKeeper) write(s *session, b *budget, wk *work) (w written, err error) {
	var before *stored
	if wk.write == writeLoaded {
		w, err = k.update(s, b, wk)
		before = wk.turn.before
	}
	if wk.write == writeNew || isEnded(err) && wk.owner != "" {
		w, err = k.create(s, b, wk, err)
		before = nil
	}
	if err != nil {
		return w, err
	}
	return k.confirmLogin(s, b, wk, w, before)
}

// confirmLogin has a login that was written count, or takes it back.
func (k *storeKeeper) confirmLogin(s *session, b *budget, wk *work, w written, before *stored) (written, error) {
	if wk.owner == "" {
		return w, nil
	}
	if verdict, err := s.closeLogin(b, wk.owner, w.base); err != nil {
		k.takeBack(s, b, before, w.base, verdict)
		if errors.Is(err, ErrRefused) { // a question, when the session was written already
			err = uncertain("login", err)
		}
		return written{}, err
	}
	return w, nil
}
