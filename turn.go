package sojourn

import (
	"errors"
	"slices"
	"time"

	"github.com/gosojourn/sojourn/internal/queue"
)

// A turn is one save's time at the head of its session's queue: it writes for itself and for those behind
// it that can share.
type turn struct {
	outcome
	draft
	k      *storeKeeper
	b      *budget
	id     string
	own    save
	merged []*save
	text   string // the token, if there is to be another
	trail  trail

	known  *stored // what the next one may go on from
	before *stored // what was replaced
	waited bool    // patience with those behind is used up
}

// run writes until it is known what has come of it, or time is over.
func (t *turn) run(known *stored) {
	finished := false
	defer func() { t.leave(finished) }()
	t.known = known
	base := known
	if base == nil {
		base = &t.own.s.base
	}
	if t.b.over() {
		base = t.finish(unavailable("save", errQueued), nil, t.known)
	} else if base.ID != "" && base.Token != t.own.token {
		// What the last one knew may be older than what this request has loaded.
		fresh, err := t.reread()
		if base = fresh; err != nil {
			t.finish(err, nil, nil)
		}
	}
	for attempt := 0; base != nil; attempt++ {
		base = t.attempt(base, attempt)
	}
	finished = true
}

// leave tells those that were taken along, and hands on.
func (t *turn) leave(finished bool) {
	if !finished {
		t.outcome, t.known = outcome{err: unavailable("save", errAborted)}, nil
	}
	base := t.base
	if len(t.merged) > 0 && base == &t.own.s.base {
		base = new(*base) // this request goes on, and may be in another session before they have read it
	}
	for _, x := range t.merged {
		t.k.saves.Tell(t.id, &x.turn, note{done: &outcome{t.err, base}})
	}
	if t.known == &t.own.s.base {
		t.known = nil // that belongs to this request, which goes on
	}
	if t.known != nil && t.known.ID != "" && !t.k.writable(t.known) {
		t.known = nil // the next one opens it
	}
	t.k.saves.Leave(t.id, &t.own.turn, note{known: t.known})
}

// finish ends the turn: nothing more is to be tried.
func (t *turn) finish(err error, base, known *stored) *stored {
	t.err, t.base, t.known = err, base, known
	return nil
}

// attempt makes one try from base, and answers from what to try again; nil if it is done.
func (t *turn) attempt(base *stored, attempt int) *stored {
	now := time.Now().UnixMilli()
	if base.ID != "" && now >= base.Expiry.UnixMilli() {
		// Another request may have extended it since it was read here.
		fresh, err := t.reread()
		if err != nil && len(t.trail.unknown) > 0 {
			err = uncertain("save", err)
		}
		if err != nil {
			return t.finish(err, nil, nil)
		}
		base = fresh
	}
	if base.ID == "" {
		return t.finish(ErrEnded, nil, base)
	}
	t.on(base)
	t.applyAll(base, now, attempt == 0)
	t.partAbsent()
	if !t.changed() {
		if attempt == 0 && t.behind(base) {
			fresh, err := t.reread()
			if err != nil {
				return t.finish(err, nil, nil)
			}
			return fresh
		}
		return t.idle(base, now)
	}
	return t.write(base, now, attempt)
}

// behind reports whether base may be older than what a request of this turn has loaded. A write would find out; that
// nothing is to be changed is true only of a record that was there while the request ran.
func (t *turn) behind(base *stored) bool {
	older := func(x *save) bool { return base.Version != x.version && !base.DescendsFrom(x.version) }
	return older(&t.own) || slices.ContainsFunc(t.merged, older)
}

// applyAll makes the draft: the own changes, those of the saves taken along, and first those of more.
func (t *turn) applyAll(base *stored, now int64, first bool) {
	t.apply1(&t.own, base, now, false)
	for _, x := range t.merged {
		t.apply1(x, base, now, false)
	}
	for first && !t.own.turn.Alone && t.k.writable(base) && len(t.merged) < maxMerged {
		e := t.k.saves.Take(t.id, &t.own.turn)
		if e == nil {
			return
		}
		x := e.Value
		t.apply1(x, base, now, true)
		if x.absent {
			t.giveBack(x)
			return
		}
		t.merged = append(t.merged, x)
	}
}

// apply1 applies x's changes, or leaves the draft as it was. taking is the first time, of one that was behind.
func (t *turn) apply1(x *save, base *stored, now int64, taking bool) {
	if x.out() {
		return
	}
	if t.Token != x.token {
		if x.err = errSuperseded; taking {
			x.err, x.absent = nil, true // it may know better, and asks the store by itself
		}
		return
	}
	same := !t.changed() && base.Version == x.version
	switch {
	case x == &t.own:
		t.applyOwn(x, base, same, now)
	case x.asks(same):
		t.ask(x, now)
	default: // nothing of the application's runs, so nothing can go wrong but what is not in a shared write
		x.err = t.apply(x.s, x.ops, same, now)
	}
}

// applyOwn is the first to apply, so what goes wrong is undone by beginning anew.
func (t *turn) applyOwn(x *save, base *stored, same bool, now int64) {
	finished := false
	defer func() {
		if !finished {
			if x.panicked = recover(); x.panicked == nil {
				x.panicked = errors.New("sojourn: a function given to Update ended its goroutine")
			}
		}
		if x.out() {
			t.on(base)
		}
	}()
	x.err = t.apply(x.s, x.ops, same, now)
	finished = true
}

// ask has x apply its changes to a copy, in its own request. One that does not answer soon is left to
// write by itself: nobody waits for a stranger.
func (t *turn) ask(x *save, now int64) {
	q := &question{draft: t.draft, now: now, answer: make(chan *question, 1)}
	q.draft.values = t.values.Clone()
	x.absent = true
	if t.waited {
		return
	}
	t.k.saves.Tell(t.id, &x.turn, note{ask: q})
	timer := time.NewTimer(patience)
	defer timer.Stop()
	select {
	case <-q.answer:
	case <-timer.C:
		t.waited = true
		return
	}
	x.absent = false
	if x.err, x.panicked = q.err, q.panics; !x.out() {
		t.draft = q.draft
	}
}

// giveBack returns saves to the queue, each to write by itself.
func (t *turn) giveBack(saves ...*save) {
	entries := make([]*queue.Entry[*save, note], len(saves))
	for i, x := range saves {
		x.absent = false
		entries[i] = &x.turn
	}
	t.k.saves.Return(t.id, &t.own.turn, entries...)
}

// partAbsent returns those that have not answered again at a replay.
func (t *turn) partAbsent() {
	var absent, kept []*save
	for _, x := range t.merged {
		if x.absent {
			absent = append(absent, x)
		} else {
			kept = append(kept, x)
		}
	}
	if absent != nil {
		t.merged = kept
		t.giveBack(absent...)
	}
}

// idle: nothing was changed; the idle limit may be due.
func (t *turn) idle(base *stored, now int64) *stored {
	t.finish(nil, base, base)
	if t.own.out() || !t.k.m.touchDue(base, now) {
		return nil
	}
	s := t.own.s
	s.touched = true
	r := base.Record
	r.Seen, r.Expiry = time.UnixMilli(now), expiry(&base.Content, &t.k.m.cfg, now)
	switch err := t.k.store.Touch(t.k.m.toAct(s.st, t.b), r); answerOf(err) {
	case applied:
		t.k.m.answers(opSave)
		t.stored = *base
		t.Record = r
		t.finish(nil, &t.stored, &t.stored)
	case conflict: // another request's write, which has extended it
		t.known = nil
	default:
		// The response is right as it is; the session only ends a little before it might.
		t.known = nil
		s.tell(Event{Name: EventUnavailable, ID: r.ID, Owner: r.Owner, Reason: "touch", Err: unavailable("touch", err)})
	}
	return nil
}

func (m *Manager) touchDue(base *stored, now int64) bool {
	return now-base.Seen.UnixMilli() >= m.cfg.touchGap().Milliseconds()
}

// write asks the store once, and judges the answer.
func (t *turn) write(base *stored, now int64, attempt int) *stored {
	text := t.text
	if !t.renewed {
		text = ""
	}
	r, err := t.draft.finish(&t.k.m.cfg, text, now)
	if err == nil {
		err = t.k.store.Update(t.k.m.toAct(t.own.s.st, t.b), r, base.Version)
	}
	switch answerOf(err) {
	case applied:
		t.k.m.answers(opSave)
		t.before = base
		t.Record = r
		return t.finish(nil, &t.stored, &t.stored)
	case refused:
		return t.refused(base, err)
	case unbegun:
		if len(t.trail.unknown) == 0 {
			return t.finish(unavailable("save", err), nil, base)
		}
		return t.finish(uncertain("save", err), nil, nil)
	}
	t.trail.add(r, base.Version, err)
	return t.settle(attempt, err)
}

// refused: the store has said no. If it is too large, each of those that share may be small enough.
func (t *turn) refused(base *stored, err error) *stored {
	switch {
	case len(t.trail.unknown) > 0: // an earlier try may still take effect
		return t.finish(uncertain("save", err), nil, nil)
	case errors.Is(err, ErrTooLarge) && len(t.merged) > 0:
		t.giveBack(t.merged...)
		t.merged, t.own.turn.Alone = nil, true
		return base
	}
	return t.finish(refusedBy("save", err), nil, base)
}
