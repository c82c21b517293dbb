package sojourn_test

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gosojourn/sojourn"
)

// ends are ways in which a request's context is over before the handler has asked for its session.
var ends = map[string]struct {
	gone bool // the client has left
	end  func(ctx context.Context) (context.Context, func())
}{
	"the client has left": {true, func(ctx context.Context) (context.Context, func()) {
		ctx, cancel := context.WithCancel(ctx)
		cancel()
		return ctx, cancel
	}},
	"a deadline": {false, func(ctx context.Context) (context.Context, func()) {
		return context.WithDeadline(ctx, time.Now().Add(-time.Second))
	}},
	"a deadline with a cause": {false, func(ctx context.Context) (context.Context, func()) {
		return context.WithDeadlineCause(ctx, time.Now().Add(-time.Second), errors.New("too slow"))
	}},
	"a shutdown": {false, func(ctx context.Context) (context.Context, func()) {
		ctx, cancel := context.WithCancelCause(ctx)
		cancel(errors.New("the server shuts down"))
		return ctx, func() { cancel(nil) }
	}},
}

// over calls h behind the middleware with a context that ends, by end, around it.
func (s *site) over(method, cookie string, end func(context.Context) (context.Context, func()), h http.HandlerFunc) reply {
	r := request(method, cookie)
	ctx, cancel := end(r.Context())
	defer cancel()
	return serve(s.LoadAndSave(h), r.WithContext(ctx))
}

// F20: what needs a token sent is done, or is an error; never nil and nothing.
func TestF20_DoneOrAnError(t *testing.T) {
	changes := map[string]struct {
		begun bool // on a session that is there
		do    func(s *site, ctx context.Context)
	}{
		"a first value":  {false, func(s *site, ctx context.Context) { name.Put(ctx, "x") }},
		"a first login":  {false, func(s *site, ctx context.Context) { _ = s.Login(ctx, "bob") }},
		"Login":          {true, func(s *site, ctx context.Context) { _ = s.Login(ctx, "bob") }},
		"Renew":          {true, func(s *site, ctx context.Context) { _ = s.Renew(ctx) }},
		"Remember":       {true, func(s *site, ctx context.Context) { s.Remember(ctx, true) }},
		"Put and Login":  {true, func(s *site, ctx context.Context) { name.Put(ctx, "x"); _ = s.Login(ctx, "bob") }},
		"Logout and Put": {true, func(s *site, ctx context.Context) { _ = s.Logout(ctx); name.Put(ctx, "x") }},
	}
	onBoth(t, sojourn.Config{}, func(t *testing.T, s *site) {
		for how, end := range ends {
			for what, change := range changes {
				for _, own := range []bool{true, false} {
					c := ""
					if change.begun {
						c = s.begin()
					}
					told := s.events(sojourn.EventLoginAbandoned, "*")
					var err error
					a := s.over("POST", c, end.end, func(w http.ResponseWriter, r *http.Request) {
						change.do(s, r.Context())
						if own {
							err = s.Commit(r.Context())
						}
						_, _ = io.WriteString(w, "done")
					})
					if end.gone {
						if own && !errors.Is(err, context.Canceled) || !own && a.code != 503 || a.set != "" || s.events(sojourn.EventLoginAbandoned, "*") != told+1 {
							t.Errorf("%s, %s, own Commit %v: %v; %d, cookie %q, %d events", how, what, own, err, a.code, a.set, s.events(sojourn.EventLoginAbandoned, "*")-told)
						}
						if change.begun && what != "Logout and Put" && s.nameOf(c) != "first" {
							t.Errorf("%s, %s: the session says %q, of a change that was not performed", how, what, s.nameOf(c))
						}
					} else if err != nil || a.code != 200 || a.set == "" {
						t.Errorf("%s, %s, own Commit %v: %v; %d, cookie %q; want it done", how, what, own, err, a.code, a.set)
					}
				}
			}
		}
	})
}

// F20: a client that has only half-closed its connection looks as if it had left, and reads the answer.
func TestF20_HalfClosed(t *testing.T) {
	onBoth(t, sojourn.Config{}, func(t *testing.T, s *site) {
		server := httptest.NewServer(s.LoadAndSave(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			<-r.Context().Done()
			s.login("bob")(w, r)
			http.Redirect(w, r, "/", http.StatusSeeOther)
		})))
		defer server.Close()
		conn, err := net.Dial("tcp", server.Listener.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		_, _ = io.WriteString(conn, "GET / HTTP/1.1\r\nHost: sojourn.test\r\n\r\n")
		_ = conn.(*net.TCPConn).CloseWrite()
		res, err := http.ReadResponse(bufio.NewReader(conn), nil)
		if err != nil {
			t.Fatal(err)
		}
		a := reply{}.of(res)
		if ok := a.code == 503 && a.set == "" || a.code == 303 && a.set != "" && s.ownerOf(a.set) == "bob"; !ok {
			t.Errorf("answered %d with cookie %q", a.code, a.set)
		}
	})
}

// F21: a logout needs no token: it is done for one who has left, whatever else the request did.
func TestF21_LogoutOfOneWhoHasLeft(t *testing.T) {
	beside := map[string]func(s *site, ctx context.Context){
		"nothing":  func(*site, context.Context) {},
		"Remember": func(s *site, ctx context.Context) { s.Remember(ctx, true) },
		"Renew":    func(s *site, ctx context.Context) { _ = s.Renew(ctx) },
		"Login":    func(s *site, ctx context.Context) { _ = s.Login(ctx, "bob") },
		"Put":      func(s *site, ctx context.Context) { name.Put(ctx, "x") },
	}
	onBoth(t, sojourn.Config{}, func(t *testing.T, s *site) {
		for what, before := range beside {
			for how, end := range ends {
				c := s.beginAs("bob")
				var err error
				s.over("POST", c, end.end, func(_ http.ResponseWriter, r *http.Request) {
					before(s, r.Context())
					_ = s.Logout(r.Context())
					err = s.Commit(r.Context())
				})
				if o := s.ownerOf(c); err != nil || o != "" {
					t.Errorf("%s, after %s: Commit said %v, and the cookie still logs %q in", how, what, err, o)
				}
			}
		}
		// What needs a token beside it does not keep it from being done.
		c := s.beginAs("bob")
		s.over("POST", c, ends["the client has left"].end, func(_ http.ResponseWriter, r *http.Request) {
			_ = s.Logout(r.Context())
			_ = s.Login(r.Context(), "ann")
		})
		if o := s.ownerOf(c); o != "" {
			t.Errorf("logged out, and in as another by one who has left: the old cookie is %q's", o)
		}
	})
}

// F22: revocations run to their end, as logouts do.
func TestF22_RevocationsOfOneWhoHasLeft(t *testing.T) {
	for what, revoke := range map[string]struct {
		do   func(s *site, ctx context.Context) error
		kept bool // the session of the request
		both bool
	}{
		"RevokeAll":    {func(s *site, ctx context.Context) error { return s.RevokeAll(ctx, "bob") }, false, true},
		"RevokeOthers": {func(s *site, ctx context.Context) error { return s.RevokeOthers(ctx) }, true, true},
		"Revoke": {func(s *site, ctx context.Context) (err error) {
			own := s.Info(ctx).ID
			for i, e := range s.List(ctx, "bob") {
				if err = errors.Join(err, e); i.ID != own && e == nil {
					err = errors.Join(err, s.Revoke(ctx, "bob", i.ID))
				}
			}
			return err
		}, true, false},
	} {
		t.Run(what, func(t *testing.T) {
			tell := func(t *testing.T, s *site) {
				own, other := s.beginAs("bob"), s.beginAs("bob")
				ctx, leave := context.WithCancel(t.Context())
				s.gate.set(func(ctx context.Context, op string) error { leave(); return ctx.Err() })
				var err error
				a := serve(s.LoadAndSave(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
					err = revoke.do(s, r.Context())
				})), request("POST", own).WithContext(ctx))
				s.gate.set(nil)
				if err != nil || s.ownerOf(other) != "" {
					t.Errorf("%v, and the other session is %q's", err, s.ownerOf(other))
				}
				if s.sealed && revoke.kept {
					return // it needs a new seal, which one who has left does not get
				}
				if o := s.ownerOf(a.or(own)); (o == "bob") != revoke.kept {
					t.Errorf("the own session is %q's", o)
				}
			}
			if revoke.both {
				inBubbles(t, sojourn.Config{}, tell)
			} else {
				onStore(t, sojourn.Config{}, tell)
			}
		})
	}
}

// F23: the same promise whenever the session is first used.
func TestF23_ClientLeavesBeforeTheFirstUse(t *testing.T) {
	for method := range map[string]bool{"GET": true, "POST": true} {
		onStore(t, sojourn.Config{}, func(t *testing.T, s *site) {
			c := s.begin()
			for range 10 {
				ctx, leave := context.WithCancel(t.Context())
				a := serve(s.LoadAndSave(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
					leave()
					count.Update(r.Context(), plusOne)
				})), request(method, c).WithContext(ctx))
				if a.code != 200 {
					t.Errorf("%s is answered %d", method, a.code)
				}
			}
			if n := s.countOf(c); n != 10 {
				t.Errorf("%d of 10 increments are left of %s", n, method)
			}
		})
	}
}

// Sessions begin a limited number at once. A client that leaves while it waits for its turn asks the store for
// nothing, and those who stay have theirs; where the time is over the store was asked for nothing either.
func TestClientsThatLeaveBeginNothing(t *testing.T) {
	const flood, stay = 500, 20
	for what, silent := range map[string]bool{"the store answers again": false, "the store stays silent": true} {
		t.Run(what, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				g := newGate()
				s := newSite(t, sojourn.Config{StoreTimeout: time.Minute}, g)
				release := make(chan struct{})
				g.set(func(ctx context.Context, op string) error {
					if op != "create" {
						return nil
					}
					select {
					case <-release:
						return nil
					case <-ctx.Done():
						return ctx.Err()
					}
				})
				codes := make(map[int]int)
				var mu sync.Mutex
				var all sync.WaitGroup
				begins := []func(ctx context.Context){func(ctx context.Context) { name.Put(ctx, "x") }, func(ctx context.Context) { _ = s.Login(ctx, "bob") }}
				ask := func(begin func(ctx context.Context), end func(context.Context) (context.Context, func())) {
					all.Go(func() {
						a := s.over("POST", "", end, func(_ http.ResponseWriter, r *http.Request) { begin(r.Context()) })
						mu.Lock()
						defer mu.Unlock()
						codes[a.code]++
					})
				}
				gone, leave := context.WithCancel(context.Background())
				for i := range flood {
					begin := begins[i%len(begins)]
					ask(begin, func(ctx context.Context) (context.Context, func()) {
						ctx, cancel := context.WithCancel(ctx)
						context.AfterFunc(gone, cancel)
						return ctx, cancel
					})
				}
				synctest.Wait()
				asked := g.count("create")
				if asked == 0 || asked >= flood {
					t.Fatalf("%d of %d ask the store at once", asked, flood)
				}
				for i := range stay {
					ask(begins[i%len(begins)], func(ctx context.Context) (context.Context, func()) {
						return context.WithTimeout(ctx, time.Millisecond) // no deadline of the application ends a wait
					})
				}
				time.Sleep(time.Second)
				synctest.Wait()
				fences := g.count("fence")
				leave()
				synctest.Wait()
				if n := g.count("fence") - fences; n > 0 {
					t.Errorf("%d of those who leave ask for a fence", n)
				}
				mu.Lock()
				if codes[503] != flood-asked {
					t.Errorf("of %d that wait and leave, %d are through: %v", flood-asked, codes[503], codes)
				}
				mu.Unlock()
				want, done := asked, 0
				if !silent {
					want, done = asked+stay, asked+stay
					close(release)
				}
				all.Wait()
				if got := g.count("create"); got != want || codes[200] != done {
					t.Errorf("the store was asked to begin %d sessions, want %d; answers %v", got, want, codes)
				}
			})
		})
	}
}
