package sojourn

import "errors"

// endOld ends, for a Logout, the old sessions that this one was made of or that the request shows beside it.
// It comes before the end of the session itself: an old one that lives on would be moved in again.
func (s *session) endOld(b *budget) error {
	if s.m.cfg.Legacy == nil {
		return nil
	}
	v := s.m.move(s, b)
	shown := v.shown()
	if s.old != "" {
		if err := v.buryOwn(); err != nil {
			return err
		}
		if err := v.end(s.old); err != nil {
			return err
		}
	}
	if err := v.endStrays(); err != nil {
		return err
	}
	s.mu.Lock()
	s.forgetOld = s.forgetOld || s.old != "" || len(shown) > 0
	s.shown = s.shown || s.m.inPlace && len(shown) > 0
	s.old = ""
	s.mu.Unlock()
	return nil
}

// buryOwn buries what the session was made of.
func (v *move) buryOwn() error {
	if v.m.stores == nil || v.s.base.ID == "" {
		return nil
	}
	return v.m.stores.buryTied(v.s.st, v.b, &v.s.base)
}

// endStrays ends what the request shows beside the old session that this one was made of.
func (v *move) endStrays() error {
	for _, old := range v.shown() {
		if old == v.s.old {
			continue
		}
		if err := v.endStray(old); err != nil {
			return err
		}
	}
	return nil
}

// endStray ends an old session that is none of this one's.
func (v *move) endStray(old string) error {
	l, err := v.load(old)
	switch {
	case errors.Is(err, ErrNotFound):
		return nil
	case errors.Is(err, ErrLegacyUnreadable):
	case err != nil:
		return err
	}
	if k := v.m.stores; k != nil {
		if err := k.bury(v.s.st, v.b, movedID(v.m.cfg.Purpose, old), ends(&l)); err != nil {
			return err
		}
	}
	return v.end(old)
}

// beforeRenewal buries the old session, before p gives the new one another token, and answers its token; ""
// if there is none.
func (s *session) beforeRenewal(b *budget, p *plan) (old string, err error) {
	if !p.token || p.write != writeLoaded || s.old == "" {
		return "", nil
	}
	return s.old, s.m.move(s, b).buryOwn()
}

// afterRenewal ends the old session whose new one has another token now. It is over here already; if it
// cannot be ended where it was kept, it expires there.
func (s *session) afterRenewal(b *budget, old string) {
	if s.base.Moved() != nil {
		return // nothing was renewed after all
	}
	v := s.m.move(s, b)
	err := v.end(old)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.forgetOld, s.old = true, ""
	if err != nil {
		v.unavailing(err)
		return
	}
	v.note("settled", s.base.ID, nil)
}

// handedOut is the token of a session that was there before this request, if it still is the session's and
// nothing newer is to be said. The caller holds hold.
func (s *session) handedOut() *handOut {
	if s.m.cfg.Legacy == nil && !s.m.resends {
		return nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.handed == nil || s.out != nil || s.phase != live || s.base.ID != s.handed.id {
		return nil
	}
	return s.handed
}

// stillHanded drops the token that was to be handed out, if a login elsewhere has replaced it: it would take
// the place of the newer one. The caller holds hold.
func (s *session) stillHanded(b *budget) {
	if s.handedOut() == nil {
		return
	}
	_, err := s.m.keeper.confirm(s.st, b, &s.base)
	if err != nil {
		s.mu.Lock()
		s.handed = nil
		s.mu.Unlock()
	}
}
