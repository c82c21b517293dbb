package main

import (
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"time"

	"github.com/gosojourn/sojourn/lab/peers"
)

// light is a ResponseWriter that costs next to nothing.
type light struct{ h http.Header }

func (w *light) Header() http.Header         { return w.h }
func (w *light) Write(p []byte) (int, error) { return len(p), nil }
func (w *light) WriteHeader(int)             {}

// A client sends requests to a handler in this process, one after the other, with a cookie.
type client struct {
	w light
	r *http.Request
	h http.Handler
}

func newClient(h http.Handler, method, cookie string) *client {
	r := httptest.NewRequest(method, "https://bench.test/", nil)
	if cookie != "" {
		r.Header.Set("Cookie", cookie)
	}
	return &client{light{http.Header{}}, r, h}
}

func (c *client) once() {
	clear(c.w.h)
	c.h.ServeHTTP(&c.w, c.r)
}

// cookie is what the last response has set; of several of one name the last one counts.
func (c *client) cookie() string {
	lines := c.w.h["Set-Cookie"]
	if len(lines) == 0 {
		return ""
	}
	pair, _, _ := strings.Cut(lines[len(lines)-1], ";")
	return pair
}

// begin makes a session that holds n values, and answers its cookie.
func begin(x peers.Library, n int) string {
	c := newClient(x.Wrap(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		for i := range n {
			x.Put(w, r, peers.KeyName(i), "a value of twenty-odd")
		}
	})), "POST", "")
	c.once()
	if c.cookie() == "" {
		panic(x.Name + " begins no session")
	}
	return c.cookie()
}

// A task is what one request does; values is how many the session holds, -1 for no session.
type task struct {
	method string
	values int
	do     func(x peers.Library, w http.ResponseWriter, r *http.Request, i int)
	follow bool // the next request shows the cookie of the last response
}

func untouched(peers.Library, http.ResponseWriter, *http.Request, int) {}

func read(n int) func(peers.Library, http.ResponseWriter, *http.Request, int) {
	return func(x peers.Library, w http.ResponseWriter, r *http.Request, _ int) {
		for i := range n {
			if x.Get(r, peers.KeyName(i)) == "" {
				panic(x.Name + ": a value is missing")
			}
		}
	}
}

func writeOne(x peers.Library, w http.ResponseWriter, r *http.Request, i int) {
	x.Put(w, r, peers.KeyName(0), strconv.Itoa(i))
}

// logIn is of one person in a thousand, so that nobody has all the sessions.
func logIn(x peers.Library, w http.ResponseWriter, r *http.Request, i int) {
	x.Login(w, r, people[i%len(people)])
}

var people = func() (all [1000]string) {
	for i := range all {
		all[i] = "person" + strconv.Itoa(i)
	}
	return all
}()

// logInAgain is the same person each time: another one would lose what the session holds.
func logInAgain(x peers.Library, w http.ResponseWriter, r *http.Request, _ int) {
	x.Login(w, r, people[0])
}

// loop answers a function that does t n times with x.
func (t task) loop(x peers.Library) func(n int) {
	cookie, i := "", 0
	if t.values >= 0 {
		cookie = begin(x, t.values)
	}
	c := newClient(x.Wrap(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { t.do(x, w, r, i) })), t.method, cookie)
	return func(n int) {
		for range n {
			i++
			c.once()
			if t.follow {
				if set := c.cookie(); set != "" {
					c.r.Header["Cookie"][0] = set
				}
			}
		}
	}
}

// An inProcess case has the whole of a request but the network, against the peer that does it best.
type inProcess struct {
	name    string
	atLeast float64
	task    task
	ours    func() peers.Library
	peer    func() peers.Library
}

func memory(idle time.Duration) (ours, peer func() peers.Library) {
	return func() peers.Library { return peers.SojournInMemory(idle) }, func() peers.Library { return peers.SCSInMemory(idle) }
}

func inProcessCases() []inProcess {
	ours, peer := memory(0)
	idleOurs, idlePeer := memory(20 * time.Minute)
	return []inProcess{
		{"no cookie, untouched", 1.6, task{"GET", -1, untouched, false}, ours, peer},
		{"existing session, untouched GET", 55, task{"GET", 5, untouched, false}, ours, peer},
		{"existing session, untouched POST", 28, task{"POST", 5, untouched, false}, ours, peer},
		{"read 2 of 5 values", 25, task{"GET", 5, read(2), false}, ours, peer},
		{"write 1 of 5 values", 25, task{"POST", 5, writeOne, false}, ours, peer},
		{"read 1 of 20 values", 38, task{"GET", 20, read(1), false}, ours, peer},
		{"write 1 of 20 values", 30, task{"POST", 20, writeOne, false}, ours, peer},
		{"idle limit, read 1", 36, task{"GET", 5, read(1), false}, idleOurs, idlePeer},
		{"login from anonymous", 4, task{"POST", -1, logIn, false}, ours, peer},
		{"login from an existing session", 13, task{"POST", 5, logInAgain, true}, ours, peer},
		{"sealed, open and read 2 of 5 values", 10, task{"GET", 5, read(2), false}, peers.SojournSealed, peers.GorillaCookies},
		{"sealed, open, write 1 of 5 values, seal", 10, task{"POST", 5, writeOne, true}, peers.SojournSealed, peers.GorillaCookies},
	}
}

func (c inProcess) title() string { return "in process, " + c.name }

func (c inProcess) measure(budget time.Duration) result {
	x := pair{c.task.loop(c.ours()), c.task.loop(c.peer())}.measure(budget)
	return result{
		Name: c.title(), Ratio: x.Ratio, AtLeast: c.atLeast, Pairs: x.Pairs, Unit: "in process",
		P50: [2]time.Duration{time.Duration(x.A.Median), time.Duration(x.B.Median)},
	}
}
