package laws

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"testing"

	"github.com/gosojourn/sojourn"
	"github.com/gosojourn/sojourn/sojourntest"
)

// Law 1: no lost updates.
var updates = []story{
	{"P2 two requests put different keys and both stay", func(t *testing.T, store sojourn.Store) {
		s := newSite(t, store, sojourn.Config{})
		c := s.begin()
		release := s.slow("POST", c, nothing, func(ctx context.Context) { role.Put(ctx, "admin") })
		s.ask("POST", c, func(_ http.ResponseWriter, r *http.Request) { name.Put(r.Context(), "second") })
		release()
		s.look(c, func(ctx context.Context) {
			if name.Get(ctx) != "second" || role.Get(ctx) != "admin" {
				t.Errorf("name=%q role=%q, want second and admin", name.Get(ctx), role.Get(ctx))
			}
		})
	}},
	{"P2 two hundred keys at once all stay", func(t *testing.T, store sojourn.Store) {
		s := newSite(t, store, sojourn.Config{})
		c := s.begin()
		key := func(i int) sojourn.Key[int] { return sojourn.NewKey[int](fmt.Sprint("key", i)) }
		s.atOnce(200, c, func(ctx context.Context, i int) { key(i).Put(ctx, i) })
		s.look(c, func(ctx context.Context) {
			lost := 0
			for i := range 200 {
				if v, ok := key(i).Lookup(ctx); !ok || v != i {
					lost++
				}
			}
			if lost > 0 {
				t.Errorf("%d of 200 keys were lost", lost)
			}
		})
	}},
	{"P2 two hundred increments at once count two hundred", func(t *testing.T, store sojourn.Store) {
		s := newSite(t, store, sojourn.Config{})
		c := s.begin()
		s.atOnce(200, c, func(ctx context.Context, _ int) { count.Update(ctx, plusOne) })
		s.wantCount(c, 200)
	}},
	{"P2 two processes count two hundred together", func(t *testing.T, store sojourn.Store) {
		// Two managers share nothing but the store; see also the test that starts real processes.
		a, b := newSite(t, store, sojourn.Config{}), newSite(t, store, sojourn.Config{})
		c := a.begin()
		var wg sync.WaitGroup
		for _, s := range []*site{a, b} {
			wg.Go(func() { s.atOnce(100, c, func(ctx context.Context, _ int) { count.Update(ctx, plusOne) }) })
		}
		wg.Wait()
		a.wantCount(c, 200)
	}},
	{"one key is last-writer-wins", func(t *testing.T, store sojourn.Store) {
		s := newSite(t, store, sojourn.Config{})
		c := s.begin()
		release := s.slow("POST", c, nothing, func(ctx context.Context) { name.Put(ctx, "late") })
		s.ask("POST", c, func(_ http.ResponseWriter, r *http.Request) { name.Put(r.Context(), "early") })
		release()
		if v := s.nameOf(c); v != "late" {
			t.Errorf("name = %q, want the last writer's", v)
		}
	}},
	{"a replayed Pop leaves what came meanwhile", func(t *testing.T, store sojourn.Store) {
		s := newSite(t, store, sojourn.Config{})
		c := s.begin()
		s.ask("POST", c, func(_ http.ResponseWriter, r *http.Request) {
			sojourn.Append(r.Context(), notes, "one", "two")
			role.Put(r.Context(), "guest")
		})
		var popped []string
		release := s.slow("POST", c, func(ctx context.Context) {
			popped = notes.Pop(ctx)
			name.Pop(ctx)
			role.Pop(ctx)
		}, nothing)
		s.ask("POST", c, func(_ http.ResponseWriter, r *http.Request) {
			sojourn.Append(r.Context(), notes, "three")
			name.Put(r.Context(), "newer")
		})
		release()
		if fmt.Sprint(popped) != "[one two]" {
			t.Errorf("Pop returned %q", popped)
		}
		s.look(c, func(ctx context.Context) {
			if n, ok := notes.Lookup(ctx); fmt.Sprint(n) != "[three]" || !ok {
				t.Errorf("notes = %q, want the one that was appended meanwhile", n)
			}
			if name.Get(ctx) != "newer" {
				t.Errorf("name = %q, want the newer one", name.Get(ctx))
			}
			if _, ok := role.Lookup(ctx); ok {
				t.Error("role was popped and is still there")
			}
		})
	}},
	{"appends at once all stay", func(t *testing.T, store sojourn.Store) {
		s := newSite(t, store, sojourn.Config{})
		c := s.begin()
		s.atOnce(50, c, func(ctx context.Context, i int) { sojourn.Append(ctx, notes, fmt.Sprint(i)) })
		s.look(c, func(ctx context.Context) {
			if n := len(notes.Get(ctx)); n != 50 {
				t.Errorf("%d of 50 notes are there", n)
			}
		})
	}},
	{"Take gives the value to exactly one", func(t *testing.T, store sojourn.Store) {
		a, b := newSite(t, store, sojourn.Config{}), newSite(t, store, sojourn.Config{})
		c := a.begin()
		var mu sync.Mutex
		got := 0
		take := func(ctx context.Context, _ int) {
			v, ok, err := name.Take(ctx)
			mu.Lock()
			defer mu.Unlock()
			if err != nil && !(a.visitors && errors.Is(err, sojourn.ErrEnded)) { // the session has moved with who was first
				t.Errorf("Take: %v", err)
			}
			if ok && v == "first" {
				got++
			} else if ok || v != "" {
				t.Errorf("Take returned %q, %v", v, ok)
			}
		}
		var wg sync.WaitGroup
		wg.Go(func() { a.atOnce(20, c, take) })
		wg.Go(func() { b.atOnce(20, c, take) })
		wg.Wait()
		if got != 1 {
			t.Errorf("%d requests took the value, want 1", got)
		}
	}},
	{"a lost answer is settled by the version, not by doing it again", func(t *testing.T, store sojourn.Store) {
		f := &sojourntest.FaultyStore{Store: store}
		s := newSite(t, f, sojourn.Config{})
		c := s.begin()
		for range 5 {
			f.LoseReply(errors.New("connection reset by peer"))
			if a := s.ask("POST", c, func(_ http.ResponseWriter, r *http.Request) { count.Update(r.Context(), plusOne) }); a.Code != 200 {
				t.Errorf("status %d, want 200: the save took effect", a.Code)
			}
		}
		s.wantCount(c, 5)
	}},
	{"a lost answer while others write is counted once", func(t *testing.T, store sojourn.Store) {
		f := &sojourntest.FaultyStore{Store: store}
		a, b := newSite(t, f, sojourn.Config{}), newSite(t, store, sojourn.Config{})
		c := a.begin()
		var wg sync.WaitGroup
		var mu sync.Mutex
		counted := 0
		for _, s := range []*site{a, b} {
			wg.Go(func() {
				for range 40 {
					if s == a {
						f.LoseReply(errors.New("connection reset by peer"))
					}
					code := s.ask("POST", c, func(_ http.ResponseWriter, r *http.Request) { count.Update(r.Context(), plusOne) }).Code
					mu.Lock()
					if code == 200 {
						counted++
					}
					mu.Unlock()
				}
			})
		}
		wg.Wait()
		// Who was told 503 may have counted: more than eight other writes came between. Nobody counts twice.
		a.look(c, func(ctx context.Context) {
			if n := count.Get(ctx); n < counted || n > 80 || counted < 72 {
				t.Errorf("counted %d, of 80 requests %d were told that they counted", n, counted)
			}
		})
	}},
	{"a lost answer behind which others have written is counted once, or not at all and said", func(t *testing.T, store sojourn.Store) {
		for others, told := range map[int]int{1: 200, 8: 200, 12: 503} {
			lost := &overtaken{Store: store}
			a, b := newSite(t, lost, sojourn.Config{}), newSite(t, store, sojourn.Config{})
			c := a.begin()
			increment := func(_ http.ResponseWriter, r *http.Request) { count.Update(r.Context(), plusOne) }
			lost.then = func() {
				for range others {
					b.ask("POST", c, increment)
				}
			}
			if code := a.ask("POST", c, increment).Code; code != told {
				t.Errorf("with %d others: status %d, want %d", others, code, told)
			}
			b.wantCount(c, others+1)
		}
	}},
	{"a lost answer to the first write begins one session", func(t *testing.T, store sojourn.Store) {
		f := &sojourntest.FaultyStore{Store: store}
		s := newSite(t, f, sojourn.Config{})
		f.LoseReply(errors.New("connection reset by peer"))
		if v := s.nameOf(s.begin()); v != "first" {
			t.Errorf("name = %q", v)
		}
	}},
	{"an Update function that panics takes nobody else with it", func(t *testing.T, store sojourn.Store) {
		s := newSite(t, store, sojourn.Config{})
		c := s.begin()
		var mu sync.Mutex
		panics := 0
		func() {
			s.atOnce(40, c, func(ctx context.Context, i int) {
				if i%10 != 0 {
					count.Update(ctx, plusOne)
					return
				}
				defer func() {
					if recover() != nil {
						mu.Lock()
						panics++
						mu.Unlock()
					}
				}()
				calls := 0
				role.Update(ctx, func(string) string {
					if calls++; calls > 1 {
						panic("second thoughts")
					}
					return "x"
				})
				_ = s.Commit(ctx)
			})
		}()
		s.wantCount(c, 36)
		t.Logf("%d of 4 met a conflict and panicked", panics)
	}},
}

func plusOne(n int) int { return n + 1 }

// atOnce sends n requests together, each running fn.
func (s *site) atOnce(n int, cookie string, fn func(ctx context.Context, i int)) {
	s.t.Helper()
	var wg sync.WaitGroup
	start := make(chan struct{})
	for i := range n {
		wg.Go(func() {
			<-start
			if a := s.ask("POST", cookie, func(_ http.ResponseWriter, r *http.Request) { fn(r.Context(), i) }); a.Code != 200 {
				s.t.Errorf("request %d was answered %d", i, a.Code)
			}
		})
	}
	close(start)
	wg.Wait()
}

func (s *site) wantCount(cookie string, want int) {
	s.t.Helper()
	s.look(cookie, func(ctx context.Context) {
		if n := count.Get(ctx); n != want {
			s.t.Errorf("counted %d, want %d", n, want)
		}
	})
}

// overtaken applies the next Update, lets others write, and then loses the answer.
type overtaken struct {
	sojourn.Store
	then func()
}

func (o *overtaken) Update(ctx context.Context, r sojourn.Record, version uint64) error {
	err := o.Store.Update(ctx, r, version)
	if then := o.then; then != nil && err == nil {
		o.then = nil
		then()
		return errors.New("connection reset by peer")
	}
	return err
}
