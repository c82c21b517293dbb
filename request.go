package sojourn

import (
	"context"
	"errors"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/gosojourn/sojourn/internal/binding"
	"github.com/gosojourn/sojourn/internal/carrier"
	"github.com/gosojourn/sojourn/internal/fence"
	"github.com/gosojourn/sojourn/internal/record"
	"github.com/gosojourn/sojourn/internal/response"
)

type stateKey struct{}

// state is one manager's part in one request: its context, and the gate of its response. A request that
// asks for nothing costs this one object. Handlers keep contexts, so it is never used again.
type state struct {
	context.Context // the request's, without this manager
	m               *Manager
	outer           *state
	rw              response.Writer
	r               *http.Request
	begun           time.Time    // when the request came in; by the monotonic clock it is told what came later
	turn            uint64       // how many revocations this manager had made by then
	before          []headerLine // the response's header as it was

	sess      atomic.Pointer[session] // nil until something asks
	inner     atomic.Pointer[state]   // the last of the managers further in
	sibling   *state                  // the one before it
	abandoned atomic.Bool             // http.TimeoutHandler, inside, has answered in place of the handler, which goes on
	returned  atomic.Bool             // the handler is done: nothing is saved any more but by a Commit
}

func (st *state) Value(key any) any {
	if key == (stateKey{}) || key == (fence.RequestKey{}) {
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
		which, whose := "a session", "a"
		if m != nil {
			which, whose = "a session of this Manager", "this"
		}
		panic("sojourn: the context is without " + which + ": wrap the handler with the LoadAndSave of " + whose + " Manager and pass on r.Context(); in a test use sojourntest.Context")
	}
	return st.session()
}

type phase uint8

const (
	unread      phase = iota
	anonymous         // there is none; a change that stores something begins one
	live              // base is it
	ended             // it was replaced or has ended under us: reads nothing, refuses changes, but a Login begins another
	unreachable       // the keeper could not answer
)

// shortValue is how much room a request has for new values before each costs an object.
const shortValue = 40

// session is what a request knows of its session: what was loaded, and what was done since.
type session struct {
	st *state
	m  *Manager

	// hold is held by one Commit at a time, and while the header is made up: so no Commit fits between the
	// last look at what the response is to say and the header's going out. It is taken before mu.
	hold sync.Mutex
	out  *carrier.Outgoing // what the response is to say, until its header goes out; nil is nothing
	bye  *carrier.Outgoing // what it is to say if nothing comes after a Logout

	seal    *carrier.Outgoing // the same of a visitor's cookie, which has a name of its own
	byeSeal *carrier.Outgoing

	vary  [1]string // of the response's header, which has it for good
	login login     // of the Login that is being performed

	// mu guards what is below. It is held across the keeper's answer for the first load alone.
	mu      sync.Mutex
	base    stored          // the session as loaded
	several []stored        // more than one live session was shown: none is read, and these are they
	was     string          // whose it was that has ended under us: what was changed so far is that one's
	err     error           // of the load; always the same answer
	by      context.Context // that of the last change

	log     []op
	first   [1]op // most requests change one thing
	taken   int   // so many of log are being performed, and are not to be touched
	settled uint64
	outcome error // of the Commit that settled the last of them
	fault   error // the first value that did not encode
	short   [shortValue]byte

	old       string   // the token of the old session that this one is tied to
	handed    *handOut // what the response carries unless there is something newer to say
	forgetOld bool     // the old cookie is to go

	invitation [2]string // the header line that invites the browser to bind the session; nothing, if the first is empty
	unbind     bool      // the bound cookie is to go
	withheld   bool      // the session in several is bound to a device, and this request does not show that it comes from there

	raised map[string]uint64 // fences that this request has raised itself
	inTx   []raisedInTx
	events []Event // to be told when no lock is held: OnEvent may ask the session

	running   atomic.Int32 // functions of the application that run on our behalf
	beside    any          // what another library's API keeps with the request
	epoch     uint32       // how often base was replaced
	last      opKind       // the last change, committed or not
	spare     uint8        // where short is free from
	phase     phase
	shown     bool // the request came with something under our name
	sealOver  bool // a seal was shown whose session has ended, so that no newer one is in its place
	sealShown bool // and under that of the visitors' cookie, if that was looked at
	stale     bool // sealed with a key that is on its way out
	copied    bool // base is from a copy nearby
	asking    bool // no copy will do
	touched   bool // the idle limit was to be extended once: not again
	told      bool // that changes come too late to be saved by themselves
	delivered bool // http.TimeoutHandler delivers what a handler has done that is through
	said      bool // under hold: out has been said, and the header may share its memory, which stays as it is
}

// copying reports whether it is the client that keeps the session, so that whatever is written has to be sent.
func (s *session) copying() bool {
	return s.m.copying || s.base.sealed || len(s.several) > 0 && s.several[0].sealed
}

// lock reads the session if that has not been done, and holds mu.
func (s *session) lock() {
	s.mu.Lock()
	if s.phase == unread {
		s.find(s.m.budget())
	}
}

// lockWithin is lock of a call that has more to ask.
func (s *session) lockWithin(b *budget) {
	s.mu.Lock()
	if s.phase == unread {
		s.find(b)
	}
}

// find asks the keeper. A store or sealer that panics leaves a session that could not be read, and no lock.
func (s *session) find(b *budget) {
	finished := false
	defer func() {
		if !finished {
			s.cannotLoad("", unavailable("load", errPanicked))
			s.mu.Unlock()
		}
	}()
	s.m.keeper.find(s, b)
	if s.phase == live && s.m.binder != nil {
		s.judgeBinding(b)
	}
	finished = true
}

var errPanicked = errors.New("the store panicked, or ended its goroutine")

// unlock releases mu and tells what has happened. While a function of the application runs, a Commit may
// be waiting for it: then that tells, or the next unlock.
func (s *session) unlock() {
	for len(s.events) > 0 && s.running.Load() == 0 {
		events := s.events
		s.events = nil
		s.mu.Unlock()
		for _, e := range events {
			s.m.emit(s.st, e)
		}
		s.mu.Lock()
	}
	s.mu.Unlock()
	if s.running.Load() == 0 {
		s.m.tellRecoveries()
	}
}

// note keeps e until no lock is held. The caller holds mu.
func (s *session) note(e Event) {
	e.Time = time.Now().UTC()
	s.events = append(s.events, e)
}

// tell is note for who does not hold mu.
func (s *session) tell(e Event) {
	s.mu.Lock()
	s.note(e)
	s.mu.Unlock()
}

// cannotLoad makes err the answer to everything. The caller holds mu.
func (s *session) cannotLoad(id string, err error) {
	s.base, s.phase, s.err = stored{}, unreachable, err
	s.note(unreadEvent(id, err))
}

// unreadEvent tells a store that does not answer from one whose answer has been altered.
func unreadEvent(id string, err error) Event {
	if errors.Is(err, record.ErrAltered) {
		return Event{Name: EventUnreadable, ID: id, Reason: "values", Err: err}
	}
	return Event{Name: EventUnavailable, ID: id, Err: err}
}

// used reports whether the session was read, so that the response depends on the cookie.
func (s *session) used() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.phase != unread
}

// get returns the encoded value of name, as this request sees it.
func (s *session) get(name string) []byte {
	s.lock()
	defer s.unlock()
	v, _ := s.lookup(name)
	return v
}

// confirm has the keeper itself say what was loaded earlier or copied, and returns what Load returns.
func (s *session) confirm(b *budget) error {
	s.door(insideEvent)
	defer s.tellAll()
	s.hold.Lock()
	defer s.hold.Unlock()
	s.mu.Lock()
	s.asking = true
	first := s.phase == unread
	if first {
		s.find(b)
	}
	defer s.mu.Unlock()
	if first || s.phase != live {
		return s.err
	}
	now, err := s.m.keeper.confirm(s.st, b, &s.base)
	switch {
	case isEnded(err):
		s.note(Event{Name: EventUsedAfterEnd, ID: s.base.ID, Owner: s.base.Owner, Reason: "revoked"})
		s.strand()
	case err != nil:
		s.cannotLoad(s.base.ID, err)
	case now.Version != s.base.Version:
		s.base = now
		s.epoch++
	}
	s.copied = false
	return s.err
}

// strand leaves the request with a session that has ended under it. What it has changed is kept for a login
// of the same owner, but nothing that was made of what the session held. The caller holds hold and mu.
func (s *session) strand() {
	if len(s.log) > s.taken {
		s.was = s.owner()
	} else {
		s.was = ""
	}
	s.base, s.phase, s.invitation = stored{}, ended, [2]string{}
	s.epoch++
	s.unsay()
	for i := range s.log {
		if o := &s.log[i]; i >= s.taken && o.kind == opUpdate {
			o.value = nil // its function runs again
		}
	}
}

// forget leaves the request without a session, as after Logout: what was put before goes with it, and
// the client is told to forget the token. was is whose it was, if what is in the log goes on. The caller holds hold.
func (s *session) forget(p phase, was string) {
	s.mu.Lock()
	shown := s.shown
	s.unbind = s.unbind || s.withheld || binding.Is(s.base.Bound())
	s.invitation, s.withheld = [2]string{}, false
	s.phase, s.base, s.was, s.several = p, stored{}, was, nil
	s.epoch++
	s.mu.Unlock()
	if p == anonymous && shown {
		out := s.m.carrier.Forget(s.st.r.Header)
		s.bye = &out
	}
	if s.m.visitors != nil && (p == anonymous || s.sealOver) {
		s.byeSeal = s.m.visitors.forget(s.st.r)
	}
	s.unsay()
}

// unsay takes back what an earlier Commit wanted sent, because that session has ended: a seal of it would be good
// elsewhere. What is left is a Logout's; of a session that ended under the request nothing is said, because a newer
// login's cookie may be in its place. The caller holds hold.
func (s *session) unsay() {
	if !s.said {
		s.out, s.seal = s.bye, s.byeSeal
	}
}
