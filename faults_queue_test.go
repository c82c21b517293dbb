package sojourn_test

import (
	"context"
	"net/http"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/gosojourn/sojourn"
)

// A queueing is what a story of the save queue needs: requests that enter it one behind the other.
type queueing struct {
	*site
	all sync.WaitGroup
}

// enters has a request go on in the background, until it waits in the queue or for the store.
func (q *queueing) enters(goOn func() reply, into *reply) {
	q.all.Go(func() { *into = goOn() })
	synctest.Wait()
}

// A request that has loaded the session after a login is not judged by what an older one ahead of it knows.
func TestQueueNewTokenBehindAnOlderRequest(t *testing.T) {
	onStore(t, sojourn.Config{}, func(t *testing.T, s *site) {
		q := queueing{site: s}
		c := s.begin()
		first, older := s.during(request("POST", c), putName), s.during(request("POST", c), putName)
		now := s.ask("POST", c, s.login("bob")).set

		// The first is held up, and then fails so that nobody knows what the record is.
		release, held, fails := make(chan struct{}), true, 0
		s.gate.set(func(_ context.Context, op string) error {
			switch {
			case op == "update" && held:
				held = false
				<-release
				fails = 5 // as often as it looks
				return errFire
			case op == "load" && fails > 0:
				fails--
				return errFire
			}
			return nil
		})
		var a, b, newer reply
		q.enters(first, &a)
		q.enters(older, &b)
		q.enters(func() reply {
			return s.ask("POST", now, nobody(func(ctx context.Context) {
				state.Put(ctx, "newer")
				if err := s.Commit(ctx); err != nil {
					t.Errorf("under the new token: %v", err)
				}
			}))
		}, &newer)
		close(release)
		q.all.Wait()
		s.gate.set(nil)
		if a.code != 503 || newer.code != 200 {
			t.Errorf("the first is answered %d, want 503; the newer %d, want 200", a.code, newer.code)
		}
		s.look(now, func(ctx context.Context) {
			if v, n := state.Get(ctx), name.Get(ctx); v != "newer" || n != "first" {
				t.Errorf("the session holds %q and %q; the newer request's change is lost, or an older one's is there", v, n)
			}
		})
	})
}

// A head is handed what the one before it wrote, and has itself loaded what came after that: it asks the store.
func TestQueueHeadKnowsLessThanItsRequest(t *testing.T) {
	onStore(t, sojourn.Config{}, func(t *testing.T, s *site) {
		q, elsewhere := queueing{site: s}, newSite(t, sojourn.Config{}, s.gate)
		c := s.begin()
		release, held := make(chan struct{}), true
		s.gate.mu.Lock()
		s.gate.lose = func(op string) error { // the write is done, and its answer on the way
			if op == "update" && held {
				held = false
				<-release
			}
			return nil
		}
		s.gate.mu.Unlock()
		var first, newer reply
		q.enters(func() reply { return s.ask("POST", c, putName) }, &first)
		now := elsewhere.ask("POST", c, elsewhere.login("bob")).set
		q.enters(func() reply {
			return s.ask("POST", now, func(_ http.ResponseWriter, r *http.Request) {
				state.Put(r.Context(), "newer")
				if err := s.Commit(r.Context()); err != nil {
					t.Errorf("under the new token: %v", err)
				}
			})
		}, &newer)
		close(release)
		q.all.Wait()
		s.look(now, func(ctx context.Context) {
			if v, n := state.Get(ctx), name.Get(ctx); v != "newer" || n != "gopher" {
				t.Errorf("the session holds %q and %q, want both changes", v, n)
			}
		})
	})
}

// The same where what is known holds nothing to change: that is no reason to say that nothing is there. What was not
// written was not compared, so it is looked at first whether the record is older than what the request has loaded.
func TestQueueNothingToChangeInAnOlderRecord(t *testing.T) {
	for what, h := range map[string]func(t *testing.T, ctx context.Context){
		"Delete": func(_ *testing.T, ctx context.Context) { state.Delete(ctx) },
		"Take": func(t *testing.T, ctx context.Context) {
			if v, there, err := state.Take(ctx); v != "newer" || !there || err != nil {
				t.Errorf("Take: %q, %v, %v; want what was put before the request began", v, there, err)
			}
		},
	} {
		for _, shared := range []bool{false, true} {
			t.Run(what, func(t *testing.T) {
				onStore(t, sojourn.Config{}, func(t *testing.T, s *site) {
					q, elsewhere := queueing{site: s}, newSite(t, sojourn.Config{}, s.gate)
					c := s.begin()
					release, held := make(chan struct{}), true
					s.gate.mu.Lock()
					s.gate.lose = func(op string) error {
						if op == "update" && held {
							held = false
							<-release
						}
						return nil
					}
					s.gate.mu.Unlock()
					var first, nothing, newer reply
					q.enters(func() reply { return s.ask("POST", c, putName) }, &first)
					if shared { // one that has nothing to change goes ahead, and takes the other along
						q.enters(func() reply { return s.ask("POST", c, nobody(func(ctx context.Context) { count.Delete(ctx) })) }, &nothing)
					}
					elsewhere.ask("POST", c, nobody(func(ctx context.Context) { state.Put(ctx, "newer") }))
					q.enters(func() reply { return s.ask("POST", c, nobody(func(ctx context.Context) { h(t, ctx) })) }, &newer)
					close(release)
					q.all.Wait()
					if newer.code != 200 {
						t.Errorf("it is answered %d", newer.code)
					}
					s.look(c, func(ctx context.Context) {
						if v := state.Get(ctx); v != "" {
							t.Errorf("%q is still there", v)
						}
					})
				})
			})
		}
	}
}
