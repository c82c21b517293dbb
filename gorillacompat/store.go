package gorillacompat

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"time"

	"github.com/gorilla/sessions"

	"github.com/gosojourn/sojourn"
)

// A Store is a [sessions.Store]. It is safe for concurrent use once Options are set.
type Store struct {
	// Options are those of a session that has none of its own: Path "/", MaxAge of Config.Lifetime, Secure,
	// HttpOnly and SameSite Lax. Change them before the first request.
	Options *sessions.Options

	cfg       sojourn.Config
	signedFor int // MaxAge that was called with
	keep      func(sojourn.Config) (*sojourn.Manager, error)
	managers  managers
}

var _ sessions.Store = (*Store)(nil)

// defaultLifetime is gorilla's: 30 days.
const defaultLifetime = 30 * 24 * time.Hour

// New keeps sessions in store. It reports every mistake in cfg at once and does no I/O.
//
// cfg.Lifetime is the absolute limit of a session whose MaxAge is 0, and the default MaxAge: 30 days. A session
// with a MaxAge of its own has that for its limit. cfg.IdleTimeout is none by default, as with gorilla.
// cfg.Purpose is bound into the tokens together with the session's name. cfg.Cookie, cfg.Header and cfg.RememberFor
// are refused: a session's name and Options say what they would. cfg.Legacy reads old sessions of the name of its
// cookie; a reader of package legacy that names none reads those of every name. cfg.OnEvent is told within Get and Save, and may not
// call them for the same request.
func New(store sojourn.Store, cfg sojourn.Config) (*Store, error) {
	if store == nil {
		_, err := sojourn.New(nil, sojourn.Config{})
		return nil, err
	}
	if _, indexed := store.(sojourn.OwnerIndex); cfg.MaxPerOwner > 0 && !indexed {
		_, err := sojourn.New(store, sojourn.Config{MaxPerOwner: cfg.MaxPerOwner})
		return nil, err
	}
	kept := remembering{store}
	return newStore(cfg, func(cfg sojourn.Config) (*sojourn.Manager, error) { return sojourn.New(kept, cfg) })
}

// NewSealed keeps sessions in the client's cookies, sealed by s: a *sealed.Ring. What does not hold of sealed
// sessions does not hold here: see [sojourn.NewSealed]. After a Save with other Options a copy of the cookie from
// before is good until it expires, and with another Path or Domain the client has both.
func NewSealed(s sojourn.Sealer, cfg sojourn.Config) (*Store, error) {
	return newStore(cfg, func(cfg sojourn.Config) (*sojourn.Manager, error) { return sojourn.NewSealed(s, cfg) })
}

func newStore(cfg sojourn.Config, keep func(sojourn.Config) (*sojourn.Manager, error)) (*Store, error) {
	var bad []error
	if cfg.Cookie != (sojourn.Cookie{}) {
		bad = append(bad, errors.New("gorillacompat: Config.Cookie is set: a session's name is its cookie's, and its Options say the rest; leave it zero, and set Store.Options"))
	}
	if cfg.Header != "" {
		bad = append(bad, fmt.Errorf("gorillacompat: Config.Header (%q) is set: gorilla's sessions travel in cookies; leave it empty", cfg.Header))
	}
	if cfg.RememberFor != 0 {
		bad = append(bad, fmt.Errorf("gorillacompat: Config.RememberFor (%s) is set: a session's MaxAge says how long it lives; leave it 0", cfg.RememberFor))
	}
	cfg.Cookie, cfg.Header, cfg.RememberFor = sojourn.Cookie{}, "", 0
	if cfg.Lifetime == 0 {
		cfg.Lifetime = defaultLifetime
	}
	if cfg.IdleTimeout == 0 {
		cfg.IdleTimeout = sojourn.NoIdleTimeout
	}
	cfg.ErrorHandler = toSink(cfg.ErrorHandler)
	s := &Store{cfg: cfg, keep: keep, Options: &sessions.Options{
		Path: "/", MaxAge: int(cfg.Lifetime / time.Second),
		Secure: !cfg.DangerouslyAllowHTTP, HttpOnly: true, SameSite: http.SameSiteLaxMode,
	}}
	name := "session"
	if cfg.Legacy != nil && cfg.Legacy.Cookie().Name != "" {
		name = cfg.Legacy.Cookie().Name
	}
	_, err := s.keep(s.config(name, s.defaults()))
	if err = errors.Join(append(bad, err)...); err != nil {
		return nil, err
	}
	return s, nil
}

// Get returns the session called name, registered for the request: asked again in the same request, it returns
// the same one. It is new, with IsNew true, when the request shows none that is live. The name is the cookie's.
//
// When the store cannot answer, the error is [sojourn.Unavailable], and the session that comes with it cannot
// be saved.
func (s *Store) Get(r *http.Request, name string) (*sessions.Session, error) {
	q := requestOf(r)
	q.mu.Lock()
	defer q.mu.Unlock()
	key := visitKey{s, name}
	if p := q.registered[key]; p != nil {
		return p.session, p.err
	}
	p := q.newPart(s, name)
	p.opening = true
	session, err := sessions.GetRegistry(r).Get(p, name)
	if session != nil && session != p.session {
		// gorilla's registry goes by the name alone.
		err = fmt.Errorf("gorillacompat: session %q: another store has a session of this name in this request: give one of them another name", name)
		return p.broken(err), err
	}
	if session != nil {
		q.registered[key] = p
	}
	return session, err
}

// New returns the session called name as it is kept, not registered for the request: another call returns another
// one. It may be saved as any.
func (s *Store) New(r *http.Request, name string) (*sessions.Session, error) {
	q := requestOf(r)
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.newPart(s, name).open(r)
}

// Save saves what has changed in session since Get, New or the last Save, all of it or nothing, and puts the
// cookie into w's header if there is a new one. A nil r means the request that the session came with. With
// Options.MaxAge negative it ends the session instead.
//
// Besides what [sojourn.Manager.Commit] answers, it is an error when a value does not encode, and when
// Get has answered one.
func (s *Store) Save(r *http.Request, w http.ResponseWriter, session *sessions.Session) error {
	p, err := partOf(r, session)
	if err != nil {
		return err
	}
	return p.save(r, w, "", nil)
}

// MaxAge sets the MaxAge, in seconds, of sessions that have none of their own, and of the old ones that a reader of
// package legacy takes. Call it before the first request.
func (s *Store) MaxAge(age int) { s.Options.MaxAge, s.signedFor = age, age }

// Manager returns the manager of the sessions called name, with the store's Options: for List and RevokeAll,
// Check and Run, and for its LoadAndSave. Put around handlers, that gives keys and Values one session: Save then
// commits both, and the cookie is the manager's, so that Save refuses Options which are not the store's.
// Set the store's Options first.
func (s *Store) Manager(name string) (*sojourn.Manager, error) {
	return s.manager(name, s.defaults())
}

// tell is the manager's way to tell of an event.
func (s *Store) tell(ctx context.Context, e sojourn.Event) {
	e.Time = time.Now().UTC()
	if s.cfg.OnEvent != nil {
		s.cfg.OnEvent(ctx, e)
	}
	log := s.cfg.Logger
	if log == nil {
		log = slog.Default()
	}
	log.LogAttrs(ctx, slog.LevelWarn, "gorillacompat: a value is not readable here",
		slog.String("event", string(e.Name)), slog.String("session", e.ID), slog.Any("error", e.Err))
}
