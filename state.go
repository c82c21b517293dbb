package sojourn

import (
	"context"
	"net/http"
	"sync"
	"sync/atomic"
)

type stateKey struct{}

// state is one manager's part in one request: its context and its ResponseWriter at once, so that a
// request which asks for nothing costs one object. Handlers keep contexts, so it is never reused.
type state struct {
	context.Context // the request's, without this manager
	m               *Manager
	outer           *state
	w               http.ResponseWriter
	r               *http.Request
	begun           int64 // when the request came in, in milliseconds

	sess     atomic.Pointer[session] // nil until something asks
	wrote    atomic.Bool             // the header is out, or belongs to who hijacked
	refused  atomic.Bool             // an error response took the place of the handler's
	hijacked atomic.Bool
}

func (st *state) Value(key any) any {
	if key == (stateKey{}) {
		return st
	}
	return st.Context.Value(key)
}

// stateOf finds m's state in ctx; the innermost when m is nil.
func stateOf(ctx context.Context, m *Manager) *state {
	st, _ := ctx.Value(stateKey{}).(*state)
	for m != nil && st != nil && st.m != m {
		st = st.outer
	}
	return st
}

func (st *state) session() *session {
	if s := st.sess.Load(); s != nil {
		return s
	}
	st.sess.CompareAndSwap(nil, &session{st: st, m: st.m})
	return st.sess.Load()
}

func sessionOf(ctx context.Context, m *Manager) *session {
	st := stateOf(ctx, m)
	if st == nil {
		panic("sojourn: this context has no session of that manager: wrap the handler with Manager.LoadAndSave and pass on r.Context(); in a test use sojourntest.Context")
	}
	return st.session()
}

// shortValue is how much room a request has for new values before each costs an object.
const shortValue = 40

type phase uint8

const (
	unread       phase = iota
	anonymous          // there is none; a change that stores something begins one
	live               // base is it
	ended              // it was replaced or has ended under us: reads nothing, refuses changes, but a Login begins another
	unavailable_       // the store could not answer
)

// session is what a request knows of its session: the record as loaded, and what was done since.
type session struct {
	st *state
	m  *Manager

	committing sync.Mutex // one Commit at a time; held across the store's answer, mu never is, but for the first load

	mu     sync.Mutex
	phase  phase
	shown  bool   // the request came with something under our name
	epoch  uint32 // how often base was replaced
	err    error  // of the load; always the same answer
	fault  error  // the first value that did not encode
	base   stored
	log    []op
	first  [1]op // most requests change one thing
	short  [shortValue]byte
	spare  int       // where short is free from
	line   [1]string // of the response's header, which has it for good
	place  save
	fence  uint64            // of the owner who is being logged in
	raised map[string]uint64 // fences that this request has raised itself
	stale  bool              // sealed with a key that is on its way out
	copied bool              // base is from a copy that a store keeps nearby
	asking bool              // no copy will do
	events []Event           // to be told when mu is free: OnEvent may ask the session
}

// unlock releases mu and tells what happened under it.
func (s *session) unlock() {
	events := s.events
	s.events = nil
	s.mu.Unlock()
	for _, e := range events {
		s.m.emit(s.st, e)
	}
}

// lock reads the session if that has not been done, and holds mu.
func (s *session) lock() {
	s.mu.Lock()
	if s.phase == unread {
		s.load()
	}
}

func (s *session) get(name string) []byte {
	s.lock()
	defer s.unlock()
	return s.lookup(name)
}

// lookup reads through the change set, newest first, into the record.
func (s *session) lookup(name string) []byte {
	for i := len(s.log) - 1; i >= 0; i-- {
		switch o := &s.log[i]; o.kind {
		case opPut, opUpdate:
			if o.name == name {
				return o.value
			}
		case opDelete, opPop, opTake:
			if o.name == name {
				return nil
			}
		case opLogout:
			return nil
		case opLogin:
			if owner := s.ownerBefore(i); owner != "" && owner != o.name {
				return nil
			}
		}
	}
	return s.base.values.get(name)
}

// ownerBefore is the owner as the i-th op found it.
func (s *session) ownerBefore(i int) string {
	for i--; i >= 0; i-- {
		switch o := &s.log[i]; o.kind {
		case opLogin:
			return o.name
		case opLogout:
			return ""
		}
	}
	return s.base.Owner
}

func (s *session) do(o op) {
	s.lock()
	defer s.unlock()
	s.append(o)
}

// put copies value: one that is short goes where it costs no object of its own.
func (s *session) put(name string, value []byte) {
	s.lock()
	defer s.unlock()
	var own []byte
	if n := s.spare + len(value); n <= len(s.short) {
		own, s.spare = s.short[s.spare:n:n], n
	} else {
		own = make([]byte, len(value))
	}
	copy(own, value)
	s.append(op{kind: opPut, name: name, value: own})
}

func (s *session) append(o op) {
	if s.log == nil {
		s.log = s.first[:0]
	}
	s.log = append(s.log, o)
}

func (s *session) pop(name string) []byte {
	s.lock()
	defer s.unlock()
	value := s.lookup(name)
	if value != nil {
		s.append(op{kind: opPop, name: name, value: value})
	}
	return value
}

func (s *session) take(name string) ([]byte, error) {
	if err := s.m.unsealable("take", "two requests at once may both take it; use Lookup and Delete, or keep the session in a Store"); err != nil {
		return nil, err
	}
	var out []byte
	s.do(op{kind: opTake, name: name, out: &out})
	if err := s.commit(); err != nil {
		return nil, err
	}
	return out, nil
}

// update runs fn without holding mu, because fn may read the session; if another goroutine of the
// request came between, it runs again.
func (s *session) update(name string, fn func([]byte) ([]byte, error)) {
	for {
		s.lock()
		old, n, epoch := s.lookup(name), len(s.log), s.epoch
		s.unlock()
		value, err := fn(old)
		if err != nil {
			s.fail(err)
			return
		}
		s.mu.Lock()
		if len(s.log) == n && s.epoch == epoch {
			s.append(op{kind: opUpdate, name: name, value: value, fn: fn, epoch: epoch})
			s.mu.Unlock()
			return
		}
		s.mu.Unlock()
	}
}

// fail remembers the first mistake for the Commit to answer.
func (s *session) fail(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.fault == nil {
		s.fault = err
	}
}

func (s *session) unreadable(key string, err error) {
	s.mu.Lock()
	id := s.base.ID
	s.mu.Unlock()
	s.m.emit(s.st, Event{Name: EventUnreadable, ID: id, Reason: "value", Err: &keyError{key, err}})
}

type keyError struct {
	key string
	err error
}

func (e *keyError) Error() string { return "sojourn: key \"" + e.key + "\": " + e.err.Error() }
func (e *keyError) Unwrap() error { return e.err }
