// Package laws holds a manager to the laws of docs/design.md on whatever store it is given: each
// case is a story of requests, named by the fault of the peers that it rules out, where there is one.
package laws

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gosojourn/sojourn"
)

// Run tells every story on stores that open returns; each may be shared by several.
func Run(t *testing.T, open func(t *testing.T) sojourn.Store) {
	for _, group := range [][]story{updates, endings, renewals, outages, responses, doors, owners, revocations, everyone} {
		for _, s := range group {
			t.Run(s.name, func(t *testing.T) { s.tell(t, open(t)) })
		}
	}
}

// RunEncrypted tells every story with the values encrypted under their tokens.
func RunEncrypted(t *testing.T, open func(t *testing.T) sojourn.Store) {
	Run(t, func(t *testing.T) sojourn.Store {
		store := open(t)
		index, _ := store.(sojourn.OwnerIndex)
		lister, _ := store.(sojourn.Lister)
		everyone, _ := store.(sojourn.EveryoneRevoker)
		return encrypted{store, index, lister, everyone}
	})
}

// encrypted stands where a story wants a store, for newSite to see.
type encrypted struct {
	sojourn.Store
	sojourn.OwnerIndex
	sojourn.Lister
	sojourn.EveryoneRevoker
}

type story struct {
	name string
	tell func(t *testing.T, store sojourn.Store)
}

var (
	name  = sojourn.NewKey[string]("name")
	role  = sojourn.NewKey[string]("role")
	count = sojourn.NewKey[int]("count")
	notes = sojourn.NewKey[[]string]("notes")
)

// idEnd is where, in a cookie as a browser sends it, the id ends and the secret begins.
const idEnd = len("__Host-Http-id=") + 24

// site is an application of one manager, asked without a network.
type site struct {
	*sojourn.Manager
	t        testing.TB
	sealed   bool
	visitors bool             // are sealed, until they log in
	before   *sojourn.Manager // has begun the sessions that were there before
	mu       sync.Mutex
	event    []sojourn.Event
}

// newSite makes one whose store has a minute, unless cfg says otherwise: no law is about a busy machine.
func newSite(t testing.TB, store sojourn.Store, cfg sojourn.Config) *site {
	t.Helper()
	s := &site{t: t}
	if cfg.StoreTimeout == 0 {
		cfg.StoreTimeout = time.Minute
	}
	seen := cfg.OnEvent
	cfg.OnEvent = func(ctx context.Context, e sojourn.Event) {
		s.mu.Lock()
		s.event = append(s.event, e)
		s.mu.Unlock()
		if seen != nil {
			seen(ctx, e)
		}
	}
	var m *sojourn.Manager
	var err error
	if x, ok := store.(sealedStore); ok {
		cfg.Revocations, s.sealed = x.OwnerIndex, true
		m, err = sojourn.NewSealed(x.Sealer, cfg)
	} else {
		switch x := store.(type) {
		case encrypted:
			store, cfg.EncryptAtRest = x.Store, true
		case anonymous:
			if store = x.Store; x.older {
				if s.before, err = sojourn.New(store, cfg); err != nil {
					t.Fatal(err)
				}
			}
			if cfg.Header == "" {
				cfg.Anonymous, s.visitors = x.Sealer, !x.older
			}
		}
		m, err = sojourn.New(store, cfg)
	}
	if err != nil {
		t.Fatal(err)
	}
	s.Manager = m
	return s
}

func (s *site) sawEvent(n sojourn.EventName, reason string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, e := range s.event {
		if e.Name == n && e.Reason == reason {
			return true
		}
	}
	return false
}

// answer is a response, with the session cookie that it sets.
type answer struct {
	*httptest.ResponseRecorder
	set   string // the pair as a browser would send it back; "" when no cookie is set
	unset bool   // the cookie is deleted
}

// ask sends one request with that Cookie header to h behind the middleware.
func (s *site) ask(method, cookie string, h http.HandlerFunc) answer {
	return s.send(request(method, cookie), h)
}

func request(method, cookie string) *http.Request {
	r := httptest.NewRequest(method, "https://sojourn.test/", nil)
	if cookie != "" {
		r.Header.Set("Cookie", cookie)
	}
	return r
}

func (s *site) send(r *http.Request, h http.HandlerFunc) answer {
	s.t.Helper()
	w := httptest.NewRecorder()
	s.LoadAndSave(h).ServeHTTP(w, r)
	return s.read(w)
}

func (s *site) read(w *httptest.ResponseRecorder) answer {
	s.t.Helper()
	a := answer{ResponseRecorder: w}
	set := map[string]int{}
	for _, line := range w.Result().Header["Set-Cookie"] {
		pair, rest, _ := strings.Cut(line, ";")
		name, _, _ := strings.Cut(pair, "=")
		if name != tokenCookie && name != sealCookie {
			continue
		}
		set[name]++
		if strings.Contains(rest, "Max-Age=0") {
			a.unset = true
		} else if name == tokenCookie || a.set == "" { // a token hides a visitor's seal
			a.set = pair
		}
	}
	if set[tokenCookie] > 1 || set[sealCookie] > 1 {
		s.t.Errorf("the response sets a cookie of the session's several times: %v", set)
	}
	return a
}

// sealCookie is that of visitors with Config.Anonymous.
const (
	tokenCookie = "__Host-Http-id"
	sealCookie  = tokenCookie + "-visitor"
)

// begin makes a session that holds name=first, and returns its cookie.
func (s *site) begin() string {
	s.t.Helper()
	m := s.Manager
	if s.before != nil {
		m = s.before
	}
	h := m.LoadAndSave(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { name.Put(r.Context(), "first") }))
	a := s.read(serve(h, request("POST", "")))
	if a.set == "" {
		s.t.Fatalf("no session was begun: %d %v", a.Code, a.Header())
	}
	return a.set
}

// beginAs makes a session that owner is logged in to.
func (s *site) beginAs(owner string) string {
	s.t.Helper()
	a := s.ask("POST", "", s.login(owner))
	if a.set == "" {
		s.t.Fatalf("the login sent no cookie: %d", a.Code)
	}
	return a.set
}

func (s *site) login(owner string) http.HandlerFunc {
	return func(_ http.ResponseWriter, r *http.Request) {
		if err := s.Login(r.Context(), owner); err != nil {
			s.t.Errorf("login: %v", err)
		}
	}
}

func (s *site) logout(_ http.ResponseWriter, r *http.Request) {
	if err := s.Logout(r.Context()); err != nil {
		s.t.Errorf("logout: %v", err)
	}
}

func (s *site) renew(_ http.ResponseWriter, r *http.Request) {
	if err := s.Renew(r.Context()); err != nil {
		s.t.Errorf("renew: %v", err)
	}
}

// look runs fn in a request that reads.
func (s *site) look(cookie string, fn func(ctx context.Context)) answer {
	s.t.Helper()
	return s.ask("GET", cookie, func(_ http.ResponseWriter, r *http.Request) { fn(r.Context()) })
}

func (s *site) nameOf(cookie string) (v string) {
	s.t.Helper()
	s.look(cookie, func(ctx context.Context) { v = name.Get(ctx) })
	return v
}

func (s *site) ownerOf(cookie string) (v string) {
	s.t.Helper()
	s.look(cookie, func(ctx context.Context) { v = s.Info(ctx).Owner })
	return v
}

// slow sends a request whose handler does before, waits for release to return, and does after.
func (s *site) slow(method, cookie string, before, after func(ctx context.Context)) (release func() answer) {
	loaded, goOn, done := make(chan struct{}), make(chan struct{}), make(chan answer, 1)
	go func() {
		done <- s.ask(method, cookie, func(_ http.ResponseWriter, r *http.Request) {
			before(r.Context())
			close(loaded)
			<-goOn
			after(r.Context())
		})
	}()
	<-loaded
	return func() answer {
		close(goOn)
		return <-done
	}
}

var errDown = errors.New("the database is on fire")

func nothing(context.Context) {}

func serve(h http.Handler, r *http.Request) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}
