package sojourn

import (
	"fmt"
	"hash/maphash"
	"sync"
)

// lines are the saves under way in this process, one line for each session. Who is at the head writes;
// who has come meanwhile waits, and the head may take the changes of those behind it into its own
// write. Another process is met by compare-and-swap alone.
type lines struct {
	shards [64]lineShard
}

type lineShard struct {
	sync.Mutex
	heads map[string]*save
}

var lineSeed = maphash.MakeSeed()

const maxMerged = 256

// A save is one Commit's place in the line of its session.
type save struct {
	s       *session
	ops     []op
	barrier bool // writes alone: it replaces the token or ends the session, or did not fit with the others

	err      error // of this save alone: its changes are not in the draft
	panicked any   // what an Update function panicked with, to go on in its own request

	next, last *save // the line behind; last is kept by the head
	in         chan message
	replied    chan struct{}
}

// A message tells a waiting save to apply its changes, to be done, or to go to the head.
type message struct {
	apply *draft
	same  bool
	now   int64
	done  *outcome
	known *stored // for the new head: the record as the last one left it, nil if not known
}

// An outcome is what a write came to.
type outcome struct {
	err  error
	base stored
}

func (l *lines) of(id string) *lineShard {
	return &l.shards[maphash.String(lineSeed, id)%uint64(len(l.shards))]
}

// enter takes a place. If that is the head, lead is true; else the save must follow.
func (l *lines) enter(id string, w *save) (lead bool) {
	sh := l.of(id)
	sh.Lock()
	defer sh.Unlock()
	head := sh.heads[id]
	if head == nil {
		if sh.heads == nil {
			sh.heads = make(map[string]*save)
		}
		sh.heads[id] = w
		return true
	}
	// Room for one: nobody who speaks to this save is held up if its goroutine has ended.
	w.in, w.replied = make(chan message, 1), make(chan struct{}, 1)
	if head.next == nil {
		head.next = w
	} else {
		head.last.next = w
	}
	head.last = w
	return false
}

// collect takes the first of the line behind head out of it, if it can be merged.
func (l *lines) collect(id string, head *save) *save {
	sh := l.of(id)
	sh.Lock()
	defer sh.Unlock()
	w := head.next
	if w == nil || w.barrier {
		return nil
	}
	head.next, w.next = w.next, nil
	return w
}

// putBack returns collected saves to the front, each to write alone.
func (l *lines) putBack(id string, head *save, members []*save) {
	sh := l.of(id)
	sh.Lock()
	defer sh.Unlock()
	for i := len(members) - 1; i >= 0; i-- {
		w := members[i]
		w.barrier = true
		if w.next = head.next; w.next == nil {
			head.last = w
		}
		head.next = w
	}
}

// leave hands the head to the next, with what is known of the record.
func (l *lines) leave(id string, head *save, known *stored) {
	sh := l.of(id)
	sh.Lock()
	w := head.next
	if w == nil {
		delete(sh.heads, id)
	} else {
		if w.next != nil {
			w.last = head.last
		}
		sh.heads[id] = w
	}
	sh.Unlock()
	if w != nil {
		w.in <- message{known: known}
	}
}

// follow serves the head until the save is done, or is the head itself.
func (w *save) follow() (done *outcome, known *stored) {
	for msg := range w.in {
		switch {
		case msg.apply != nil:
			w.answer(msg)
		case msg.done != nil:
			return msg.done, nil
		default:
			w.in = nil // a head speaks to itself without a channel
			return nil, msg.known
		}
	}
	return nil, nil
}

func (w *save) answer(msg message) {
	defer func() { w.replied <- struct{}{} }()
	w.applyTo(msg.apply, msg.same, msg.now)
}

// ask has the save apply its changes in its own goroutine: an application's functions run in the
// request that brought them.
func (w *save) ask(d *draft, same bool, now int64) {
	if w.in == nil {
		w.applyTo(d, same, now)
		return
	}
	w.in <- message{apply: d, same: same, now: now}
	<-w.replied
}

// applyTo leaves d as it was when the changes cannot be made.
func (w *save) applyTo(d *draft, same bool, now int64) {
	before := *d
	before.edits = append(edits(nil), d.edits...)
	finished := false
	defer func() {
		if !finished {
			if w.panicked = recover(); w.panicked == nil {
				w.panicked = fmt.Errorf("sojourn: an Update function ended its goroutine")
			}
		}
		if !finished || w.err != nil {
			*d = before
		}
	}()
	if !d.fresh && d.family != w.s.base.family {
		w.err = ErrEnded
	} else {
		w.err = d.apply(w.s, w.ops, same, now)
	}
	finished = true
}

func (w *save) out() bool { return w.err != nil || w.panicked != nil }
