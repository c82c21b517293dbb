package sojourn_test

import (
	"context"
	"errors"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gosojourn/sojourn"
)

// An everyoneGate lets tests see and stop the question for everybody's fence, too.
type everyoneGate struct{ *gate }

func (g everyoneGate) EveryoneFence(ctx context.Context) (uint64, time.Duration, error) {
	if err := g.pass(ctx, "everyone"); err != nil {
		return 0, 0, err
	}
	return g.Store.EveryoneFence(ctx)
}

// newVisited is a site whose visitors are sealed until they log in. Several on one gate are several processes.
func newVisited(t testing.TB, cfg sojourn.Config, g *gate) *site {
	t.Helper()
	s := &site{t: t, gate: g}
	s.listen(&cfg)
	ring, err := oneRing()
	if err != nil {
		t.Fatal(err)
	}
	if cfg.Anonymous == nil {
		cfg.Anonymous = ring
	}
	if s.Manager, err = sojourn.New(everyoneGate{g}, cfg); err != nil {
		t.Fatal(err)
	}
	return s
}

const (
	tokenCookie = "__Host-Http-id"
	sealCookie  = tokenCookie + "-visitor"
)

// cookies are a browser's.
type cookies map[string]string

// take has the browser take the cookies of a response.
func (j cookies) take(a reply) reply {
	for _, line := range a.header["Set-Cookie"] {
		pair, rest, _ := strings.Cut(line, ";")
		name, value, _ := strings.Cut(pair, "=")
		if j[name] = value; strings.Contains(rest, "Max-Age=0") {
			delete(j, name)
		}
	}
	return a
}

func (j cookies) String() string {
	var all []string
	for _, name := range slices.Sorted(maps.Keys(j)) {
		all = append(all, name+"="+j[name])
	}
	return strings.Join(all, "; ")
}

func (j cookies) has(names ...string) bool {
	return slices.Equal(slices.Sorted(maps.Keys(j)), names)
}

func (j cookies) ask(s *site, h http.HandlerFunc) reply {
	s.t.Helper()
	return j.take(s.ask("POST", j.String(), h))
}

// newVisitor has put its name into a seal.
func newVisitor(s *site) cookies {
	s.t.Helper()
	j := cookies{}
	if j.ask(s, putName); !j.has(sealCookie) {
		s.t.Fatalf("a visitor has the cookies %v", j)
	}
	return j
}

func (s *site) rows() int {
	s.t.Helper()
	n, err := s.gate.Store.Count(context.Background())
	if err != nil {
		s.t.Fatal(err)
	}
	return n
}

// commits has the handler do what it does, and keeps what Commit says.
func (s *site) commits(err *error, do func(ctx context.Context)) http.HandlerFunc {
	return func(_ http.ResponseWriter, r *http.Request) {
		do(r.Context())
		*err = s.Commit(r.Context())
	}
}

func put(v string) func(context.Context) {
	return func(ctx context.Context) { name.Put(ctx, v) }
}

// Crawlers that all come at once, each without a cookie, and visitors that come back: no row, no load, and one
// question for everybody's fence.
func TestAnonymousVisitorsCostTheStoreNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newVisited(t, sojourn.Config{}, newGate())
		s.gate.set(slow(100 * time.Millisecond))
		var crawlers sync.WaitGroup
		for range 300 {
			crawlers.Go(func() {
				if j := newVisitor(s); s.nameOf(j.String()) != "gopher" {
					t.Error("a visitor's value is not there")
				}
			})
		}
		crawlers.Wait()
		j := newVisitor(s)
		for range 20 {
			time.Sleep(time.Second / 4)
			j.ask(s, func(_ http.ResponseWriter, r *http.Request) { count.Update(r.Context(), plusOne) })
		}
		if n := s.countOf(j.String()); n != 20 {
			t.Errorf("counted %d, want 20", n)
		}
		s.gate.mu.Lock()
		defer s.gate.mu.Unlock()
		if n := s.gate.calls["everyone"]; n < 3 || n > 7 {
			t.Errorf("everybody's fence was asked for %d times in 5.1 seconds", n)
		}
		delete(s.gate.calls, "everyone")
		if len(s.gate.calls) > 0 {
			t.Errorf("the store was asked: %v", s.gate.calls)
		}
	})
}

// Law 3: the cart is there after the login, under the same id; the seal is gone; logout leaves nothing.
func TestAnonymousCartIsThereAfterLogin(t *testing.T) {
	for _, cfg := range []sojourn.Config{{}, {EncryptAtRest: true}, {MaxPerOwner: 2}} {
		s := newVisited(t, cfg, newGate())
		j := newVisitor(s)
		var before, after sojourn.Info
		s.look(j.String(), func(ctx context.Context) { before = s.Info(ctx) })
		j.ask(s, s.login("bob"))
		s.look(j.String(), func(ctx context.Context) { after = s.Info(ctx) })
		if !j.has(tokenCookie) || s.nameOf(j.String()) != "gopher" || after.Owner != "bob" || s.rows() != 1 {
			t.Errorf("cookies %v, name %q, owner %q, %d rows", j, s.nameOf(j.String()), after.Owner, s.rows())
		}
		if before.ID != after.ID || before.Created != after.Created {
			t.Errorf("the session was %+v, and is %+v", before, after)
		}
		if s.events(sojourn.EventCreated, "*") != 1 || s.events(sojourn.EventRenewed, "*") != 1 || s.events(sojourn.EventLogin, "*") != 1 {
			t.Errorf("events: %+v", s.seen)
		}
		j.ask(s, s.logout)
		if !j.has() || s.rows() != 0 {
			t.Errorf("after the logout: cookies %v, %d rows", j, s.rows())
		}
	}
}

// A visitor's slow request and a login at the same time, in one process and in two, whichever answer comes last: the
// browser is logged in. Logging out leaves nothing of either.
func TestAnonymousLateAnswer(t *testing.T) {
	for _, processes := range []int{1, 2} {
		for _, lateLast := range []bool{false, true} {
			g := newGate()
			here := newVisited(t, sojourn.Config{}, g)
			there := here
			if processes == 2 {
				there = newVisited(t, sojourn.Config{}, g)
			}
			j := newVisitor(here)
			var late error
			goOn := there.during(request("POST", j.String()), there.commits(&late, put("late")))
			login := here.ask("POST", j.String(), here.login("bob"))
			answers := []reply{goOn(), login}
			if lateLast {
				slices.Reverse(answers)
			}
			for _, a := range answers {
				j.take(a)
			}
			if processes == 1 && (!errors.Is(late, sojourn.ErrEnded) || len(answers[0].header["Set-Cookie"])+len(answers[1].header["Set-Cookie"]) != 2) {
				t.Errorf("late: %v, %v", late, answers)
			}
			for _, s := range []*site{here, there} {
				if s.ownerOf(j.String()) != "bob" || s.nameOf(j.String()) != "gopher" {
					t.Errorf("%d processes, late last %v: owner %q, name %q", processes, lateLast, s.ownerOf(j.String()), s.nameOf(j.String()))
				}
			}
			if j.ask(here, here.logout); !j.has() || here.rows() != 0 {
				t.Errorf("after the logout: %v, %d rows", j, here.rows())
			}
		}
	}
}

// What an old seal is worth after a login and a logout: nothing in the process that saw them, an anonymous session
// elsewhere. It brings nothing back, and harms nobody.
func TestAnonymousOldSeal(t *testing.T) {
	g := newGate()
	here, there := newVisited(t, sojourn.Config{}, g), newVisited(t, sojourn.Config{}, g)
	j := newVisitor(here)
	old := j.String()
	renewed := cookies{}
	renewed.take(here.ask("POST", old, here.renew))
	if here.nameOf(renewed.String()) != "gopher" || here.nameOf(old) != "" || renewed.String() == old {
		t.Error("Renew of a seal")
	}
	j = renewed
	for _, end := range []func(){
		func() { j.ask(here, here.login("bob")) },
		func() { j.ask(here, here.logout) },
	} {
		before := j.String()
		end()
		rows := here.rows()
		for _, old := range []string{old, before} {
			if strings.HasPrefix(old, tokenCookie+"=") {
				continue
			}
			var err error
			if here.nameOf(old) != "" {
				t.Error("an old seal reads where its end was seen")
			}
			if a := here.ask("POST", old, here.commits(&err, put("again"))); !errors.Is(err, sojourn.ErrEnded) || a.header["Set-Cookie"] != nil {
				t.Errorf("an old seal writes where its end was seen: %v, %v", err, a.header)
			}
			if there.nameOf(old) != "gopher" || there.ownerOf(old) != "" {
				t.Error("elsewhere it is the anonymous session that it was")
			}
			there.ask("POST", old, nobody(put("again")))
			if here.rows() != rows {
				t.Errorf("%d rows, want %d", here.rows(), rows)
			}
		}
		if rows == 1 && (here.nameOf(j.String()) != "gopher" || here.ownerOf(j.String()) != "bob") {
			t.Error("it has changed the session that it became")
		}
	}
}

// Law 3: a double click on 'log in' keeps the cart, whichever answer comes last.
func TestAnonymousTwoLogins(t *testing.T) {
	for _, processes := range []int{1, 2} {
		g := newGate()
		here := newVisited(t, sojourn.Config{}, g)
		there := here
		if processes == 2 {
			there = newVisited(t, sojourn.Config{}, g)
		}
		j := newVisitor(here)
		second := there.during(request("POST", j.String()), there.login("bob"))
		for i, a := range []reply{here.ask("POST", j.String(), here.login("bob")), second()} {
			j.take(a)
			if !j.has(tokenCookie) || there.nameOf(j.String()) != "gopher" || here.ownerOf(j.String()) != "bob" {
				t.Errorf("login %d: cookies %v, name %q, owner %q", i+1, j, there.nameOf(j.String()), here.ownerOf(j.String()))
			}
		}
		if here.rows() != 2 {
			t.Errorf("%d rows, want one for each login", here.rows())
		}
	}
}

// What is put after Logout goes into a new seal, also where nobody was logged in.
func TestAnonymousPutAfterLogout(t *testing.T) {
	for _, loggedIn := range []bool{false, true} {
		s := newVisited(t, sojourn.Config{}, newGate())
		j := newVisitor(s)
		if loggedIn {
			j.ask(s, s.login("bob"))
		}
		id := ""
		s.look(j.String(), func(ctx context.Context) { id = s.Info(ctx).ID })
		a := j.ask(s, func(w http.ResponseWriter, r *http.Request) {
			s.logout(w, r)
			name.Put(r.Context(), "bye")
		})
		s.look(j.String(), func(ctx context.Context) {
			if i := s.Info(ctx); name.Get(ctx) != "bye" || i.ID == id || i.Owner != "" || !j.has(sealCookie) || s.rows() != 0 {
				t.Errorf("logged in %v: %+v, cookies %v, %d rows, %v", loggedIn, i, j, s.rows(), a.header)
			}
		})
	}
}

// A token that is live, or was replaced a moment ago, hides a seal; one that is nobody's does not.
func TestAnonymousTokenHidesSeal(t *testing.T) {
	s := newVisited(t, sojourn.Config{}, newGate())
	seal := newVisitor(s).String()
	live := s.beginAs("bob")
	renewed := s.ask("POST", live, s.renew).set
	two := s.beginAs("ann")
	for _, c := range []struct{ what, token, name string }{
		{"live", renewed, ""}, {"superseded", live, ""}, {"ambiguous", renewed + "; " + two, ""}, {"unknown", live[:len(live)-4] + "AAAA", "gopher"},
	} {
		for _, shown := range []string{c.token + "; " + seal, seal + "; " + c.token} {
			if v := s.nameOf(shown); v != c.name {
				t.Errorf("%s: name %q, want %q", c.what, v, c.name)
			}
		}
	}
}
