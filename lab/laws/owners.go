package laws

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/gosojourn/sojourn"
	"github.com/gosojourn/sojourn/sojourntest"
)

// Owners: who is logged in where, and ending it.
var owners = []story{
	{"O49 an owner sees his sessions, and ends one, the others, all", func(t *testing.T, store sojourn.Store) {
		s := newSite(t, store, sojourn.Config{Device: func(r *http.Request) sojourn.Device { return sojourn.Device{Agent: r.UserAgent()} }})
		owner, other := anybody(), anybody()
		var c []string
		for range 4 {
			c = append(c, s.beginAs(owner))
		}
		stranger := s.beginAs(other)
		s.look(c[0], func(ctx context.Context) {
			current := 0
			for i, err := range s.List(ctx, owner) {
				if err != nil || i.Owner != owner || i.AuthTime.IsZero() {
					t.Errorf("%+v, %v", i, err)
				}
				if i.Current {
					current++
				}
			}
			if n := s.countOf(ctx, owner); n != 4 || current != 1 {
				t.Errorf("%d sessions, %d of them this one", n, current)
			}
		})
		if err := s.Revoke(t.Context(), owner, idOf(c[1])); err != nil || s.ownerOf(c[1]) != "" || s.ownerOf(c[2]) != owner {
			t.Errorf("Revoke: %v", err)
		}
		s.look(c[0], func(ctx context.Context) {
			if err := s.RevokeOthers(ctx); err != nil {
				t.Error(err)
			}
		})
		if s.ownerOf(c[0]) != owner || s.ownerOf(c[2]) != "" || s.ownerOf(c[3]) != "" || s.ownerOf(stranger) != other {
			t.Error("RevokeOthers ended this session, or a stranger's, or left one")
		}
		if err := s.RevokeAll(t.Context(), owner); err != nil || s.ownerOf(c[0]) != "" || s.countOf(t.Context(), owner) != 0 {
			t.Errorf("RevokeAll: %v", err)
		}
		if s.ownerOf(stranger) != other {
			t.Error("a stranger was logged out")
		}
	}},
	{"another owner's session is not found, and lives", func(t *testing.T, store sojourn.Store) {
		s := newSite(t, store, sojourn.Config{})
		owner, thief := anybody(), anybody()
		c := s.beginAs(owner)
		for _, id := range []string{idOf(c), "", "x", idOf(c)[:23] + "é", "AAAAAAAAAAAAAAAAAAAAAAAA"} {
			if err := s.Revoke(t.Context(), thief, id); !errors.Is(err, sojourn.ErrNotFound) {
				t.Errorf("Revoke(%q): %v", id, err)
			}
		}
		if err := s.Revoke(t.Context(), "", idOf(s.begin())); !errors.Is(err, sojourn.ErrNotFound) {
			t.Errorf("an anonymous session was ended by its id: %v", err)
		}
		if s.ownerOf(c) != owner {
			t.Error("the session has ended")
		}
	}},
	{"V7.4.3 a password change ends the others by their next request", func(t *testing.T, store sojourn.Store) {
		s := newSite(t, store, sojourn.Config{})
		owner := anybody()
		mine, others := s.beginAs(owner), []string{s.beginAs(owner), s.beginAs(owner)}
		a := s.ask("POST", mine, func(_ http.ResponseWriter, r *http.Request) {
			if err := errors.Join(s.Renew(r.Context()), s.RevokeOthers(r.Context())); err != nil {
				t.Error(err)
			}
		})
		if s.ownerOf(a.set) != owner || s.ownerOf(mine) != "" {
			t.Error("who changed the password is not logged in, or his old token is")
		}
		for _, c := range others {
			ran := ""
			s.ask("POST", c, func(_ http.ResponseWriter, r *http.Request) { ran = s.Info(r.Context()).Owner })
			if ran != "" {
				t.Error("another browser is still logged in")
			}
		}
	}},
	{"O48 a hundred logins at once and a limit of five", func(t *testing.T, store sojourn.Store) {
		s := newSite(t, store, sojourn.Config{MaxPerOwner: 5})
		owner := anybody()
		var wg sync.WaitGroup
		for range 100 {
			wg.Go(func() { s.ask("POST", "", s.login(owner)) })
		}
		wg.Wait()
		if n := newSite(t, store, sojourn.Config{}).countOf(t.Context(), owner); n > 5 || n == 0 {
			t.Errorf("%d records remain", n)
		}
	}},
	{"O48 a login past the limit ends the oldest", func(t *testing.T, store sojourn.Store) {
		s := newSite(t, store, sojourn.Config{MaxPerOwner: 2})
		owner := anybody()
		var c []string
		for range 3 {
			c = append(c, s.beginAs(owner))
			time.Sleep(2 * time.Millisecond) // logins are told apart by the millisecond
		}
		if s.ownerOf(c[0]) != "" || s.ownerOf(c[1]) != owner || s.ownerOf(c[2]) != owner {
			t.Errorf("owners %q %q %q", s.ownerOf(c[0]), s.ownerOf(c[1]), s.ownerOf(c[2]))
		}
	}},
	{"P13 List with Revoke in its body ends them all", func(t *testing.T, store sojourn.Store) {
		s := newSite(t, store, sojourn.Config{})
		owner := anybody()
		for range 7 {
			s.beginAs(owner)
		}
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		for i, err := range s.List(ctx, owner) {
			if err != nil {
				t.Fatal(err)
			}
			if err := s.Revoke(ctx, owner, i.ID); err != nil {
				t.Fatal(err)
			}
		}
		if n := s.countOf(t.Context(), owner); n != 0 {
			t.Errorf("%d are left", n)
		}
	}},
	{"without an index it is unsupported, never nothing", func(t *testing.T, store sojourn.Store) {
		s := newSite(t, struct{ sojourn.Store }{store}, sojourn.Config{})
		var list error
		for _, list = range s.List(t.Context(), "bob") {
		}
		others := errors.New("not asked")
		s.look(s.beginAs("bob"), func(ctx context.Context) { others = s.RevokeOthers(ctx) })
		for what, err := range map[string]error{"List": list, "RevokeAll": s.RevokeAll(t.Context(), "bob"), "RevokeOthers": others} {
			if !errors.Is(err, errors.ErrUnsupported) || sojourn.Unavailable(err) {
				t.Errorf("%s: %v", what, err)
			}
		}
		if _, err := sojourn.New(struct{ sojourn.Store }{store}, sojourn.Config{MaxPerOwner: 1}); err == nil {
			t.Error("MaxPerOwner is accepted all the same")
		}
	}},
	{"an outage during a revocation is said", func(t *testing.T, store sojourn.Store) {
		f := &sojourntest.FaultyStore{Store: store}
		s := newSite(t, f, sojourn.Config{})
		owner := anybody()
		c := s.beginAs(owner)
		f.Fail(errDown)
		if err := s.RevokeAll(t.Context(), owner); !sojourn.Unavailable(err) {
			t.Errorf("RevokeAll: %v", err)
		}
		if a := s.ask("POST", "", s.login(owner)); a.Code != 503 || a.set != "" {
			t.Errorf("a login during the outage: %d", a.Code)
		}
		f.Fail(nil)
		if s.ownerOf(c) != owner {
			t.Error("the session has ended without a revocation")
		}
	}},
	{"O25 V7.5.1 V7.5.2 V7.5.3 a stale login is challenged", func(t *testing.T, store sojourn.Store) {
		s := newSite(t, store, sojourn.Config{})
		page := func(maxAge time.Duration, c string) string {
			w := serve(s.LoadAndSave(s.RequireFresh(maxAge, says("who are you?"))(says("welcome"))), request("POST", c))
			return w.Body.String()
		}
		c := s.beginAs(anybody())
		if got := page(time.Hour, c); got != "welcome" {
			t.Errorf("fresh: %q", got)
		}
		for _, stale := range []string{page(-1, c), page(time.Hour, s.begin()), page(time.Hour, "")} {
			if stale != "who are you?" {
				t.Errorf("stale: %q", stale)
			}
		}
	}},
	{"V7.4.5 an administrator ends one user's sessions, without one of his own", func(t *testing.T, store sojourn.Store) {
		s := newSite(t, store, sojourn.Config{})
		user, other := anybody(), anybody()
		a, b, c := s.beginAs(user), s.beginAs(user), s.beginAs(other)
		if err := s.RevokeAll(context.Background(), user); err != nil {
			t.Fatal(err)
		}
		if s.ownerOf(a) != "" || s.ownerOf(b) != "" || s.ownerOf(c) != other {
			t.Errorf("owners %q, %q, %q", s.ownerOf(a), s.ownerOf(b), s.ownerOf(c))
		}
		if !s.sawEvent(sojourn.EventEnded, "revoked") {
			t.Error("nothing was told of it")
		}
	}},
	{"N2 to be remembered is not to be authenticated", func(t *testing.T, store sojourn.Store) {
		s := newSite(t, store, sojourn.Config{})
		a := s.ask("POST", "", func(_ http.ResponseWriter, r *http.Request) {
			name.Put(r.Context(), "x")
			s.Remember(r.Context(), true)
		})
		s.look(a.set, func(ctx context.Context) {
			if i := s.Info(ctx); !i.Remembered || i.Owner != "" || !i.AuthTime.IsZero() {
				t.Errorf("%+v", i)
			}
		})
		w := serve(s.LoadAndSave(s.RequireFresh(time.Hour, says("who are you?"))(says("welcome"))), request("POST", a.set))
		if w.Body.String() != "who are you?" {
			t.Errorf("a remembered visitor was let in: %q", w.Body)
		}
	}},
	{"a thief's copy gets nothing: of the token before login, of the token after logout", func(t *testing.T, store sojourn.Store) {
		s := newSite(t, store, sojourn.Config{})
		planted := s.begin()
		mine := s.ask("POST", planted, s.login(anybody())).set
		if s.ownerOf(planted) != "" || s.nameOf(planted) != "" {
			t.Error("the planted token sees the login")
		}
		s.ask("POST", mine, s.logout)
		if s.ownerOf(mine) != "" || s.nameOf(mine) != "" {
			t.Error("the stolen token outlives the logout")
		}
	}},
	{"O40 the status page touches nothing", func(t *testing.T, store sojourn.Store) {
		n := &counting{Store: aged{store}}
		s := newSite(t, n, sojourn.Config{IdleTimeout: time.Hour, Lifetime: 2 * time.Hour})
		c := s.beginAs(anybody())
		n.reset()
		for _, h := range []http.Handler{s.StatusHandler(), s.LoadAndSave(s.StatusHandler())} {
			w := serve(h, request("GET", c))
			var got struct {
				Live, LoggedIn        bool
				ExpiresIn, DeadlineIn int
			}
			if err := json.Unmarshal(w.Body.Bytes(), &got); err != nil || !got.Live || !got.LoggedIn || got.ExpiresIn < 3500 || got.ExpiresIn > 3600 || got.DeadlineIn < 7100 {
				t.Errorf("%s %v", w.Body, err)
			}
			if w.Header().Get("Cache-Control") != "no-store" || w.Header().Get("Set-Cookie") != "" {
				t.Errorf("%v", w.Header())
			}
		}
		if n.touches.Load()+n.writes.Load() != 0 {
			t.Error("asking for the status was taken for activity")
		}
		if w := serve(s.StatusHandler(), request("GET", "")); w.Body.String() != `{"live":false,"loggedIn":false,"expiresIn":0,"deadlineIn":0}`+"\n" {
			t.Errorf("nobody: %s", w.Body)
		}
	}},
}

func says(text string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, text) })
}

// anybody is an owner that no other story knows.
func anybody() string { return fmt.Sprintf("owner %016x", rand.Uint64()) }

// often is n, or a tenth of it with -short: how many schedules are tried is no law.
func often(n int) int {
	if testing.Short() {
		return n / 10
	}
	return n
}

func idOf(cookie string) string { return cookie[len("__Host-Http-id="):][:24] }

func (s *site) countOf(ctx context.Context, owner string) (n int) {
	s.t.Helper()
	if s.sealed {
		return 0 // nobody has what is revoked, so nobody can count it
	}
	for _, err := range s.List(ctx, owner) {
		if err != nil {
			s.t.Errorf("List: %v", err)
			return n
		}
		n++
	}
	return n
}
