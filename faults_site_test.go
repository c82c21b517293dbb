package sojourn_test

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/gosojourn/sojourn"
	"github.com/gosojourn/sojourn/sealed"
)

// The tests named TestF… tell, each, of a fault that was seen once, and of its siblings at other doors.

// A site is an application of one manager on a gate: as its store, or as what keeps the fences of sessions
// that are sealed into cookies.
type site struct {
	*sojourn.Manager
	gate   *gate
	t      testing.TB
	sealed bool

	mu   sync.Mutex
	seen []sojourn.Event
}

func newSite(t testing.TB, cfg sojourn.Config, g *gate) *site {
	t.Helper()
	s := &site{t: t, gate: g}
	s.listen(&cfg)
	m, err := sojourn.New(g, cfg)
	if err != nil {
		t.Fatal(err)
	}
	s.Manager = m
	return s
}

var oneRing = sync.OnceValues(func() (*sealed.Ring, error) {
	return sealed.New([]string{sealed.GenerateKey()}, sealed.Options{})
})

func newSealedSite(t testing.TB, cfg sojourn.Config, g *gate) *site {
	t.Helper()
	s := &site{t: t, gate: g, sealed: true}
	s.listen(&cfg)
	ring, err := oneRing()
	if err != nil {
		t.Fatal(err)
	}
	cfg.Revocations = g
	m, err := sojourn.NewSealed(ring, cfg)
	if err != nil {
		t.Fatal(err)
	}
	s.Manager = m
	return s
}

func (s *site) listen(cfg *sojourn.Config) {
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	also := cfg.OnEvent
	cfg.OnEvent = func(ctx context.Context, e sojourn.Event) {
		s.mu.Lock()
		s.seen = append(s.seen, e)
		s.mu.Unlock()
		if also != nil {
			also(ctx, e)
		}
	}
}

// onBoth tells a story on both keepers.
func onBoth(t *testing.T, cfg sojourn.Config, tell func(t *testing.T, s *site)) {
	t.Run("store", func(t *testing.T) { tell(t, newSite(t, cfg, newGate())) })
	t.Run("sealed", func(t *testing.T) { tell(t, newSealedSite(t, cfg, newGate())) })
}

// inBubbles is onBoth where time is the test's own.
func inBubbles(t *testing.T, cfg sojourn.Config, tell func(t *testing.T, s *site)) {
	t.Run("store", func(t *testing.T) { onStore(t, cfg, tell) })
	t.Run("sealed", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) { tell(t, newSealedSite(t, cfg, newGate())) })
	})
}

// onStore is for what there is only where sessions are in a store.
func onStore(t *testing.T, cfg sojourn.Config, tell func(t *testing.T, s *site)) {
	synctest.Test(t, func(t *testing.T) { tell(t, newSite(t, cfg, newGate())) })
}

// events counts what was told, whatever the reason if that is "*".
func (s *site) events(n sojourn.EventName, reason string) (sum int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, e := range s.seen {
		if e.Name == n && (reason == "*" || e.Reason == reason) {
			sum++
		}
	}
	return sum
}

// lastEvent is the last of that name.
func (s *site) lastEvent(n sojourn.EventName) (last sojourn.Event) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, e := range s.seen {
		if e.Name == n {
			last = e
		}
	}
	return last
}

// A reply is a response, with the session cookie that it sets.
type reply struct {
	code   int
	header http.Header
	body   string
	set    string // the pair, as a browser would send it back
	unset  bool   // the cookie is deleted
	panics any
}

func request(method, cookie string) *http.Request {
	r := httptest.NewRequest(method, "https://sojourn.test/", nil)
	if cookie != "" {
		r.Header.Set("Cookie", cookie)
	}
	return r
}

// ask sends one request with that Cookie header to h behind the middleware.
func (s *site) ask(method, cookie string, h http.HandlerFunc) reply {
	s.t.Helper()
	return serve(s.LoadAndSave(h), request(method, cookie))
}

// serve calls h without a network.
func serve(h http.Handler, r *http.Request) (a reply) {
	w := httptest.NewRecorder()
	func() {
		defer func() { a.panics = recover() }()
		h.ServeHTTP(w, r)
	}()
	return a.of(w.Result())
}

func (a reply) of(res *http.Response) reply {
	body, _ := io.ReadAll(res.Body)
	a.code, a.header, a.body = res.StatusCode, res.Header, string(body)
	for _, line := range res.Header["Set-Cookie"] {
		if !strings.HasPrefix(line, "__Host-Http-id=") && !strings.HasPrefix(line, "__Secure-id=") {
			continue
		}
		pair, rest, _ := strings.Cut(line, ";")
		if strings.Contains(rest, "Max-Age=0") {
			a.unset = true
		} else {
			a.set = pair
		}
	}
	return a
}

// or is the cookie that a browser has after the reply, which had c before.
func (a reply) or(c string) string {
	switch {
	case a.set != "":
		return a.set
	case a.unset:
		return ""
	}
	return c
}

// begin makes a session that holds name=first, and returns its cookie.
func (s *site) begin() string {
	s.t.Helper()
	a := s.ask("POST", "", func(_ http.ResponseWriter, r *http.Request) { name.Put(r.Context(), "first") })
	if a.set == "" {
		s.t.Fatalf("no session was begun: %d %v", a.code, a.header)
	}
	return a.set
}

// beginAs makes a session that owner is logged in to.
func (s *site) beginAs(owner string) string {
	s.t.Helper()
	a := s.ask("POST", "", s.login(owner))
	if a.set == "" {
		s.t.Fatalf("the login sent no cookie: %d", a.code)
	}
	return a.set
}

func (s *site) login(owner string) http.HandlerFunc {
	return func(_ http.ResponseWriter, r *http.Request) {
		if err := s.Login(r.Context(), owner); err != nil {
			s.t.Errorf("Login: %v", err)
		}
	}
}

func (s *site) renew(_ http.ResponseWriter, r *http.Request) {
	if err := s.Renew(r.Context()); err != nil {
		s.t.Errorf("Renew: %v", err)
	}
}

func (s *site) logout(_ http.ResponseWriter, r *http.Request) {
	if err := s.Logout(r.Context()); err != nil {
		s.t.Errorf("Logout: %v", err)
	}
}

// look runs fn in a request that reads.
func (s *site) look(cookie string, fn func(ctx context.Context)) reply {
	s.t.Helper()
	return s.ask("GET", cookie, func(_ http.ResponseWriter, r *http.Request) { fn(r.Context()) })
}

func (s *site) nameOf(cookie string) (v string) {
	s.t.Helper()
	s.look(cookie, func(ctx context.Context) { v = name.Get(ctx) })
	return v
}

func (s *site) countOf(cookie string) (v int) {
	s.t.Helper()
	s.look(cookie, func(ctx context.Context) { v = count.Get(ctx) })
	return v
}

func (s *site) ownerOf(cookie string) (v string) {
	s.t.Helper()
	s.look(cookie, func(ctx context.Context) { v = s.Info(ctx).Owner })
	return v
}

// during begins a request of r, which loads its session and waits; between what the caller does next and
// what it returns, goOn has the handler go on with after.
func (s *site) during(r *http.Request, after http.HandlerFunc) (goOn func() reply) {
	loaded, release, done := make(chan struct{}), make(chan struct{}), make(chan reply, 1)
	go func() {
		done <- serve(s.LoadAndSave(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			_ = s.Load(r.Context())
			close(loaded)
			<-release
			after(w, r)
		})), r)
	}()
	<-loaded
	return func() reply {
		close(release)
		return <-done
	}
}

func plusOne(n int) int { return n + 1 }

// nobody is a handler that writes nothing.
func nobody(do func(ctx context.Context)) http.HandlerFunc {
	return func(_ http.ResponseWriter, r *http.Request) { do(r.Context()) }
}
