package sojourn_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gosojourn/sojourn"
	"github.com/gosojourn/sojourn/memstore"
	"github.com/gosojourn/sojourn/sealed"
)

// V7.4.5: when RevokeEveryone has returned, no visitor's session of before passes another request, in any process, and
// those that begin afterwards do. What another process still believes meanwhile is told by the docs: two seconds.
func TestAnonymousRevokeEveryone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGate()
		here, there := newVisited(t, sojourn.Config{}, g), newVisited(t, sojourn.Config{}, g)
		before := []string{newVisitor(here).String(), newVisitor(there).String()}
		began := time.Now()
		if err := here.RevokeEveryone(t.Context()); err != nil {
			t.Fatal(err)
		}
		if took := time.Since(began); took > 4*time.Second {
			t.Errorf("it took %v", took)
		}
		for _, s := range []*site{here, there} {
			after := newVisitor(s).String()
			for _, method := range []string{"GET", "POST"} {
				for i, c := range before {
					if s.lives(method, c) {
						t.Errorf("visitor %d lives on", i)
					}
				}
				if !here.lives(method, after) || !there.lives(method, after) {
					t.Error("a visitor who came afterwards does not live")
				}
			}
		}
	})
}

// A seal that was revoked with everybody's, where that is not known yet, brings nothing into the store.
func TestAnonymousRevokedSealMovesNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, login := range []bool{false, true} {
			g := newGate()
			s := newVisited(t, sojourn.Config{}, g)
			j := newVisitor(s)
			if _, err := g.RaiseEveryone(t.Context()); err != nil { // by another process
				t.Fatal(err)
			}
			time.Sleep(time.Millisecond)
			if s.nameOf(j.String()) != "gopher" {
				t.Fatal("it is known already")
			}
			var err error
			j.ask(s, s.commits(&err, func(ctx context.Context) {
				if login {
					_ = s.Login(ctx, "bob")
					return
				}
				second.Put(ctx, strings.Repeat("x", 20_000))
			}))
			switch {
			case login && (err != nil || s.ownerOf(j.String()) != "bob" || s.nameOf(j.String()) != "" || !j.has(tokenCookie)):
				t.Errorf("login: %v, owner %q, name %q, cookies %v", err, s.ownerOf(j.String()), s.nameOf(j.String()), j)
			case !login && (!errors.Is(err, sojourn.ErrEnded) || s.rows() != 0 || !j.has()):
				t.Errorf("too large: %v, %d rows, cookies %v", err, s.rows(), j)
			}
		}
	})
}

// Law 5: visitors go on without the store for as long as everybody's fence is believed; then the answer is 503, and
// the seal stays.
func TestAnonymousStoreDown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newVisited(t, sojourn.Config{}, newGate())
		j := newVisitor(s)
		s.gate.set(down(everything, errFire))
		if a := j.ask(s, nobody(put("second"))); a.code != http.StatusOK || s.nameOf(j.String()) != "second" {
			t.Errorf("a moment later: %d, name %q", a.code, s.nameOf(j.String()))
		}
		time.Sleep(2 * time.Second)
		seal := j.String()
		if a := j.ask(s, nobody(put("third"))); a.code != http.StatusServiceUnavailable || j.String() != seal {
			t.Errorf("a write: %d", a.code)
		}
		if a := s.look(seal, func(ctx context.Context) { name.Get(ctx) }); a.code != http.StatusServiceUnavailable {
			t.Errorf("a read: %d", a.code)
		}
		if a := s.ask("POST", "", putName); a.code != http.StatusServiceUnavailable || a.header["Set-Cookie"] != nil {
			t.Errorf("a new visitor: %d, %v", a.code, a.header)
		}
		if a := s.look("", func(ctx context.Context) { name.Get(ctx) }); a.code != http.StatusOK {
			t.Errorf("one who shows nothing: %d", a.code)
		}
		s.gate.set(nil)
		if s.nameOf(j.String()) != "second" {
			t.Error("it does not recover")
		}
	})
}

// A key on its way out: the next response seals anew. One that is gone: a stranger. A seal of a newer format: 503.
func TestAnonymousKeys(t *testing.T) {
	first, next := sealed.GenerateKey(), sealed.GenerateKey()
	on := func(keys ...string) *site {
		ring, err := sealed.New(keys, sealed.Options{})
		if err != nil {
			t.Fatal(err)
		}
		return newVisited(t, sojourn.Config{Anonymous: ring}, newGate())
	}
	j := newVisitor(on(first))
	both, gone := on(next, first), on(next)
	if gone.nameOf(j.String()) != "" || gone.events(sojourn.EventTokenRefused, "token_unknown") != 1 {
		t.Errorf("a key that nobody has: %+v", gone.seen)
	}
	j.take(both.look(j.String(), func(ctx context.Context) { name.Get(ctx) }))
	if gone.nameOf(j.String()) != "gopher" {
		t.Error("it was not sealed anew")
	}
	format := j.String()
	format = strings.Replace(format, "=1A", "=1B", 1)
	if a := gone.look(format, func(ctx context.Context) { name.Get(ctx) }); a.code != http.StatusServiceUnavailable {
		t.Errorf("a newer format: %d", a.code)
	}
}

// Two visitors' seals under one name: neither is read, no third is begun, a login or logout ends both.
func TestAnonymousTwoSeals(t *testing.T) {
	for _, end := range []string{"login", "logout"} {
		s := newVisited(t, sojourn.Config{}, newGate())
		shown := newVisitor(s).String() + "; " + newVisitor(s).String()
		var err error
		a := s.ask("POST", shown, s.commits(&err, func(ctx context.Context) {
			if v := name.Get(ctx); v != "" {
				t.Errorf("name %q is read", v)
			}
			name.Put(ctx, "third")
		}))
		if !errors.Is(err, sojourn.ErrAmbiguous) || a.header["Set-Cookie"] != nil {
			t.Errorf("Put: %v, %v", err, a.header)
		}
		h := s.login("bob")
		if end == "logout" {
			h = s.logout
		}
		j := cookies{sealCookie: "x"}
		if j.take(s.ask("POST", shown, h)); end == "login" && !j.has(tokenCookie) || end == "logout" && !j.has() {
			t.Errorf("%s: cookies %v", end, j)
		}
		for pair := range strings.SplitSeq(shown, "; ") {
			if s.lives("GET", pair) {
				t.Errorf("after %s one of them lives", end)
			}
		}
	}
}

// What was altered, what has expired, and what was sealed for something else is nothing.
func TestAnonymousStrangersSeals(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newVisited(t, sojourn.Config{Purpose: "one"}, newGate())
		seal := newVisitor(s).String()
		ring, _ := oneRing()
		other, err := sojourn.NewSealed(ring, sojourn.Config{Purpose: "one", Cookie: sojourn.Cookie{Name: sealCookie}})
		if err != nil {
			t.Fatal(err)
		}
		w, _ := ask(other, "", func(_ http.ResponseWriter, r *http.Request) {
			putName(nil, r)
			_ = other.Login(r.Context(), "bob")
		})
		loggedIn, _, _ := strings.Cut(w.Header().Get("Set-Cookie"), ";")
		for what, c := range map[string]string{
			"altered": seal[:len(seal)-2] + "AA", "cut": seal[:len(seal)-9], "no seal": sealCookie + "=x", "of a sealed manager": loggedIn,
			"under the token's name": tokenCookie + seal[len(sealCookie):],
		} {
			before := s.events(sojourn.EventTokenRefused, "*")
			if s.lives("GET", c) || s.events(sojourn.EventTokenRefused, "*") != before+1 {
				t.Errorf("%s: lives, or no event: %+v", what, s.seen)
			}
		}
		time.Sleep(time.Hour)
		if s.lives("GET", seal) {
			t.Error("it lives for longer than its idle limit")
		}
	})
}

// A seal goes out with the header, and to a client who is there; what cannot be sent is said, and the old seal stays.
func TestAnonymousCannotBeSent(t *testing.T) {
	s := newVisited(t, sojourn.Config{}, newGate())
	j := newVisitor(s)
	seal := j.String()
	var err error
	j.ask(s, func(w http.ResponseWriter, r *http.Request) {
		_, _ = w.Write([]byte("begun"))
		s.commits(&err, put("late"))(w, r)
	})
	if !errors.Is(err, sojourn.ErrHeaderSent) || s.nameOf(seal) != "gopher" {
		t.Errorf("behind the header: %v, name %q", err, s.nameOf(seal))
	}
	j.ask(s, func(w http.ResponseWriter, r *http.Request) {
		_, _ = w.Write([]byte("begun"))
		s.commits(&err, func(ctx context.Context) { _ = s.Logout(ctx) })(w, r)
	})
	if !errors.Is(err, sojourn.ErrHeaderSent) {
		t.Errorf("Logout behind the header: %v", err)
	}
	j = newVisitor(s)
	ctx, leave := context.WithCancel(t.Context())
	leave()
	a := serve(s.LoadAndSave(s.commits(&err, put("gone"))), request("POST", j.String()).WithContext(ctx))
	if !errors.Is(err, context.Canceled) || a.header["Set-Cookie"] != nil || s.nameOf(j.String()) != "gopher" {
		t.Errorf("for a client who has left: %v, %v", err, a.header)
	}
}

// F32: a request that shows another seal is another request, within the same middleware too. And Shows marks seals.
func TestAnonymousAnotherSealIsAnotherRequest(t *testing.T) {
	s := newVisited(t, sojourn.Config{}, newGate())
	a, b := newVisitor(s), newVisitor(s)
	b.ask(s, nobody(put("other")))
	var inner string
	s.look(a.String(), func(ctx context.Context) {
		name.Get(ctx)
		r := request("GET", b.String()).WithContext(ctx)
		serve(s.LoadAndSave(nobody(func(ctx context.Context) { inner = name.Get(ctx) })), r)
	})
	if inner != "other" {
		t.Errorf("the inner request reads %q", inner)
	}
	one, shows := s.Shows(request("GET", a.String()))
	two, too := s.Shows(request("GET", b.String()))
	if _, nothing := s.Shows(request("GET", "")); one == two || !shows || !too || nothing {
		t.Errorf("Shows: %v, %v, %v", shows, too, nothing)
	}
}

// Until and Valid of a visitor: his logout ends a stream, his login does not.
func TestAnonymousUntil(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newVisited(t, sojourn.Config{}, newGate())
		for _, end := range []http.HandlerFunc{s.logout, s.login("bob")} {
			j := newVisitor(s)
			var until context.Context
			var cancel context.CancelFunc
			var valid error
			s.look(j.String(), func(ctx context.Context) {
				valid = s.Valid(ctx)
				until, cancel = s.Until(context.WithoutCancel(ctx))
			})
			j.ask(s, end)
			time.Sleep(time.Second)
			if ended := until.Err() != nil; ended == j.has(tokenCookie) || valid != nil {
				t.Errorf("ended %v, with cookies %v; Valid: %v", ended, j, valid)
			}
			cancel()
		}
	})
}

// One visitor's requests at once, and goroutines within each: no race, one of the answers wins whole.
func TestAnonymousAtOnce(t *testing.T) {
	s := newVisited(t, sojourn.Config{}, newGate())
	j := newVisitor(s)
	shown := j.String()
	var all sync.WaitGroup
	answers := make(chan reply, 30)
	for i := range cap(answers) {
		all.Go(func() {
			answers <- s.ask("POST", shown, nobody(func(ctx context.Context) {
				var own sync.WaitGroup
				own.Go(func() { count.Update(ctx, plusOne) })
				own.Go(func() { second.Put(ctx, "x") })
				own.Wait()
				if i == 20 {
					_ = s.Login(ctx, "bob")
				}
			}))
		})
	}
	all.Wait()
	close(answers)
	for a := range answers {
		j.take(a)
	}
	if s.ownerOf(j.String()) != "bob" || s.countOf(j.String()) != 1 || s.nameOf(j.String()) != "gopher" || s.rows() != 1 {
		t.Errorf("owner %q, count %d, name %q, %d rows", s.ownerOf(j.String()), s.countOf(j.String()), s.nameOf(j.String()), s.rows())
	}
}

func TestAnonymousMistakes(t *testing.T) {
	ring, err := oneRing()
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		cfg  sojourn.Config
		want string
	}{
		{sojourn.Config{}, ""},
		{sojourn.Config{MaxSealed: 3000}, ""},
		{sojourn.Config{MaxSealed: 100}, "MaxSealed (100)"},
		{sojourn.Config{Header: "Authorization"}, `Header ("Authorization")`},
		{sojourn.Config{Cookie: sojourn.Cookie{Name: strings.Repeat("n", 1016)}}, ""},
		{sojourn.Config{Cookie: sojourn.Cookie{Name: strings.Repeat("n", 1017)}}, "1017 bytes long: with Anonymous use at most 1016"},
	} {
		c.cfg.Anonymous = ring
		if _, err := sojourn.New(memstore.New(), c.cfg); c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
			t.Errorf("%v, want %q", err, c.want)
		}
	}
	if _, err := sojourn.NewSealed(ring, sojourn.Config{Anonymous: ring}); err == nil || !strings.Contains(err.Error(), "Anonymous is for New") {
		t.Errorf("NewSealed: %v", err)
	}
}

// What waits to be sent of a seal is not lost to a hijacked connection; a logout of two seals behind the header is said
// to be too late; Renew of a seal is told as that.
func TestAnonymousSealIsSentOrSaidNotToBe(t *testing.T) {
	s := newVisited(t, sojourn.Config{}, newGate())
	var err error
	s.LoadAndSave(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.commits(&err, put("x"))(w, r)
		_, _, err = http.NewResponseController(w).Hijack()
	})).ServeHTTP(brokenHijack{httptest.NewRecorder()}, request("POST", ""))
	if !errors.Is(err, sojourn.ErrHeaderSent) {
		t.Errorf("Hijack: %v", err)
	}
	j := newVisitor(s)
	s.ask("POST", j.String()+"; "+newVisitor(s).String(), func(w http.ResponseWriter, r *http.Request) {
		_, _ = w.Write([]byte("begun"))
		s.commits(&err, func(ctx context.Context) { _ = s.Logout(ctx) })(w, r)
	})
	if !errors.Is(err, sojourn.ErrHeaderSent) {
		t.Errorf("Logout of two: %v", err)
	}
	j = newVisitor(s)
	if j.ask(s, s.renew); s.events(sojourn.EventRenewed, "*") != 1 || s.nameOf(j.String()) != "gopher" {
		t.Errorf("Renew: %+v", s.seen)
	}
}
