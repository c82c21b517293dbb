package sojourn

import (
	"errors"
	"fmt"
	"time"

	"github.com/gosojourn/sojourn/internal/queue"
	"github.com/gosojourn/sojourn/internal/record"
	"github.com/gosojourn/sojourn/internal/token"
)

var (
	errExhausted = fmt.Errorf("%w, and again at each of %d attempts", ErrConflict, maxAttempts)
	errUncertain = errors.New("the store's answer was lost, and it cannot be told whether the save took effect")
	errAborted   = errors.New("a function of the application panicked")
	errQueued    = errors.New("other saves of this session took the whole StoreTimeout")
)

const (
	maxMerged = 256
	// patience is for how long, in all, a save waits for the functions of requests that it could take along.
	patience = 10 * time.Millisecond
)

// A save is one Commit's part of a write: alone, or together with others of its session that wait.
type save struct {
	s    *session
	ops  []op
	turn queue.Entry[*save, note]

	// Of the session as its request has loaded it: who is at the head may look at this, and not at that.
	token   token.Hash
	text    string      // of the token
	key     *record.Key // of the token, if it was needed
	version uint64
	epoch   uint32

	err      error // of this save alone: its changes are not in the draft
	panicked any   // what a function of the application panicked with, to go on in its own request
	absent   bool  // its function has not answered in time: it writes by itself
}

// A note is what saves in one queue tell each other.
type note struct {
	ask   *question // apply your changes to this copy
	done  *outcome  // the write that you were taken into is over
	known *stored   // to the new head: the record as the last one left it; nil if that is not known
}

// A question asks a save that waits to apply its changes, in the request that brought its functions.
type question struct {
	draft  draft
	now    int64
	answer chan *question
	err    error
	panics any
}

// An outcome is what a write came to.
type outcome struct {
	err  error
	base *stored // the record as it is now; nil if there was an error
}

// begin makes sv a save of s. One that has left a write behind may still be a part of it, so none is used
// again.
func (sv *save) begin(s *session, b *budget, ops []op, alone bool) {
	sv.s, sv.ops = s, ops
	sv.token, sv.version, sv.epoch = s.base.Token, s.base.Version, s.epoch
	sv.text, sv.key = s.base.text, s.base.key
	sv.turn.Value, sv.turn.Alone, sv.turn.Ends = sv, alone, b.end()
}

// await waits for sv's turn, and serves the one whose turn it is meanwhile. done, if not nil, is what the
// save has come to without a turn of its own; known is the record, if the last one knew it.
func (k *storeKeeper) await(b *budget, id string, sv *save) (known *stored, done *outcome) {
	if k.saves.Enter(id, &sv.turn) {
		return nil, nil
	}
	if b == nil {
		b = k.m.waiting()
	}
	for {
		n, turn := k.saves.Wait(id, &sv.turn, b.whole.Done())
		switch turn {
		case queue.Head:
			return n.known, nil
		case queue.Over:
			return nil, &outcome{err: unavailable("save", errQueued)}
		case queue.Lost:
			return nil, &outcome{err: unavailable("save", errUncertain)}
		}
		if n.done != nil {
			return nil, n.done
		}
		sv.reply(n.ask)
	}
}

// reply applies sv's changes to the copy in q. Whoever asked may have gone on without it.
func (sv *save) reply(q *question) {
	finished := false
	defer func() {
		if !finished {
			if q.panics = recover(); q.panics == nil {
				q.panics = errors.New("sojourn: a function given to Update ended its goroutine")
			}
		}
		q.answer <- q
	}()
	q.err = q.draft.apply(sv.s, sv.ops, false, q.now)
	finished = true
}

// asks reports whether functions of the application have to run again.
func (sv *save) asks(same bool) bool {
	for i := range sv.ops {
		if o := &sv.ops[i]; o.kind == opUpdate && (!same || o.epoch != sv.epoch) {
			return true
		}
	}
	return false
}

func (sv *save) out() bool { return sv.err != nil || sv.panicked != nil || sv.absent }

// update brings the plan's changes onto the record of the session that was loaded.
func (k *storeKeeper) update(s *session, b *budget, wk *work) (w written, err error) {
	t, sv := &wk.turn, &wk.turn.own
	sv.begin(s, b, wk.ops, wk.token || len(wk.ops) > 0 && wk.ops[0].kind == opBind) // that one may not be able to read the values
	t.k, t.b, t.id = k, b, s.base.ID
	known, done := k.await(b, t.id, sv)
	if done == nil {
		if wk.token {
			t.text = token.Mint(t.id)
		}
		t.run(known)
		done = &t.outcome
	}
	switch {
	case sv.panicked != nil:
		panic(sv.panicked)
	case sv.err != nil:
		return w, sv.err
	case done.err != nil:
		return w, done.err
	}
	w.base = done.base
	if t.text != "" && t.renewed {
		w.new, w.out = true, k.m.handOver(t.text, w.base)
	}
	return w, nil
}
