package sojourn_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gosojourn/sojourn"
)

// A bubble begins at the same moment each time, so hosts of one store whose clocks are apart are bubbles, one
// behind the other: aheadBy is how far the clock of this one has gone before the host does anything.
func host(t *testing.T, aheadBy time.Duration, do func(t *testing.T)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		time.Sleep(aheadBy)
		do(t)
	})
}

// F40: a host whose clock is years ahead revokes; the owner logs in elsewhere, at once.
func TestF40_RevokedByAHostOfTheFuture(t *testing.T) {
	for what, make := range map[string]func(t testing.TB, cfg sojourn.Config, g *gate) *site{"store": newSite, "sealed": newSealedSite} {
		t.Run(what, func(t *testing.T) {
			g := newGate()
			host(t, 3*365*24*time.Hour, func(t *testing.T) {
				s := make(t, sojourn.Config{}, g)
				s.beginAs("bob")
				if err := s.RevokeAll(t.Context(), "bob"); err != nil {
					t.Fatal(err)
				}
			})
			host(t, time.Minute, func(t *testing.T) {
				s := make(t, sojourn.Config{}, g)
				c := s.beginAs("bob")
				if o := s.ownerOf(c); o != "bob" {
					t.Errorf("the cookie of the new login is %q's", o)
				}
				// And it can be ended again.
				time.Sleep(time.Second)
				if err := s.RevokeAll(t.Context(), "bob"); err != nil || s.ownerOf(c) != "" {
					t.Errorf("RevokeAll: %v, and the cookie is %q's", err, s.ownerOf(c))
				}
			})
		})
	}
}

// F41: a login in the same instant as a RevokeAll of an earlier request logs in; one that was begun before does
// not.
func TestF41_LoginInTheInstantOfARevocation(t *testing.T) {
	inBubbles(t, sojourn.Config{}, func(t *testing.T, s *site) {
		goOn := s.during(request("POST", ""), s.login("bob"))
		for range 3 {
			if err := s.RevokeAll(t.Context(), "bob"); err != nil {
				t.Fatal(err)
			}
			c := s.beginAs("bob")
			if o := s.ownerOf(c); o != "bob" {
				t.Fatalf("the cookie of the login is %q's", o)
			}
		}
		if a := goOn(); a.set != "" {
			t.Errorf("a login begun before the revocations is done: cookie %q", a.set)
		}
	})
}

// F41: RevokeAll, then Login in the same request, in the same instant.
func TestF41_LoginBehindOnesOwnRevocation(t *testing.T) {
	inBubbles(t, sojourn.Config{}, func(t *testing.T, s *site) {
		a := s.look(s.beginAs("bob"), func(ctx context.Context) {
			if err := s.RevokeAll(ctx, "bob"); err != nil {
				t.Error(err)
			}
			if err := errors.Join(s.Login(ctx, "bob"), s.Commit(ctx)); err != nil {
				t.Error(err)
			}
		})
		if o := s.ownerOf(a.set); o != "bob" {
			t.Errorf("the cookie is %q's", o)
		}
	})
}

// F42: on a host two minutes behind, the oldest ends, and the login goes through.
func TestF42_LimitOnAHostBehind(t *testing.T) {
	g := newGate()
	cfg := sojourn.Config{MaxPerOwner: 2}
	var before []string
	host(t, 2*time.Minute, func(t *testing.T) {
		s := newSite(t, cfg, g)
		for range 2 {
			before = append(before, s.beginAs("bob"))
			time.Sleep(time.Second)
		}
	})
	host(t, 0, func(t *testing.T) {
		s := newSite(t, cfg, g)
		third := s.beginAs("bob")
		if a, b, c := s.ownerOf(before[0]), s.ownerOf(before[1]), s.ownerOf(third); a != "" || b != "bob" || c != "bob" {
			t.Errorf("of three logins in turn, of which two may be, there are %q, %q, %q", a, b, c)
		}
	})
}

// F43: List shows what lives, whatever the limit is now.
func TestF43_ListShowsWhatLives(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGate()
		wide, narrow := newSite(t, sojourn.Config{MaxPerOwner: 5}, g), newSite(t, sojourn.Config{MaxPerOwner: 2}, g)
		for range 5 {
			wide.beginAs("bob")
			time.Sleep(time.Second)
		}
		shown := func() (n int) {
			for i, err := range narrow.List(t.Context(), "bob") {
				if err != nil || i.Owner != "bob" {
					t.Errorf("%+v, %v", i, err)
				}
				n++
			}
			return n
		}
		if n := shown(); n != 5 {
			t.Errorf("List shows %d of 5 that are alive", n)
		}
		if narrow.beginAs("bob"); shown() != 2 {
			t.Errorf("after a login, List shows %d, want the limit", shown())
		}
	})
}

// F44: a clock that was put back has sessions of the future: no verdict, so no answer.
func TestF44_ClockPutBack(t *testing.T) {
	for _, method := range []string{"GET", "POST"} {
		g, c := newGate(), ""
		host(t, 3*time.Minute, func(t *testing.T) { c = newSealedSite(t, sojourn.Config{}, g).beginAs("bob") })
		host(t, time.Minute, func(t *testing.T) {
			s := newSealedSite(t, sojourn.Config{}, g)
			var err error
			a := serve(s.LoadAndSave(nobody(func(ctx context.Context) { _ = s.Login(ctx, "eve") })), request(method, c))
			serve(s.LoadAndSave(nobody(func(ctx context.Context) { err = s.Load(ctx) })), request("GET", c))
			if !sojourn.Unavailable(err) || a.set != "" || a.unset || method == "POST" && a.code != 503 {
				t.Errorf("%s: Load says %v; %d, cookie %q, deleted %v", method, err, a.code, a.set, a.unset)
			}
			time.Sleep(2 * time.Minute) // the clock is right again
			if o := s.ownerOf(c); o != "bob" {
				t.Errorf("later, the cookie is %q's", o)
			}
		})
	}
}

// F44: up to a minute, clocks of several servers may differ.
func TestF44_ClocksAMinuteApart(t *testing.T) {
	g, c := newGate(), ""
	host(t, time.Minute, func(t *testing.T) { c = newSealedSite(t, sojourn.Config{}, g).beginAs("bob") })
	host(t, time.Second, func(t *testing.T) {
		if o := newSealedSite(t, sojourn.Config{}, g).ownerOf(c); o != "bob" {
			t.Errorf("the cookie is %q's", o)
		}
	})
}
