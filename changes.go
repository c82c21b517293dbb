package sojourn

import (
	"bytes"
	"cmp"
	"context"
	"maps"
	"slices"

	"github.com/gosojourn/sojourn/internal/value"
)

type opKind uint8

const (
	opNone opKind = iota // what a later Pop has made void
	opPut
	opDelete
	opPop
	opTake
	opUpdate
	opAppend
	opClear
	opLogin
	opLogout
	opRenew
	opRemember
	opLimit
	opDeadline
	opBind  // what binds the session to a device is what bind makes of it
	opStamp // with the fence that RevokeOthers has raised, under which this session is to live
)

// An op is one line of a change set: what a request did, in order, so that it can be done again on
// a newer record.
type op struct {
	kind  opKind
	on    bool                         // opRemember; opDeadline: the cookie is to be sent again
	epoch uint32                       // opUpdate: the base that value was computed from
	name  string                       // the key's; the owner of opLogin, opStamp; why, of an opLogout that nobody asked for
	value []byte                       // opPut, opAppend: new; opPop: what was returned; opUpdate: fn's result; opLogin: what the browser is offered to bind the session with
	stamp uint64                       // opPop: of what was returned; 0: it was this request's own. opLimit, opDeadline: in milliseconds since 1970
	fn    func([]byte) ([]byte, error) // opUpdate, opBind
	out   *[]byte                      // opTake: what was there
}

// add logs o. What comes when nothing saves by itself any more is told of. The caller holds mu.
func (s *session) add(ctx context.Context, o op) {
	if s.log == nil {
		s.log = s.first[:0]
	}
	s.log = append(s.log, o)
	s.by, s.last = ctx, o.kind
	if s.st.returned.Load() {
		s.leftBehind("returned")
	}
}

// leftBehind tells, once, that nothing but a Commit of its own saves what was changed. The caller holds mu.
func (s *session) leftBehind(reason string) {
	if !s.told {
		s.told = true
		s.note(Event{Name: EventLeftBehind, ID: s.base.ID, Owner: s.base.Owner, Reason: reason})
	}
}

// do logs o, having loaded the session.
func (s *session) do(ctx context.Context, o op) {
	s.door(insideUpdate)
	s.lock()
	defer s.unlock()
	s.add(ctx, o)
}

// change is do for what answers an error when the session cannot be had at all.
func (s *session) change(ctx context.Context, o op) error {
	s.door(insideUpdate)
	s.lock()
	defer s.unlock()
	if s.err != nil {
		return s.err
	}
	s.add(ctx, o)
	return nil
}

// put copies v: one that is short goes where it costs no object of its own.
func (s *session) put(ctx context.Context, name string, v []byte) {
	s.door(insideUpdate)
	s.lock()
	defer s.unlock()
	var own []byte
	if n := int(s.spare) + len(v); n <= len(s.short) {
		own, s.spare = s.short[s.spare:n:n], uint8(n)
	} else {
		own = make([]byte, len(v))
	}
	copy(own, v)
	s.add(ctx, op{kind: opPut, name: name, value: own})
}

// append adds more to a list. Appends that follow each other are one op, so that any number of them costs
// what they hold. It reports whether what is there already is a list.
func (s *session) append(ctx context.Context, name string, more []byte) (fits bool) {
	s.door(insideUpdate)
	s.lock()
	defer s.unlock()
	if n := len(s.log) - 1; n >= s.taken && s.log[n].kind == opAppend && s.log[n].name == name {
		s.log[n].value, _ = value.AppendList(s.log[n].value, more)
		s.by = ctx
		return true
	}
	base, _ := s.base.Values.Get(name)
	s.add(ctx, op{kind: opAppend, name: name, value: more})
	return base == nil || value.IsList(base) || s.lastSetter(name) >= 0
}

// pop removes what it returns, and nothing that is put later.
func (s *session) pop(ctx context.Context, name string) []byte {
	s.door(insideUpdate)
	s.lock()
	defer s.unlock()
	all, stamp := s.lookup(name)
	if all == nil {
		return nil
	}
	from := s.lastSetter(name)
	o := op{kind: opPop, name: name, value: all, stamp: stamp}
	switch {
	case !s.untaken(name):
		o.stamp = 0 // a Commit is under way with changes of this value: its bytes have to do
	case from < 0:
		// What is there was there before, with the appends of this request behind it: those are void.
		s.void(name, 0)
		o.value, _ = s.base.Values.Get(name)
		if o.value == nil {
			return all
		}
	case s.log[from].kind == opPut:
		s.void(name, from+1)
		o = op{kind: opDelete, name: name}
	case s.log[from].kind != opUpdate:
		s.void(name, from+1) // there was nothing but appends of this request
		return all
	}
	s.add(ctx, o)
	return all
}

// untaken reports whether no change of name is being performed.
func (s *session) untaken(name string) bool {
	for i := range s.log[:s.taken] {
		if s.log[i].name == name {
			return false
		}
	}
	return true
}

// void takes back the appends to name from the i-th op on.
func (s *session) void(name string, i int) {
	for ; i < len(s.log); i++ {
		if o := &s.log[i]; o.kind == opAppend && o.name == name {
			*o = op{kind: opNone}
		}
	}
}

// take removes the value, commits, and returns it.
func (s *session) take(ctx context.Context, name string) ([]byte, error) {
	if err := s.m.keeper.can(verbTake); err != nil {
		return nil, err
	}
	s.door(insideUpdate | insideEvent)
	b := s.m.budget()
	s.lockWithin(b)
	s.unlock()
	if s.get(name) == nil {
		// That it is not there is for the store to say, not for what was loaded a while ago.
		if err := s.confirm(b); err != nil {
			return nil, err
		}
	}
	var out []byte
	s.do(ctx, op{kind: opTake, name: name, out: &out})
	if err := s.commitWithin(b); err != nil {
		return nil, err
	}
	return out, nil
}

// update runs fn without holding mu, because fn may read the session; if another goroutine of the
// request came between, it runs again.
func (s *session) update(ctx context.Context, name string, fn func([]byte) ([]byte, error)) {
	s.door(insideUpdate)
	for {
		s.lock()
		old, _ := s.lookup(name)
		n, settled, epoch := len(s.log), s.settled, s.epoch
		s.unlock()
		v, err := s.runUpdate(fn, old)
		if err != nil {
			s.fail(err)
			return
		}
		s.mu.Lock()
		if len(s.log) == n && s.settled == settled && s.epoch == epoch {
			s.add(ctx, op{kind: opUpdate, name: name, value: v, fn: fn, epoch: epoch})
			s.unlock()
			return
		}
		s.unlock()
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

// lookup reads through the change set, newest first, into the record. The stamp is that of the record's
// value, 0 for one that this request has changed.
func (s *session) lookup(name string) (v []byte, stamp uint64) {
	from := s.lastSetter(name)
	switch {
	case from < 0:
		v, stamp = s.base.Values.Get(name)
	case s.log[from].kind == opPut || s.log[from].kind == opUpdate:
		v = s.log[from].value
	}
	for i := from + 1; i < len(s.log); i++ {
		if o := &s.log[i]; o.kind == opAppend && o.name == name {
			joined, fits := value.AppendList(bytes.Clone(v), o.value)
			if v = joined; !fits || len(v) == len(o.value) {
				v = bytes.Clone(o.value) // which the next Append may grow in place
			}
			stamp = 0
		}
	}
	return v, stamp
}

// lastSetter is the last op that says what name holds, whatever it held before; -1 if that is the record.
func (s *session) lastSetter(name string) int {
	for i := len(s.log) - 1; i >= 0; i-- {
		switch o := &s.log[i]; o.kind {
		case opPut, opUpdate, opDelete, opPop, opTake:
			if o.name == name {
				return i
			}
		case opClear, opLogout:
			return i
		case opLogin:
			if s.dropsValues(i) {
				return i
			}
		}
	}
	return -1
}

// dropsValues reports whether the i-th op, a login, is as another owner: what that one had is not for this
// one to see.
func (s *session) dropsValues(i int) bool {
	owner := s.ownerBefore(i)
	return owner != "" && owner != s.log[i].name
}

// names are those of the values as lookup finds them, in order.
func (s *session) names() []string {
	there := make(map[string]bool)
	for name := range s.base.Values.Names() {
		there[name] = true
	}
	for i := range s.log {
		switch o := &s.log[i]; o.kind {
		case opPut, opUpdate, opAppend:
			there[o.name] = true
		case opDelete, opPop, opTake:
			delete(there, o.name)
		case opClear, opLogout:
			clear(there)
		case opLogin:
			if s.dropsValues(i) {
				clear(there)
			}
		}
	}
	return slices.Sorted(maps.Keys(there))
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
	return s.owner()
}

// owner is whose session this was when what is in the log was changed.
func (s *session) owner() string { return cmp.Or(s.base.Owner, s.was) }

func lastLogout(ops []op) int {
	for i := len(ops) - 1; i >= 0; i-- {
		if ops[i].kind == opLogout {
			return i
		}
	}
	return -1
}

// lastLogin is the owner that ops end with, "" if they log nobody in.
func lastLogin(ops []op) string {
	for i := len(ops) - 1; i >= 0; i-- {
		if ops[i].kind == opLogin {
			return ops[i].name
		}
	}
	return ""
}
