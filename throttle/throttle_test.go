package throttle_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gosojourn/sojourn"
	"github.com/gosojourn/sojourn/memstore"
	"github.com/gosojourn/sojourn/sealed"
	"github.com/gosojourn/sojourn/sojourntest"
	"github.com/gosojourn/sojourn/throttle"
)

var name = sojourn.NewKey[string]("name")

// old is a library of before, none of whose sessions is left.
type old struct{}

func (old) Cookie() http.Cookie { return http.Cookie{Name: "old", Path: "/"} }
func (old) Shown(r *http.Request) (all []string) {
	for _, c := range r.CookiesNamed("old") {
		all = append(all, c.Value)
	}
	return all
}
func (old) Load(context.Context, *http.Request, string) (sojourn.LegacySession, error) {
	return sojourn.LegacySession{}, sojourn.ErrNotFound
}
func (old) End(context.Context, string) error { return nil }

// A site is an application behind a Throttle with a limit of five.
type site struct {
	t     *testing.T
	m     *sojourn.Manager
	h     http.Handler
	store *sojourntest.FaultyStore
	log   bytes.Buffer

	mu     sync.Mutex
	served int
	told   []sojourn.Event
}

func newSite(t *testing.T, cfg throttle.Config, seal bool) *site {
	t.Helper()
	s := &site{t: t, store: &sojourntest.FaultyStore{Store: memstore.New()}}
	cfg.Logger = slog.New(slog.NewTextHandler(&s.log, nil))
	cfg.OnEvent = func(_ context.Context, e sojourn.Event) {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.told = append(s.told, e)
	}
	if cfg.Limit == 0 {
		cfg.Limit = 5
	}
	th, err := throttle.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	of := sojourn.Config{OnEvent: th.OnEvent, Logger: slog.New(slog.DiscardHandler), Legacy: old{}}
	if s.m, err = sojourn.New(s.store, of); seal {
		ring, err2 := sealed.New([]string{sealed.GenerateKey()}, sealed.Options{})
		if err2 != nil {
			t.Fatal(err2)
		}
		s.m, err = sojourn.NewSealed(ring, of)
	}
	if err != nil {
		t.Fatal(err)
	}
	s.h = th.Protect(s.m)(s.m.LoadAndSave(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.mu.Lock()
		s.served++
		s.mu.Unlock()
		switch r.URL.Path {
		case "/put":
			name.Put(r.Context(), "gopher")
		case "/login":
			_ = s.m.Login(r.Context(), "ann")
		}
		fmt.Fprint(w, name.Get(r.Context()))
	})))
	return s
}

// ask asks from an address, with a token, which may be "".
func (s *site) ask(path, from, token string) *httptest.ResponseRecorder {
	r := httptest.NewRequest("GET", "https://sojourn.test"+path, nil)
	r.RemoteAddr = from
	if token != "" {
		r.Header.Set("Cookie", "__Host-Http-id="+token)
		if strings.HasPrefix(token, "old=") {
			r.Header.Set("Cookie", token)
		}
	}
	w := httptest.NewRecorder()
	s.h.ServeHTTP(w, r)
	return w
}

// begin begins a session and answers its token.
func (s *site) begin(from string) string {
	s.t.Helper()
	set := s.ask("/put", from, "").Header().Get("Set-Cookie")
	pair, _, _ := strings.Cut(set, ";")
	_, token, ok := strings.Cut(pair, "=")
	if !ok {
		s.t.Fatalf("no session began: %q", set)
	}
	return token
}

func (s *site) count(event sojourn.EventName) (n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, e := range s.told {
		if e.Name == event {
			n++
		}
	}
	return n
}

// guess is a token that nobody has issued; every fourth has not even the form of one.
func guess(i int) string {
	if i%4 == 0 {
		return fmt.Sprintf("guess%d", i)
	}
	return fmt.Sprintf("%064d", i)
}

const (
	guesser   = "192.0.2.7:4000"
	elsewhere = "198.51.100.1:4000"
)

// O41: a network that tries many tokens is told of once, and refused until the window is over. Who shows no token is
// served, and so is whoever is in a live session, and everybody elsewhere.
func TestGuessing(t *testing.T) {
	for kind, seal := range map[string]bool{"a store": false, "sealed": true} {
		t.Run(kind, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newSite(t, throttle.Config{}, seal)
				ann := s.begin(guesser)
				for i := range 6 {
					if w := s.ask("/", guesser, guess(i)); w.Code != 200 {
						t.Fatalf("guess %d of a limit of 5 is answered %d", i+1, w.Code)
					}
				}
				time.Sleep(19 * time.Second)
				served := s.served
				w := s.ask("/", guesser, guess(100))
				if w.Code != 429 || w.Header().Get("Retry-After") != "41" || s.served != served {
					t.Errorf("the guesser is answered %d, Retry-After %q", w.Code, w.Header().Get("Retry-After"))
				}
				if w := s.ask("/", "192.0.2.8:1", guess(101)); w.Code != 200 {
					t.Errorf("the next address is answered %d", w.Code)
				}
				if w := s.ask("/", guesser, ""); w.Code != 200 {
					t.Errorf("who shows no token is answered %d", w.Code)
				}
				if w := s.ask("/", guesser, ann); w.Code != 200 || w.Body.String() != "gopher" {
					t.Errorf("who is in a live session is answered %d %q", w.Code, w.Body)
				}
				if bob := s.begin(guesser); s.ask("/", guesser, bob).Body.String() != "gopher" {
					t.Error("a new visitor cannot begin a session")
				}
				if n := s.count(sojourn.EventRateLimit); n != 1 {
					t.Errorf("told of %d times, want once", n)
				}
				time.Sleep(41 * time.Second)
				if w := s.ask("/", guesser, guess(100)); w.Code != 200 {
					t.Errorf("when the window is over the answer is %d", w.Code)
				}
			})
		})
	}
}

// What is told names the network and no token.
func TestWhatIsTold(t *testing.T) {
	s := newSite(t, throttle.Config{}, false)
	for i := range 20 {
		s.ask("/", "[2001:db8:1:2::7]:4000", guess(i))
	}
	last := s.told[len(s.told)-1]
	for _, e := range s.told {
		if e.Network != "2001:db8:1:2::/64" || strings.Contains(fmt.Sprintf("%+v", e), "guess") {
			t.Errorf("told of %+v", e)
		}
		if e.Name == sojourn.EventRateLimit && (e.Reason != "tokens" || e.Time.Location() != time.UTC || e.Time.IsZero()) {
			t.Errorf("told of %+v", e)
		}
	}
	if last.Name != sojourn.EventTokenRefused || s.count(sojourn.EventTokenRefused) != 20 || s.count(sojourn.EventRateLimit) != 1 {
		t.Errorf("told of %v", s.told)
	}
	if log := s.log.String(); strings.Count(log, "\n") != 1 || !strings.Contains(log, "network=2001:db8:1:2::/64") || !strings.Contains(log, "level=WARN") || strings.Contains(log, "guess") {
		t.Errorf("the log says\n%s", log)
	}
}

// One expired cookie that a page shows again and again is one guess, and a token that was good once is none.
func TestHonestTokensAreNoGuesses(t *testing.T) {
	s := newSite(t, throttle.Config{}, false)
	for range 50 {
		s.ask("/", guesser, guess(1))
	}
	for i := range 50 { // a late request with the token that a login has replaced
		before := s.begin(guesser)
		s.ask("/login", guesser, before)
		s.ask("/", guesser, before)
		if n := s.count(sojourn.EventUsedAfterEnd); n != i+1 {
			t.Fatalf("%d replaced tokens were told of, want %d", n, i+1)
		}
	}
	if n := s.count(sojourn.EventRateLimit); n != 0 || s.count(sojourn.EventTokenRefused) != 50 {
		t.Errorf("told of %d networks past the limit", n)
	}
}

// Tokens of another library, see Config.Legacy, are counted like ours.
func TestGuessesOfOldTokens(t *testing.T) {
	s := newSite(t, throttle.Config{}, false)
	for i := range 6 {
		if w := s.ask("/", guesser, fmt.Sprintf("old=guess%d", i)); w.Code != 200 {
			t.Fatalf("guess %d of a limit of 5 is answered %d", i+1, w.Code)
		}
	}
	if w := s.ask("/", guesser, "old=another"); w.Code != 429 || s.count(sojourn.EventRateLimit) != 1 {
		t.Errorf("answered %d, told of %v", w.Code, s.told)
	}
}

// With SpareStore the store is not asked, whoever comes from there.
func TestSpareStore(t *testing.T) {
	s := newSite(t, throttle.Config{SpareStore: true, Refused: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusTooManyRequests)
		fmt.Fprint(w, "Later, please.")
	})}, false)
	ann := s.begin(guesser)
	for i := range 6 {
		s.ask("/", guesser, guess(i))
	}
	s.store.Fail(errors.New("asked"))
	if w := s.ask("/", guesser, ann); w.Code != 429 || w.Body.String() != "Later, please." || w.Header().Get("Retry-After") == "" {
		t.Errorf("answered %d %q, Retry-After %q", w.Code, w.Body, w.Header().Get("Retry-After"))
	}
	if s.count(sojourn.EventUnavailable) != 0 {
		t.Error("the store was asked")
	}
}

// A store that cannot answer is 503, never 'too many requests'.
func TestStoreDown(t *testing.T) {
	s := newSite(t, throttle.Config{Refused: http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		t.Error("a request is refused of which nobody knows whose it is")
	})}, false)
	ann := s.begin(guesser)
	for i := range 6 {
		s.ask("/", guesser, guess(i))
	}
	served := s.served
	s.store.Fail(errors.New("no route to host"))
	if w := s.ask("/", guesser, ann); w.Code != 503 || s.served != served || w.Header().Get("Set-Cookie") != "" {
		t.Errorf("answered %d, with the cookie %q", w.Code, w.Header().Get("Set-Cookie"))
	}
}

// A client whose address cannot be told is neither counted nor refused.
func TestUnknownClient(t *testing.T) {
	s := newSite(t, throttle.Config{}, false)
	for i := range 20 {
		if w := s.ask("/", "@", guess(i)); w.Code != 200 {
			t.Fatalf("answered %d", w.Code)
		}
	}
	if s.count(sojourn.EventTokenRefused) != 20 || s.count(sojourn.EventRateLimit) != 0 {
		t.Errorf("told of %v", s.told)
	}
}

// Guessers at once, from many networks, with honest people beside them.
func TestGuessersAtOnce(t *testing.T) {
	s := newSite(t, throttle.Config{}, false)
	ann := s.begin(guesser)
	var wg sync.WaitGroup
	for g := range 8 {
		wg.Go(func() {
			for i := range 100 {
				s.ask("/", fmt.Sprintf("192.0.2.%d:1", g/2), guess(g<<10|i))
				if w := s.ask("/", fmt.Sprintf("192.0.2.%d:1", g/2), ann); w.Code != 200 {
					t.Errorf("answered %d in a live session", w.Code)
				}
			}
		})
	}
	wg.Wait()
	if n := s.count(sojourn.EventRateLimit); n != 4 {
		t.Errorf("%d networks were told of, want 4", n)
	}
	if w := s.ask("/", elsewhere, guess(7)); w.Code != 200 {
		t.Errorf("elsewhere the answer is %d", w.Code)
	}
}

func TestMistakes(t *testing.T) {
	_, err := throttle.New(throttle.Config{Limit: -1, Window: time.Millisecond})
	if err == nil || !strings.Contains(err.Error(), "Limit is -1") || !strings.Contains(err.Error(), "Window is 1ms") {
		t.Errorf("New says %v", err)
	}
	if _, err := throttle.New(throttle.Config{Window: 25 * time.Hour}); err == nil {
		t.Error("a window of more than a day is taken")
	}
}
