package sojourn

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"
	"unicode/utf8"
)

// A Manager gives HTTP handlers their sessions. Safe for concurrent use; starts no goroutine.
// Load, Commit, Valid, Info, Login, Logout, Renew, Remember and RevokeOthers act on this manager's
// session in ctx and panic, saying what to do, when there is none.
type Manager struct {
	store Store
	near  Near       // store, if it keeps copies
	seal  *sealing   // in place of a store
	index OwnerIndex // lists; nil when the store has none
	fence OwnerIndex // revokes: index, or Config.Revocations
	cfg   Config
	local bool
	lines lines
	moments
}

// New keeps sessions in store. It reports every mistake in cfg at once and does no I/O.
func New(store Store, cfg Config) (*Manager, error) {
	index, indexed := store.(OwnerIndex)
	cfg, err := cfg.resolve(false, indexed)
	if store == nil {
		err = errors.Join(errors.New("sojourn: the store is nil: use memstore.New() to keep sessions in memory"), err)
	}
	if err != nil {
		return nil, err
	}
	l, ok := store.(Local)
	near, _ := store.(Near)
	return &Manager{store: store, near: near, index: index, fence: index, cfg: cfg, local: ok && l.Local()}, nil
}

// FromContext returns the manager of the innermost LoadAndSave: the one that unbound keys use.
func FromContext(ctx context.Context) (m *Manager, ok bool) {
	if st := stateOf(ctx, nil); st != nil {
		return st.m, true
	}
	return nil, false
}

// Load reads the session now, at most once, and returns what went wrong, always the same answer:
// nil, also when there is no session, or an error that is Unavailable.
func (m *Manager) Load(ctx context.Context) error {
	s := sessionOf(ctx, m)
	s.lock()
	defer s.unlock()
	return s.err
}

// Commit saves what changed, extends the idle limit when due, and returns what went wrong since
// the last Commit. What could not be saved is dropped, all of it. LoadAndSave calls it before the
// first byte and when the handler returns; who calls it himself answers for the error himself:
//
//   - ErrEnded: the session has ended meanwhile, or a login has replaced its token. Whoever sent the
//     request is a stranger now; LoadAndSave lets the response stand.
//   - ErrHeaderSent: the change needs a token sent, and the header is out.
//   - ErrTooLarge: the store cannot hold it.
//   - an error that is Unavailable: nothing was saved, or it cannot be told.
//   - any other error: a value did not encode.
func (m *Manager) Commit(ctx context.Context) error { return sessionOf(ctx, m).commit() }

// Valid asks the store, extending nothing: nil while the session that this request loaded is live,
// ErrEnded when it is not or there was none, or an error that is Unavailable. It is for connections
// that outlive their request, such as WebSockets.
func (m *Manager) Valid(ctx context.Context) error {
	s := sessionOf(ctx, m)
	s.lock()
	phase, id, family, err, base := s.phase, s.base.ID, s.base.family, s.err, s.base
	s.unlock()
	switch phase {
	case unavailable_:
		return err
	case live:
	default:
		return ErrEnded
	}
	if m.seal != nil {
		return m.validSealed(ctx, &base)
	}
	var now stored
	if err := m.read(ctx, id, &now); errors.Is(err, ErrNotFound) {
		return ErrEnded
	} else if err != nil {
		return err
	}
	if now.family != family {
		return ErrEnded
	}
	return nil
}

// Login sets the owner, a new token and a new Lifetime. Data is kept, unless another owner was
// logged in: that one's data is gone, and what this request has put before Login with it. The owner
// is 1 to 255 bytes of UTF-8. Nobody is logged in before Commit: call that before you say so,
// because it is ErrEnded when the owner's sessions were revoked while the password was checked.
func (m *Manager) Login(ctx context.Context, owner string) error {
	s := sessionOf(ctx, m)
	if owner == "" || len(owner) > 255 || !utf8.ValidString(owner) {
		return fmt.Errorf("sojourn: login: an owner is 1 to 255 bytes of UTF-8, this one has %d", len(owner))
	}
	return s.change(op{kind: opLogin, name: owner})
}

// Logout ends the session, logged in or not. What is put afterwards goes into a new one.
func (m *Manager) Logout(ctx context.Context) error {
	return sessionOf(ctx, m).change(op{kind: opLogout})
}

// Renew replaces the token and nothing else: for a change of privilege (OWASP Session Management,
// renew the id after any privilege level change).
func (m *Manager) Renew(ctx context.Context) error {
	return sessionOf(ctx, m).change(op{kind: opRenew})
}

// Remember gives the session the lifetime of Config.RememberFor, no idle limit, and a cookie that
// outlives the browser; or takes them away again. When that changes something, the token is renewed.
func (m *Manager) Remember(ctx context.Context, on bool) {
	sessionOf(ctx, m).do(op{kind: opRemember, on: on})
}

// change logs o if the session can be had at all.
func (s *session) change(o op) error {
	s.lock()
	defer s.unlock()
	if s.err != nil {
		return s.err
	}
	s.append(o)
	return nil
}

// Check asks the store whether it is fit: schema, column types, collation, clock, eviction policy.
// New does no I/O.
func (m *Manager) Check(ctx context.Context) error {
	c, ok := m.store.(Checker)
	if m.seal != nil {
		c, ok = m.fence.(Checker)
	}
	if ok {
		if err := c.Check(ctx); !errors.Is(err, errors.ErrUnsupported) {
			return err
		}
	}
	return nil
}

const (
	sweepLate  = 5 * time.Minute // a sweeper's clock may be wrong, and it is in no hurry
	sweepBatch = 500
	sweepEvery = 5 * time.Minute
)

// Sweep deletes expired sessions in small batches. A store without a sweeper, such as one that
// forgets by itself, is errors.ErrUnsupported.
func (m *Manager) Sweep(ctx context.Context) (deleted int, err error) {
	if err := m.unsealable("sweep", "there is nothing to sweep"); err != nil {
		return 0, err
	}
	sw, ok := m.store.(Sweeper)
	if !ok {
		return 0, fmt.Errorf("sojourn: sweep: this store does not sweep: %w", errors.ErrUnsupported)
	}
	before := time.Now().Add(-sweepLate)
	for {
		n, err := sw.Sweep(ctx, before, sweepBatch)
		deleted += n
		if err != nil {
			return deleted, fmt.Errorf("sojourn: sweep: %w", err)
		}
		if n == 0 {
			return deleted, nil
		}
		if err := pause(ctx, rand.N(20*time.Millisecond)); err != nil {
			return deleted, err
		}
	}
}

// Run sweeps every five minutes or so, until ctx ends. What goes wrong is an event, and tried again.
func (m *Manager) Run(ctx context.Context) {
	for pause(ctx, sweepEvery/2+rand.N(sweepEvery)) == nil {
		_, err := m.Sweep(ctx)
		if errors.Is(err, errors.ErrUnsupported) {
			return
		}
		if err != nil && ctx.Err() == nil {
			m.emit(ctx, Event{Name: EventUnavailable, Reason: "sweep", Err: err})
		}
	}
}

func pause(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-t.C:
		return nil
	}
}
