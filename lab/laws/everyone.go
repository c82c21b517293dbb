package laws

import (
	"context"
	"errors"
	"iter"
	"net/http"
	"testing"
	"time"

	"github.com/gosojourn/sojourn"
)

// Everyone: what ends when everybody's sessions are revoked at once.
var everyone = []story{
	{"V7.4.5 RevokeEveryone ends owners' and visitors' sessions, and none that begins afterwards", func(t *testing.T, store sojourn.Store) {
		here, there := newSite(t, store, sojourn.Config{}), newSite(t, store, sojourn.Config{})
		var before []string
		for range 3 {
			before = append(before, here.begin(), there.begin(), here.beginAs(anybody()), there.beginAs(anybody()))
		}
		if err := here.RevokeEveryone(t.Context()); err != nil {
			t.Fatal(err)
		}
		after := []string{here.begin(), there.begin(), here.beginAs(anybody()), there.beginAs(anybody())}
		for _, s := range []*site{here, there} {
			for i, c := range before {
				if s.lives("GET", c) || s.lives("POST", c) {
					t.Errorf("session %d lives on", i)
				}
			}
			for i, c := range after {
				if !s.lives("GET", c) || !s.lives("POST", c) {
					t.Errorf("session %d, which began afterwards, does not live", i)
				}
			}
		}
		if !here.sawEvent(sojourn.EventEnded, "everyone") {
			t.Error("no event tells of it")
		}
		if here.sealed {
			return
		}
		n := 0
		for _, err := range here.All(t.Context()) {
			if err != nil {
				t.Fatal(err)
			}
			n++
		}
		want := len(after)
		if here.visitors {
			want -= 2 // whom nobody lists
		}
		if n != want {
			t.Errorf("%d sessions are listed, want the %d that began afterwards", n, want)
		}
	}},
	{"V7.4.5 hundreds of random schedules of a login and everybody's end", func(t *testing.T, store sojourn.Store) {
		here, there := newSite(t, store, sojourn.Config{}), newSite(t, store, sojourn.Config{})
		survived := 0
		for range often(300) {
			owner := anybody()
			release := here.slow("POST", "", nothing, func(ctx context.Context) {
				spin()
				_ = here.Login(ctx, owner)
			})
			done := make(chan error, 1)
			go func() {
				spin()
				_, err := store.(sojourn.EveryoneRevoker).RaiseEveryone(t.Context())
				done <- err
			}()
			a := release()
			if err := <-done; err != nil {
				t.Fatal(err)
			}
			if a.set != "" && (there.lives("GET", a.set) || here.lives("POST", a.set)) || there.countOf(t.Context(), owner) != 0 {
				survived++
			}
		}
		if survived > 0 {
			t.Errorf("%d logins survived", survived)
		}
	}},
	{"V7.4.5 everybody's end at any step of a login", func(t *testing.T, store sojourn.Store) {
		for seed := range 60 {
			gate := &raising{&revoking{Store: store, at: int32(seed % 6)}}
			s := newSite(t, gate, sojourn.Config{})
			owner := anybody()
			gate.revoke = func() {
				if _, err := store.(sojourn.EveryoneRevoker).RaiseEveryone(t.Context()); err != nil {
					t.Error(err)
				}
			}
			c := s.begin()
			gate.arm()
			a := s.ask("POST", c, s.login(owner))
			if fired := gate.disarm(); fired && (s.lives("GET", a.set) || s.lives("GET", c) || s.countOf(t.Context(), owner) != 0) {
				t.Errorf("raised before step %d: cookie %q, %d sessions", gate.at, a.set, s.countOf(t.Context(), owner))
			}
		}
	}},
	{"RevokeEveryone and then Login in one request logs in", func(t *testing.T, store sojourn.Store) {
		s := newSite(t, store, sojourn.Config{})
		owner := anybody()
		own := s.beginAs(owner)
		a := s.ask("POST", own, func(w http.ResponseWriter, r *http.Request) {
			name.Put(r.Context(), "before")
			if err := s.RevokeEveryone(r.Context()); err != nil {
				t.Error(err)
			}
			if err := s.Valid(r.Context()); !errors.Is(err, sojourn.ErrEnded) || name.Get(r.Context()) != "" {
				t.Errorf("the request keeps its session: %v, %q", err, name.Get(r.Context()))
			}
			s.login(owner)(w, r)
		})
		if s.ownerOf(a.set) != owner || s.lives("GET", own) {
			t.Errorf("owner %q, the session of before lives: %t", s.ownerOf(a.set), s.lives("GET", own))
		}
	}},
	{"a session that has lost its row to RevokeEveryone is not written back", func(t *testing.T, store sojourn.Store) {
		s := newSite(t, store, sojourn.Config{})
		c := s.begin()
		var err error
		release := s.slow("POST", c, func(ctx context.Context) { name.Put(ctx, "second") }, func(ctx context.Context) { err = s.Commit(ctx) })
		if err := s.RevokeEveryone(t.Context()); err != nil {
			t.Fatal(err)
		}
		if release(); !errors.Is(err, sojourn.ErrEnded) || s.lives("GET", c) {
			t.Errorf("Commit: %v", err)
		}
	}},
}

// lives reports whether a request with the cookie finds its session.
func (s *site) lives(method, c string) (yes bool) {
	s.t.Helper()
	if c == "" {
		return false
	}
	s.ask(method, c, func(_ http.ResponseWriter, r *http.Request) { yes = s.Valid(r.Context()) == nil })
	return yes
}

// raising is revoking, of everybody's fence.
type raising struct{ *revoking }

func (r *raising) EveryoneFence(ctx context.Context) (uint64, time.Duration, error) {
	r.step()
	f, age, err := r.Store.(sojourn.EveryoneRevoker).EveryoneFence(ctx)
	r.step()
	return f, age, err
}

func (r *raising) RaiseEveryone(ctx context.Context) (uint64, error) {
	return r.Store.(sojourn.EveryoneRevoker).RaiseEveryone(ctx)
}

func (r *raising) DeleteBelow(ctx context.Context, fence uint64) iter.Seq2[int, error] {
	return r.Store.(sojourn.EveryoneRevoker).DeleteBelow(ctx, fence)
}
