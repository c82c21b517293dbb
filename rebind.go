package sojourn

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"github.com/gosojourn/sojourn/internal/bridge"
	"github.com/gosojourn/sojourn/internal/token"
)

// What package dbsc needs beyond the public API: see package bridge.
func init() {
	bridge.Bind = func(m any, make func(bridge.Cookie) bridge.Binder) error { return m.(*Manager).bind(make) }
	bridge.Rebind = func(ctx context.Context, m any, id string, change func([]byte) ([]byte, error)) (string, error) {
		return m.(*Manager).rebind(ctx, id, change)
	}
	bridge.Hold = func(ctx context.Context, m any) (bridge.Holding, error) {
		return sessionOf(ctx, m.(*Manager)).holding()
	}
	bridge.Tell = func(ctx context.Context, m any, e bridge.Event) {
		m.(*Manager).emit(ctx, Event{Name: EventName(e.Name), ID: e.ID, Owner: e.Owner, Reason: e.Reason, Err: e.Err})
	}
	bridge.Refuse = func(w http.ResponseWriter, r *http.Request, m any, err error) {
		m.(*Manager).cfg.ErrorHandler(w, r, err)
	}
}

// bind gives m its binder, or says everything that is in the way.
func (m *Manager) bind(make func(bridge.Cookie) bridge.Binder) error {
	var bad []error
	mistake := func(format string, a ...any) { bad = append(bad, fmt.Errorf("dbsc: "+format, a...)) }
	if m.stores == nil {
		mistake("the manager keeps no records in a Store: a sealed session has nothing on the server that could say which cookie is the last one, and rows of another library have no room for a key; make the manager with sojourn.New: %w", errors.ErrUnsupported)
	}
	if m.cfg.Header != "" {
		mistake("the manager's Header is %q: browsers bind cookies only; make a manager of its own for programs", m.cfg.Header)
	}
	if m.cfg.DangerouslyAllowHTTP {
		mistake("the manager's DangerouslyAllowHTTP is true: browsers bind cookies over https only; remove it, or set Policy: dbsc.Off")
	}
	k := m.cfg.Cookie
	if k.Partitioned {
		mistake("the manager's Cookie.Partitioned is true: the bound cookie may not be partitioned; remove it")
	}
	if k.Domain != "" {
		mistake("the manager's Cookie.Domain is %q: this version binds the cookies of one host; remove Domain", k.Domain)
	}
	if m.binder != nil {
		mistake("the manager is bound already: call New once")
	}
	if bad != nil {
		return errors.Join(bad...)
	}
	sites := map[http.SameSite]string{http.SameSiteStrictMode: "Strict", http.SameSiteNoneMode: "None"}
	c := bridge.Cookie{Name: k.Name, Path: k.Path, SameSite: "Lax"}
	if s := sites[k.SameSite]; s != "" {
		c.SameSite = s
	}
	m.binder = make(c)
	return nil
}

// A rebindError is a binder's no, which is no fault of a save.
type rebindError struct{ err error }

func (e *rebindError) Error() string { return e.err.Error() }
func (e *rebindError) Unwrap() error { return e.err }

// maxRebinds is how often a session is read again because its token was replaced meanwhile.
const maxRebinds = 3

// rebind changes the binding of session id, which is public: so nothing comes of it but the binding.
func (m *Manager) rebind(ctx context.Context, id string, change func([]byte) ([]byte, error)) (owner string, err error) {
	if m.stores == nil || !token.WellFormedID(id) {
		return "", ErrNotFound
	}
	b := m.budget()
	for range maxRebinds {
		st := m.begin(ctx, "")
		s := st.session()
		err := m.stores.read(m.toSettle(st, b), id, &s.base)
		if err != nil {
			return "", err
		}
		s.phase, owner = live, s.base.Owner
		if _, err := change(s.base.Bound()); err != nil {
			return owner, err // without a commit, which would extend the idle limit
		}
		s.add(ctx, op{kind: opBind, fn: change})
		err = s.commitWithin(b)
		var no *rebindError
		switch {
		case errors.As(err, &no):
			return owner, no.err
		case errors.Is(err, errSuperseded):
			continue // a Renew came between: the session goes on
		case isEnded(err):
			return owner, ErrNotFound
		}
		return owner, err
	}
	return owner, unavailable("bind", errExhausted)
}

// holding is what the request has, by the store itself.
func (s *session) holding() (bridge.Holding, error) {
	if err := s.confirm(s.m.budget()); err != nil {
		return bridge.Holding{}, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return bridge.Holding{Withheld: s.withheld, Owner: s.base.Owner, Binding: s.base.Bound()}, nil
}
