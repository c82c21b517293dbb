package sojourn_test

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/gosojourn/sojourn"
)

// taking is a handler that takes the name, and says what came of it.
func taking(got *string, ok *bool, err *error) http.HandlerFunc {
	return func(_ http.ResponseWriter, r *http.Request) { *got, *ok, *err = name.Take(r.Context()) }
}

// Take of a visitor's value: one of many requests gets it, in two processes, and no replay of the seal does. It costs
// one row; who has nothing to take costs none.
func TestAnonymousTake(t *testing.T) {
	g := newGate()
	here, there := newVisited(t, sojourn.Config{}, g), newVisited(t, sojourn.Config{}, g)
	j := newVisitor(here)
	seal := j.String()
	var mu sync.Mutex
	var all sync.WaitGroup
	got, answer := 0, reply{}
	for i := range 20 {
		s := []*site{here, there}[i%2]
		all.Go(func() {
			var v string
			var ok bool
			var err error
			a := s.ask("GET", seal, taking(&v, &ok, &err))
			mu.Lock()
			defer mu.Unlock()
			switch {
			case err == nil && ok && v == "gopher":
				got++
				answer = a
			case !errors.Is(err, sojourn.ErrEnded) || a.set != "":
				t.Errorf("Take of one who is late: %q, %v, %v, sets %q", v, ok, err, a.set)
			}
		})
	}
	all.Wait()
	if got != 1 || here.rows() != 1 {
		t.Fatalf("%d got it, %d rows", got, here.rows())
	}
	j.take(answer)
	var v string
	var ok bool
	var err error
	if j.ask(here, taking(&v, &ok, &err)); err != nil || ok || !j.has(tokenCookie) {
		t.Errorf("Take again: %q, %v, %v, cookies %v", v, ok, err, j)
	}
	j.ask(here, here.login("bob")) // an OAuth callback
	there.ask("POST", seal, taking(&v, &ok, &err))
	if !errors.Is(err, sojourn.ErrEnded) || ok || there.ownerOf(j.String()) != "bob" {
		t.Errorf("Take by a replayed seal after the login: %q, %v, %v", v, ok, err)
	}
	other := newVisitor(here)
	here.ask("POST", other.String(), func(_ http.ResponseWriter, r *http.Request) { _, ok, err = second.Take(r.Context()) })
	if ok || err != nil || here.rows() != 1 {
		t.Errorf("Take of nothing: %v, %v, %d rows", ok, err, here.rows())
	}
}

// The state of an OAuth login is taken and the login performed in one request, or with a Commit for both.
func TestAnonymousTakeAndLogin(t *testing.T) {
	for _, loginFirst := range []bool{false, true} {
		g := newGate()
		s, there := newVisited(t, sojourn.Config{}, g), newVisited(t, sojourn.Config{}, g)
		j := newVisitor(s)
		seal := j.String()
		var v string
		var ok bool
		var err error
		take := taking(&v, &ok, &err)
		j.ask(s, func(w http.ResponseWriter, r *http.Request) {
			if loginFirst {
				s.login("bob")(w, r)
			}
			take(w, r)
			if !loginFirst {
				s.login("bob")(w, r)
			}
		})
		if v != "gopher" || !ok || err != nil || s.ownerOf(j.String()) != "bob" || s.nameOf(j.String()) != "" || !j.has(tokenCookie) || s.rows() != 1 {
			t.Errorf("took %q, %v, %v; owner %q, cookies %v, %d rows", v, ok, err, s.ownerOf(j.String()), j, s.rows())
		}
		// Who comes second has nothing to take, and is logged in all the same: here, where it is known, and elsewhere.
		for _, m := range []*site{s, there} {
			a := m.ask("POST", seal, func(w http.ResponseWriter, r *http.Request) {
				m.login("eve")(w, r)
				take(w, r)
			})
			if ok || err != nil || a.code != http.StatusOK || m.ownerOf(a.set) != "eve" || m.nameOf(a.set) != "" {
				t.Errorf("a login by a replay takes %q, %v, %v; %d, owner %q", v, ok, err, a.code, m.ownerOf(a.set))
			}
			if v := m.nameOf(seal); v != "" {
				t.Errorf("behind it the seal still says %q", v)
			}
		}
	}
}

// Nothing is taken where the token could not be sent, or the store does not answer; the seal is as good as before.
func TestAnonymousTakeRefused(t *testing.T) {
	s := newVisited(t, sojourn.Config{}, newGate())
	j := newVisitor(s)
	var v string
	var ok bool
	var err error
	j.ask(s, func(w http.ResponseWriter, r *http.Request) {
		_, _ = w.Write([]byte("begun"))
		taking(&v, &ok, &err)(w, r)
	})
	if !errors.Is(err, sojourn.ErrHeaderSent) || ok || !strings.Contains(err.Error(), `"name"`) {
		t.Errorf("behind the header: %q, %v, %v", v, ok, err)
	}
	s.gate.set(down(writes, errFire))
	if a := j.ask(s, taking(&v, &ok, &err)); !sojourn.Unavailable(err) || ok || a.code != http.StatusOK {
		t.Errorf("while the store is down: %q, %v, %v, %d", v, ok, err, a.code)
	}
	s.gate.set(nil)
	ctx, leave := context.WithCancel(t.Context())
	leave()
	serve(s.LoadAndSave(taking(&v, &ok, &err)), request("POST", j.String()).WithContext(ctx))
	if !errors.Is(err, context.Canceled) || ok || s.rows() != 0 {
		t.Errorf("for a client who has left: %q, %v, %v, %d rows", v, ok, err, s.rows())
	}
	if j.ask(s, taking(&v, &ok, &err)); v != "gopher" || !ok || err != nil {
		t.Errorf("afterwards: %q, %v, %v", v, ok, err)
	}
}

// The response with the token was lost: the visitor begins anew, and is not refused for ever.
func TestAnonymousTakeWhoseAnswerWasLost(t *testing.T) {
	g := newGate()
	here, there := newVisited(t, sojourn.Config{}, g), newVisited(t, sojourn.Config{}, g)
	j := newVisitor(here)
	var v string
	var ok bool
	var err error
	here.ask("POST", j.String(), taking(&v, &ok, &err)) // the browser does not get the answer
	if !ok || err != nil {
		t.Fatal(ok, err)
	}
	if j.ask(there, taking(&v, &ok, &err)); !errors.Is(err, sojourn.ErrEnded) || ok || !j.has() {
		t.Errorf("again: %q, %v, %v, cookies %v", v, ok, err, j)
	}
	j.ask(there, putName)
	if j.ask(there, taking(&v, &ok, &err)); v != "gopher" || !ok || err != nil {
		t.Errorf("anew: %q, %v, %v", v, ok, err)
	}
}

// What is too large for the cookies goes into the store, with all that was there. While that is down the answer is
// 503, and the seal stays as it was.
func TestAnonymousTooLarge(t *testing.T) {
	for _, c := range []struct{ max, bytes int }{{0, 20_000}, {1024, 2000}} {
		g := newGate()
		s, there := newVisited(t, sojourn.Config{MaxSealed: c.max}, g), newVisited(t, sojourn.Config{MaxSealed: c.max}, g)
		j := newVisitor(s)
		seal := j.String()
		large := strings.Repeat("x", c.bytes)
		grow := func(_ http.ResponseWriter, r *http.Request) { second.Put(r.Context(), large) }
		g.set(down(writes, errFire))
		if a := j.ask(s, grow); a.code != http.StatusServiceUnavailable || j.String() != seal || s.nameOf(seal) != "gopher" {
			t.Errorf("while the store is down: %d, cookies %v", a.code, j)
		}
		g.set(nil)
		late := there.during(request("POST", seal), func(_ http.ResponseWriter, r *http.Request) {
			second.Put(r.Context(), large)
			if err := there.Commit(r.Context()); !errors.Is(err, sojourn.ErrEnded) {
				t.Errorf("one who is late: %v", err)
			}
		})
		if a := j.ask(s, grow); a.code != http.StatusOK || !j.has(tokenCookie) || s.rows() != 1 {
			t.Fatalf("%d, cookies %v, %d rows", a.code, j, s.rows())
		}
		if a := late(); a.set != "" {
			t.Errorf("one who is late sets %q", a.set)
		}
		s.look(j.String(), func(ctx context.Context) {
			if name.Get(ctx) != "gopher" || second.Get(ctx) != large || s.Info(ctx).Owner != "" {
				t.Errorf("name %q, %d bytes, %+v", name.Get(ctx), len(second.Get(ctx)), s.Info(ctx))
			}
		})
		// It stays in the store, small again or not.
		j.ask(s, func(_ http.ResponseWriter, r *http.Request) { second.Delete(r.Context()) })
		if !j.has(tokenCookie) || s.nameOf(j.String()) != "gopher" || s.rows() != 1 {
			t.Errorf("small again: cookies %v, %d rows", j, s.rows())
		}
		first := cookies{}
		if a := first.ask(s, grow); a.code != http.StatusOK || !first.has(tokenCookie) || s.rows() != 2 {
			t.Errorf("a first value: %d, cookies %v", a.code, first)
		}
	}
}

// A login fails, because the owner's sessions are revoked beside it, or the store is down: nothing is lost.
func TestAnonymousLoginRefused(t *testing.T) {
	s := newVisited(t, sojourn.Config{}, newGate())
	j := newVisitor(s)
	seal := j.String()
	s.gate.set(down(everything, errFire))
	if a := j.ask(s, s.login("bob")); a.code != http.StatusServiceUnavailable || j.String() != seal {
		t.Errorf("while the store is down: %d, cookies %v", a.code, j)
	}
	s.gate.set(nth(2, "fence", func(ctx context.Context) error {
		_, err := s.gate.Store.RevokeOwner(ctx, "bob", "")
		return err
	}))
	var err error
	a := j.ask(s, s.commits(&err, func(ctx context.Context) { _ = s.Login(ctx, "bob") }))
	if !errors.Is(err, sojourn.ErrEnded) || j.String() != seal || s.rows() != 0 {
		t.Errorf("revoked beside it: %v, %d, cookies %v, %d rows", err, a.code, j, s.rows())
	}
	s.gate.set(nil)
	j.ask(s, s.login("bob"))
	if s.ownerOf(j.String()) != "bob" || s.nameOf(j.String()) != "gopher" {
		t.Errorf("afterwards: owner %q, name %q", s.ownerOf(j.String()), s.nameOf(j.String()))
	}
}

// A seal that a Commit wanted sent does not go out beside the token of a login behind it.
func TestAnonymousCommitThenLogin(t *testing.T) {
	s := newVisited(t, sojourn.Config{}, newGate())
	for _, j := range []cookies{{}, newVisitor(s)} {
		j.ask(s, func(w http.ResponseWriter, r *http.Request) {
			putName(w, r)
			if err := s.Commit(r.Context()); err != nil {
				t.Error(err)
			}
			s.login("bob")(w, r)
		})
		if !j.has(tokenCookie) || s.nameOf(j.String()) != "gopher" {
			t.Errorf("cookies %v", j)
		}
	}
}

// Law 3: a login keeps nothing of a seal that a logout has ended while it ran.
func TestAnonymousLoginBesideLogout(t *testing.T) {
	s := newVisited(t, sojourn.Config{}, newGate())
	j := newVisitor(s)
	login := s.during(request("POST", j.String()), func(w http.ResponseWriter, r *http.Request) {
		count.Update(r.Context(), func(n int) int { return n + len(name.Get(r.Context())) })
		s.login("bob")(w, r)
	})
	j.ask(s, s.logout)
	j.take(login())
	if s.ownerOf(j.String()) != "bob" || s.nameOf(j.String()) != "" || !j.has(tokenCookie) {
		t.Errorf("owner %q, name %q, cookies %v", s.ownerOf(j.String()), s.nameOf(j.String()), j)
	}
}

// The answer to the create is lost: a login looks, and goes on under another id if it must; Take says that it cannot
// tell, and is not done twice.
func TestAnonymousLostAnswers(t *testing.T) {
	for _, lands := range []bool{false, true} {
		s := newVisited(t, sojourn.Config{}, newGate())
		j := newVisitor(s)
		lost := 0
		lose := func(op string) error {
			if lost++; op == "create" && lost == 1 {
				return errFire
			}
			return nil
		}
		if lands {
			s.gate.lose = lose
		} else {
			s.gate.set(func(_ context.Context, op string) error {
				if op == "create" {
					return lose(op)
				}
				return nil
			})
		}
		j.ask(s, s.login("bob"))
		if s.ownerOf(j.String()) != "bob" || s.nameOf(j.String()) != "gopher" || s.rows() != 1 {
			t.Errorf("landed %v: owner %q, name %q, %d rows", lands, s.ownerOf(j.String()), s.nameOf(j.String()), s.rows())
		}
	}
	s := newVisited(t, sojourn.Config{}, newGate())
	j := newVisitor(s)
	s.gate.set(down(only("create"), errFire))
	var v string
	var ok bool
	var err error
	j.ask(s, taking(&v, &ok, &err))
	if !sojourn.Unavailable(err) || ok || s.gate.count("create") != 1 {
		t.Errorf("Take: %q, %v, %v, asked %d times", v, ok, err, s.gate.count("create"))
	}
}

// A login that does not know whether it has moved the seal in finds that a Take elsewhere was first, and has nothing of
// what that may have taken.
func TestAnonymousLostAnswerBesideTake(t *testing.T) {
	for _, answers := range []map[string]int{{"create": 1}, {"create": 1, "load": 1}} {
		g := newGate()
		here, there := newVisited(t, sojourn.Config{}, g), newVisited(t, sojourn.Config{}, g)
		j := newVisitor(here)
		seal := j.String()
		var v string
		var ok bool
		var err error
		j.ask(here, taking(&v, &ok, &err))
		g.set(func(_ context.Context, op string) error {
			if answers[op]--; answers[op] >= 0 {
				return errFire
			}
			return nil
		})
		again := cookies{}
		again.take(there.ask("POST", seal, there.login("bob")))
		if v != "gopher" || !ok || err != nil || answers["create"] >= 0 || there.ownerOf(again.String()) != "bob" || there.nameOf(again.String()) != "" {
			t.Errorf("took %q, %v, %v; the login of %q has %q", v, ok, err, there.ownerOf(again.String()), there.nameOf(again.String()))
		}
	}
}

// A session that was logged out while a Take was moving it in stays ended, for a login that had begun before.
func TestAnonymousLoginBesideLogoutBesideTake(t *testing.T) {
	s := newVisited(t, sojourn.Config{}, newGate())
	j := newVisitor(s)
	j.ask(s, func(_ http.ResponseWriter, r *http.Request) { count.Put(r.Context(), 7) })
	seal := j.String()
	login := s.during(request("POST", seal), s.login("bob"))
	out := false
	s.gate.set(func(_ context.Context, op string) error {
		if op == "create" && !out {
			out = true
			s.ask("POST", seal, s.logout)
		}
		return nil
	})
	var v string
	var ok bool
	var err error
	s.ask("POST", seal, taking(&v, &ok, &err))
	j.take(login())
	var n int
	s.ask("GET", j.String(), func(_ http.ResponseWriter, r *http.Request) { n = count.Get(r.Context()) })
	if !ok || err != nil || !out || s.ownerOf(j.String()) != "bob" || n != 0 {
		t.Errorf("took %q, %v, %v; the login of %q has %d", v, ok, err, s.ownerOf(j.String()), n)
	}
}
