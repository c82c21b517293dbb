package sojourn

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"
)

// Everybody's fence ends all sessions at once, before their rows are deleted: what is stamped lower is not there. A
// record's Fence is a sum: everybody's, a multiple of EveryoneStep, as of its beginning or its login, and below that the
// owner's, as of the login.

const (
	// EveryoneStep divides everybody's fence. The fence of an owner, milliseconds since 1970, is lower until 2109.
	EveryoneStep = 1 << 42

	// EveryoneLease is for how long a store may answer everybody's fence from memory.
	EveryoneLease = time.Second
)

// ofOwner is the owner's part of a record's fence, ofEveryone the rest.
func ofOwner(fence uint64) uint64    { return fence % EveryoneStep }
func ofEveryone(fence uint64) uint64 { return fence - fence%EveryoneStep }

// everyone stands for everybody where an owner is expected: no owner is called so.
const everyone = "\xff"

// errEveryoneOut is ErrNotFound of a record that everybody's fence has ended.
var errEveryoneOut = fmt.Errorf("%w: everybody's sessions were revoked", ErrNotFound)

// everyoneFence is everybody's fence as of a moment ago, and its age; 0 where the store has none. An error is
// Unavailable.
func (m *Manager) everyoneFence(ctx context.Context) (fence uint64, age time.Duration, err error) {
	if m.everyone == nil {
		return 0, 0, nil
	}
	fence, age, err = m.everyone.EveryoneFence(ctx)
	switch {
	case errors.Is(err, errors.ErrUnsupported):
		return 0, 0, nil
	case err != nil:
		return 0, 0, unavailable("load", fmt.Errorf("everybody's fence: %w", err))
	}
	return fence, age, nil
}

// out answers errEveryoneOut for what is stamped lower than everybody's fence.
func (m *Manager) out(ctx context.Context, stamped uint64) error {
	fence, _, err := m.everyoneFence(ctx)
	if err == nil && stamped < fence {
		err = errEveryoneOut
	}
	return err
}

// RevokeEveryone ends every session there is at once: of visitors, of owners, and the logins that are under way, in
// every process (OWASP ASVS 5.0, 7.4.5). When it returns nil, none of them passes another request. It takes about a
// second and, with a store, the time to delete every row: a million take some minutes, in small batches beside the
// traffic. Sessions begin as always meanwhile.
//
// If the request of ctx has a session, it goes on without one, as after Logout, and may log in again. A Login that it
// has asked for and not yet committed goes on. That its client
// leaves does not keep the sessions from ending, but stops the deleting; so does the end of another context.
//
// After an error call it again. If it is [ErrUnfinished], everybody is out, within the time that it names, and
// only rows are left: Sweep deletes them when they expire. Where the store cannot do it, or sealed sessions have no
// Config.Revocations that can, the error is [errors.ErrUnsupported].
func (m *Manager) RevokeEveryone(ctx context.Context) error {
	st := stateOf(ctx, m)
	if st != nil {
		st.session().door(insideUpdate)
	}
	err := m.revokeEveryone(ctx, st)
	m.acted(ctx, Event{Name: EventAdmin, Reason: "revoke_everyone", Err: err})
	return err
}

func (m *Manager) revokeEveryone(ctx context.Context, st *state) error {
	if err := m.keeper.can(verbEndEveryone); err != nil {
		return err
	}
	fence, err := m.everyone.RaiseEveryone(m.toSettle(ctx, m.budget()))
	if err != nil {
		return indexError("revoke everyone", err)
	}
	raised := time.Now()
	m.revoked.put(everyone, revocation{fence, m.turn.Add(1)}, nil)
	if m.seals != nil {
		m.seals.knowFence(everyone, fence)
	}
	if st != nil {
		st.session().hasRaised(everyone, fence)
	}
	m.emit(ctx, Event{Name: EventEnded, Reason: "everyone"})
	m.leave(ctx, func(*stored) bool { return true })
	lease := m.everyoneLease()
	if err := m.deleteBelow(ctx, fence); err != nil {
		return indexError("revoke everyone", unfinished(fmt.Sprintf("everybody is out within %v, but rows could not be deleted", lease), err))
	}
	if lease == 0 {
		return nil
	}
	if err := pause(ctx, time.Until(raised.Add(lease))); err != nil {
		return unfinished(fmt.Sprintf("sojourn: revoke everyone: everybody is out within %v, which were not waited for", lease), err)
	}
	return nil
}

// everyoneLease is for how long another process, or this one, may go by the fence that everybody had before.
func (m *Manager) everyoneLease() time.Duration {
	switch {
	case m.copying:
		return EveryoneLease + fenceAge + fenceSlow
	case m.local:
		return 0
	case m.seals != nil: // visitors, by what was known a moment ago
		return EveryoneLease + fenceAge + fenceSlow
	}
	return EveryoneLease
}

// deleteBelow deletes what the fence has ended. Each batch has StoreTimeout. Between two it rests, about as long as
// one takes, so that those who share the store's disk have their turn.
func (m *Manager) deleteBelow(ctx context.Context, fence uint64) error {
	pages := m.paged(ctx, nil)
	began := time.Now()
	for _, err := range m.everyone.DeleteBelow(pages, fence) {
		if err == nil {
			err = ctx.Err()
		}
		if err == nil && !m.local {
			err = pause(ctx, min(time.Since(began), rand.N(20*time.Millisecond)))
		}
		if err != nil {
			return err
		}
		pages.renew()
		began = time.Now()
	}
	return nil
}

// hasRaised notes a fence that this request has raised: its own login may follow.
func (s *session) hasRaised(owner string, fence uint64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.raise(owner, fence)
}
