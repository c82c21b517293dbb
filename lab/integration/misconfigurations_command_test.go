package integration

import (
	"encoding/json"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"

	"github.com/go-sql-driver/mysql"

	"github.com/gosojourn/sojourn/sqlstore"
)

// A saidTwice is what Check says in the application, and what the command says of the same store.
type saidTwice struct {
	error
	command []string
}

// command builds cmd/sojourn once for all tests.
var command = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "sojourn-command-")
	if err != nil {
		return "", err
	}
	name := filepath.Join(dir, "sojourn")
	build := exec.Command("go", "build", "-o", name, "../../cmd/sojourn")
	build.Stderr = os.Stderr
	return name, build.Run()
})

// byCommand has sojourn check look at the store, too.
func byCommand(t *testing.T, err error, store string) error {
	t.Helper()
	if err == nil {
		return nil
	}
	name, problem := command()
	if problem != nil {
		t.Fatal(problem)
	}
	c := exec.CommandContext(t.Context(), name, "check", "--json")
	c.Env = append(os.Environ(), "SOJOURN_STORE="+store)
	out, _ := c.Output() // what it finds is an exit code, too
	var found struct{ Findings []string }
	if len(out) > 0 {
		if err := json.Unmarshal(out, &found); err != nil {
			t.Fatalf("%v in %q", err, out)
		}
	}
	return &saidTwice{err, found.Findings}
}

// url names p for the command. Of SQLite it is the file alone: the command has a DSN of its own.
func (p place) url(t *testing.T) string {
	t.Helper()
	switch p.dialect {
	case sqlstore.SQLite:
		path, _, _ := strings.Cut(strings.TrimPrefix(p.dsn, "file:"), "?")
		return "sqlite:" + path
	case sqlstore.Postgres:
		return p.dsn
	}
	cfg, err := mysql.ParseDSN(p.dsn)
	if err != nil {
		t.Fatal(err)
	}
	_, params, _ := strings.Cut(p.dsn, "?")
	u := url.URL{Scheme: "mysql", User: url.UserPassword(cfg.User, cfg.Passwd), Host: cfg.Addr, Path: cfg.DBName, RawQuery: params}
	return u.String()
}

// seenByCommand reports whether the command finds what the document says, and nothing else.
func seenByCommand(t *testing.T, err error, says *regexp.Regexp) bool {
	twice, ok := err.(*saidTwice)
	if !ok || len(twice.command) == 0 {
		return false
	}
	for _, line := range twice.command {
		if !says.MatchString(checkPrefix.ReplaceAllString(strings.TrimSpace(line), "")) {
			t.Errorf("the command says %q,\nthe document %q", line, says)
		}
	}
	return true
}

// unseen answers who tells of the rows that the command does not see.
func unseen(t *testing.T, section string) map[string]string {
	t.Helper()
	who := map[string]string{}
	for _, cells := range tableOf(t, "What the command does not see") {
		if cells[0] == section {
			who[cells[1]] = cells[2]
		}
	}
	return who
}
