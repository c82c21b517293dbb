package integration

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/gosojourn/sojourn"
	"github.com/gosojourn/sojourn/lab/harness"
	"github.com/gosojourn/sojourn/redisstore"
	"github.com/gosojourn/sojourn/sqlstore"
)

// A faulty is a running application with a counted session, on a server of its own.
type faulty struct {
	*sojourn.Manager
	t      *testing.T
	server server
	proxy  *harness.Proxy
	cookie string
	wire   func(text string) string // how text in a value is sent
}

// A server that may be killed and started again, with what it has kept.
type server interface {
	Addr() string
	Kill()
	Start()
}

// onFaulty runs f on each dialect that has a server. The manager stays the same through every fault.
func onFaulty(t *testing.T, cfg sojourn.Config, f func(s *faulty)) {
	for _, k := range []struct {
		name    string
		start   func(testing.TB) *harness.Server
		dialect sqlstore.Dialect
		driver  string
		params  []string
		wire    func(text string) string
	}{
		{"MariaDB", harness.StartMySQL, sqlstore.MySQL, "mysql", []string{"parseTime=true"},
			func(text string) string { return fmt.Sprintf("%x", text) }},
		{"PostgreSQL", harness.StartPostgres, sqlstore.Postgres, "pgx", []string{"sslmode=disable"},
			func(text string) string { return text }},
	} {
		t.Run(k.name, func(t *testing.T) {
			t.Parallel() // each has a server of its own
			server := k.start(t)
			proxy := harness.NewProxy(t, server.Addr())
			store := place{k.dialect, k.driver, proxy.DSN(server.DSN("app", k.params...))}.store(t)
			migrate(t, store)
			s := &faulty{managerOn(t, store, cfg), t, server, proxy, "", k.wire}
			s.cookie = cookieOf(visit(s.Manager, "POST", "", plusOne))
			if s.cookie == "" {
				t.Fatal("no session was begun")
			}
			f(s)
		})
	}
	t.Run("Redis", func(t *testing.T) {
		t.Parallel()
		server := harness.StartRedis(t, "--appendonly", "yes", "--appendfsync", "always")
		proxy := harness.NewProxy(t, server.Addr())
		store := redisStore(t, redisClient(t, nil, proxy.Addr()), redisstore.Options{})
		s := &faulty{managerOn(t, store, cfg), t, server, proxy, "", func(text string) string { return text }}
		if s.cookie = cookieOf(visit(s.Manager, "POST", "", plusOne)); s.cookie == "" {
			t.Fatal("no session was begun")
		}
		f(s)
	})
}

// The server commits and the network eats its answer: whoever simply did it again would count twice.
func TestALostReplyIsCountedOnce(t *testing.T) {
	mark := sojourn.NewKey[string]("mark")
	onFaulty(t, sojourn.Config{}, func(s *faulty) {
		for i := range 5 {
			// Statements are prepared: of all that is sent, only this update carries the mark.
			sign := fmt.Sprintf("mark-of-request-%d", i)
			s.proxy.CutNextReplyAfter([]byte(s.wire(sign)))
			w := visit(s.Manager, "POST", s.cookie, func(w http.ResponseWriter, r *http.Request) {
				plusOne(w, r)
				mark.Put(r.Context(), sign)
			})
			if w.Code != 200 {
				s.t.Errorf("request %d was answered %d, want 200: it did take effect", i, w.Code)
			}
			s.proxy.Heal() // which complains if nothing was cut
			wantClicks(s.t, s.Manager, s.cookie, 1+1+i)
		}
	})
}

// The first write of a session is an insert: doing it again would meet itself.
func TestALostReplyToTheFirstWriteBeginsOneSession(t *testing.T) {
	onFaulty(t, sojourn.Config{}, func(s *faulty) {
		const sign = "mark-of-the-first-write"
		s.proxy.CutNextReplyAfter([]byte(s.wire(sign)))
		w := visit(s.Manager, "POST", "", func(w http.ResponseWriter, r *http.Request) {
			plusOne(w, r)
			sojourn.NewKey[string]("mark").Put(r.Context(), sign)
		})
		cookie := cookieOf(w)
		if w.Code != 200 || cookie == "" {
			s.t.Fatalf("answered %d with cookie %q", w.Code, cookie)
		}
		s.proxy.Heal()
		wantClicks(s.t, s.Manager, cookie, 1)
	})
}

// A database that is down is not 'nobody is logged in', and its return needs nobody's help.
func TestTheServerIsKilledAndComesBack(t *testing.T) {
	onFaulty(t, sojourn.Config{}, func(s *faulty) {
		s.want200(1)
		for n := range 2 {
			s.server.Kill()
			s.want503(5 * time.Second)
			s.server.Start()
			s.want200(2 + n)
		}
	})
}

// What a handler has written goes unsent when its save fails: there was no success.
func TestTheServerIsKilledInTheMiddleOfARequest(t *testing.T) {
	onFaulty(t, sojourn.Config{}, func(s *faulty) {
		w := visit(s.Manager, "POST", s.cookie, func(w http.ResponseWriter, r *http.Request) {
			plusOne(w, r)
			s.server.Kill()
			io.WriteString(w, "saved")
		})
		if w.Code != http.StatusServiceUnavailable || strings.Contains(w.Body.String(), "saved") {
			s.t.Errorf("answered %d %q, want 503", w.Code, w.Body)
		}
		if c := w.Result().Header["Set-Cookie"]; c != nil {
			s.t.Errorf("an outage must not touch the browser's cookie: %q", c)
		}
		s.server.Start()
		wantClicks(s.t, s.Manager, s.cookie, 1)
		s.want200(2)
	})
}

func TestTheServerRefusesConnections(t *testing.T) {
	onFaulty(t, sojourn.Config{}, func(s *faulty) {
		s.proxy.Refuse()
		s.want503(time.Second)
		s.proxy.Heal()
		s.want200(2)
	})
}

// A server that says nothing at all holds a request up for StoreTimeout and no longer.
func TestTheServerIsSilent(t *testing.T) {
	const timeout = 500 * time.Millisecond
	onFaulty(t, sojourn.Config{StoreTimeout: timeout}, func(s *faulty) {
		s.proxy.BlackHole()
		began := time.Now()
		s.want503(timeout + time.Second)
		if took := time.Since(began); took < timeout {
			s.t.Errorf("both requests were given up after %v, before StoreTimeout", took)
		}
		s.proxy.Heal()
		s.want200(2)
	})
}

// want503 sends a request that reads and one that writes, each to be given up within that time.
func (s *faulty) want503(within time.Duration) {
	s.t.Helper()
	for method, h := range map[string]http.HandlerFunc{
		"GET":  func(_ http.ResponseWriter, r *http.Request) { clicks.Get(r.Context()) },
		"POST": plusOne,
	} {
		began := time.Now()
		w := visit(s.Manager, method, s.cookie, h)
		if took := time.Since(began); took > within {
			s.t.Errorf("%s was answered after %v, want at most %v", method, took, within)
		}
		if w.Code != http.StatusServiceUnavailable {
			s.t.Errorf("%s was answered %d while the server was away, want 503", method, w.Code)
		}
		if c := w.Result().Header["Set-Cookie"]; c != nil {
			s.t.Errorf("%s: an outage must not touch the browser's cookie: %q", method, c)
		}
	}
}

// want200 has the same session go on, counting n, at the first attempt.
func (s *faulty) want200(n int) {
	s.t.Helper()
	if n > 1 {
		if w := visit(s.Manager, "POST", s.cookie, plusOne); w.Code != 200 {
			s.t.Errorf("POST was answered %d though the server is back, want 200", w.Code)
		}
	}
	wantClicks(s.t, s.Manager, s.cookie, n)
}
