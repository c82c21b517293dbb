package main

import (
	"crypto/rand"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// The same application with its sessions sealed into cookies: nothing is stored but whose have ended.
func TestSealedSessions(t *testing.T) {
	everyDatabase(t, func(t *testing.T, database string) {
		s := newSiteKept(t, database, inCookies)
		here := newBrowser(t, s.url)
		signUp(t, here, "ann")
		here.post("/user/login", credentials("ann", pass)).want(t, 200, "Log out", `id="session-warning"`)
		there := as(t, s.url, "ann")

		here.post("/snippet/create", snippetValues("Sealed", "Content", "7")).want(t, 200, created)
		if r := here.get("/"); strings.Contains(r.body, created) || !strings.Contains(r.body, "Sealed") {
			t.Error("the message is shown twice")
		}
		if n := here.visits(); n < 3 {
			t.Errorf("/visits says %d", n)
		}
		here.get("/account/sessions").want(t, 200, "Your devices keep their sessions themselves", "End all other sessions")

		change := url.Values{"currentPassword": {pass}, "newPassword": {pass + "!"}, "newPasswordConfirmation": {pass + "!"}}
		here.post("/account/password", change).want(t, 200, "All your other sessions have ended.", "Log out")
		r := there.post("/snippet/create", snippetValues("From there", "Content", "7"))
		r.want(t, http.StatusForbidden, "What you wrote is kept")
		there.get("/account").want(t, 200, "Log in</button>")
		here.get("/account").want(t, 200, "ann@example.com")

		there.post("/user/login", credentials("ann", pass+"!")).want(t, 200, "Log out")
		there.post("/account/sessions/end-others", nil).want(t, 200, "All your other sessions have ended.")
		here.post("/session/stay", nil)
		here.get("/account").want(t, 200, "Log in</button>")
		there.post("/user/logout", nil).want(t, 200, "logged out successfully")
		if n := s.sessions(t); n != 0 {
			t.Errorf("%d sessions are stored, want none", n)
		}
	})
}

func TestSealedSessionsOutliveARestart(t *testing.T) {
	args := []string{"-addr", "127.0.0.1:0", "-sessions", "sealed", "-db", "sqlite:" + filepath.Join(t.TempDir(), "t.db"), "-keys", filepath.Join(t.TempDir(), "keys")}
	base, stop := start(t, args...)
	b := member(t, base, "ann")
	stop()
	b.base, _ = start(t, args...)
	b.get("/account").want(t, 200, "ann@example.com")
}

// Keys outlive a database. In the next one somebody else has the same id, and no use of the cookies of
// whoever had it before.
func TestSessionsOfAFormerDatabase(t *testing.T) {
	s := newSiteKept(t, "sqlite:"+filepath.Join(t.TempDir(), "test.db"), inCookies)
	here := newBrowser(t, s.url)
	signUp(t, here, "ann")
	if _, err := s.db.Exec("UPDATE users SET created = '2026-01-01 00:00:00'"); err != nil {
		t.Fatal(err)
	}
	here.post("/user/login", credentials("ann", pass)).want(t, 200, "Log out")
	here.get("/account").want(t, 200, "ann@example.com")
	if _, err := s.db.Exec("DELETE FROM users; DELETE FROM sqlite_sequence"); err != nil {
		t.Fatal(err)
	}
	member(t, s.url, "bob").get("/account").want(t, 200, "bob@example.com")
	here.get("/account").want(t, 200, "Log in</button>")
}

// The same application with its sessions in Redis: the database has people and snippets.
func TestSessionsInRedis(t *testing.T) {
	addr := os.Getenv("SOJOURN_REDIS")
	if addr == "" {
		addr = "127.0.0.1:6379"
	}
	c, err := net.DialTimeout("tcp", addr, time.Second)
	if err != nil {
		t.Skipf("skipped: sessions in Redis; it needs a server on %s (apt-get install redis-server)", addr)
	}
	c.Close()
	args := []string{"-addr", "127.0.0.1:0", "-sessions", "redis://" + addr, "-db", "sqlite:" + filepath.Join(t.TempDir(), "t.db")}
	base, stop := start(t, args...)
	name := "ann" + strings.ToLower(rand.Text())
	here := member(t, base, name)
	there := as(t, base, name)
	there.get("/account/sessions").want(t, 200, "This device", "End all other sessions")
	there.post("/account/sessions/end-others", nil).want(t, 200, "All your other sessions have ended.")
	here.post("/session/stay", nil)
	here.get("/account").want(t, 200, "Log in</button>")
	stop()
	there.base, _ = start(t, args...)
	there.get("/account").want(t, 200, name+"@example.com")
	there.post("/user/logout", nil).want(t, 200, "logged out successfully")
}

func TestSessionsFlag(t *testing.T) {
	for _, kept := range []string{"memory", "", "redis:hunter2", "http://hunter2@localhost", "redis://user:hunter2%zz@localhost"} {
		if _, err := parseFlags([]string{"-sessions", kept}, nil); err == nil || !strings.Contains(err.Error(), "redis://user:password@") || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%q: %v", kept, err)
		}
	}
	err := run(t.Context(), []string{"-keys", filepath.Join(t.TempDir(), "keys"), "-addr", "127.0.0.1:0", "-db", "sqlite:" + filepath.Join(t.TempDir(), "t.db"), "-sessions", "redis://user:hunter2@127.0.0.1:1"}, io.Discard, io.Discard)
	if err == nil || !strings.Contains(err.Error(), "127.0.0.1:1") || strings.Contains(err.Error(), "hunter2") {
		t.Errorf("no Redis: %v", err)
	}
}
