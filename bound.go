package sojourn

import "time"

// judgeBinding withholds the session that was found, if the binder does not let this request have it. A copy of the
// record may only say yes. The caller holds mu.
func (s *session) judgeBinding(b *budget) {
	reason, theft := s.bindingAllows()
	if reason != "" && s.copied {
		s.base, s.phase, s.several, s.copied, s.asking = stored{}, unread, nil, false, true
		s.m.keeper.find(s, b)
		if s.phase != live {
			return
		}
		reason, theft = s.bindingAllows()
	}
	if reason == "" {
		return
	}
	name := EventUnproven
	if theft {
		name = EventTheft
	}
	if !s.m.binder.Own(s.st.r) {
		s.note(Event{Name: name, ID: s.base.ID, Owner: s.base.Owner, Reason: reason})
	}
	// Like several live sessions: none is read, and a login or a logout ends what was shown.
	s.several = append(s.several, s.base)
	s.base, s.phase, s.withheld = stored{}, anonymous, true
}

// bindingAllows asks the binder about the session that was found.
func (s *session) bindingAllows() (reason string, theft bool) {
	var auth time.Time
	if s.base.Owner != "" {
		auth = time.UnixMilli(s.base.Auth)
	}
	return s.m.binder.Judge(s.st.r, s.base.Bound(), auth)
}

// invite has the response invite the browser to bind the session that ops have logged in to. The caller holds hold.
func (s *session) invite(ops []op) {
	if s.m.binder == nil {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.invitation = [2]string{}
	for i := len(ops) - 1; i >= 0; i-- {
		if o := &ops[i]; o.kind == opLogin && s.base.ID != "" {
			if len(o.value) > 0 {
				s.invitation[0], s.invitation[1] = s.m.binder.Invitation(s.base.ID, o.value)
			}
			return
		}
	}
}

// asksForProof reports whether the response is to be a page that has the browser prove its key and come again: the
// handler took the visitor for nobody, and the browser may only have had no time to say who it is.
func (st *state) asksForProof(s *session) bool {
	if st.m.binder == nil {
		return false
	}
	s.mu.Lock()
	asks := s.withheld && s.phase == anonymous && len(s.log) == 0
	s.mu.Unlock()
	return asks && st.m.binder.Asks(st.r)
}
