package sojourn_test

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gosojourn/sojourn"
)

// The tests named TestH… each fail on a change of the code that the other tests did not notice; lab/mutants
// makes these changes and looks.

// behindAHead sends requests that queue behind a save which the store holds up, in the order given, lets the
// store answer, and returns what became of them.
func (s *site) behindAHead(c string, handlers ...http.HandlerFunc) (replies []reply) {
	s.t.Helper()
	replies = make([]reply, len(handlers))
	var all sync.WaitGroup
	release, held := make(chan struct{}), true
	s.gate.set(func(_ context.Context, op string) error {
		if op == "update" && held {
			held = false
			<-release
		}
		return nil
	})
	for i, h := range append([]http.HandlerFunc{func(_ http.ResponseWriter, r *http.Request) { state.Put(r.Context(), "the head's") }}, handlers...) {
		all.Go(func() {
			a := s.ask("POST", c, h)
			if i > 0 {
				replies[i-1] = a
			}
		})
		synctest.Wait() // it is in its place
	}
	close(release)
	all.Wait()
	s.gate.set(nil)
	return replies
}

// H: a login in the queue is nobody's passenger, or the token from before it would be logged in.
func TestH_LoginSharesNoWrite(t *testing.T) {
	onStore(t, sojourn.Config{}, func(t *testing.T, s *site) {
		for what, change := range map[string]http.HandlerFunc{"Login": s.login("bob"), "Renew": s.renew, "Remember": func(_ http.ResponseWriter, r *http.Request) {
			s.Remember(r.Context(), true)
		}} {
			c := s.begin()
			a := s.behindAHead(c, putName, change, putName)
			if o, n := s.ownerOf(c), s.nameOf(c); o != "" || n != "" {
				t.Errorf("%s: the token from before it is %q's, and reads %q", what, o, n)
			}
			if a[1].set == "" || s.nameOf(a[1].set) != "gopher" || what == "Login" && s.ownerOf(a[1].set) != "bob" {
				t.Errorf("%s: cookie %q reads %q", what, a[1].set, s.nameOf(a[1].set))
			}
		}
	})
}

// H: whoever waits is handed the queue, however long it is.
func TestH_NobodyIsForgottenInTheQueue(t *testing.T) {
	onStore(t, sojourn.Config{}, func(t *testing.T, s *site) {
		c := s.begin()
		began := time.Now()
		replies := s.behindAHead(c, s.login("ann"), s.login("bob"), s.login("carol"), s.login("dave"))
		for i, a := range replies {
			if a.code != 200 || a.set == "" || s.ownerOf(a.set) == "" {
				t.Errorf("the %d. in the queue is answered %d, cookie %q", i+1, a.code, a.set)
			}
		}
		if took := time.Since(began); took >= time.Second {
			t.Errorf("somebody waited for %v", took)
		}
	})
}

// failing is a key whose value encodes as often as it says.
type failing struct{ left *int }

func (f failing) Encode(v int) ([]byte, error) {
	if *f.left--; *f.left < 0 {
		return nil, errors.New("it does not encode any more")
	}
	return []byte{byte(v)}, nil
}
func (failing) Decode(b []byte) (int, error) { return int(b[0]), nil }

// H: a save that fails while it shares a write leaves nothing of itself there.
func TestH_FailedMemberLeavesNothing(t *testing.T) {
	for _, first := range []bool{false, true} {
		onStore(t, sojourn.Config{}, func(t *testing.T, s *site) {
			left := 1 // it encodes in the handler, and not at the replay
			key := sojourn.NewCodecKey("failing", sojourn.Codec[int](failing{&left}))
			fails := func(_ http.ResponseWriter, r *http.Request) {
				name.Put(r.Context(), "of the one that fails")
				key.Update(r.Context(), plusOne)
			}
			counts := func(_ http.ResponseWriter, r *http.Request) { count.Update(r.Context(), plusOne) }
			c := s.begin()
			handlers := []http.HandlerFunc{counts, fails, counts}
			if first {
				handlers = []http.HandlerFunc{fails, counts, counts}
			}
			replies := s.behindAHead(c, handlers...)
			failed := 0
			for _, a := range replies {
				if a.code != 200 {
					failed++
				}
			}
			if n, v := s.nameOf(c), s.countOf(c); failed != 1 || n != "first" || v != 2 {
				t.Errorf("%d failed; the session says %q and counts %d, want what the others did alone", failed, n, v)
			}
			s.look(c, func(ctx context.Context) {
				if v, ok := key.Lookup(ctx); ok {
					t.Errorf("what failed is there: %d", v)
				}
			})
		})
	}
}

// H: what a request has put before another's login is not read behind it.
func TestH_NothingIsReadThroughAnothersLogin(t *testing.T) {
	onBoth(t, sojourn.Config{}, func(t *testing.T, s *site) {
		c := s.ask("POST", "", func(w http.ResponseWriter, r *http.Request) { putName(w, r); s.login("bob")(w, r) }).set
		a := s.ask("POST", c, func(w http.ResponseWriter, r *http.Request) {
			ctx := r.Context()
			state.Put(ctx, "bob's")
			sojourn.Append(ctx, list, "bob's")
			s.login("alice")(w, r)
			if n, v, l := name.Get(ctx), state.Get(ctx), list.Get(ctx); n != "" || v != "" || l != nil {
				t.Errorf("behind the login, alice reads %q, %q, %q", n, v, l)
			}
			name.Update(ctx, func(old string) string { return old + "alice's" })
			sojourn.Append(ctx, list, "alice's")
			if v, l := name.Get(ctx), list.Get(ctx); v != "alice's" || len(l) != 1 {
				t.Errorf("what she makes of it is %q, %q", v, l)
			}
		})
		s.look(a.set, func(ctx context.Context) {
			if n, v, l := name.Get(ctx), state.Get(ctx), list.Get(ctx); n != "alice's" || v != "" || len(l) != 1 {
				t.Errorf("later, alice reads %q, %q, %q", n, v, l)
			}
		})
	})
}

// H: a login as another begins anew: neither the age nor being remembered is handed on.
func TestH_LoginAsAnotherBeginsAnew(t *testing.T) {
	cfg := sojourn.Config{Lifetime: 10 * time.Hour, IdleTimeout: 5 * time.Hour, RememberFor: 100 * time.Hour}
	inBubbles(t, cfg, func(t *testing.T, s *site) {
		c := s.ask("POST", "", func(w http.ResponseWriter, r *http.Request) { s.login("bob")(w, r); s.Remember(r.Context(), true) }).set
		time.Sleep(time.Hour)
		a := s.ask("POST", c, s.login("alice"))
		s.look(a.set, func(ctx context.Context) {
			i, now := s.Info(ctx), time.Now()
			if i.Remembered || !i.Created.Equal(now) || !i.Deadline.Equal(now.Add(10*time.Hour)) {
				t.Errorf("alice's session: remembered %v, created %v, until %v; it is %v", i.Remembered, i.Created, i.Deadline, now)
			}
		})
		if strings.Contains(a.header.Get("Set-Cookie"), "Max-Age") {
			t.Errorf("her cookie outlives the browser: %q", a.header.Get("Set-Cookie"))
		}
		// As the same, all of it stays but the deadline.
		time.Sleep(time.Hour)
		created := time.Now().Add(-time.Hour)
		a = s.ask("POST", a.set, func(w http.ResponseWriter, r *http.Request) { s.Remember(r.Context(), true); s.login("alice")(w, r) })
		s.look(a.set, func(ctx context.Context) {
			if i := s.Info(ctx); !i.Remembered || !i.Created.Equal(created) || !i.Deadline.Equal(time.Now().Add(100*time.Hour)) {
				t.Errorf("alice again: %+v", i)
			}
		})
	})
}

// H: to be forgotten may shorten a session's life, and never lengthens it.
func TestH_ForgettingExtendsNothing(t *testing.T) {
	cfg := sojourn.Config{Lifetime: 10 * time.Hour, IdleTimeout: 5 * time.Hour, RememberFor: 12 * time.Hour}
	inBubbles(t, cfg, func(t *testing.T, s *site) {
		c := s.ask("POST", "", func(w http.ResponseWriter, r *http.Request) { s.login("bob")(w, r); s.Remember(r.Context(), true) }).set
		time.Sleep(8 * time.Hour) // four are left, and Lifetime is ten
		deadline := time.Now().Add(4 * time.Hour)
		a := s.ask("POST", c, nobody(func(ctx context.Context) { s.Remember(ctx, false) }))
		s.look(a.set, func(ctx context.Context) {
			if i := s.Info(ctx); i.Remembered || !i.Deadline.Equal(deadline) {
				t.Errorf("forgotten, the session lives until %v, want %v as before", i.Deadline, deadline)
			}
		})
		// A long life becomes a short one.
		c = s.ask("POST", "", func(w http.ResponseWriter, r *http.Request) { s.login("bob")(w, r); s.Remember(r.Context(), true) }).set
		a = s.ask("POST", c, nobody(func(ctx context.Context) { s.Remember(ctx, false) }))
		s.look(a.set, func(ctx context.Context) {
			if i := s.Info(ctx); !i.Deadline.Equal(time.Now().Add(10 * time.Hour)) {
				t.Errorf("forgotten at once, it lives until %v", i.Deadline)
			}
		})
	})
}

// H: RequireFresh takes its word.
func TestH_FreshIsAsFreshAsAskedFor(t *testing.T) {
	inBubbles(t, sojourn.Config{}, func(t *testing.T, s *site) {
		c := s.beginAs("bob")
		stale := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusForbidden) })
		next := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) })
		h := s.RequireFresh(10*time.Minute, stale)(next)
		want := func(code int) {
			t.Helper()
			if a := s.ask("POST", c, h.ServeHTTP); a.code != code {
				t.Errorf("%d, want %d", a.code, code)
			}
		}
		time.Sleep(10 * time.Minute)
		want(http.StatusNoContent)
		time.Sleep(time.Millisecond)
		want(http.StatusForbidden)
	})
}

// H: of sealed sessions, the fence ends those below it, and none that has it.
func TestH_SealedFenceIsExact(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSealedSite(t, sojourn.Config{}, newGate())
		for range 3 { // in one instant, so that each fence is the last one and one more
			if err := s.RevokeAll(t.Context(), "bob"); err != nil {
				t.Fatal(err)
			}
			c := s.beginAs("bob")
			for _, method := range []string{"GET", "POST"} {
				owner := ""
				s.ask(method, c, nobody(func(ctx context.Context) { owner = s.Info(ctx).Owner }))
				if owner != "bob" {
					t.Errorf("%s: a login behind the revocation is %q's", method, owner)
				}
			}
			valid := func() (err error) { s.look(c, func(ctx context.Context) { err = s.Valid(ctx) }); return err }
			if err := valid(); err != nil {
				t.Errorf("Valid: %v", err)
			}
			goOn := s.during(request("POST", c), nobody(func(ctx context.Context) {
				if err := s.Valid(ctx); !errors.Is(err, sojourn.ErrEnded) {
					t.Errorf("Valid, of one that was revoked: %v", err)
				}
			}))
			if err := s.RevokeAll(t.Context(), "bob"); err != nil {
				t.Fatal(err)
			}
			if goOn(); s.ownerOf(c) != "" {
				t.Errorf("revoked, it is %q's", s.ownerOf(c))
			}
		}
	})
}

// H: of two seals of one session, the newer counts, wherever it stands.
func TestH_NewerSealCounts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSealedSite(t, sojourn.Config{}, newGate())
		old := s.begin()
		time.Sleep(time.Second)
		now := s.ask("POST", old, putName).or(old)
		for _, both := range []string{old + "; " + now, now + "; " + old} {
			if n := s.nameOf(both); n != "gopher" {
				t.Errorf("of both copies, the one that says %q counts", n)
			}
		}
	})
}

// H: whoever asks again asks for the token too: a session that goes on under another is not this request's.
func TestH_ConfirmAsksForTheToken(t *testing.T) {
	inBubbles(t, sojourn.Config{}, func(t *testing.T, s *site) {
		for what, change := range map[string]http.HandlerFunc{"Renew": s.renew, "Login": s.login("bob")} {
			c := s.beginAs("bob")
			goOn := s.during(request("POST", c), func(w http.ResponseWriter, r *http.Request) {
				if err := s.Valid(r.Context()); !errors.Is(err, sojourn.ErrEnded) {
					t.Errorf("%s: Valid: %v, want ErrEnded", what, err)
				}
				stale := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusForbidden) })
				if a := serve(s.RequireFresh(time.Hour, stale)(http.NotFoundHandler()), r); a.code != http.StatusForbidden {
					t.Errorf("%s: RequireFresh: %d", what, a.code)
				}
				if err := s.RevokeOthers(r.Context()); !errors.Is(err, sojourn.ErrEnded) {
					t.Errorf("%s: RevokeOthers: %v, want ErrEnded", what, err)
				}
			})
			now := s.ask("POST", c, change).set
			if goOn(); s.ownerOf(now) != "bob" {
				t.Errorf("%s: the new token is %q's", what, s.ownerOf(now))
			}
		}
	})
}

// H: nothing is stored for a visitor who has left before a token could reach him.
func TestH_NoSessionForOneWhoHasLeft(t *testing.T) {
	s := newSite(t, sojourn.Config{}, newGate())
	for what, h := range map[string]http.HandlerFunc{"Put": putName, "Login": s.login("bob")} {
		s.gate.set(nil)
		s.over("POST", "", ends["the client has left"].end, h)
		if n := s.gate.count("create"); n != 0 {
			t.Errorf("%s: %d sessions are begun for nobody", what, n)
		}
	}
}

// H: a result that was computed on what is no longer so is computed again.
func TestH_UpdateRunsAgainOnANewerBase(t *testing.T) {
	onStore(t, sojourn.Config{}, func(t *testing.T, s *site) {
		elsewhere := newSite(t, sojourn.Config{}, s.gate)
		c := s.begin()
		release, held := make(chan struct{}), true
		s.ask("POST", c, nobody(func(ctx context.Context) {
			s.gate.set(func(_ context.Context, op string) error {
				if op == "update" && held {
					held = false
					<-release
				}
				return nil
			})
			name.Put(ctx, "second")
			done := make(chan error)
			go func() { done <- s.Commit(ctx) }()
			synctest.Wait()
			count.Update(ctx, plusOne) // computed on what was loaded, while the Commit waits
			elsewhere.ask("POST", c, nobody(func(ctx context.Context) { count.Update(ctx, func(n int) int { return n + 10 }) }))
			close(release)
			if err := <-done; err != nil {
				t.Error(err)
			}
		}))
		if n := s.countOf(c); n != 11 {
			t.Errorf("counts %d, want 11: an increment is lost", n)
		}
	})
}
