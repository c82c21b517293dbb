package sojourn_test

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/gosojourn/sojourn"
)

// Clear removes what was there and what this request has put so far; the owner, the token and the limits stay.
func TestClearKeepsTheSession(t *testing.T) {
	onBoth(t, sojourn.Config{}, func(t *testing.T, s *site) {
		c := s.ask("POST", "", func(w http.ResponseWriter, r *http.Request) { putName(w, r); s.login("bob")(w, r) }).set
		before := s.infoOf(c)
		a := s.look(c, func(ctx context.Context) {
			count.Put(ctx, 7)
			s.Clear(ctx)
			if name.Get(ctx) != "" || count.Get(ctx) != 0 || len(s.Names(ctx)) != 0 {
				t.Errorf("after Clear there is %q", s.Names(ctx))
			}
			count.Put(ctx, 8)
		})
		if !s.sealed && a.set != "" {
			t.Error("Clear has sent a token")
		}
		c = a.or(c)
		after := s.infoOf(c)
		if s.nameOf(c) != "" || s.countOf(c) != 8 {
			t.Errorf("kept name %q and count %d, want nothing and 8", s.nameOf(c), s.countOf(c))
		}
		if after.Owner != "bob" || after.ID != before.ID || !after.Deadline.Equal(before.Deadline) {
			t.Errorf("Clear has changed the session: %+v, before %+v", after, before)
		}
	})
}

func (s *site) infoOf(cookie string) (i sojourn.Info) {
	s.t.Helper()
	s.look(cookie, func(ctx context.Context) { i = s.Info(ctx) })
	return i
}

// A visitor who clears nothing stores nothing, whatever was put before.
func TestClearBeginsNothing(t *testing.T) {
	onBoth(t, sojourn.Config{}, func(t *testing.T, s *site) {
		for what, do := range map[string]func(ctx context.Context){
			"alone":        s.Clear,
			"behind a Put": func(ctx context.Context) { name.Put(ctx, "x"); s.Clear(ctx) },
			"with a Limit": func(ctx context.Context) { s.Clear(ctx); s.Limit(ctx, time.Hour) },
		} {
			if a := s.look("", do); a.set != "" {
				t.Errorf("%s: a session was begun", what)
			}
		}
		if s.look("", func(ctx context.Context) { s.Clear(ctx); name.Put(ctx, "x") }).set == "" {
			t.Error("what is put after Clear begins no session")
		}
	})
}

// Made again on a newer record, Clear removes what another request has put meanwhile, and what this one has put
// behind it stays.
func TestClearIsMadeAgain(t *testing.T) {
	s := newSite(t, sojourn.Config{}, newGate())
	c := s.begin()
	goOn := s.during(request("POST", c), func(_ http.ResponseWriter, r *http.Request) {
		s.Clear(r.Context())
		sojourn.Append(r.Context(), flashes, "cleared")
	})
	s.look(c, func(ctx context.Context) { count.Put(ctx, 5); sojourn.Append(ctx, flashes, "earlier") })
	goOn()
	s.look(c, func(ctx context.Context) {
		if got := fmt.Sprint(s.Names(ctx), flashes.Get(ctx)); got != "[flashes] [cleared]" {
			t.Errorf("there is %s", got)
		}
	})
}

var flashes = sojourn.NewKey[[]string]("flashes")

// Names lists what Lookup finds, as each verb leaves it.
func TestNamesAreWhatLookupFinds(t *testing.T) {
	onBoth(t, sojourn.Config{}, func(t *testing.T, s *site) {
		c := s.ask("POST", "", func(w http.ResponseWriter, r *http.Request) { putName(w, r); s.login("bob")(w, r) }).set
		for what, x := range map[string]struct {
			do   func(ctx context.Context)
			want []string
		}{
			"nothing":       {func(context.Context) {}, []string{"name"}},
			"a value":       {func(ctx context.Context) { count.Put(ctx, 0) }, []string{"count", "name"}},
			"an update":     {func(ctx context.Context) { count.Update(ctx, plusOne) }, []string{"count", "name"}},
			"an append":     {func(ctx context.Context) { sojourn.Append(ctx, flashes, "x") }, []string{"flashes", "name"}},
			"append, pop":   {func(ctx context.Context) { sojourn.Append(ctx, flashes, "x"); flashes.Pop(ctx) }, []string{"name"}},
			"a pop":         {func(ctx context.Context) { name.Pop(ctx) }, nil},
			"pop and put":   {func(ctx context.Context) { name.Pop(ctx); name.Put(ctx, "y") }, []string{"name"}},
			"a delete":      {func(ctx context.Context) { name.Delete(ctx) }, nil},
			"clear and put": {func(ctx context.Context) { s.Clear(ctx); count.Put(ctx, 1) }, []string{"count"}},
			"a logout":      {func(ctx context.Context) { _ = s.Logout(ctx) }, nil},
			"login again":   {func(ctx context.Context) { _ = s.Login(ctx, "bob") }, []string{"name"}},
			"another login": {func(ctx context.Context) { _ = s.Login(ctx, "eve"); count.Put(ctx, 1) }, []string{"count"}},
		} {
			s.during(request("GET", c), func(_ http.ResponseWriter, r *http.Request) {
				ctx := r.Context()
				x.do(ctx)
				got := s.Names(ctx)
				if !slices.Equal(got, x.want) {
					t.Errorf("%s: %q, want %q", what, got, x.want)
				}
				_, n := name.Lookup(ctx)
				_, m := count.Lookup(ctx)
				_, f := flashes.Lookup(ctx)
				if n != slices.Contains(got, "name") || m != slices.Contains(got, "count") || f != slices.Contains(got, "flashes") {
					t.Errorf("%s: Names is %q, and Lookup finds another", what, got)
				}
				panic("nothing is saved")
			})()
		}
	})
}

// Limit brings the absolute limit forward and never puts it off; use does not move it, a Login does.
func TestLimit(t *testing.T) {
	inBubbles(t, sojourn.Config{Lifetime: 10 * time.Hour}, func(t *testing.T, s *site) {
		limited := func(d time.Duration) func(ctx context.Context) { return func(ctx context.Context) { s.Limit(ctx, d) } }
		c := s.beginAs("bob")
		c = s.look(c, func(ctx context.Context) {
			s.Limit(ctx, 15*time.Minute)
			if left := time.Until(s.Info(ctx).Deadline); left != 15*time.Minute {
				t.Errorf("before the Commit %s are left", left)
			}
		}).or(c)
		c = s.look(c, limited(time.Hour)).or(c)
		if left := time.Until(s.infoOf(c).Deadline); left != 15*time.Minute {
			t.Errorf("%s are left, want 15m", left)
		}
		again := s.look(c, func(ctx context.Context) { _ = s.Login(ctx, "bob"); s.Limit(ctx, time.Hour) }).or(c)
		if left := time.Until(s.infoOf(again).Deadline); left != time.Hour {
			t.Errorf("behind a new login %s are left, want 1h", left)
		}
		lifted := s.look(again, func(ctx context.Context) { s.Limit(ctx, time.Minute); _ = s.Login(ctx, "bob") }).or(again)
		if left := time.Until(s.infoOf(lifted).Deadline); left != 10*time.Hour {
			t.Errorf("before a new login: %s are left, want 10h", left)
		}
		c = s.beginAs("eve")
		c = s.look(c, limited(15*time.Minute)).or(c)
		time.Sleep(15*time.Minute - time.Second)
		if c = s.look(c, func(ctx context.Context) { count.Put(ctx, 1) }).or(c); s.ownerOf(c) != "eve" {
			t.Error("a limited session has ended before its time")
		}
		if time.Sleep(time.Second); s.ownerOf(c) != "" {
			t.Error("a limited session outlives its limit")
		}
	})
}

// What is over already ends in a second, in a new session too: time.Until of something past is no surprise.
func TestLimitOfNoTime(t *testing.T) {
	inBubbles(t, sojourn.Config{}, func(t *testing.T, s *site) {
		c := s.begin()
		c = s.look(c, func(ctx context.Context) { s.Limit(ctx, -time.Hour) }).or(c)
		d := s.look("", func(ctx context.Context) { s.Limit(ctx, 0); name.Put(ctx, "first") }).set
		if d == "" {
			t.Fatal("no session was begun")
		}
		if time.Sleep(time.Second); s.nameOf(c) != "" || s.nameOf(d) != "" {
			t.Error("a session lives on that had no time")
		}
	})
}

// A replay may come when the time is over: the record that is written is one that a store can take in.
func TestLimitIsMadeAgainLate(t *testing.T) {
	onStore(t, sojourn.Config{}, func(t *testing.T, s *site) {
		c := s.begin()
		asked := 0
		s.gate.set(func(_ context.Context, op string) error {
			if op != "update" {
				return nil
			}
			if asked++; asked > 1 {
				return nil
			}
			time.Sleep(1500 * time.Millisecond)
			return sojourn.ErrConflict
		})
		s.look(c, func(ctx context.Context) {
			s.Limit(ctx, time.Second)
			if err := s.Commit(ctx); err != nil || asked != 2 {
				t.Errorf("%v after %d tries", err, asked)
			}
			if left := time.Until(s.Info(ctx).Expires); left != time.Second {
				t.Errorf("a record was written that has %s to live", left)
			}
		})
	})
}
