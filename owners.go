package sojourn

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"time"
)

var errRevoked = fmt.Errorf("%w: the owner's sessions were revoked while this login was under way", ErrEnded)

// indexError keeps errors.ErrUnsupported, which is an answer; anything else is none.
func indexError(what string, err error) error {
	if err == nil || errors.Is(err, errors.ErrUnsupported) {
		return err
	}
	return unavailable(what, err)
}

func (m *Manager) needIndex(what string) error {
	if err := m.unsealable(what, "keep them in a Store to list and end them one by one"); err != nil {
		return err
	}
	if m.index == nil {
		return fmt.Errorf("sojourn: %s: this store does not know the sessions of an owner: use one that has an OwnerIndex: %w", what, errors.ErrUnsupported)
	}
	return nil
}

// List yields the owner's live sessions, in no given order. The body may call back into the manager.
// An error comes last, with a zero Info: one that is Unavailable, or errors.ErrUnsupported when the
// store has no owner index. What is yielded is not kept in memory, so an owner may have any number.
func (m *Manager) List(ctx context.Context, owner string) iter.Seq2[Info, error] {
	return func(yield func(Info, error) bool) {
		here := ""
		if st := stateOf(ctx, m); st != nil {
			here = m.Info(ctx).ID
		}
		if m.cfg.MaxPerOwner > 0 {
			// A login past the limit has not yet ended the oldest: the limit holds all the same.
			all, err := m.newest(ctx, owner)
			for _, i := range all[:min(len(all), m.cfg.MaxPerOwner)] {
				if i.Current = i.ID == here; !yield(i, nil) {
					return
				}
			}
			if err != nil {
				yield(Info{}, err)
			}
			return
		}
		for i, err := range m.list(ctx, owner) {
			if i.Current = i.ID != "" && i.ID == here; !yield(i, err) {
				return
			}
		}
	}
}

func (m *Manager) list(ctx context.Context, owner string) iter.Seq2[Info, error] {
	return func(yield func(Info, error) bool) {
		if err := m.needIndex("list"); err != nil {
			yield(Info{}, err)
			return
		}
		for r, err := range m.index.ListOwner(ctx, owner) {
			if err != nil {
				yield(Info{}, indexError("list", err))
				return
			}
			c, err := parseContent(r.Data)
			if errors.Is(err, errUnknownFormat) {
				yield(Info{}, unavailable("list", err))
				return
			} else if err != nil {
				m.emit(ctx, Event{Name: EventUnreadable, ID: r.ID, Owner: owner, Reason: "record", Err: err})
				continue
			}
			now := time.Now()
			if r.Owner != owner || !now.Before(r.Expiry) || millis(now) >= c.deadline {
				continue
			}
			if !yield((&stored{r, c}).info(), nil) {
				return
			}
		}
	}
}

// newest lists all of the owner's sessions, the latest login first. Ids break ties, so that everybody
// who looks agrees.
func (m *Manager) newest(ctx context.Context, owner string) ([]Info, error) {
	var all []Info
	for i, err := range m.list(ctx, owner) {
		if err != nil {
			return all, err
		}
		all = append(all, i)
	}
	slices.SortFunc(all, func(a, b Info) int {
		return cmp.Or(b.AuthTime.Compare(a.AuthTime), cmp.Compare(a.ID, b.ID))
	})
	return all, nil
}

// Revoke ends session id at once; ErrNotFound unless it is a live session of owner. Ids are public:
// the owner is what shows the right to end it.
func (m *Manager) Revoke(ctx context.Context, owner, id string) error {
	if owner == "" {
		return fmt.Errorf("sojourn: revoke: the owner is empty: %w", ErrNotFound)
	}
	if err := m.unsealable("revoke", "RevokeAll ends all of the owner's, with Config.Revocations"); err != nil {
		return err
	}
	if len(id) != idLen || !wellFormed(id+id+id[:tokenLen-2*idLen]) {
		return ErrNotFound
	}
	var err error
	for attempt := range maxAttempts {
		if attempt > 0 {
			backoff(attempt)
		}
		var r stored
		if err = m.read(ctx, id, &r); err != nil {
			return err
		}
		if r.Owner != owner {
			return ErrNotFound
		}
		if err = m.delete(ctx, id, r.Version); err == nil {
			m.emit(ctx, Event{Name: EventEnded, ID: id, Owner: owner, Reason: "revoked"})
			return nil
		} else if !errors.Is(err, ErrConflict) {
			break
		}
	}
	return unavailable("revoke", err)
}

// RevokeAll ends, at once, every session of owner, and logins in flight. This request may log in
// again. A login that began before it, by the clocks of the machines, does not survive it. If the
// session of this request is among them, what was put before is gone with it, and what is put
// afterwards goes into a new one, as after Logout. Without an owner index that is
// errors.ErrUnsupported, never nothing.
func (m *Manager) RevokeAll(ctx context.Context, owner string) error {
	return m.revokeOwner(ctx, owner, "", stateOf(ctx, m))
}

// RevokeOthers ends, at once, every session of this session's owner but this one: for a changed
// password. A Login of this request is committed first. Without a logged-in owner, or when somebody
// else has ended this session meanwhile, it is ErrEnded: show the login page.
func (m *Manager) RevokeOthers(ctx context.Context) error {
	s := sessionOf(ctx, m)
	err := s.confirm()
	s.mu.Lock()
	pending := lastLogin(s.log) != ""
	s.mu.Unlock()
	if err == nil && pending {
		err = s.commit()
	}
	if err != nil {
		return err
	}
	s.mu.Lock()
	owner, id := s.base.Owner, s.base.ID
	s.mu.Unlock()
	if owner == "" {
		return fmt.Errorf("%w: nobody is logged in, so there are no others", ErrEnded)
	}
	return m.revokeOwner(ctx, owner, id, s.st)
}

func (m *Manager) revokeOwner(ctx context.Context, owner, keep string, st *state) error {
	if m.fence == nil {
		if err := m.unsealable("revoke", "set Config.Revocations"); err != nil {
			return err
		}
		return m.needIndex("revoke")
	}
	if owner == "" {
		return errors.New("sojourn: revoke: the owner is empty: whose sessions should end?")
	}
	if m.seal != nil && keep != "" && st.wrote.Load() {
		return ErrHeaderSent // this session needs a new seal, or it would end with the others
	}
	fence, err := m.fence.RevokeOwner(ctx, owner, keep)
	if err != nil {
		return indexError("revoke", err)
	}
	m.emit(ctx, Event{Name: EventEnded, Owner: owner, Reason: "revoked"})
	if m.seal != nil {
		m.knowFence(owner, fence)
	}
	if st == nil {
		return nil
	}
	s := st.session()
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.raised == nil {
		s.raised = make(map[string]uint64)
	}
	s.raised[owner] = fence
	if m.seal != nil && keep != "" {
		s.append(op{kind: opStamp, name: owner})
	}
	if keep == "" && s.base.Owner == owner {
		s.phase, s.base, s.log = anonymous, stored{}, nil // as after Logout
		s.epoch++
	}
	return nil
}

// openLogin reads the owner's fence, to stamp the session with. One that is not older than the
// request means that a revocation came while the password was being checked, or may have.
func (s *session) openLogin(ctx context.Context, owner string) error {
	s.fence = 0
	if s.m.fence == nil {
		return nil
	}
	fence, err := s.readFence(ctx, owner)
	if errors.Is(err, errors.ErrUnsupported) && s.m.seal == nil {
		return nil
	} else if err != nil {
		return err
	}
	if fence >= uint64(s.st.begun) && fence != s.raised[owner] {
		return errRevoked
	}
	s.fence = fence
	return nil
}

// closeLogin looks once more, now that the session can be found by a revocation: one that began
// before may have missed it, but then it has raised the fence first. No token has gone out yet.
func (s *session) closeLogin(ctx context.Context, owner string, r *stored) error {
	if s.m.fence == nil {
		return nil
	}
	fence, err := s.readFence(ctx, owner)
	if errors.Is(err, errors.ErrUnsupported) && s.m.seal == nil && s.m.cfg.MaxPerOwner == 0 {
		return nil
	}
	if err == nil && fence != r.Fence {
		err = errRevoked
	}
	if err == nil && s.m.cfg.MaxPerOwner > 0 {
		err = s.m.limit(ctx, owner, r.ID)
	}
	if err != nil && s.m.seal == nil {
		_ = s.m.delete(ctx, r.ID, 0) // nobody has its token; expiry takes what stays
	}
	return err
}

func (s *session) readFence(ctx context.Context, owner string) (uint64, error) {
	ctx = s.m.exchange(ctx)
	fence, err := s.m.fence.Fence(ctx, owner)
	return fence, indexError("login", err)
}

// limit ends the owner's oldest sessions past MaxPerOwner. Every login writes before it looks, so
// whoever looks last sees all, and all choose alike.
func (m *Manager) limit(ctx context.Context, owner, own string) error {
	all, err := m.newest(ctx, owner)
	if err != nil {
		return err
	}
	var lost error
	for _, i := range all[min(len(all), m.cfg.MaxPerOwner):] {
		if i.ID == own {
			lost = fmt.Errorf("%w: the owner has logged in %d times more at the same moment", ErrEnded, m.cfg.MaxPerOwner)
		} else if err := m.Revoke(ctx, owner, i.ID); err != nil && !errors.Is(err, ErrNotFound) {
			return err
		}
	}
	return lost
}
