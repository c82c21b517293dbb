package sojourn_test

import (
	"context"
	"errors"
	"iter"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gosojourn/sojourn"
	"github.com/gosojourn/sojourn/memstore"
)

// A leased store is another process's way to the same store: it remembers everybody's fence as long as our stores do.
type leased struct {
	*gate
	mu    sync.Mutex
	fence uint64
	age   time.Duration
	asked time.Time
	raise error // of RaiseEveryone
	below error // of DeleteBelow, behind the first batch
}

func (l *leased) EveryoneFence(ctx context.Context) (uint64, time.Duration, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if time.Since(l.asked) >= sojourn.EveryoneLease/2 {
		l.asked = time.Now()
		l.fence, l.age, _ = l.gate.EveryoneFence(ctx)
	}
	if l.fence == 0 {
		return 0, 0, nil
	}
	return l.fence, l.age + time.Since(l.asked), nil
}

func (l *leased) RaiseEveryone(ctx context.Context) (uint64, error) {
	if l.raise != nil {
		return 0, l.raise
	}
	l.mu.Lock()
	l.asked = time.Time{}
	l.mu.Unlock()
	return l.gate.RaiseEveryone(ctx)
}

func (l *leased) DeleteBelow(ctx context.Context, fence uint64) iter.Seq2[int, error] {
	return func(yield func(int, error) bool) {
		for n, err := range l.gate.DeleteBelow(ctx, fence) {
			if !yield(n, err) {
				return
			}
			if l.below != nil {
				yield(0, l.below)
				return
			}
		}
	}
}

// on makes another process on the same sessions.
func (l *leased) on(t *testing.T, sealed bool) *site {
	s := &site{t: t, gate: l.gate, sealed: sealed}
	var cfg sojourn.Config
	s.listen(&cfg)
	var err error
	if sealed {
		cfg.Revocations = l
		ring, _ := oneRing()
		s.Manager, err = sojourn.NewSealed(ring, cfg)
	} else {
		s.Manager, err = sojourn.New(l, cfg)
	}
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// lives reports whether a request with the cookie finds its session.
func (s *site) lives(method, c string) (yes bool) {
	s.t.Helper()
	s.ask(method, c, func(_ http.ResponseWriter, r *http.Request) { yes = s.Info(r.Context()).ID != "" })
	return yes
}

// When RevokeEveryone has returned, no session of before passes another request, in any process, and new ones do.
func TestRevokeEveryone(t *testing.T) {
	for _, sealed := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			g := newGate()
			here, there := (&leased{gate: g}).on(t, sealed), (&leased{gate: g}).on(t, sealed)
			before := []string{here.begin(), here.beginAs("ann"), there.begin(), there.beginAs("bob")}
			for _, c := range before {
				if !here.lives("GET", c) || !there.lives("GET", c) {
					t.Fatal("a session does not live before")
				}
			}
			time.Sleep(3 * time.Second)
			for _, c := range before { // the other process knows everybody's fence, and remembers it
				there.lives("GET", c)
			}
			began := time.Now()
			if err := here.RevokeEveryone(t.Context()); err != nil {
				t.Fatal(err)
			}
			if took := time.Since(began); took > 4*time.Second {
				t.Errorf("it took %v", took)
			}
			if n, _ := g.Store.Count(t.Context()); n != 0 {
				t.Errorf("%d rows are left", n)
			}
			for _, s := range []*site{here, there} {
				for i, c := range before {
					if s.lives("GET", c) || s.lives("POST", c) {
						t.Errorf("session %d lives on (sealed: %t)", i, sealed)
					}
				}
				for _, c := range []string{s.begin(), s.beginAs("ann")} {
					if !here.lives("GET", c) || !there.lives("POST", c) {
						t.Errorf("a session that began afterwards does not live (sealed: %t)", sealed)
					}
				}
			}
			if here.events(sojourn.EventEnded, "everyone") != 1 || here.events(sojourn.EventUsedAfterEnd, "revoked") == 0 && sealed {
				t.Error("no event says so")
			}
			if err := there.RevokeEveryone(t.Context()); err != nil || here.lives("GET", here.begin()) == false {
				t.Errorf("the second time: %v", err)
			}
		})
	}
}

// Before its row is deleted a session is dead, is not listed, and is told as ended; a new one in the same store lives.
func TestRevokeEveryoneWithoutDeleting(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := &leased{gate: newGate(), below: errFire}
		s := l.on(t, false)
		for range 400 {
			s.beginAs("ann")
		}
		visitor, own := s.begin(), s.beginAs("ann")
		if err := s.RevokeEveryone(t.Context()); !sojourn.Unavailable(err) || !strings.Contains(err.Error(), "everybody is out") {
			t.Errorf("RevokeEveryone: %v", err)
		}
		if n, _ := l.Store.Count(t.Context()); n < 300 {
			t.Fatalf("%d rows are left: nothing is tested", n)
		}
		for _, c := range []string{visitor, own} {
			if s.lives("GET", c) || s.lives("POST", c) {
				t.Error("a session lives")
			}
		}
		if s.events(sojourn.EventUsedAfterEnd, "revoked") == 0 {
			t.Error("no event says that an ended session was shown")
		}
		again := s.beginAs("ann")
		n := 0
		for range s.List(t.Context(), "ann") {
			n++
		}
		for range s.All(t.Context()) {
			n++
		}
		if n != 2 {
			t.Errorf("%d are listed, want the new one twice", n)
		}
		l.below = nil
		began := time.Now()
		l.below = nil
		if err := s.RevokeEveryone(t.Context()); err != nil || time.Since(began) < sojourn.EveryoneLease {
			t.Errorf("once more: %v after %v", err, time.Since(began))
		}
		if n, _ := l.Store.Count(t.Context()); n != 0 || s.lives("GET", again) {
			t.Errorf("%d rows are left", n)
		}
	})
}

// What is not done is never success, and an error says whether everybody is out.
func TestRevokeEveryoneErrors(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := &leased{gate: newGate(), raise: errFire}
		s := l.on(t, false)
		c := s.begin()
		if err := s.RevokeEveryone(t.Context()); !sojourn.Unavailable(err) || strings.Contains(err.Error(), "everybody is out") || !s.lives("GET", c) {
			t.Errorf("a fence that could not be raised: %v", err)
		}
		l.raise = nil
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if err := s.RevokeEveryone(ctx); !errors.Is(err, context.Canceled) || !strings.Contains(err.Error(), "everybody is out") || s.lives("GET", c) {
			t.Errorf("by a context that had ended: %v", err)
		}
	})
	ring, _ := oneRing()
	alone, err := sojourn.NewSealed(ring, sojourn.Config{})
	if err != nil {
		t.Fatal(err)
	}
	plain, err := sojourn.New(struct{ sojourn.Store }{memstore.New()}, sojourn.Config{})
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range []*sojourn.Manager{alone, plain} {
		if err := m.RevokeEveryone(t.Context()); !errors.Is(err, errors.ErrUnsupported) || !strings.Contains(err.Error(), "EveryoneRevoker") {
			t.Errorf("where it cannot be done: %v", err)
		}
	}
}

// A login whose request had begun does not survive, whether its process knows of the revocation or not, and
// whoever revokes may log in again in the same request.
func TestRevokeEveryoneAndLogins(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGate()
		here, there := (&leased{gate: g}).on(t, false), (&leased{gate: g}).on(t, false)
		for _, s := range []*site{here, there} {
			for _, wait := range []time.Duration{0, time.Millisecond, 2 * time.Second} {
				for _, c := range []string{"", s.begin(), s.beginAs("ann")} {
					s.lives("GET", s.begin())
					goOn := s.during(request("POST", c), func(_ http.ResponseWriter, r *http.Request) {
						time.Sleep(wait)
						_ = s.Login(r.Context(), "ann")
					})
					time.Sleep(time.Millisecond)
					if _, err := g.RaiseEveryone(t.Context()); err != nil {
						t.Fatal(err)
					}
					a := goOn()
					time.Sleep(sojourn.EveryoneLease)
					if a.set != "" && (here.lives("GET", a.set) || there.lives("GET", a.set)) {
						t.Errorf("a login in flight survives, %v later", wait)
					}
				}
			}
		}
		time.Sleep(sojourn.EveryoneLease)
		for _, begin := range []func() string{func() string { return "" }, here.begin, func() string { return here.beginAs("ann") }} {
			c := begin()
			a := here.ask("POST", c, func(w http.ResponseWriter, r *http.Request) {
				if err := here.RevokeEveryone(r.Context()); err != nil {
					t.Error(err)
				}
				if got := name.Get(r.Context()); got != "" || here.Info(r.Context()).Owner != "" {
					t.Errorf("%q of the ended session is still read", got)
				}
				here.login("root")(w, r)
			})
			if !here.lives("GET", a.set) || !there.lives("GET", a.set) || here.lives("GET", c) {
				t.Error("whoever revokes cannot log in again, or his session lives on")
			}
		}
	})
}

// Streams end too: at once in this process, within a second elsewhere.
func TestRevokeEveryoneEndsStreams(t *testing.T) {
	for _, sealed := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			g := newGate()
			here, there := (&leased{gate: g}).on(t, sealed), (&leased{gate: g}).on(t, sealed)
			var streams []context.Context
			for _, c := range []string{here.begin(), here.beginAs("ann")} {
				a, cancel := here.open(c)
				defer cancel()
				b, cancel := there.open(c)
				defer cancel()
				streams = append(streams, a, b)
			}
			time.Sleep(3 * time.Second / 2)
			began := time.Now()
			go func() { _ = here.RevokeEveryone(t.Context()) }()
			within(t, 100*time.Millisecond, sojourn.ErrEnded, streams[0], streams[2])
			within(t, time.Second-time.Since(began), sojourn.ErrEnded, streams...)
			time.Sleep(5 * time.Second)
		})
	}
}

// A sealed session that another process has read of late, and whose fence it believes, is dead too when it is over.
func TestRevokeEveryoneWaitsForWhatIsBelieved(t *testing.T) {
	for _, since := range []time.Duration{100, 400, 700, 1000, 1300, 1600, 1900} {
		synctest.Test(t, func(t *testing.T) {
			g := newGate()
			here, there := (&leased{gate: g}).on(t, true), (&leased{gate: g}).on(t, true)
			c := here.begin()
			there.lives("GET", c)
			time.Sleep(since * time.Millisecond)
			there.lives("GET", c)
			if err := here.RevokeEveryone(t.Context()); err != nil || there.lives("GET", c) {
				t.Errorf("%v, %v after it was read first it lives on", err, since*time.Millisecond)
			}
		})
	}
}

// What the old application kept when everybody was revoked does not move in, and what it has begun since does.
func TestRevokedEveryoneBeforeTheMove(t *testing.T) {
	old := newOldApp()
	old.rows["tok"] = "alice"
	a := newMoving(t, old, memstore.New(), sojourn.Config{})
	if err := a.RevokeEveryone(t.Context()); err != nil {
		t.Fatal(err)
	}
	if owner, res := a.send("GET", "session=tok", nil); owner != "" || res.Code != 200 || old.rows["tok"] != "" {
		t.Errorf("%q, %d, the old session is %q", owner, res.Code, old.rows["tok"])
	}
	if got := a.told(); got != "session_expired everyone, session_moved_in revoked" {
		t.Errorf("events: %s", got)
	}
}
