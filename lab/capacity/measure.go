package main

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/gosojourn/sojourn"
	"github.com/gosojourn/sojourn/lab/cputime"
	"github.com/gosojourn/sojourn/lab/peers"
)

// kinds of requests, each of a person who is logged in and has five short values.
var kinds = []string{"read", "write", "login"}

// A cost is that of one request.
type cost struct {
	app, server      time.Duration // processor time
	asked, exchanges float64       // questions to the store; exchanges with the server, where some share one
	wire, log        float64       // bytes between application and server, alone; bytes of the server's log
}

// Measured is what was measured of a store.
type measured struct {
	store   string
	costs   map[string]cost
	bytes   float64       // of a session, indexes included
	swept   time.Duration // processor time of both sides for one expired session; 0: nothing to sweep
	slowest time.Duration // of a sweep's own time for one, one process
}

const callers = 32

func measure(s store, n int) (m measured, err error) {
	m = measured{store: s.name, costs: map[string]cost{}}
	at, err := s.open()
	if err != nil {
		return m, err
	}
	defer at.close()
	asked := &questions{}
	cfg := sojourn.Config{StoreTimeout: time.Minute, Observer: asked, Logger: slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelError}))}
	manager, err := at.manager(cfg)
	if err != nil {
		return m, err
	}
	app := newApplication(manager)
	through := app // the relay, which would cost processor time
	if at.relay != nil {
		manager, err := at.relayed(cfg)
		if err != nil {
			return m, err
		}
		through = newApplication(manager)
	}
	empty, err := at.size()
	if err != nil {
		return m, err
	}
	cookies, err := app.fill(n)
	if err != nil {
		return m, err
	}
	full, err := at.size()
	if err != nil {
		return m, err
	}
	if m.bytes = (full - empty) / float64(n); s.name == "sealed" {
		m.bytes = float64(len(cookies[0]))
	}
	time.Sleep(at.settles)
	for _, kind := range kinds {
		c, err := app.cost(at, through, asked, kind, cookies)
		if err != nil {
			return m, fmt.Errorf("%s: %w", kind, err)
		}
		m.costs[kind] = c
	}
	if at.store != nil && at.sweeper != nil {
		return m, m.sweep(at, n)
	}
	return m, nil
}

// cost has as many ask as there are sessions: a tenth of them ten times each, in turn, as people open several pages,
// and each once where that makes a difference.
func (a *application) cost(at *place, through *application, asked *questions, kind string, cookies []string) (c cost, err error) {
	some := cookies[:len(cookies)/10]
	if err := a.all(kind, some); err != nil { // statements, scripts, copies
		return c, err
	}
	if kind == "read" {
		cookies = slices.Repeat(some, 10)
	}
	n := float64(len(cookies))
	q, x, l := asked.Load(), at.exchanges(), at.logged()
	app, server := cputime.Self(), at.cpu()
	if err := a.all(kind, cookies); err != nil {
		return c, err
	}
	c.app, c.server = (cputime.Self()-app)/time.Duration(n), (at.cpu()-server)/time.Duration(n)
	c.asked, c.exchanges, c.log = float64(asked.Load()-q)/n, float64(at.exchanges()-x)/n, (at.logged()-l)/n
	alone := cookies[:min(200, len(cookies))]
	before := int64(0)
	for i, cookie := range append(alone[:1:1], alone...) { // one to prepare
		if i == 1 && at.relay != nil {
			before = at.relay.bytes.Load()
		}
		if err := through.ask(kind, cookie); err != nil {
			return c, err
		}
	}
	if at.relay != nil {
		c.wire = float64(at.relay.bytes.Load()-before) / float64(len(alone))
	}
	return c, nil
}

// sweep makes sessions that have expired and has them swept.
func (m *measured) sweep(at *place, n int) error {
	ctx := context.Background()
	if err := inParallel(n, func(i int) error { return at.store.Create(ctx, expired(i)) }); err != nil {
		return err
	}
	app, server, start := cputime.Self(), at.cpu(), time.Now()
	swept := 0
	for swept < n {
		k, err := at.sweeper.Sweep(ctx, time.Now(), 500)
		if err != nil {
			return err
		}
		if k == 0 {
			return fmt.Errorf("%d were swept of %d", swept, n)
		}
		swept += k
	}
	m.swept = (cputime.Self() - app + at.cpu() - server) / time.Duration(n)
	m.slowest = time.Since(start) / time.Duration(n)
	return nil
}

func expired(i int) sojourn.Record {
	then := time.Now().Add(-48 * time.Hour).Truncate(time.Millisecond)
	return sojourn.Record{ID: fmt.Sprintf("expired-%016d", i), Owner: fmt.Sprint("gone ", i), Expiry: then, Seen: then, Fence: 1, Version: 1, Data: make([]byte, 250)}
}

// An application has a route for each kind.
type application struct {
	routes map[string]http.Handler
	people atomic.Int64
}

func newApplication(m *sojourn.Manager) *application {
	x := peers.Sojourn(m)
	a := &application{}
	fill := func(w http.ResponseWriter, r *http.Request) {
		x.Login(w, r, fmt.Sprintf("person %d", a.people.Add(1)))
		for i := range 5 {
			x.Put(w, r, peers.KeyName(i), "a value of twenty-odd")
		}
	}
	var writes atomic.Int64
	a.routes = map[string]http.Handler{
		"begin": x.Wrap(http.HandlerFunc(fill)),
		"read": x.Wrap(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if x.Get(r, peers.KeyName(0)) == "" || x.Get(r, peers.KeyName(1)) == "" {
				http.Error(w, "a value is missing", http.StatusInternalServerError)
			}
		})),
		"write": x.Wrap(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			x.Put(w, r, peers.KeyName(0), fmt.Sprintf("a value of twenty-%d", writes.Add(1)))
		})),
		"login": x.Wrap(http.HandlerFunc(fill)),
	}
	return a
}

// ask makes one request. A login is that of somebody who comes without a session.
func (a *application) ask(kind, cookie string) error {
	method := http.MethodPost
	if kind == "read" {
		method = http.MethodGet
	}
	r := httptest.NewRequest(method, "https://sojourn.test/", nil)
	if kind != "login" {
		r.Header.Set("Cookie", cookie)
	}
	w := httptest.NewRecorder()
	a.routes[kind].ServeHTTP(w, r)
	if w.Code != http.StatusOK {
		return fmt.Errorf("answered %d: %s", w.Code, w.Body)
	}
	return nil
}

func (a *application) all(kind string, cookies []string) error {
	return inParallel(len(cookies), func(i int) error { return a.ask(kind, cookies[i]) })
}

// fill begins n sessions, and answers their cookies.
func (a *application) fill(n int) ([]string, error) {
	cookies := make([]string, n)
	return cookies, inParallel(n, func(i int) error {
		w := httptest.NewRecorder()
		a.routes["begin"].ServeHTTP(w, httptest.NewRequest(http.MethodPost, "https://sojourn.test/", nil))
		for _, c := range w.Result().Cookies() {
			cookies[i] += "; " + c.Name + "=" + c.Value
		}
		if cookies[i] = strings.TrimPrefix(cookies[i], "; "); cookies[i] == "" {
			return fmt.Errorf("no session was begun: %d", w.Code)
		}
		return nil
	})
}

// inParallel has callers share what there is to do.
func inParallel(n int, do func(i int) error) error {
	var next atomic.Int64
	var failed atomic.Pointer[error]
	var wg sync.WaitGroup
	for range callers {
		wg.Go(func() {
			for i := next.Add(1) - 1; i < int64(n) && failed.Load() == nil; i = next.Add(1) - 1 {
				if err := do(int(i)); err != nil {
					failed.Store(&err)
				}
			}
		})
	}
	wg.Wait()
	if err := failed.Load(); err != nil {
		return *err
	}
	return nil
}

// questions counts what a manager asks of its store.
type questions struct{ atomic.Uint64 }

func (q *questions) Start(ctx context.Context, _ sojourn.Op) (context.Context, func(error)) {
	q.Add(1)
	return ctx, func(error) {}
}
