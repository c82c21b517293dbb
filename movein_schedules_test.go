package sojourn_test

import (
	"context"
	"errors"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gosojourn/sojourn"
	"github.com/gosojourn/sojourn/memstore"
)

// slowStore takes a while, before and after it does something, so that requests come in between.
type slowStore struct {
	*memstore.Store
	wait func()
	lose func() error // the answer to a write that was done
}

func (s slowStore) Local() bool { return false }

func (s slowStore) Load(ctx context.Context, id string) (sojourn.Record, error) {
	s.wait()
	defer s.wait()
	return s.Store.Load(ctx, id)
}

func (s slowStore) Create(ctx context.Context, r sojourn.Record) error {
	s.wait()
	defer s.wait()
	return errors.Join(s.Store.Create(ctx, r), s.lose())
}

func (s slowStore) Update(ctx context.Context, r sojourn.Record, version uint64) error {
	s.wait()
	defer s.wait()
	return errors.Join(s.Store.Update(ctx, r, version), s.lose())
}

func (s slowStore) Delete(ctx context.Context, id string, version uint64) error {
	s.wait()
	defer s.wait()
	return errors.Join(s.Store.Delete(ctx, id, version), s.lose())
}

func (s slowStore) Fence(ctx context.Context, owner string) (uint64, time.Duration, error) {
	s.wait()
	defer s.wait()
	return s.Store.Fence(ctx, owner)
}

// A dice is for many goroutines.
type dice struct {
	mu sync.Mutex
	r  *rand.Rand
}

func (d *dice) below(n int) int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.r.IntN(n)
}

// A schedule is one browser with several tabs before two servers of the new version and one of the old, on
// slow stores and a slow network that loses answers.
type schedule struct {
	t      *testing.T
	dice   *dice
	old    *oldApp
	store  slowStore
	server [2]*moving
	jar    *jar
	lossy  bool // the store loses answers
	out    bool // somebody logs out, at some moment
	mu     sync.Mutex
	nobody int // requests that saw nobody
}

func newSchedule(t *testing.T, seed uint64, keep time.Duration, out bool) *schedule {
	d := &dice{r: rand.New(rand.NewPCG(seed, 1))}
	s := &schedule{t: t, dice: d, old: newOldApp(), jar: newJar("tok"), out: out}
	nap := func() {
		most := 8
		if d.below(20) == 0 {
			most = 400
		}
		time.Sleep(time.Duration(d.below(most)) * time.Millisecond)
	}
	s.old.rows["tok"] = "alice"
	s.old.keep, s.old.wait = keep, nap
	s.store = slowStore{memstore.New(), nap, func() error { return nil }}
	s.begin()
	return s
}

func (s *schedule) begin() {
	for i := range s.server {
		s.server[i] = newMoving(s.t, s.old, s.store, sojourn.Config{StoreTimeout: time.Minute})
	}
}

// tab sends some requests, one after the other.
func (s *schedule) tab(n int, oldServers, logout bool) {
	for i := range n {
		cookies := s.jar.line()
		time.Sleep(time.Duration(s.dice.below(40)) * time.Millisecond)
		leave := logout && i == n/2
		if oldServers && s.dice.below(3) == 0 {
			s.askOld(cookies, leave)
			continue
		}
		a := s.server[s.dice.below(len(s.server))]
		method := []string{"GET", "POST"}[s.dice.below(2)]
		code := 0
		owner, res := a.send(method, cookies, func(ctx context.Context) {
			if leave {
				_ = a.Logout(ctx)
			} else if method == "POST" {
				count.Update(ctx, func(n int) int { return n + 1 })
			}
		})
		if code = res.Code; code != 200 && (code != 503 || !s.lossy) {
			s.t.Errorf("status %d", code)
		}
		if owner == "" && code == 200 {
			s.mu.Lock()
			s.nobody++
			s.mu.Unlock()
		}
		time.Sleep(time.Duration(s.dice.below(40)) * time.Millisecond)
		if leave || s.dice.below(4) > 0 { // else the answer is lost
			s.jar.take(res.Header())
		}
	}
}

// askOld is a server of the old version: it reads a session, and writes it back, even if it has gone meanwhile.
func (s *schedule) askOld(cookies string, leave bool) {
	for pair := range strings.SplitSeq(cookies, "; ") {
		token, ok := strings.CutPrefix(pair, "session=")
		if !ok {
			continue
		}
		owner, there := s.old.row(token)
		switch {
		case leave:
			s.old.set(token, "")
			s.jar.take(map[string][]string{"Set-Cookie": {"session=; Max-Age=0"}})
		case there:
			s.old.set(token, owner)
		case !s.out:
			s.mu.Lock()
			s.nobody++
			s.mu.Unlock()
		}
	}
}

// sessions counts the owner's live ones.
func (s *schedule) sessions() (n int) {
	for _, err := range s.server[0].List(context.Background(), "alice") {
		if err != nil {
			s.t.Fatal(err)
		}
		n++
	}
	return n
}

func (s *schedule) tabs(logout bool, oldServers bool) {
	var all sync.WaitGroup
	for i := range 4 {
		all.Go(func() { s.tab(6, oldServers, logout && i == 0) })
	}
	all.Wait()
}

// Whatever comes in between, the browser stays logged in, has one session, and the old token is over.
func TestMovingInSchedules(t *testing.T) {
	for seed := range uint64(300) {
		synctest.Test(t, func(t *testing.T) {
			s := newSchedule(t, seed, time.Hour, false)
			s.tabs(false, true)
			if n := s.sessions(); n > 1 || s.nobody > 0 {
				t.Errorf("seed %d: %d sessions, %d requests saw nobody", seed, n, s.nobody)
			}
			s.server[0].visit(s.jar) // its answer arrives
			time.Sleep(2 * time.Hour / 3)
			s.server[0].visit(s.jar)
			time.Sleep(2 * time.Hour / 3) // the old servers are gone
			owner := s.server[0].visit(s.jar)
			if n := s.sessions(); owner != "alice" || n != 1 {
				t.Errorf("seed %d: %q, %d sessions", seed, owner, n)
			}
			s.over(seed, "session=tok")
		})
		if t.Failed() {
			return
		}
	}
}

// The store loses answers as well: a request may be told that it could not be done, but nobody becomes nobody.
func TestMovingInLossySchedules(t *testing.T) {
	for seed := range uint64(300) {
		synctest.Test(t, func(t *testing.T) {
			s := newSchedule(t, seed, time.Hour, false)
			s.lossy = true
			s.store.lose = func() error {
				if s.dice.below(5) == 0 {
					return errFire
				}
				return nil
			}
			s.begin()
			s.tabs(false, true)
			if n := s.sessions(); n > 1 || s.nobody > 0 {
				t.Errorf("seed %d: %d sessions, %d requests saw nobody", seed, n, s.nobody)
			}
			for end := time.Now().Add(30 * time.Hour); s.jar.cookies["session"] != "" || len(s.jar.cookies) == 0; time.Sleep(10 * time.Minute) {
				if s.server[0].visit(s.jar); time.Now().After(end) {
					t.Errorf("seed %d: the old cookie is there for ever", seed)
					return
				}
			}
			if n := s.sessions(); n != 1 {
				t.Errorf("seed %d: %d sessions", seed, n)
			}
			s.over(seed, "session=tok")
		})
		if t.Failed() {
			return
		}
	}
}

// Without old servers, and without a time in which the old session is kept, a request that was under way may
// see nobody; the browser stays logged in.
func TestMovingInAtOnceSchedules(t *testing.T) {
	for seed := range uint64(300) {
		synctest.Test(t, func(t *testing.T) {
			s := newSchedule(t, seed, 0, false)
			s.tabs(false, false)
			s.server[0].visit(s.jar)
			owner := s.server[1].visit(s.jar)
			if n := s.sessions(); owner != "alice" || n != 1 {
				t.Errorf("seed %d: %q, %d sessions", seed, owner, n)
			}
			s.over(seed, "session=tok")
		})
		if t.Failed() {
			return
		}
	}
}

// A logout, here or on an old server, is one: no cookie that the browser ever had is worth anything.
func TestLogoutSchedules(t *testing.T) {
	for seed := range uint64(600) {
		synctest.Test(t, func(t *testing.T) {
			keep := []time.Duration{0, time.Hour}[seed%2]
			s := newSchedule(t, seed, keep, true)
			s.tabs(true, false)
			for cookie := range s.jar.had {
				s.over(seed, cookie)
			}
			if n := s.sessions(); n != 0 {
				t.Errorf("seed %d: %d sessions after the logout", seed, n)
			}
		})
		if t.Failed() {
			return
		}
	}
}

func (s *schedule) over(seed uint64, cookie string) {
	s.old.set("tok", "alice") // a late request of an old server has written it back
	if owner, _ := s.server[0].send("GET", cookie, nil); owner != "" {
		s.t.Errorf("seed %d: %.16s is still good for %q", seed, cookie, owner)
	}
	s.old.set("tok", "")
}

// The old session ends on an old server: the new one with it.
func TestLogoutOnAnOldServerSchedules(t *testing.T) {
	for seed := range uint64(300) {
		synctest.Test(t, func(t *testing.T) {
			s := newSchedule(t, seed, time.Hour, true)
			s.tabs(false, false)
			var all sync.WaitGroup
			all.Go(func() { s.askOld("session=tok", true) })
			all.Go(func() { s.tab(3, false, false) })
			all.Wait()
			s.server[0].visit(s.jar)
			for cookie := range s.jar.had {
				if owner, _ := s.server[1].send("GET", cookie, nil); owner != "" {
					t.Errorf("seed %d: %.16s is still good for %q", seed, cookie, owner)
				}
			}
		})
		if t.Failed() {
			return
		}
	}
}
