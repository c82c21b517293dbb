package scscompat

import (
	"context"
	"errors"
	"log"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/gosojourn/sojourn"
	"github.com/gosojourn/sojourn/internal/bridge"
	"github.com/gosojourn/sojourn/legacy"
	"github.com/gosojourn/sojourn/memstore"
)

// Session is the name that SessionManager had once.
//
// Deprecated: use SessionManager.
//
//go:fix inline
type Session = SessionManager

// SessionManager keeps the sessions of an application. Make one with New and set its fields before the first
// request. They may be set later too, while no request is being served; requests that are then under way go
// on with what they began with.
type SessionManager struct {
	// IdleTimeout ends a session that no request has come for so long. Default: 0, no such limit. Every request
	// then reads the session, and counts as its use. Less than a second counts as one.
	IdleTimeout time.Duration

	// Lifetime is the absolute limit of a session, from its beginning or its last RenewToken. Default: 24 hours.
	// More than 400 days, which no browser keeps a cookie for, counts as 400 days; less than a second as one.
	Lifetime time.Duration

	// Store is where sessions are kept: Native of a store of Sojourn's, or a store of scs. Default: in memory.
	Store Store

	// Cookie says how the cookie is set.
	Cookie SessionCookie

	// Codec encodes. Default: GobCodec.
	Codec Codec

	// ErrorFunc answers when the session cannot be loaded or saved. Default: a line in the standard logger,
	// and 500.
	ErrorFunc func(http.ResponseWriter, *http.Request, error)

	// HashTokenInStore keeps a hash of the token in a store of scs. Default: false. With Native no token is ever
	// in the store, whatever this is.
	HashTokenInStore bool

	// Legacy reads the sessions that scs has left, when Store has become a Native one: each is moved in, with all its
	// values and under the same cookie name, at the next request of its browser. Only Rows and, for a rolling deploy,
	// KeepFor need to be set: what else the reader does not say is taken from the fields here. Default: nil. scs
	// has no such field. docs/moving-in.md is the guide.
	Legacy *legacy.SCS

	// Adjust changes what Sojourn is configured with, after the fields above were applied: its events, its logger,
	// its time limits. Default: nil. scs has no such field.
	Adjust func(*sojourn.Config)

	making  sync.Mutex
	current atomic.Pointer[engine]
}

// SessionCookie says how the session's cookie is set. It is always HttpOnly and always has a SameSite attribute.
type SessionCookie struct {
	// Name is the cookie's. Default: "session".
	Name string

	// Domain sends the cookie to all hosts of it. Default: this host alone.
	Domain string

	// HttpOnly is there for scs's sake: no script may read the token, even if this is false.
	HttpOnly bool

	// Path keeps the cookie to a part of the host. Default, and for "": "/".
	Path string

	// SameSite says which requests from other sites show the cookie. Default, and for 0: Lax.
	SameSite http.SameSite

	// Secure keeps the cookie off plain http. Default: false, as with scs; set it wherever people log in.
	Secure bool

	// Partitioned keeps apart the cookies of a page that is embedded in different sites. It needs Secure.
	Partitioned bool

	// Persist has the cookie outlive the browser. Default: true. With false, RememberMe does it for one session.
	Persist bool
}

// New returns a manager with scs's defaults, which keeps sessions in memory.
func New() *SessionManager {
	return &SessionManager{
		Lifetime:  24 * time.Hour,
		Store:     Native(memstore.New()),
		Codec:     GobCodec{},
		ErrorFunc: defaultErrorFunc,
		Cookie: SessionCookie{
			Name: "session", HttpOnly: true, Path: "/", SameSite: http.SameSiteLaxMode, Persist: true,
		},
	}
}

// NewSession is New.
//
// Deprecated: use New.
//
//go:fix inline
func NewSession() *SessionManager { return New() }

func defaultErrorFunc(w http.ResponseWriter, _ *http.Request, err error) {
	_ = log.Output(2, err.Error())
	http.Error(w, http.StatusText(http.StatusInternalServerError), http.StatusInternalServerError)
}

// Manager returns Sojourn's manager underneath, made of the fields as they are now, or every mistake in them.
// Call it when the program starts: else ErrorFunc tells of a mistake, at each request. Sojourn's keys, and the
// manager's verbs, act on the same sessions as the methods here.
func (s *SessionManager) Manager() (*sojourn.Manager, error) {
	e := s.engine()
	return e.m, e.err
}

// LoadAndSave is the middleware: it gives next's requests the session, saves it before the first byte of the
// response and when the handler returns, and sends the cookie. See sojourn.Manager.LoadAndSave.
func (s *SessionManager) LoadAndSave(next http.Handler) http.Handler {
	return &middleware{s: s, next: next}
}

type middleware struct {
	s    *SessionManager
	next http.Handler
	made atomic.Pointer[wrapped]
}

// wrapped is a handler behind the middleware of one engine.
type wrapped struct {
	e *engine
	http.Handler
}

func (x *middleware) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	e := x.s.engine()
	if e.err != nil {
		x.s.fail(w, r, e.err)
		return
	}
	h := x.made.Load()
	if h == nil || h.e != e {
		h = &wrapped{e, e.m.LoadAndSave(x.next)}
		x.made.Store(h)
	}
	h.ServeHTTP(w, r)
}

func (s *SessionManager) fail(w http.ResponseWriter, r *http.Request, err error) {
	if s.ErrorFunc == nil {
		defaultErrorFunc(w, r, err)
		return
	}
	s.ErrorFunc(w, r, err)
}

// An engine is a manager of Sojourn's, made of one setting of the fields.
type engine struct {
	settings
	m      *sojourn.Manager
	rows   *rows // nil with Native
	err    error
	before *engine // requests may still be under way in it
}

type settings struct {
	idle, lifetime time.Duration
	cookie         SessionCookie
	hash           bool
	store          Store
	codec          Codec
	old            *legacy.SCS
}

func (s *SessionManager) settings() settings {
	return settings{s.IdleTimeout, s.Lifetime, s.Cookie, s.HashTokenInStore, s.Store, s.Codec, s.Legacy}
}

// is reports whether e was made of now. What cannot be compared is taken to be the same.
func (e *engine) is(now *settings) bool {
	return e.idle == now.idle && e.lifetime == now.lifetime && e.cookie == now.cookie && e.hash == now.hash && e.old == now.old &&
		same(e.store, now.store) && same(e.codec, now.codec)
}

func same(a, b any) (is bool) {
	switch a := a.(type) {
	case *native: // the common cases, without a deferred call
		b, ok := b.(*native)
		return ok && a == b
	case GobCodec:
		_, ok := b.(GobCodec)
		return ok
	}
	defer func() {
		if recover() != nil { // of one type, which cannot be compared
			is = true
		}
	}()
	return a == b
}

// engine is the one for the fields as they are now.
func (s *SessionManager) engine() *engine {
	now := s.settings()
	if e := s.current.Load(); e != nil && e.is(&now) {
		return e
	}
	s.making.Lock()
	defer s.making.Unlock()
	before := s.current.Load()
	if before != nil && before.is(&now) {
		return before
	}
	e := &engine{settings: now, before: before}
	e.make(s)
	s.current.Store(e)
	return e
}

func (e *engine) make(s *SessionManager) {
	if e.codec == nil {
		e.codec = GobCodec{}
	}
	cfg, err := e.config()
	if err != nil {
		e.err = err
		return
	}
	cfg.ErrorHandler = s.fail
	if e.old != nil {
		cfg.Legacy = e.moving()
	}
	if s.Adjust != nil {
		s.Adjust(&cfg)
	}
	var m any
	if n, ok := e.store.(*native); ok {
		m, e.err = bridge.New(n.sojourn, cfg)
	} else {
		e.rows = &rows{e.store, e.codec, e.hash}
		m, e.err = bridge.NewRows(e.rows, cfg)
	}
	e.m, _ = m.(*sojourn.Manager)
}

// config is what the fields come to.
func (e *engine) config() (cfg sojourn.Config, err error) {
	var bad []error
	if e.lifetime <= 0 {
		bad = append(bad, errors.New("scscompat: Lifetime is not positive: set how long a session may live, such as 24h"))
	}
	if e.idle < 0 {
		bad = append(bad, errors.New("scscompat: IdleTimeout is negative: leave it 0 for no idle limit"))
	}
	if e.store == nil {
		bad = append(bad, errors.New("scscompat: Store is nil: leave what New has set to keep sessions in memory"))
	}
	if e.cookie.Name == "" {
		bad = append(bad, errors.New(`scscompat: Cookie.Name is empty: leave "session", or set another`))
	}
	bad = append(bad, e.checkMoving())
	if err := errors.Join(bad...); err != nil {
		return cfg, err
	}
	life := min(max(e.lifetime, time.Second), longest)
	k := e.cookie
	cfg = sojourn.Config{
		Lifetime: life, RememberFor: life, IdleTimeout: sojourn.NoIdleTimeout,
		Cookie: sojourn.Cookie{Name: k.Name, Domain: strings.TrimPrefix(k.Domain, "."), Path: k.Path,
			SameSite: k.SameSite, Persistent: k.Persist, Partitioned: k.Partitioned},
		DangerouslyAllowHTTP: !k.Secure,
	}
	if k.SameSite == http.SameSiteDefaultMode {
		cfg.Cookie.SameSite = http.SameSiteLaxMode
	}
	if e.idle > 0 {
		cfg.IdleTimeout = min(max(e.idle, time.Second), life)
		cfg.Load = sojourn.LoadEager // every request is a use of the session
	}
	return cfg, nil
}

// longest is how long browsers keep a cookie (RFC 6265bis 5.5).
const longest = 400 * 24 * time.Hour

// of is the session in ctx.
func (s *SessionManager) of(ctx context.Context) (bridge.Session, *engine) {
	for e := s.current.Load(); e != nil; e = e.before {
		if e.m == nil {
			continue
		}
		if x := bridge.Of(ctx, e.m); x != nil {
			return x, e
		}
	}
	panic("scscompat: no session data in context: wrap the handler with LoadAndSave and pass on r.Context(), or call Load")
}
