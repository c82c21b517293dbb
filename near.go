package sojourn

import "context"

// mayBeCopy: of a request that changes nothing. Who loads before a safe handler says that it does change
// something.
func (s *session) mayBeCopy() bool {
	return s.m.near != nil && !s.asking && s.m.cfg.Load != LoadEager && safe(s.st.r.Method)
}

// readNear is read, but copied says that it may be out of date; then only a yes counts.
func (m *Manager) readNear(ctx context.Context, id string, into *stored) (copied bool, err error) {
	ctx = m.exchange(ctx)
	r, copied, err := m.near.LoadNear(ctx, id)
	return copied, into.take(r, id, err)
}

// confirm has the store itself say what a copy has said, and returns what Load returns.
func (s *session) confirm() error {
	s.committing.Lock() // a commit reads base without mu
	defer s.committing.Unlock()
	s.mu.Lock()
	defer s.unlock()
	s.asking = true
	switch {
	case s.phase == unread:
		s.load()
		return s.err
	case s.phase != live || !s.copied:
		return s.err
	}
	s.copied = false
	if s.m.seal != nil {
		s.judgeByFence()
		return s.err
	}
	base, err := s.m.reread(s.st, s.base.ID)
	switch {
	case err != nil:
		s.unreachable(s.base.ID, err)
	case base.family != s.base.family:
		s.base, s.phase = stored{}, ended
	case base.Version != s.base.Version:
		s.base = *base
		s.epoch++
	}
	return s.err
}
