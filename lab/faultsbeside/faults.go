package main

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"

	"github.com/gosojourn/sojourn/lab/peers"
)

// A fault is what goes wrong, and how often of so many times. The number is that of PEERS: what users of
// the peers have run into.
type fault struct {
	id, what string
	of       int // 0: not of a number
	count    func(x contender, of int) int
}

// A contender is a library, behind a medium that can be made to fail; gorilla's store has none.
type contender struct {
	peers.Library
	m *peers.Medium
}

var faults = []fault{
	{"P1", "logged-out sessions that a slow request brought back", 20, revivedByASlowRequest},
	{"P2", "increments lost, at once", 200, lostUpdates},
	{"P7", "changes lost because the client hung up", 20, lostWithTheClient},
	{"P8", "failed saves answered with the handler's success", 20, mixedAnswers},
	{"P11", "queries for 20 pages that use no session", 0, needlessExchanges},
	{"P20", "logins undone in the browser by a request beside them", 20, loginsUndone},
}

// none: the library leaves it to the handler, so there is nothing to count.
const none = -1

// A browser keeps one cookie, as it arrives.
type browser struct {
	mu     sync.Mutex
	cookie string
}

func (b *browser) request(ctx context.Context, method string) *http.Request {
	b.mu.Lock()
	defer b.mu.Unlock()
	r := httptest.NewRequestWithContext(ctx, method, "https://app.test/", nil)
	if b.cookie != "" {
		r.Header.Set("Cookie", b.cookie)
	}
	return r
}

func (b *browser) receive(w *httptest.ResponseRecorder) *httptest.ResponseRecorder {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, c := range w.Result().Cookies() {
		if c.MaxAge < 0 {
			b.cookie = ""
		} else {
			b.cookie = c.Name + "=" + c.Value
		}
	}
	return w
}

// send has h answer, and the browser keep what it is sent.
func (x contender) send(b *browser, method string, h http.HandlerFunc) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	x.Wrap(h).ServeHTTP(w, b.request(context.Background(), method))
	return b.receive(w)
}

func (x contender) logIn(b *browser) {
	x.send(b, "POST", func(w http.ResponseWriter, r *http.Request) { x.Login(w, r, "bob") })
}

func (x contender) loggedIn(b *browser) (yes bool) {
	x.send(b, "GET", func(_ http.ResponseWriter, r *http.Request) { yes = x.Owner(r) == "bob" })
	return yes
}

// A request reads, the person logs out elsewhere, the request writes; then whoever has the old cookie comes.
func revivedByASlowRequest(x contender, of int) (revived int) {
	for range of {
		b := &browser{}
		x.logIn(b)
		old := &browser{cookie: b.cookie}
		slow := &browser{cookie: b.cookie}
		x.send(slow, "POST", func(w http.ResponseWriter, r *http.Request) {
			x.Owner(r)
			x.send(b, "POST", func(w http.ResponseWriter, r *http.Request) { x.Logout(w, r) })
			x.Put(w, r, peers.KeyName(0), "late")
		})
		if x.loggedIn(old) || x.loggedIn(slow) {
			revived++
		}
	}
	return revived
}

// All requests have read before the first one writes.
func lostUpdates(x contender, of int) int {
	b := &browser{}
	x.send(b, "POST", func(w http.ResponseWriter, r *http.Request) { x.Put(w, r, peers.KeyName(0), "begun") })
	var loaded, all sync.WaitGroup
	loaded.Add(of)
	for range of {
		all.Go(func() {
			own := &browser{cookie: b.cookie}
			x.send(own, "POST", func(w http.ResponseWriter, r *http.Request) {
				x.Count(r, "count")
				loaded.Done()
				loaded.Wait()
				x.Add(w, r, "count")
			})
		})
	}
	all.Wait()
	left := 0
	x.send(b, "GET", func(_ http.ResponseWriter, r *http.Request) { left = x.Count(r, "count") })
	return of - left
}

// The client goes while the handler works: what was changed was changed.
func lostWithTheClient(x contender, of int) (lost int) {
	if x.m == nil {
		return none
	}
	for range of {
		b := &browser{}
		x.send(b, "POST", func(w http.ResponseWriter, r *http.Request) { x.Put(w, r, peers.KeyName(0), "before") })
		ctx, hangUp := context.WithCancel(context.Background())
		x.Wrap(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			x.Put(w, r, peers.KeyName(0), "after")
			hangUp()
		})).ServeHTTP(httptest.NewRecorder(), b.request(ctx, "POST"))
		x.send(b, "GET", func(_ http.ResponseWriter, r *http.Request) {
			if x.Get(r, peers.KeyName(0)) != "after" {
				lost++
			}
		})
	}
	return lost
}

// The store fails when the session is to be saved; the handler has said that all went well.
func mixedAnswers(x contender, of int) (mixed int) {
	if x.m == nil {
		return none
	}
	defer x.m.Broken.Store(false)
	for range of {
		b := &browser{}
		x.m.Broken.Store(false)
		x.send(b, "POST", func(w http.ResponseWriter, r *http.Request) { x.Put(w, r, peers.KeyName(0), "before") })
		w := x.send(b, "POST", func(w http.ResponseWriter, r *http.Request) {
			x.Put(w, r, peers.KeyName(0), "after")
			x.m.Broken.Store(true)
			io.WriteString(w, "Your order was placed.")
		})
		if w.Code == http.StatusOK || strings.Contains(w.Body.String(), "Your order was placed.") {
			mixed++
		}
	}
	return mixed
}

// A page that asks for nothing, in a session with an idle limit.
func needlessExchanges(x contender, _ int) int {
	if x.m == nil {
		return none
	}
	b := &browser{}
	x.logIn(b)
	before := x.m.Exchanges.Load()
	for range 20 {
		x.send(b, "GET", func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "About us") })
	}
	return int(x.m.Exchanges.Load() - before)
}

// A login and a request beside it, which leaves a note in the session; the login is answered first.
func loginsUndone(x contender, of int) (undone int) {
	for range of {
		b := &browser{}
		x.send(b, "POST", func(w http.ResponseWriter, r *http.Request) { x.Put(w, r, peers.KeyName(0), "a visitor") })
		beside := b.request(context.Background(), "POST") // under the cookie of before
		x.logIn(b)
		w := httptest.NewRecorder()
		x.Wrap(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { x.Put(w, r, peers.KeyName(1), "note") })).ServeHTTP(w, beside)
		b.receive(w)
		if !x.loggedIn(b) {
			undone++
		}
	}
	return undone
}
