package sojourn

import (
	"context"
	"errors"
	"fmt"
)

// facts are what a plan depends on beside the change set.
type facts struct {
	phase      phase
	loadErr    error
	remembered bool
	copying    bool  // the client keeps the session: whatever is written has to be sent
	due        bool  // the idle limit is to be extended, or the seal renewed; not asked where there are ops
	sent       bool  // the header is out
	answered   bool  // by http.TimeoutHandler, in place of the handler
	left       error // why nobody would receive a token
	heldBack   bool  // the browser may have held our cookie back
	several    bool  // more than one live session is shown
	unbound    bool  // the live session that is shown is another device's
}

// A plan is what a Commit is about to do. It is one of these, in this order.
type plan struct {
	refuse error // nothing: the change set is dropped

	end  bool   // end what is shown, have the client forget it, and plan the rest anew
	why  string // the reason of that in the event
	rest []op

	write write // what is loaded, or a new session
	ops   []op
	owner string // who is logged in by ops, "" for nobody
	token bool   // the session gets another token
}

type write uint8

const (
	writeNothing write = iota
	writeLoaded        // onto the session that was loaded
	writeNew           // a session of its own
)

var (
	// ErrCrossSite: another site has caused the request, and the browser may have kept the cookie back. A
	// session that began here would take the place of the visitor's own. See docs/cross-site.md.
	ErrCrossSite = errors.New("sojourn: a request from another site begins no session")

	// ErrAmbiguous: the request shows several live sessions under one name. None of them is read, because one may
	// have been planted, and no other is begun.
	ErrAmbiguous = errors.New("sojourn: the request shows several live sessions: a login or a logout ends them")

	// ErrUnbound: the session that the request shows is bound to a device (package dbsc), and nothing shows that the
	// request comes from there. The session is not read, and no other is begun beside it.
	ErrUnbound = errors.New("sojourn: the session is bound to a device, and the request does not prove that it comes from there: a login or a logout ends the session")

	errAnswered = fmt.Errorf("%w: http.TimeoutHandler has answered already: put it inside LoadAndSave", ErrHeaderSent)
)

// A leftError is a change that was not performed because it needs a token sent, and the client has gone.
type leftError struct{ cause error }

func (e *leftError) Error() string {
	return "sojourn: the client has gone, and could not have received the session's token: " + e.cause.Error()
}
func (e *leftError) Unwrap() error { return e.cause }

// makePlan decides, and does nothing.
func makePlan(f facts, ops []op) plan {
	if f.phase == unreachable {
		return plan{refuse: f.loadErr}
	}
	if i := lastLogout(ops); i >= 0 {
		if f.copying && (f.sent || f.answered) { // the client has the session, and is not told
			return plan{end: true, why: ops[i].name, refuse: f.cannotSend(ops[i:])}
		}
		return plan{end: true, why: ops[i].name, rest: ops[i+1:]}
	}
	switch f.phase {
	case live:
		return planLoaded(&f, ops)
	case ended:
		return planEnded(&f, ops)
	}
	return planNew(&f, ops)
}

// planLoaded is for a session that is there.
func planLoaded(f *facts, ops []op) plan {
	if len(ops) == 0 && !f.due {
		return plan{}
	}
	ops = withoutVain(ops, f.remembered)
	p := plan{write: writeLoaded, ops: ops, owner: lastLogin(ops), token: replacesToken(ops)}
	if p.token || f.copying && len(ops) > 0 {
		p.refuse = f.cannotSend(ops)
	} else if f.copying && f.sent {
		return plan{} // a seal is renewed with the next response
	}
	return p
}

// planEnded is for one that has ended under this request: only a login begins another.
func planEnded(f *facts, ops []op) plan {
	owner := lastLogin(ops)
	switch {
	case len(ops) == 0:
		return plan{}
	case owner == "":
		return plan{refuse: ErrEnded}
	}
	return plan{write: writeNew, ops: ops, owner: owner, token: true, refuse: f.cannotSend(ops)}
}

// planNew is for a visitor without a session.
func planNew(f *facts, ops []op) plan {
	owner := lastLogin(ops)
	if owner == "" && !leaves(ops) {
		return plan{}
	}
	p := plan{write: writeNew, ops: ops, owner: owner, token: true, refuse: f.cannotSend(ops)}
	if owner == "" && p.refuse == nil {
		switch {
		case f.unbound:
			p.refuse = ErrUnbound
		case f.several:
			p.refuse = ErrAmbiguous
		case f.heldBack:
			p.refuse = ErrCrossSite
		}
	}
	return p
}

// cannotSend is why what ops need sent cannot be.
func (f *facts) cannotSend(ops []op) error {
	switch {
	case f.sent:
		return lateError(f, ops)
	case f.answered:
		return errAnswered
	case f.left != nil:
		return &leftError{f.left}
	}
	return nil
}

// withoutVain leaves out each Remember, if all of them come to what is so already.
func withoutVain(ops []op, remembered bool) []op {
	var last *op
	for i := range ops {
		switch o := &ops[i]; o.kind {
		case opLogin, opRenew:
			return ops // the token is replaced anyway
		case opRemember:
			last = o
		}
	}
	if last == nil || last.on != remembered {
		return ops
	}
	var kept []op
	for _, o := range ops {
		if o.kind != opRemember {
			kept = append(kept, o)
		}
	}
	return kept
}

// replacesToken: whether ops, without the vain ones, replace the token of a session that is there.
func replacesToken(ops []op) bool {
	for i := range ops {
		switch ops[i].kind {
		case opLogin, opRenew, opRemember:
			return true
		case opDeadline:
			if ops[i].on {
				return true
			}
		}
	}
	return false
}

// leaves: whether ops leave a value behind where there is no session.
func leaves(ops []op) bool {
	var gone map[string]bool
	for i := len(ops) - 1; i >= 0; i-- {
		switch o := &ops[i]; o.kind {
		case opPut, opUpdate, opAppend:
			if !gone[o.name] {
				return true
			}
		case opDelete, opPop, opTake:
			if gone == nil {
				gone = make(map[string]bool)
			}
			gone[o.name] = true
		case opClear:
			return false
		}
	}
	return false
}

// A tooLateError says which call came too late, and what to do.
type tooLateError struct{ what string }

func (e *tooLateError) Error() string {
	return ErrHeaderSent.Error() + ": " + e.what + " needs a cookie or header sent, and the response has begun: do it before the handler writes its first byte"
}
func (e *tooLateError) Unwrap() error { return ErrHeaderSent }

// lateError names the first of ops that needs something sent.
func lateError(f *facts, ops []op) error {
	for i := range ops {
		switch o := &ops[i]; o.kind {
		case opLogin:
			return &tooLateError{"Login"}
		case opLogout:
			return &tooLateError{"Logout of a session that the client keeps"}
		case opRenew:
			return &tooLateError{"Renew"}
		case opRemember:
			return &tooLateError{"Remember"}
		case opClear, opLimit:
			if f.copying {
				return &tooLateError{"a change of a session that the client keeps"}
			}
		case opPut, opUpdate, opAppend, opDelete, opPop, opTake:
			if f.copying {
				return &tooLateError{fmt.Sprintf("a change of key %q, in a session that the client keeps,", o.name)}
			} else if f.phase != live {
				return &tooLateError{fmt.Sprintf("a session's first value, key %q,", o.name)}
			}
		}
	}
	return ErrHeaderSent
}

// clientLeft is why nobody would receive a token, or nil. A client that leaves cancels the request's
// context and gives no cause; a deadline, a shutdown or load shedding is nobody's leaving.
func clientLeft(ctx context.Context) error {
	if err := ctx.Err(); errors.Is(err, context.Canceled) && context.Cause(ctx) == context.Canceled {
		return err
	}
	return nil
}
