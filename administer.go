package sojourn

import (
	"context"
	"fmt"

	"github.com/gosojourn/sojourn/internal/token"
)

// What an administrator does to sessions of other people. Package admin has pages for it.

type actorKey struct{}

// WithActor says on whose behalf Revoke, RevokeID, RevokeAll and RevokeEveryone are called with the context that it returns. Each
// such call is an [EventAdmin] with what came of it (ASVS V16.2, OWASP Logging Vocabulary, authz_admin), and every event
// under that context has its Actor. who is what your security log calls the administrator; "" is nobody.
//
//	err := sessions.RevokeAll(sojourn.WithActor(ctx, "root@example.com"), owner)
func WithActor(ctx context.Context, who string) context.Context {
	return context.WithValue(ctx, actorKey{}, who)
}

func actorOf(ctx context.Context) string {
	who, _ := ctx.Value(actorKey{}).(string)
	return who
}

// acted tells what an actor has asked for, and what came of it. The caller holds no lock.
func (m *Manager) acted(ctx context.Context, e Event) {
	if actorOf(ctx) != "" {
		m.emit(ctx, e)
	}
}

// Find describes the live session with that id, whoever's it is, also a visitor's: for administrators. It asks the
// store, once, and no copy. It returns ErrNotFound when there is none, and [errors.ErrUnsupported] for sealed sessions.
// Any other error is [Unavailable].
func (m *Manager) Find(ctx context.Context, id string) (Info, error) {
	if err := m.keeper.can(verbFind); err != nil {
		return Info{}, err
	}
	if !token.WellFormedID(id) {
		return Info{}, ErrNotFound
	}
	var r stored
	if err := m.stores.read(m.toSettle(ctx, m.budget()), id, &r); err != nil {
		return Info{}, err
	}
	i := r.info()
	i.Current = m.isCurrent(ctx, id)
	return i, nil
}

// isCurrent reports whether ctx has that session.
func (m *Manager) isCurrent(ctx context.Context, id string) bool {
	return stateOf(ctx, m) != nil && m.Info(ctx).ID == id
}

// RevokeID ends the session with that id at once, whoever's it is, also a visitor's. It is for administrators: ids are
// public, so whoever reaches it may end anybody's session. For a person's own sessions there is [Manager.Revoke]. It
// returns ErrNotFound when there is no such session.
func (m *Manager) RevokeID(ctx context.Context, id string) error {
	if st := stateOf(ctx, m); st != nil {
		st.session().door(insideUpdate)
	}
	owner, err := m.revokeID(ctx, id, func(*stored) bool { return true })
	m.acted(ctx, Event{Name: EventAdmin, ID: publicID(id), Owner: owner, Reason: "revoke", Err: err})
	return err
}

// publicID is id, unless it is something else that a caller had by mistake: it might be a token.
func publicID(id string) string {
	if !token.WellFormedID(id) {
		return ""
	}
	return id
}

var errNoOwner = fmt.Errorf("sojourn: revoke: the owner is empty: %w", ErrNotFound)
