// Package queue keeps the saves under way in this process, those of one session one behind the other.
//
// Who is at the head writes. The head may take in those behind it that can share its write. Nobody
// waits for a stranger longer than its own time: a waiter leaves, and costs the others nothing.
package queue

import (
	"hash/maphash"
	"sync"
	"time"
)

// A Queue has one line of entries for each id. V is what an entry stands for, M what entries tell each other.
type Queue[V, M any] struct {
	shards [64]shard[V, M]
}

type shard[V, M any] struct {
	mu    sync.Mutex
	heads map[string]*Entry[V, M]
}

// An Entry is one save's turn. It is used once.
type Entry[V, M any] struct {
	Value V
	Alone bool      // shares its write with nobody
	Ends  time.Time // when its time is over

	where      where
	next, prev *Entry[V, M]  // behind the head: the head's next is the first, its prev the last
	wake       chan struct{} // of one who waits: there is mail, or it is the head
	mail       M
	unread     bool
}

type where uint8

const (
	nowhere where = iota
	atHead
	waiting
	taken
)

// Turn is what waiting came to.
type Turn uint8

const (
	Head Turn = iota // it is this entry's turn to write
	Told             // the head that took it has told it something
	Over             // its time is over: it has left, and nobody will apply anything of it
	Lost             // its time is over, but the head that took it may write its changes all the same
)

var seed = maphash.MakeSeed()

func (q *Queue[V, M]) shard(id string) *shard[V, M] {
	return &q.shards[maphash.String(seed, id)%uint64(len(q.shards))]
}

// Enter takes e's place, and reports whether that is the head. Who is not calls Wait.
func (q *Queue[V, M]) Enter(id string, e *Entry[V, M]) (head bool) {
	sh := q.shard(id)
	sh.mu.Lock()
	defer sh.mu.Unlock()
	h := sh.heads[id]
	if h == nil {
		if sh.heads == nil {
			sh.heads = make(map[string]*Entry[V, M])
		}
		sh.heads[id], e.where = e, atHead
		return true
	}
	e.where, e.wake = waiting, make(chan struct{}, 1)
	h.insert(e, h.prev)
	return false
}

// insert puts e behind after, which is nil for the front of the line.
func (h *Entry[V, M]) insert(e, after *Entry[V, M]) {
	e.prev = after
	if after == nil {
		e.next, h.next = h.next, e
	} else {
		e.next, after.next = after.next, e
	}
	if e.next == nil {
		h.prev = e
	} else {
		e.next.prev = e
	}
}

func (h *Entry[V, M]) remove(e *Entry[V, M]) {
	if e.prev == nil {
		h.next = e.next
	} else {
		e.prev.next = e.next
	}
	if e.next == nil {
		h.prev = e.prev
	} else {
		e.next.prev = e.prev
	}
	e.next, e.prev = nil, nil
}

// Wait waits until e is told something, is the head, or done. The message is that of the last head.
func (q *Queue[V, M]) Wait(id string, e *Entry[V, M], done <-chan struct{}) (m M, turn Turn) {
	for {
		over := false
		select {
		case <-e.wake: // what has been said counts, even if time is over meanwhile
		default:
			select {
			case <-e.wake:
			case <-done:
				over = true
			}
		}
		if m, turn, ok := q.look(id, e, over); ok {
			return m, turn
		}
	}
}

// look reads e's mail. There may be none: what a head said is void once it has returned e.
func (q *Queue[V, M]) look(id string, e *Entry[V, M], over bool) (m M, turn Turn, ok bool) {
	sh := q.shard(id)
	sh.mu.Lock()
	defer sh.mu.Unlock()
	switch {
	case e.where == atHead:
		return e.mail, Head, true
	case e.unread:
		e.unread = false
		return e.mail, Told, true
	case !over:
		return m, Told, false
	case e.where == taken:
		e.where = nowhere
		return m, Lost, true
	}
	sh.heads[id].remove(e)
	e.where = nowhere
	return m, Over, true
}

// Take takes the first behind head out of the line, if it can share head's write: not one that writes
// alone, nor one whose time is over before head's.
func (q *Queue[V, M]) Take(id string, head *Entry[V, M]) *Entry[V, M] {
	sh := q.shard(id)
	sh.mu.Lock()
	defer sh.mu.Unlock()
	e := head.next
	if e == nil || e.Alone || e.Ends.Before(head.Ends) {
		return nil
	}
	head.remove(e)
	e.where = taken
	return e
}

// Tell leaves m for an entry that was taken. What it has not read of before is replaced.
func (q *Queue[V, M]) Tell(id string, e *Entry[V, M], m M) {
	sh := q.shard(id)
	sh.mu.Lock()
	e.mail, e.unread = m, true
	sh.mu.Unlock()
	e.ring()
}

func (e *Entry[V, M]) ring() {
	select {
	case e.wake <- struct{}{}:
	default:
	}
}

// Return puts entries that were taken back to the front of the line, in their order, each to write
// alone.
func (q *Queue[V, M]) Return(id string, head *Entry[V, M], entries ...*Entry[V, M]) {
	sh := q.shard(id)
	sh.mu.Lock()
	defer sh.mu.Unlock()
	var after *Entry[V, M]
	for _, e := range entries {
		if e.where != taken {
			continue // has left
		}
		e.where, e.Alone, e.unread = waiting, true, false
		head.insert(e, after)
		after = e
	}
}

// Leave makes the first behind head the head, and gives it m.
func (q *Queue[V, M]) Leave(id string, head *Entry[V, M], m M) {
	sh := q.shard(id)
	sh.mu.Lock()
	e := head.next
	head.where = nowhere
	if e == nil {
		delete(sh.heads, id)
	} else {
		head.remove(e)
		e.next, e.prev = head.next, head.prev
		if e.next != nil {
			e.next.prev = nil
		}
		head.next, head.prev = nil, nil
		sh.heads[id], e.where = e, atHead
		e.mail, e.unread = m, false
	}
	sh.mu.Unlock()
	if e != nil {
		e.ring()
	}
}

// Len counts the entries of all ids: those at a head, and those that wait.
func (q *Queue[V, M]) Len() (n int) {
	for i := range q.shards {
		sh := &q.shards[i]
		sh.mu.Lock()
		for _, h := range sh.heads {
			for n++; h.next != nil; h = h.next {
				n++
			}
		}
		sh.mu.Unlock()
	}
	return n
}
