package sojourn

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"reflect"
	"sync/atomic"
	"time"
	"unicode/utf8"

	"github.com/gosojourn/sojourn/internal/bridge"
	"github.com/gosojourn/sojourn/internal/carrier"
)

// A Manager gives HTTP handlers their sessions. It is safe for concurrent use and starts no
// goroutine, but for one while [Manager.Until] is in use.
//
// Load, Commit, Valid, Info, Names, Clear, Login, Logout, Renew, Remember, Limit and RevokeOthers act on this
// manager's session in ctx. They panic when ctx has none, and the panic says what to do.
//
// A call that asks the store runs to its end, even if ctx is cancelled. It ends within Config.StoreTimeout,
// which includes waiting, retries, and looking up what became of a lost answer.
type Manager struct {
	cfg     Config
	carrier carrier.Carrier
	keeper  keeper
	copying bool // the clients keep all sessions
	local   bool // the keeper waits for nothing
	resends bool // a session that is used gets its token again: another library has set the cookie
	inPlace bool // the old sessions of Config.Legacy come under the name of our own cookie

	store    Store           // nil where the clients keep the sessions
	stores   *storeKeeper    // the keeper that has it
	seals    *sealKeeper     // in its place, or beside it for visitors
	visitors *visitorKeeper  // nil where the store keeps theirs too
	index    OwnerIndex      // lists; nil when the store has none
	fence    OwnerIndex      // revokes: index, or Config.Revocations
	everyone EveryoneRevoker // of the store, or of Config.Revocations; nil when it has none
	lister   Lister          // of everybody; nil when the store has none
	sweeper  Sweeper         // nil when the store has none
	binder   bridge.Binder   // package dbsc's; nil where sessions are bound to no device
	checker  Checker         // of the store, or of Config.Revocations; nil when it has none
	durable  Durable         // the store; nil when it does not tell

	budgets   budgets
	turn      atomic.Uint64 // counts the revocations made here
	revoked   recent[revocation]
	streams   streams
	outages   [opClasses]outage
	recovered atomic.Bool // one of them is over, and that is still to be told
	bypassed  atomic.Bool // that responses go out past the writer has been logged
	warned    atomic.Bool // of a Secure cookie over plain http
}

// New returns a manager that keeps sessions in store. Its error names every mistake in cfg, one to a line.
// New does no I/O; [Manager.Check] does.
func New(store Store, cfg Config) (*Manager, error) {
	index, indexed := store.(OwnerIndex)
	cfg, err := cfg.resolve(false, indexed)
	if isNil(store) {
		err = errors.Join(errors.New("sojourn: the store is nil: use memstore.New() to keep sessions in memory"), err)
	}
	if err != nil {
		return nil, err
	}
	m := newManager(cfg)
	m.store, m.index, m.fence = store, index, index
	if l, ok := store.(Local); ok {
		m.local = l.Local()
	}
	m.everyone, _ = store.(EveryoneRevoker)
	m.lister, _ = store.(Lister)
	m.sweeper, _ = store.(Sweeper)
	m.checker, _ = store.(Checker)
	m.durable, _ = store.(Durable)
	near, _ := store.(Near)
	m.stores = &storeKeeper{m: m, store: store, near: near, doors: make(chan struct{}, maxBeginnings)}
	m.keeper = m.stores
	if cfg.Anonymous != nil {
		m.visitors = newVisitorKeeper(m)
		m.seals, m.keeper = m.visitors.seals, m.visitors
	}
	m.observe(cfg.Observer)
	return m, nil
}

// isNil also reports a nil pointer in an interface, which is what is left of a constructor whose error was not looked at.
func isNil(v any) bool {
	x := reflect.ValueOf(v)
	return !x.IsValid() || x.Kind() == reflect.Pointer && x.IsNil()
}

// newManager is what both kinds have in common.
func newManager(cfg Config) *Manager {
	k := &cfg.Cookie
	m := &Manager{cfg: cfg, carrier: carrier.Carrier{
		Header: cfg.Header, Name: k.Name, Domain: k.Domain, Path: k.Path, SameSite: k.SameSite,
		Secure: !cfg.DangerouslyAllowHTTP, Partitioned: k.Partitioned, Persistent: k.Persistent,
	}}
	m.revoked.age = time.Minute
	m.inPlace = cfg.Legacy != nil && cfg.Legacy.Cookie().Name == k.Name
	return m
}

// FromContext returns the manager of the innermost LoadAndSave, which is the one that keys use without
// [Key.In]. ok is false when there is none.
func FromContext(ctx context.Context) (m *Manager, ok bool) {
	if st := stateOf(ctx, nil); st != nil {
		return st.m, true
	}
	return nil, false
}

// Load reads the session, unless this request has done so before. It returns nil when there is a session and
// when there is none. Otherwise it returns an error that is [Unavailable], the same one each time.
func (m *Manager) Load(ctx context.Context) error {
	s := sessionOf(ctx, m)
	s.lock()
	defer s.unlock()
	return s.err
}

// Commit saves what has changed, and extends the idle limit when that is due. It returns what went wrong
// since the last Commit. A change set is saved as a whole or not at all. What could not be saved is dropped.
//
// LoadAndSave calls Commit before the first byte of the response and when the handler returns, and answers
// for the error. If you call it, you answer for the error:
//
//   - ErrEnded: the session has ended meanwhile, or a login has replaced its token. Treat the client as not
//     logged in. LoadAndSave lets the response stand.
//   - ErrHeaderSent: the change needs a token sent, and the header has gone out. The error names the change.
//   - ErrCrossSite: the request came from another site and showed no cookie, perhaps because the browser
//     kept it back. Answer with a redirect (303) to a GET of your own, which shows the cookie, and change the
//     session there. A Login is performed all the same.
//   - ErrAmbiguous: the request showed several live sessions under one name. A Login or Logout ends them.
//   - ErrUnbound: the session that the request shows is bound to a device, and the request does not prove that it
//     comes from there. A Login or Logout ends that session.
//   - ErrTooLarge: the store cannot hold the session.
//   - context.Canceled: the client has left and could not receive the token. For such a client only changes
//     that need no token are performed.
//   - an error that is Unavailable: nothing was saved, or that cannot be told. If it also is ErrRefused, the
//     store has refused: nothing was saved, and the same call would fail again.
//   - any other error: a value did not encode.
//
// Neither a function given to Update nor OnEvent may call Commit.
func (m *Manager) Commit(ctx context.Context) error { return sessionOf(ctx, m).commit() }

// Valid asks the store whether the session that this request has loaded is still live. It returns nil if so,
// ErrEnded if it is not or there was none, or an error that is [Unavailable]. It does not extend the idle
// limit. Use it on connections that stay open, such as WebSockets.
func (m *Manager) Valid(ctx context.Context) error {
	s := sessionOf(ctx, m)
	b := m.budget()
	s.lockWithin(b)
	phase, base, err := s.phase, s.base, s.err
	s.unlock()
	switch phase {
	case unreachable:
		return err
	case live:
		_, err = m.keeper.confirm(s.st, b, &base)
		m.tellRecoveries()
		return err
	}
	return ErrEnded
}

// Login gives the session an owner, a new token and a new Lifetime. The owner is 1 to 255 bytes of UTF-8;
// Login returns an error for any other.
//
// The values of the session are kept, unless another owner was logged in. Then they are dropped, and with
// them what this request has put before Login.
//
// A visitor's session that Config.Anonymous has sealed goes into the store.
//
// The login takes effect at Commit. Call Commit before you tell the user, because it can fail: it returns
// ErrEnded when the owner's sessions were revoked while the password was checked, and when so many logins
// came at the same moment that this one exceeds MaxPerOwner.
func (m *Manager) Login(ctx context.Context, owner string) error {
	s := sessionOf(ctx, m)
	if owner == "" || !ownerFits(owner) {
		return fmt.Errorf("sojourn: login: an owner is 1 to 255 bytes of UTF-8, this one has %d", len(owner))
	}
	if err := m.keeper.can(verbLogin); err != nil {
		return err
	}
	o := op{kind: opLogin, name: owner}
	if m.binder != nil {
		o.value = m.binder.Offer()
	}
	return s.change(ctx, o)
}

// ownerFits reports whether every store keeps owner as it is.
func ownerFits(owner string) bool { return len(owner) <= 255 && utf8.ValidString(owner) }

// Logout ends the session, whether or not anybody is logged in. It takes effect at Commit. What is put
// afterwards goes into a new session. A logout is performed also for a client who has left.
func (m *Manager) Logout(ctx context.Context) error {
	return sessionOf(ctx, m).change(ctx, op{kind: opLogout})
}

// Renew replaces the token and nothing else. Use it at a change of privilege (OWASP Session Management,
// renew the id after any privilege level change). Login does it by itself.
//
// A request that runs under the old token can still read, but not write: its Commit returns ErrEnded. A
// request that comes with the old token afterwards sees no session. Answer that with a reload of the page,
// never with a logout.
func (m *Manager) Renew(ctx context.Context) error {
	return sessionOf(ctx, m).change(ctx, op{kind: opRenew})
}

// Remember, with on, gives the session Config.RememberFor in place of Lifetime, no idle limit, and a cookie
// that outlives the browser. Without on, it takes them away again. It renews the token if it changes anything,
// and takes effect at Commit.
func (m *Manager) Remember(ctx context.Context, on bool) {
	sessionOf(ctx, m).do(ctx, op{kind: opRemember, on: on})
}

// Limit has this session end d from now, whatever happens, if it would not end sooner: an administrator's
// quarter of an hour. It never lengthens a session. d under a second counts as one: Logout ends a session at
// once. A Login starts from Config.Lifetime again, and a later request's Remember, where that changes
// something, from its own lifetime: call Limit after either. For a visitor without a session it is
// nothing, unless this request begins one.
func (m *Manager) Limit(ctx context.Context, d time.Duration) {
	until := time.Now().Add(max(d, minTimeout)).UnixMilli()
	sessionOf(ctx, m).do(ctx, op{kind: opLimit, stamp: uint64(until)})
}

// Clear removes every value and keeps the session: its owner, its token and its limits. When the save
// meets a newer session, what another request has put meanwhile is removed too; what this one puts after
// Clear stays.
func (m *Manager) Clear(ctx context.Context) {
	sessionOf(ctx, m).do(ctx, op{kind: opClear})
}

// Names lists the keys of the session's values, in order, as this request would leave them.
func (m *Manager) Names(ctx context.Context) []string {
	s := sessionOf(ctx, m)
	s.lock()
	defer s.unlock()
	return s.names()
}

// Check asks the store whether it is fit for use: schema, column types, collation, rights, clock, eviction
// policy. Its error names everything that is wrong, with what to do. Call it when the program starts. For
// a store that cannot check itself it returns nil.
func (m *Manager) Check(ctx context.Context) error {
	if m.checker == nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, 10*m.cfg.StoreTimeout) // it asks many things
	defer cancel()
	if err := m.checker.Check(ctx); !errors.Is(err, errors.ErrUnsupported) {
		return err
	}
	return nil
}

const (
	sweepLate  = 5 * time.Minute // a sweeper's clock may be wrong, and it is in no hurry
	sweepBatch = 500
	sweepEvery = 5 * time.Minute
)

// Sweep deletes expired sessions in small batches, until none is left or ctx ends, and returns how many it
// has deleted. For a store without a sweeper, such as one that forgets by itself, the error is
// [errors.ErrUnsupported].
func (m *Manager) Sweep(ctx context.Context) (deleted int, err error) {
	if err := m.keeper.can(verbSweep); err != nil {
		return 0, err
	}
	before := time.Now().Add(-sweepLate)
	for {
		n, err := m.sweep(ctx, before)
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

// sweep deletes one batch.
func (m *Manager) sweep(ctx context.Context, before time.Time) (int, error) {
	ctx, cancel := context.WithTimeout(ctx, m.cfg.StoreTimeout)
	defer cancel()
	return m.sweeper.Sweep(ctx, before, sweepBatch)
}

// Run sweeps every five minutes or so, until ctx ends. A failure is an event, and Run tries again. Call it in a
// goroutine of its own: go m.Run(ctx).
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
