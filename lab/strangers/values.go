package strangers

import (
	"context"
	"slices"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/gosojourn/sojourn"
)

// values: what is popped, taken and appended.
var values = []story{
	{"F51 Pop removes what it returned, not its equal", func(t *testing.T, s *site) {
		s.with(sojourn.Config{})
		saved := do(func(ctx context.Context) { sojourn.Append(ctx, notes, "Saved.") })
		pop := func(ctx context.Context) { notes.Pop(ctx) }
		c := s.ask("POST", "", saved).set
		goOn := s.during("POST", c, pop)
		s.ask("POST", c, do(pop))
		s.ask("POST", c, saved)
		goOn()
		s.look(c, func(ctx context.Context) {
			if v := notes.Get(ctx); !slices.Equal(v, []string{"Saved."}) {
				t.Errorf("the third's is gone: %q", v)
			}
		})
	}},
	{"F52 a thousand Appends arrive", func(t *testing.T, s *site) {
		s.with(sojourn.Config{})
		c := s.begin()
		a := s.ask("POST", c, do(func(ctx context.Context) {
			for range 1000 {
				sojourn.Append(ctx, notes, "a line of a log")
			}
		}))
		s.look(c, func(ctx context.Context) {
			if n := len(notes.Get(ctx)); a.code != 200 || n != 1000 {
				t.Errorf("%d of 1000 are there, answered %d", n, a.code)
			}
		})
	}},
	{"Take gives it to one", func(t *testing.T, s *site) {
		s.with(sojourn.Config{})
		for range 5 {
			c := s.ask("POST", "", do(func(ctx context.Context) { state.Put(ctx, "once") })).set
			var got atomic.Int32
			var all sync.WaitGroup
			for range 20 {
				all.Go(func() {
					s.ask("POST", c, do(func(ctx context.Context) {
						switch v, ok, err := state.Take(ctx); {
						case err != nil:
							t.Errorf("Take: %v", err)
						case ok && v == "once":
							got.Add(1)
						}
					}))
				})
			}
			if all.Wait(); got.Load() != 1 {
				t.Errorf("%d of 20 have taken it", got.Load())
			}
		}
	}},
	{"Take gives to nobody what a slow request has seen", func(t *testing.T, s *site) {
		s.with(sojourn.Config{})
		c := s.ask("POST", "", do(func(ctx context.Context) { state.Put(ctx, "once") })).set
		taken := false
		goOn := s.during("GET", c, func(ctx context.Context) { _, taken, _ = state.Take(ctx) })
		s.ask("POST", c, do(func(ctx context.Context) { _, _, _ = state.Take(ctx) }))
		if goOn(); taken {
			t.Error("it is taken twice")
		}
	}},
}
