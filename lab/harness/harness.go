// Package harness gives the tests of lab real servers on the loopback interface.
//
// A server is, in this order: the one at the address in the environment; one on its standard port of
// 127.0.0.1 that lets us in; a private one, started from the server's own programs once per test
// process. Without any the test is skipped with a line that says what to install. What SOJOURN_REQUIRE
// lists (mysql,postgres,browser, and so on) fails instead of being skipped.
//
//	SOJOURN_MYSQL     a DSN of go-sql-driver, such as root@tcp(127.0.0.1:3306)/
//	SOJOURN_POSTGRES  a URL of pgx, such as postgres://postgres@127.0.0.1:5432/postgres
//	SOJOURN_REDIS     host:port
//
// The programs of private servers are those on this machine, or what is unpacked (by lab/engines) in the folders
// SOJOURN_MYSQL_ROOT, SOJOURN_POSTGRES_ROOT and SOJOURN_REDIS_ROOT; with such a folder the standard port is passed
// by. SOJOURN_ONLY lists the kinds of server (mysql,postgres,sqlite,redis,rediscluster) that this run is about: what
// wants another one is skipped. SOJOURN_MET names a file that gets a line for each server, with its version, that tests have met.
//
// The user named there must be allowed to create databases. A package that uses the harness says
//
//	func TestMain(m *testing.M) { harness.Main(m) }
package harness

import (
	"crypto/rand"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/gosojourn/sojourn/internal/leak"
)

// Main runs the tests, then ends and the servers that they made the harness start, and ends the process: with 1
// if the tests have passed and left a goroutine behind.
func Main(m *testing.M, ends ...func()) {
	code := m.Run()
	for _, end := range ends {
		end()
	}
	closing.run()
	if code == 0 {
		code = leak.Left(os.Stderr)
	}
	os.Exit(code)
}

// closing is what outlives a test and ends with the process.
var closing atEnd

type atEnd struct {
	mu sync.Mutex
	do []func()
}

func (a *atEnd) add(f func()) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.do = append(a.do, f)
}

func (a *atEnd) run() {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, f := range slices.Backward(a.do) {
		f()
	}
	a.do = nil
}

// wanted ends the test, by skipping it, if SOJOURN_ONLY is set and does not list what.
func wanted(t testing.TB, what string) {
	t.Helper()
	if only := os.Getenv("SOJOURN_ONLY"); only != "" && !slices.Contains(strings.Split(only, ","), what) {
		t.Skipf("not in this run: %s (SOJOURN_ONLY=%s)", what, only)
	}
}

// Missing ends the test for want of what, by skipping it unless SOJOURN_REQUIRE lists it.
func Missing(t testing.TB, what, line string) {
	t.Helper()
	if slices.Contains(strings.Split(os.Getenv("SOJOURN_REQUIRE"), ","), what) {
		t.Fatalf("%s (SOJOURN_REQUIRE lists %s)", line, what)
	}
	t.Skip(line)
}

// newName is a name for a database that nobody else has.
func newName() string { return "sojourn_test_" + strings.ToLower(rand.Text()[:16]) }
