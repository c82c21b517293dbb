package sojourn

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"time"

	"github.com/gosojourn/sojourn/internal/record"
	"github.com/gosojourn/sojourn/internal/token"
)

// indexError keeps errors.ErrUnsupported, which is an answer; anything else is none.
func indexError(what string, err error) error {
	if err == nil || errors.Is(err, errors.ErrUnsupported) {
		return err
	}
	return unavailable(what, err)
}

// List yields all live sessions of the owner, in no given order. The body may call the manager. An error
// comes last, with a zero Info: one that is [Unavailable], or [errors.ErrUnsupported] when the store has no owner
// index. List reads page by page, so an owner may have any number of sessions.
func (m *Manager) List(ctx context.Context, owner string) iter.Seq2[Info, error] {
	return func(yield func(Info, error) bool) {
		here := ""
		if st := stateOf(ctx, m); st != nil {
			here = m.Info(ctx).ID
		}
		for r, err := range m.listOwner(ctx, nil, owner, func(e Event) { m.emit(ctx, e) }) {
			if err != nil {
				yield(Info{}, err)
				return
			}
			i := r.info()
			if i.Current = i.ID == here; !yield(i, nil) {
				return
			}
		}
	}
}

// All yields every live session that there is, of visitors too, but for those that Config.Anonymous leaves to the visitors
// themselves, in no given order: for administrators. Its cost
// grows with the store; one may come twice while Redis moves its keys. Otherwise it is as List.
func (m *Manager) All(ctx context.Context) iter.Seq2[Info, error] {
	return func(yield func(Info, error) bool) {
		if err := m.keeper.can(verbAll); err != nil {
			yield(Info{}, err)
			return
		}
		here := ""
		if st := stateOf(ctx, m); st != nil {
			here = m.Info(ctx).ID
		}
		for r, err := range m.live(ctx, nil, m.lister.ListAll, func(e Event) { m.emit(ctx, e) }) {
			if err != nil {
				yield(Info{}, err)
				return
			}
			i := r.info()
			if i.Current = i.ID == here && here != ""; !yield(i, nil) {
				return
			}
		}
	}
}

// Count answers how many sessions the store keeps, about: some that have ended of late may be among them.
// It may take ten times Config.StoreTimeout.
func (m *Manager) Count(ctx context.Context) (int, error) {
	if err := m.keeper.can(verbAll); err != nil {
		return 0, err
	}
	ctx, cancel := context.WithTimeout(ctx, 10*m.cfg.StoreTimeout) // it may have to look at each
	defer cancel()
	n, err := m.lister.Count(ctx)
	return n, indexError("count", err)
}

// listOwner yields the owner's live sessions, within b; without one, each page has StoreTimeout.
func (m *Manager) listOwner(ctx context.Context, b *budget, owner string, tell func(Event)) iter.Seq2[*stored, error] {
	return func(yield func(*stored, error) bool) {
		if err := m.keeper.can(verbList); err != nil {
			yield(nil, err)
			return
		}
		list := func(ctx context.Context) iter.Seq2[Record, error] { return m.index.ListOwner(ctx, owner) }
		for r, err := range m.live(ctx, b, list, tell) {
			if err == nil && r.Owner != owner {
				continue
			}
			if !yield(r, err) {
				return
			}
		}
	}
}

// live yields what list does, as far as it lives. The request's end ends nothing, but that of another context does.
func (m *Manager) live(ctx context.Context, b *budget, list func(context.Context) iter.Seq2[Record, error], tell func(Event)) iter.Seq2[*stored, error] {
	return func(yield func(*stored, error) bool) {
		free := stateOf(ctx, m) == nil
		pages := m.paged(ctx, b)
		for r, err := range list(pages) {
			if err == nil && free {
				err = ctx.Err()
			}
			if err != nil {
				yield(nil, indexError("list", err))
				return
			}
			if err := m.out(pages, r.Fence); err == errEveryoneOut {
				continue
			} else if err != nil {
				yield(nil, err)
				return
			}
			c, err := record.Parse(r.Data)
			if errors.Is(err, record.ErrUnknownFormat) {
				yield(nil, unavailable("list", err))
				return
			} else if err != nil {
				tell(Event{Name: EventUnreadable, ID: r.ID, Owner: r.Owner, Reason: "record", Err: err})
				continue
			}
			if now := time.Now(); !now.Before(r.Expiry) || now.UnixMilli() >= c.Deadline {
				continue
			}
			if !yield(&stored{Record: r, Content: c}, nil) {
				return
			}
			if b == nil {
				pages.renew()
			}
		}
	}
}

// Revoke ends the session with that id at once. It returns ErrNotFound unless it is a live session of owner.
// Ids are public, so pass the owner who is logged in, never one from the request. If it is the session of
// this request, the request goes on without one, as after Logout.
func (m *Manager) Revoke(ctx context.Context, owner, id string) error {
	if st := stateOf(ctx, m); st != nil {
		st.session().door(insideUpdate)
	}
	err := errNoOwner
	if owner != "" {
		_, err = m.revokeID(ctx, id, func(r *stored) bool { return r.Owner == owner })
	}
	m.acted(ctx, Event{Name: EventAdmin, ID: publicID(id), Owner: owner, Reason: "revoke", Err: err})
	return err
}

// revokeID ends session id at once, if it is as its caller wants it. It answers whose it was.
func (m *Manager) revokeID(ctx context.Context, id string, wanted func(*stored) bool) (owner string, err error) {
	if err := m.keeper.can(verbRevoke); err != nil {
		return "", err
	}
	if !token.WellFormedID(id) {
		return "", ErrNotFound
	}
	if owner, err = m.revokeOne(ctx, m.budget(), id, wanted); err != nil {
		return owner, err
	}
	m.emit(ctx, Event{Name: EventEnded, ID: id, Owner: owner, Reason: "revoked"})
	m.leave(ctx, func(r *stored) bool { return r.ID == id })
	return owner, nil
}

// revokeOne ends a session, whatever version it is at by then.
func (m *Manager) revokeOne(ctx context.Context, b *budget, id string, wanted func(*stored) bool) (owner string, err error) {
	k := m.stores
	var last error
	unknown := false
	for attempt := range maxAttempts {
		if attempt > 0 && b.pause(backoff(attempt)) != nil {
			break
		}
		var r stored
		if err := k.read(m.toSettle(ctx, b), id, &r); errors.Is(err, ErrNotFound) && unknown {
			return owner, nil // it was done
		} else if err != nil && unknown {
			return owner, uncertain("revoke", err)
		} else if err != nil {
			return "", err
		}
		if !wanted(&r) {
			return "", ErrNotFound
		}
		owner = r.Owner
		if err := k.buryTied(ctx, b, &r); err != nil {
			return owner, err
		}
		last = m.store.Delete(m.toAct(ctx, b), id, r.Version)
		switch answerOf(last) {
		case applied:
			return owner, nil
		case refused, unbegun:
			if unknown {
				return owner, uncertain("revoke", last)
			}
			return owner, refusedBy("revoke", last)
		case lost:
			unknown = true
		}
	}
	return owner, unavailable("revoke", last)
}

// RevokeAll ends every session of owner at once, and the owner's logins that are under way. This request may
// log in again, or have called Login before. If its own session is among them, the request goes on without one, as after
// Logout.
//
// It runs to its end when the client leaves. Without an owner index it returns [errors.ErrUnsupported]. After
// any other error some sessions may be live: call it again. [ErrUnfinished] is one after which logins that were under
// way fail.
func (m *Manager) RevokeAll(ctx context.Context, owner string) error {
	st := stateOf(ctx, m)
	if st != nil {
		st.session().door(insideUpdate)
	}
	_, err := m.revokeOwner(ctx, m.budget(), owner, "", st)
	if err == nil {
		m.leave(ctx, func(r *stored) bool { return r.Owner == owner })
	}
	m.acted(ctx, Event{Name: EventAdmin, Owner: owner, Reason: "revoke_all", Err: err})
	return err
}

// RevokeOthers ends every session of this session's owner at once, except this one. Call it when a password has
// changed. It commits a Login of this request first. It returns ErrEnded when nobody is logged in, or when
// this session has been ended meanwhile: show the login page.
func (m *Manager) RevokeOthers(ctx context.Context) error {
	s := sessionOf(ctx, m)
	s.door(insideUpdate | insideEvent)
	s.mu.Lock()
	pending := lastLogin(s.log) != ""
	s.mu.Unlock()
	var err error
	b := m.budget()
	if pending {
		err = s.commitWithin(b)
	}
	if err == nil {
		err = s.confirm(b)
	}
	if err != nil {
		return err
	}
	s.mu.Lock()
	owner, id, gone, copying := s.base.Owner, s.base.ID, s.phase == ended, s.copying()
	s.mu.Unlock()
	switch {
	case gone:
		return ErrEnded
	case owner == "":
		return fmt.Errorf("%w: nobody is logged in, so there are no others", ErrEnded)
	case copying && s.st.rw.Sent():
		return &tooLateError{"RevokeOthers"} // this session needs a new seal, or it would end with the others
	}
	_, err = m.revokeOwner(ctx, b, owner, id, s.st)
	if err == nil && copying {
		s.mu.Lock()
		s.base.Fence = ofEveryone(s.base.Fence) + s.raised[owner] // or this session would be taken for one of the others
		s.add(ctx, op{kind: opStamp, name: owner})
		s.mu.Unlock()
	}
	return err
}

// revokeOwner raises the fence and ends the owner's sessions but keep.
func (m *Manager) revokeOwner(ctx context.Context, b *budget, owner, keep string, st *state) (uint64, error) {
	if err := m.keeper.can(verbEndAll); err != nil {
		return 0, err
	}
	if owner == "" || !ownerFits(owner) {
		return 0, errors.New("sojourn: revoke: the owner is empty, or no UTF-8 of at most 255 bytes: pass the one that was given to Login")
	}
	fence, err := m.fence.RevokeOwner(m.toSettle(ctx, b), owner, keep)
	if fence != 0 {
		m.revoked.put(owner, revocation{fence, m.turn.Add(1)}, nil)
	}
	if err != nil && fence != 0 {
		err = unfinished("logins under way fail, but sessions may go on, because rows could not be deleted", err)
	}
	if err != nil {
		return 0, indexError("revoke", err)
	}
	m.emit(ctx, Event{Name: EventEnded, Owner: owner, Reason: "revoked"})
	if m.seals != nil {
		m.seals.knowFence(owner, fence)
	}
	if st != nil {
		st.session().hasRaised(owner, fence)
	}
	return fence, nil
}

// leave leaves ctx's request without a session, if a revocation has ended the one it has loaded. What it has changed so
// far goes with that, unless it is logging in: then it is for the session that the login begins.
func (m *Manager) leave(ctx context.Context, ended func(r *stored) bool) {
	st := stateOf(ctx, m)
	if st == nil {
		return
	}
	s := st.session()
	s.hold.Lock()
	defer s.hold.Unlock()
	s.mu.Lock()
	gone, was := s.phase == live && ended(&s.base), ""
	if logsIn := lastLogin(s.log[lastLogout(s.log)+1:]) != ""; gone && logsIn {
		was = s.owner()
	} else if gone {
		s.settled += uint64(len(s.log))
		s.log, s.outcome = nil, nil
	}
	s.mu.Unlock()
	if gone {
		s.forget(anonymous, was)
	}
}
