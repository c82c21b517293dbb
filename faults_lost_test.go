package sojourn_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/gosojourn/sojourn"
)

// ErrRefused promises that nothing was applied. Whoever has had an answer lost before cannot be promised that,
// though the store refuses by now: the first try may have been applied, or may land.
func TestRefusedBehindALostAnswerPromisesNothing(t *testing.T) {
	readOnly := fmt.Errorf("gate: read-only: %w", sojourn.ErrRefused)
	for _, x := range []struct {
		name, op string
		both     bool
		as       string // who is logged in
		do       func(s *site, ctx context.Context) error
	}{
		{"save", "update", false, "", func(s *site, ctx context.Context) error { name.Put(ctx, "x"); return s.Commit(ctx) }},
		{"renewal", "update", false, "", func(s *site, ctx context.Context) error { _ = s.Renew(ctx); return s.Commit(ctx) }},
		{"logout", "delete", false, "bob", func(s *site, ctx context.Context) error { _ = s.Logout(ctx); return s.Commit(ctx) }},
		{"revocation of one", "delete", false, "bob", func(s *site, ctx context.Context) error { return s.Revoke(ctx, "bob", s.Info(ctx).ID) }},
	} {
		t.Run(x.name, func(t *testing.T) {
			onStore(t, sojourn.Config{}, func(t *testing.T, s *site) {
				c := s.begin()
				if x.as != "" {
					c = s.beginAs(x.as)
				}
				asked := 0
				s.gate.set(func(_ context.Context, op string) error {
					if op != x.op {
						return nil
					}
					if asked++; asked == 1 {
						return errFire
					}
					return readOnly
				})
				s.ask("POST", c, nobody(func(ctx context.Context) {
					err := x.do(s, ctx)
					if !sojourn.Unavailable(err) || errors.Is(err, sojourn.ErrRefused) || asked != 2 {
						t.Errorf("after %d tries: %v; want one that is Unavailable and not ErrRefused, after 2", asked, err)
					}
				}))
			})
		})
	}
}

// The session has been written when the fence is asked for again: that this is refused says nothing of the write.
func TestRefusedFenceBehindALoginPromisesNothing(t *testing.T) {
	for _, as := range []string{"", "bob"} {
		t.Run("onto "+as, func(t *testing.T) {
			onStore(t, sojourn.Config{}, func(t *testing.T, s *site) {
				c := s.begin()
				if as != "" {
					c = s.beginAs(as)
				}
				s.gate.set(nth(2, "fence", func(context.Context) error { return fmt.Errorf("no rights: %w", sojourn.ErrRefused) }))
				s.ask("POST", c, func(w http.ResponseWriter, r *http.Request) {
					s.login("bob")(w, r)
					if err := s.Commit(r.Context()); !sojourn.Unavailable(err) || errors.Is(err, sojourn.ErrRefused) {
						t.Errorf("%v; want one that is Unavailable and not ErrRefused", err)
					}
				})
				if n := s.gate.count("update"); n == 0 {
					t.Error("nothing was written, so nothing could be uncertain")
				}
			})
		})
	}
}

// A call that has to load the session first has one StoreTimeout for that and for what it is there for.
func TestF10_LoadingIsPartOfTheTime(t *testing.T) {
	cfg := sojourn.Config{StoreTimeout: 2 * time.Second}
	for what, call := range map[string]func(s *site, ctx context.Context) error{
		"Valid":        func(s *site, ctx context.Context) error { return s.Valid(ctx) },
		"RevokeOthers": func(s *site, ctx context.Context) error { return s.RevokeOthers(ctx) },
	} {
		t.Run(what, func(t *testing.T) {
			onStore(t, cfg, func(t *testing.T, s *site) {
				c := s.beginAs("bob")
				s.gate.set(slow(1200 * time.Millisecond)) // one answer comes in time, two do not
				s.ask("GET", c, nobody(func(ctx context.Context) {
					began := time.Now()
					err := call(s, ctx)
					if took := time.Since(began); took > cfg.StoreTimeout || !sojourn.Unavailable(err) {
						t.Errorf("%v after %v, want Unavailable within StoreTimeout (%v)", err, took, cfg.StoreTimeout)
					}
					s.gate.set(nil)
				}))
			})
		})
	}
}

// A save was done and its answer lost. Before it is settled, somebody else logs in to the session, in another
// process. The save counts; what the other one has is not for this request to see.
func TestSettledSaveSeesNothingOfTheNextLogin(t *testing.T) {
	onStore(t, sojourn.Config{}, func(t *testing.T, s *site) {
		there := newSite(t, sojourn.Config{}, s.gate)
		c := s.beginAs("bob")
		next := ""
		s.gate.lose = func(string) error {
			s.gate.lose = nil
			next = there.ask("POST", c, func(w http.ResponseWriter, r *http.Request) {
				there.login("alice")(w, r)
				name.Put(r.Context(), "alice's")
			}).set
			return errFire
		}
		s.ask("POST", c, func(_ http.ResponseWriter, r *http.Request) {
			ctx := r.Context()
			count.Put(ctx, 1)
			s.commit(ctx)
			if o, n, k := s.Info(ctx).Owner, name.Get(ctx), count.Get(ctx); o != "bob" || n != "" || k != 1 {
				t.Errorf("bob's request goes on as %q, and sees %q and %d", o, n, k)
			}
			count.Put(ctx, 2)
			if err := s.Commit(ctx); !errors.Is(err, sojourn.ErrEnded) {
				t.Errorf("its next Commit: %v, want ErrEnded", err)
			}
		})
		if o, k := there.ownerOf(next), there.countOf(next); o != "alice" || k != 0 {
			t.Errorf("alice's session is %q's, and counts %d", o, k)
		}
	})
}

// A session ended under a request, whose Commit said so. What is put afterwards is nobody's, and the next login
// keeps it, whoever logs in.
func TestPutBehindErrEndedIsKeptByTheNextLogin(t *testing.T) {
	onStore(t, sojourn.Config{}, func(t *testing.T, s *site) {
		c := s.beginAs("alice")
		a := s.ask("POST", c, func(w http.ResponseWriter, r *http.Request) {
			ctx := r.Context()
			count.Put(ctx, 1)
			s.ask("POST", c, s.renew)
			if _, _, err := name.Take(ctx); !errors.Is(err, sojourn.ErrEnded) {
				t.Errorf("Take: %v, want ErrEnded", err)
			}
			name.Put(ctx, "kept")
			s.login("bob")(w, r)
		})
		if n, k := s.nameOf(a.set), s.countOf(a.set); n != "kept" || k != 0 {
			t.Errorf("bob has %q and %d, want what was put after the end, and nothing of before", n, k)
		}
	})
}

// A save was done and its answer lost. Before it is settled, a login in another process is written onto it, and taken
// back: what the visitor had descends from that save still, so it is not done twice.
func TestLostSaveUnderALoginThatIsTakenBack(t *testing.T) {
	onStore(t, sojourn.Config{}, func(t *testing.T, s *site) {
		there := newSite(t, sojourn.Config{}, s.gate)
		c := s.begin()
		s.gate.lose = func(string) error {
			s.gate.lose = nil
			fences := 0
			s.gate.set(func(_ context.Context, op string) error {
				if op == "fence" {
					if fences++; fences == 2 {
						return errFire
					}
				}
				return nil
			})
			there.ask("POST", c, nobody(func(ctx context.Context) {
				_ = there.Login(ctx, "ann")
				if err := there.Commit(ctx); !sojourn.Unavailable(err) {
					t.Errorf("the login: %v", err)
				}
			}))
			return errFire
		}
		s.ask("POST", c, func(_ http.ResponseWriter, r *http.Request) {
			count.Update(r.Context(), func(n int) int { return n + 1 })
			s.commit(r.Context())
		})
		if n, o := s.countOf(c), s.ownerOf(c); n != 1 || o != "" {
			t.Errorf("%d is counted, and the session is %q's", n, o)
		}
	})
}
