package compliance_test

import (
	"bytes"
	"context"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gosojourn/sojourn"
	"github.com/gosojourn/sojourn/lab/harness"
	"github.com/gosojourn/sojourn/memstore"
	"github.com/gosojourn/sojourn/sealed"
	"github.com/gosojourn/sojourn/sqlstore"
	_ "modernc.org/sqlite"
)

func TestMain(m *testing.M) { harness.Main(m) }

// A check shows that one row holds, on a store that open returns empty.
type check func(t *testing.T, open opener)

type opener func(t testing.TB) sojourn.Store

func inMemory(testing.TB) sojourn.Store { return memstore.New() }

func onSQLite(t testing.TB) sojourn.Store {
	t.Helper()
	db := harness.Open(t, "sqlite", harness.SQLite(t)+"?_pragma=busy_timeout(10000)&_txlock=immediate")
	store, err := sqlstore.New(db, sqlstore.SQLite, sqlstore.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if err := store.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	return store
}

var name = sojourn.NewKey[string]("name")

// A site is an application of one manager, asked without a network. What it says of itself is kept.
type site struct {
	*sojourn.Manager
	t      testing.TB
	mu     sync.Mutex
	events []sojourn.Event
	log    bytes.Buffer
}

// listen sets the parts of cfg with which a site listens to its manager.
func (s *site) listen(cfg sojourn.Config) sojourn.Config {
	if cfg.StoreTimeout == 0 {
		cfg.StoreTimeout = time.Minute
	}
	cfg.Logger = slog.New(slog.NewTextHandler(&s.log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	cfg.OnEvent = func(_ context.Context, e sojourn.Event) {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.events = append(s.events, e)
	}
	return cfg
}

func newSite(t testing.TB, store sojourn.Store, cfg sojourn.Config) *site {
	t.Helper()
	s := &site{t: t}
	m, err := sojourn.New(store, s.listen(cfg))
	if err != nil {
		t.Fatal(err)
	}
	s.Manager = m
	return s
}

func newSealedSite(t testing.TB, cfg sojourn.Config, keys ...string) *site {
	t.Helper()
	if len(keys) == 0 {
		keys = []string{sealed.GenerateKey()}
	}
	ring, err := sealed.New(keys, sealed.Options{})
	if err != nil {
		t.Fatal(err)
	}
	s := &site{t: t}
	m, err := sojourn.NewSealed(ring, s.listen(cfg))
	if err != nil {
		t.Fatal(err)
	}
	s.Manager = m
	return s
}

// An answer is a response, and what a browser makes of its cookies.
type answer struct {
	*httptest.ResponseRecorder
	set     string // the pairs as a browser sends them back; "" when none is set
	expired bool   // a cookie is deleted
}

func request(method, cookie string) *http.Request {
	r := httptest.NewRequest(method, "https://sojourn.test/", nil)
	if cookie != "" {
		r.Header.Set("Cookie", cookie)
	}
	return r
}

func (s *site) send(r *http.Request, h http.HandlerFunc) answer {
	w := httptest.NewRecorder()
	s.LoadAndSave(h).ServeHTTP(w, r)
	a := answer{ResponseRecorder: w}
	var pairs []string
	for _, line := range w.Result().Header["Set-Cookie"] {
		pair, rest, _ := strings.Cut(line, ";")
		if strings.Contains(rest, "Max-Age=0") {
			a.expired = true
		} else {
			pairs = append(pairs, pair)
		}
	}
	a.set = strings.Join(pairs, "; ")
	return a
}

func (s *site) post(cookie string, h http.HandlerFunc) answer {
	return s.send(request("POST", cookie), h)
}

func put(v string) http.HandlerFunc {
	return func(_ http.ResponseWriter, r *http.Request) { name.Put(r.Context(), v) }
}

func (s *site) login(owner string) http.HandlerFunc {
	return func(_ http.ResponseWriter, r *http.Request) {
		if err := s.Login(r.Context(), owner); err != nil {
			s.t.Error(err)
		}
	}
}

func (s *site) logout(_ http.ResponseWriter, r *http.Request) {
	if err := s.Logout(r.Context()); err != nil {
		s.t.Error(err)
	}
}

func (s *site) renew(_ http.ResponseWriter, r *http.Request) {
	if err := s.Renew(r.Context()); err != nil {
		s.t.Error(err)
	}
}

// begin makes a visitor's session with name=v, and answers its cookie.
func (s *site) begin(v string) string {
	s.t.Helper()
	a := s.post("", put(v))
	if a.set == "" {
		s.t.Fatalf("no session was begun: %d %v", a.Code, a.Header())
	}
	return a.set
}

func (s *site) beginAs(owner string) string {
	s.t.Helper()
	a := s.post("", s.login(owner))
	if a.set == "" {
		s.t.Fatalf("nobody was logged in: %d %v", a.Code, a.Header())
	}
	return a.set
}

func (s *site) owner(cookie string) string { return s.info(cookie).Owner }

func (s *site) info(cookie string) (i sojourn.Info) {
	s.post(cookie, func(_ http.ResponseWriter, r *http.Request) { i = s.Info(r.Context()) })
	return i
}

func (s *site) name(cookie string) (v string) {
	s.post(cookie, func(_ http.ResponseWriter, r *http.Request) { v = name.Get(r.Context()) })
	return v
}

func (s *site) saw(n sojourn.EventName, reason string) (times int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, e := range s.events {
		if e.Name == n && e.Reason == reason {
			times++
		}
	}
	return times
}

// value is the token in a cookie as a browser sends it.
func value(cookie string) string {
	_, v, _ := strings.Cut(cookie, "=")
	return v
}

// counted counts the exchanges with a store.
type counted struct {
	sojourn.Store
	loads, creates, updates, touches int
}

func (c *counted) Load(ctx context.Context, id string) (sojourn.Record, error) {
	c.loads++
	return c.Store.Load(ctx, id)
}

func (c *counted) Create(ctx context.Context, r sojourn.Record) error {
	c.creates++
	return c.Store.Create(ctx, r)
}

func (c *counted) Update(ctx context.Context, r sojourn.Record, version uint64) error {
	c.updates++
	return c.Store.Update(ctx, r, version)
}

func (c *counted) Touch(ctx context.Context, r sojourn.Record) error {
	c.touches++
	return c.Store.Touch(ctx, r)
}

// dump answers all that the store has, as whoever copies its tables has it.
func dump(t testing.TB, store sojourn.Store) (all []sojourn.Record) {
	t.Helper()
	for r, err := range store.(sojourn.Lister).ListAll(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, r)
	}
	return all
}
