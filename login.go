package sojourn

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/gosojourn/sojourn/internal/fence"
)

// A login gives a session an owner, against revocations that are under way:
//
//  1. read the owner's fence, and refuse if it was raised while this request ran;
//  2. write the session, stamped with it;
//  3. read it again before the token may go out: if it has moved, take back what was written.
//
// A revocation raises the fence before it looks for sessions, so it either finds this one or moves the
// fence before step 3. Everybody's fence is read once, before step 2: a session that is stamped lower is not
// there, whenever it was written.
type login struct {
	fence uint64 // everybody's and the owner's
	order uint64 // greater than that of each login seen; 0 without MaxPerOwner
}

var errRevoked = fmt.Errorf("%w: the owner's sessions were revoked while this login was under way", ErrEnded)

// A revocation is one that this manager has made.
type revocation struct {
	fence uint64
	turn  uint64
}

// openLogin is step 1. With MaxPerOwner it also looks which logins there are, because no host's clock
// says which one is the oldest.
func (s *session) openLogin(b *budget, owner string) error {
	s.login = login{}
	m := s.m
	all, age, err := m.everyoneFence(m.toSettle(s.st, b))
	if err != nil {
		return err
	}
	if s.revokedSince(everyone, all, age) {
		return errRevoked
	}
	s.login.fence = all
	if m.fence == nil {
		return nil
	}
	fence, age, err := s.readFence(b, owner, false)
	if errors.Is(err, errors.ErrUnsupported) && !m.copying && m.cfg.MaxPerOwner == 0 {
		return nil
	} else if err != nil {
		return err
	}
	if s.revokedSince(owner, fence, age) {
		return errRevoked
	}
	s.login.fence += fence
	if m.cfg.MaxPerOwner > 0 {
		all, err := m.logins(s.st, b, owner, s.tell)
		if err != nil {
			return err
		}
		s.login.order = 1
		for i := range all {
			s.login.order = max(s.login.order, all[i].order+1)
		}
	}
	return nil
}

// revokedSince reports whether the fence, which the store says to be so old, was raised after this request
// had begun, by somebody else. No two hosts' clocks are compared: the age is by the store's, the
// request's time by this host's monotonic one.
func (s *session) revokedSince(owner string, fence uint64, age time.Duration) bool {
	switch {
	case fence == 0 || fence == s.raisedFor(owner):
		return false
	case age < 0: // then only whether it moves can be told
		s.tell(Event{Name: EventClock, Owner: owner, Reason: "put_back"})
		return false
	case age > time.Since(s.st.begun):
		return false
	}
	if made, ok := s.m.revoked.get(owner); ok && made.fence == fence {
		return made.turn > s.st.turn // within a moment that no clock divides
	}
	return true
}

// raisedFor is the fence of owner that this request has raised itself, or 0.
func (s *session) raisedFor(owner string) uint64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.raised[owner]
}

// closeLogin is step 3. Of sessions shown beside each other this is also the end. What an error leaves is
// the keeper's to take back; verdict is false if nothing is known of the fence.
func (s *session) closeLogin(b *budget, owner string, r *stored) (verdict bool, err error) {
	if s.m.fence != nil {
		fence, _, err := s.readFence(b, owner, true)
		switch {
		case errors.Is(err, errors.ErrUnsupported) && !s.m.copying && s.m.cfg.MaxPerOwner == 0:
		case err != nil:
			return false, err
		case fence != ofOwner(r.Fence):
			return true, errRevoked
		}
	}
	if s.m.cfg.MaxPerOwner > 0 {
		if err := s.m.limit(s.st, b, owner, r.ID, s.tell); err != nil {
			return isEnded(err), err
		}
	}
	if err := s.endBeside(b); err != nil {
		return true, err
	}
	return true, s.endSeveral(b)
}

// readFence asks for owner's fence. last is the question that decides: it waits for a revocation that is part of a
// transaction of the application's. Such a one may have looked for sessions before this login wrote its own.
func (s *session) readFence(b *budget, owner string, last bool) (uint64, time.Duration, error) {
	ctx := s.m.toAct(s.st, b)
	if last {
		ctx = fence.Free(ctx)
	}
	fence, age, err := s.m.fence.Fence(ctx, owner)
	if err == nil {
		s.m.answers(opFence)
	}
	return fence, age, indexError("login", err)
}

// A loggedIn is one of an owner's sessions, as the limit sees it.
type loggedIn struct {
	id    string
	order uint64
	auth  int64
}

// logins lists the owner's sessions, the newest first. Ids break ties, so that everybody who looks agrees.
func (m *Manager) logins(ctx context.Context, b *budget, owner string, tell func(Event)) ([]loggedIn, error) {
	var all []loggedIn
	for r, err := range m.listOwner(ctx, b, owner, tell) {
		if err != nil {
			return nil, err
		}
		all = append(all, loggedIn{r.ID, r.Order, r.Auth})
	}
	slices.SortFunc(all, func(a, b loggedIn) int {
		return cmp.Or(cmp.Compare(b.order, a.order), cmp.Compare(b.auth, a.auth), cmp.Compare(a.id, b.id))
	})
	return all, nil
}

// limit ends the owner's oldest sessions past MaxPerOwner. Every login writes before it looks, so
// whoever looks last sees all, and all choose alike.
func (m *Manager) limit(ctx context.Context, b *budget, owner, own string, tell func(Event)) error {
	all, err := m.logins(ctx, b, owner, tell)
	if err != nil {
		return err
	}
	var beaten error
	for _, l := range all[min(len(all), m.cfg.MaxPerOwner):] {
		if l.id == own {
			beaten = fmt.Errorf("%w: the owner has logged in %d times more at the same moment", ErrEnded, m.cfg.MaxPerOwner)
			continue
		}
		switch _, err := m.revokeOne(ctx, b, l.id, func(r *stored) bool { return r.Owner == owner }); {
		case err == nil:
			tell(Event{Name: EventEnded, ID: l.id, Owner: owner, Reason: "limit"})
		case !errors.Is(err, ErrNotFound):
			return err
		}
	}
	return beaten
}
