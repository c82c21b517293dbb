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
)

// Main runs the tests and then stops the servers that they made the harness start.
func Main(m *testing.M) {
	defer closing.run()
	m.Run()
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
