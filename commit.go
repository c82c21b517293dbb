package sojourn

import (
	"context"
	"errors"
	"slices"
	"time"
)

// commit takes the change set so far and makes it so, whole or not at all. Errors: ErrEnded,
// ErrHeaderSent, ErrTooLarge, one that is Unavailable, or what an encoder said.
func (s *session) commit() error {
	s.committing.Lock()
	defer s.committing.Unlock()

	s.mu.Lock()
	ops, fault := s.log[:len(s.log):len(s.log)], s.fault
	phase, loadErr := s.phase, s.err
	s.fault = nil
	s.mu.Unlock()

	switch {
	case fault != nil:
		s.settle(len(ops), nil)
		s.m.emit(s.st, Event{Name: EventFailed, ID: s.base.ID, Err: fault})
		return fault
	case phase == unavailable_:
		s.settle(len(ops), nil)
		return loadErr
	case len(ops) == 0 && (phase != live || !s.stale && !s.m.touchDue(&s.base, millis(time.Now()))):
		return nil
	}
	perform := s.perform
	if s.m.seal != nil {
		perform = s.performSealed
	}
	err := perform(ops)
	if err != nil {
		s.report(err)
	}
	return err
}

// perform does ops. The client's going away cancels no save, but then no token can be handed over.
func (s *session) perform(all []op) error {
	ctx := detached{s.st}
	ops := all
	clientGone := s.st.Context.Err() != nil
	if clientGone {
		if i := slices.IndexFunc(ops, func(o op) bool { return o.needsToken() }); i >= 0 {
			s.m.emit(s.st, Event{Name: EventLoginAbandoned, ID: s.base.ID, Owner: s.base.Owner})
			ops = ops[:i]
		}
	}
	if i := lastLogout(ops); i >= 0 {
		if err := s.logOut(ctx); err != nil {
			s.settle(len(all), nil)
			return err
		}
		if ops = ops[i+1:]; len(ops) == 0 {
			s.settle(len(all), nil)
			return nil
		}
	}
	owner := lastLogin(ops)
	login := owner != ""
	tooLate := s.st.wrote.Load()
	if login && !tooLate {
		if err := s.openLogin(ctx, owner); err != nil {
			s.settle(len(all), nil)
			return err
		}
	}

	var o outcome
	var token string
	err := ErrEnded
	same := true
	if s.phase == live {
		barrier := slices.ContainsFunc(ops, func(o op) bool { return o.needsToken() })
		if barrier && tooLate {
			s.settle(len(all), nil)
			return ErrHeaderSent
		}
		if barrier {
			token = mint(s.base.ID)
		}
		w := &s.place
		*w = save{s: s, ops: ops, barrier: barrier}
		o = s.m.save(ctx, w, token)
		if w.panicked != nil {
			s.settle(len(all), nil)
			panic(w.panicked)
		}
		if err = o.err; w.err != nil {
			err = w.err
		}
		if err == nil && token != "" && o.base.token != hashToken(s.m.cfg.Purpose, token) {
			token = "" // Remember that changed nothing
		}
		same = false
	}
	if s.phase == anonymous || errors.Is(err, ErrEnded) && login {
		if clientGone {
			s.settle(len(all), nil)
			return nil
		}
		if tooLate && wouldCreate(ops) {
			s.settle(len(all), nil)
			return ErrHeaderSent
		}
		o, token = s.m.create(ctx, s, ops, same)
		err = o.err
	}
	if err == nil && login {
		err = s.closeLogin(ctx, owner, &o.base)
	}
	if err != nil {
		if errors.Is(err, ErrEnded) {
			s.settle(len(all), &gone)
		} else {
			s.settle(len(all), nil)
		}
		return err
	}
	before := s.base
	if o.base.ID != "" {
		s.settle(len(all), &o.base)
	} else {
		s.settle(len(all), nil)
	}
	if token != "" {
		s.handOver(token, &before, login)
	}
	return nil
}

// detached is a request's context without its end: a client that leaves cancels no save.
type detached struct{ *state }

func (detached) Deadline() (time.Time, bool) { return time.Time{}, false }
func (detached) Done() <-chan struct{}       { return nil }
func (detached) Err() error                  { return nil }

// logOut ends the record and has the browser forget the cookie, unless a newer login's cookie
// may be in its place by now.
func (s *session) logOut(ctx context.Context) error {
	if s.phase == live {
		s.place = save{s: s, barrier: true}
		switch err := s.m.remove(ctx, &s.place); {
		case errors.Is(err, ErrEnded):
			s.m.emit(s.st, Event{Name: EventUsedAfterEnd, ID: s.base.ID, Reason: "superseded"})
			s.rebase(ended, stored{})
			return nil
		case err != nil:
			return err
		}
		s.m.emit(s.st, Event{Name: EventEnded, ID: s.base.ID, Owner: s.base.Owner, Reason: "logout"})
	}
	if s.phase == ended {
		return nil
	}
	s.rebase(anonymous, stored{})
	if h := s.st.w.Header(); !s.st.wrote.Load() && (s.shown || s.m.tokenPending(h)) {
		s.m.expireToken(h)
	}
	return nil
}

// handOver puts the new token into the response and tells of it.
func (s *session) handOver(token string, before *stored, login bool) {
	s.m.sendToken(s.st.w.Header(), token, s.base.remembered, time.Until(timeOf(s.base.deadline)))
	e := Event{ID: s.base.ID, Owner: s.base.Owner}
	if e.Name = EventRenewed; before.ID != s.base.ID {
		e.Name = EventCreated
	}
	s.m.emit(s.st, e)
	if login {
		e.Name = EventLogin
		s.m.emit(s.st, e)
	}
}

// settle drops the first n ops, done or refused, and takes base, when given, as what is stored now.
func (s *session) settle(n int, base *stored) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.log = s.log[n:]
	if base == nil {
		s.epoch++ // results computed on top of what was dropped are not to be used
		return
	}
	if s.base, s.phase = *base, live; base.ID == "" {
		s.phase = ended
	}
	s.epoch++
}

func (s *session) rebase(p phase, base stored) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.phase, s.base = p, base
}

// report tells the security log what went wrong.
func (s *session) report(err error) {
	e := Event{ID: s.base.ID, Owner: s.base.Owner, Err: err}
	switch {
	case errors.Is(err, ErrEnded):
		e.Name, e.Reason = EventUsedAfterEnd, "dropped"
	case errors.Is(err, ErrHeaderSent):
		e.Name = EventTooLate
	case Unavailable(err):
		e.Name = EventUnavailable
	default:
		e.Name = EventFailed
	}
	s.m.emit(s.st, e)
}

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

// wouldCreate: whether ops may leave a value behind where there is no session.
func wouldCreate(ops []op) bool {
	return slices.ContainsFunc(ops, func(o op) bool {
		return o.kind == opPut || o.kind == opUpdate || o.kind == opLogin
	})
}

// tokenDue reports whether the change set so far needs a token sent.
func (s *session) tokenDue() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.ContainsFunc(s.log, func(o op) bool { return s.m.seal != nil || o.needsToken() }) || s.phase == anonymous && wouldCreate(s.log)
}

// used reports whether the session was read, so that the response depends on the cookie.
func (s *session) used() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.phase != unread
}
