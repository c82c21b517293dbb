// Package strangers tells, on whatever store it is given, of what strangers found wrong in the first version:
// a story for each, named by the fault's id. Package laws has the promises; here is how they were broken.
package strangers

import (
	"context"
	"crypto/rand"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/gosojourn/sojourn"
)

// Run tells every story on stores that open returns; each may be shared by several.
func Run(t *testing.T, open func(t *testing.T) sojourn.Store) {
	for _, group := range [][]story{stores, clients, authority, values} {
		for _, s := range group {
			t.Run(s.name, func(t *testing.T) { s.tell(t, &site{t: t, gate: &gate{Store: open(t)}}) })
		}
	}
}

type story struct {
	name string
	tell func(t *testing.T, s *site)
}

var (
	name  = sojourn.NewKey[string]("name")
	count = sojourn.NewKey[int]("count")
	notes = sojourn.NewKey[[]string]("notes")
	state = sojourn.NewKey[string]("state")
)

// A site is an application of one manager on a store that can be held up on the way there.
type site struct {
	*sojourn.Manager
	gate *gate
	t    testing.TB

	mu   sync.Mutex
	seen []sojourn.Event
}

// with makes the manager, and answers s for short.
func (s *site) with(cfg sojourn.Config) *site {
	s.t.Helper()
	cfg.Logger = slog.New(slog.DiscardHandler)
	cfg.OnEvent = func(_ context.Context, e sojourn.Event) {
		s.mu.Lock()
		s.seen = append(s.seen, e)
		s.mu.Unlock()
	}
	m, err := sojourn.New(s.gate, cfg)
	if err != nil {
		s.t.Fatal(err)
	}
	s.Manager = m
	return s
}

// events counts what was told.
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

// A reply is a response, with the session cookie that it sets.
type reply struct {
	code  int
	body  string
	lines []string // of Set-Cookie
	set   string
	unset bool
}

func request(method, cookie string) *http.Request {
	r := httptest.NewRequest(method, "https://sojourn.test/", nil)
	if cookie != "" {
		r.Header.Set("Cookie", cookie)
	}
	return r
}

func (s *site) ask(method, cookie string, h http.HandlerFunc) reply {
	return s.send(request(method, cookie), h)
}

func (s *site) send(r *http.Request, h http.Handler) reply {
	w := httptest.NewRecorder()
	s.LoadAndSave(h).ServeHTTP(w, r)
	res := w.Result()
	body, _ := io.ReadAll(res.Body)
	a := reply{code: res.StatusCode, body: string(body), lines: res.Header["Set-Cookie"]}
	for _, line := range a.lines {
		if !strings.HasPrefix(line, "__Host-Http-id=") {
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

// do is a handler that writes nothing.
func do(f func(ctx context.Context)) http.HandlerFunc {
	return func(_ http.ResponseWriter, r *http.Request) { f(r.Context()) }
}

func (s *site) begin() string {
	s.t.Helper()
	a := s.ask("POST", "", do(func(ctx context.Context) { name.Put(ctx, "first") }))
	if a.set == "" {
		s.t.Fatalf("no session was begun: %d", a.code)
	}
	return a.set
}

func (s *site) beginAs(owner string) string {
	s.t.Helper()
	a := s.ask("POST", "", s.login(owner))
	if a.set == "" {
		s.t.Fatalf("the login sent no cookie: %d", a.code)
	}
	return a.set
}

func (s *site) login(owner string) http.HandlerFunc {
	return do(func(ctx context.Context) {
		if err := s.Login(ctx, owner); err != nil {
			s.t.Errorf("Login: %v", err)
		}
	})
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

func (s *site) look(cookie string, f func(ctx context.Context)) reply {
	return s.ask("GET", cookie, do(f))
}

func (s *site) nameOf(cookie string) (v string) {
	s.look(cookie, func(ctx context.Context) { v = name.Get(ctx) })
	return v
}

func (s *site) countOf(cookie string) (v int) {
	s.look(cookie, func(ctx context.Context) { v = count.Get(ctx) })
	return v
}

func (s *site) ownerOf(cookie string) (v string) {
	s.look(cookie, func(ctx context.Context) { v = s.Info(ctx).Owner })
	return v
}

// during begins a request, which loads its session and waits for goOn to do what comes after.
func (s *site) during(method, cookie string, after func(ctx context.Context)) (goOn func() reply) {
	loaded, release, done := make(chan struct{}), make(chan struct{}), make(chan reply, 1)
	go func() {
		done <- s.ask(method, cookie, do(func(ctx context.Context) {
			_ = s.Load(ctx)
			close(loaded)
			<-release
			after(ctx)
		}))
	}()
	<-loaded
	return func() reply {
		close(release)
		return <-done
	}
}

// anybody is an owner whom no other story knows: stories may share a store.
func anybody() string { return "owner-" + rand.Text() }

func plusOne(n int) int { return n + 1 }

// listed counts the owner's sessions.
func (s *site) listed(owner string) (n int) {
	s.t.Helper()
	for _, err := range s.List(s.t.Context(), owner) {
		if err != nil {
			s.t.Errorf("List: %v", err)
		}
		n++
	}
	return n
}
