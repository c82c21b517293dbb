package integration

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"sync"
	"testing"
	"time"

	"github.com/gosojourn/sojourn"
	"github.com/gosojourn/sojourn/lab/harness"
	"github.com/gosojourn/sojourn/redisstore"
	"github.com/gosojourn/sojourn/sqlstore"
)

const (
	processes = 2
	each      = 100 // requests, all under way at once

	// orderVar tells the test's program that it is one of those processes.
	orderVar = "SOJOURN_TEST_ORDER"
)

var clicks = sojourn.NewKey[int]("clicks")

// An order says which sessions a process is to work on. Its store is one of its own in each process.
type order struct {
	Dialect             sqlstore.Dialect
	Driver, DSN, Cookie string
	Prefix              string // of keys in Redis
	Near                time.Duration
}

func (o order) store(t testing.TB) sojourn.Store {
	t.Helper()
	if o.Driver == "redis" {
		return redisStore(t, redisClient(t, nil, o.DSN), redisstore.Options{Prefix: o.Prefix, Near: o.Near})
	}
	return place{o.Dialect, o.Driver, o.DSN}.store(t)
}

// betweenProcesses are the stores that processes can share.
var betweenProcesses = func() (all []sharedPlace) {
	for _, a := range asApplications {
		all = append(all, sharedPlace{a.name, func(t testing.TB) order {
			p := a.at(t)
			migrate(t, p.store(t))
			return order{Dialect: p.dialect, Driver: p.driver, DSN: p.dsn}
		}})
	}
	for name, near := range map[string]time.Duration{"Redis": 0, "Redis, near cache": 2 * time.Second} {
		all = append(all, sharedPlace{name, func(t testing.TB) order {
			addr := harness.Redis(t)
			return order{Driver: "redis", DSN: addr, Prefix: redisPrefix(t, redisClient(t, nil, addr)), Near: near}
		}})
	}
	return all
}()

type sharedPlace struct {
	name string
	at   func(t testing.TB) order
}

// Two managers in one process share its memory. Two processes share the database and nothing else.
func TestTwoProcessesLoseNoUpdate(t *testing.T) {
	if text := os.Getenv(orderVar); text != "" {
		click(t, text)
		return
	}
	for _, k := range betweenProcesses {
		t.Run(k.name, func(t *testing.T) {
			t.Parallel()
			o := k.at(t)
			m := managerOn(t, o.store(t), sojourn.Config{})
			w := visit(m, "POST", "", func(_ http.ResponseWriter, r *http.Request) { clicks.Put(r.Context(), 0) })
			if o.Cookie = cookieOf(w); o.Cookie == "" {
				t.Fatalf("no session was begun: %d", w.Code)
			}
			text, err := json.Marshal(o)
			if err != nil {
				t.Fatal(err)
			}
			ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
			defer cancel()
			var wg sync.WaitGroup
			for i := range processes {
				wg.Go(func() {
					cmd := exec.CommandContext(ctx, os.Args[0], "-test.run=^TestTwoProcessesLoseNoUpdate$")
					cmd.Env = append(os.Environ(), orderVar+"="+string(text))
					if out, err := cmd.CombinedOutput(); err != nil {
						t.Errorf("process %d: %v\n%s", i, err, out)
					}
				})
			}
			wg.Wait()
			wantClicks(t, m, o.Cookie, processes*each)
		})
	}
}

// click is what each process does.
func click(t *testing.T, text string) {
	var o order
	if err := json.Unmarshal([]byte(text), &o); err != nil {
		t.Fatal(err)
	}
	m := managerOn(t, o.store(t), sojourn.Config{})
	var wg sync.WaitGroup
	for i := range each {
		wg.Go(func() {
			if w := visit(m, "POST", o.Cookie, plusOne); w.Code != 200 {
				t.Errorf("request %d was answered %d", i, w.Code)
			}
		})
	}
	wg.Wait()
}

func plusOne(_ http.ResponseWriter, r *http.Request) {
	clicks.Update(r.Context(), func(n int) int { return n + 1 })
}

func wantClicks(t *testing.T, m *sojourn.Manager, cookie string, want int) {
	t.Helper()
	w := visit(m, "GET", cookie, func(_ http.ResponseWriter, r *http.Request) {
		if n := clicks.Get(r.Context()); n != want {
			t.Errorf("counted %d, want %d", n, want)
		}
	})
	if w.Code != 200 {
		t.Errorf("the request that reads was answered %d", w.Code)
	}
}

func managerOn(t testing.TB, store sojourn.Store, cfg sojourn.Config) *sojourn.Manager {
	t.Helper()
	m, err := sojourn.New(store, cfg)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// visit sends one request with that Cookie header to h behind m, without a network.
func visit(m *sojourn.Manager, method, cookie string, h http.HandlerFunc) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, "https://sojourn.test/", nil)
	if cookie != "" {
		r.Header.Set("Cookie", cookie)
	}
	w := httptest.NewRecorder()
	m.LoadAndSave(h).ServeHTTP(w, r)
	return w
}

// cookieOf is the first cookie that w sets, as a browser would send it back.
func cookieOf(w *httptest.ResponseRecorder) string {
	for _, c := range w.Result().Cookies() {
		return c.Name + "=" + c.Value
	}
	return ""
}
