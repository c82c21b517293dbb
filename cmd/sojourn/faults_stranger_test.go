package main

import (
	"bytes"
	"context"
	"encoding/gob"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/gosojourn/sojourn"
	"github.com/gosojourn/sojourn/legacy"
	"github.com/gosojourn/sojourn/sqlstore"
)

// command runs the command on a file of its own, and answers its code and what it writes to standard error.
func command(t *testing.T, args ...string) (code int, text string) {
	t.Helper()
	f, err := os.Create(filepath.Join(t.TempDir(), "stderr"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	was := os.Stderr
	os.Stderr = f
	code = run(t.Context(), args)
	os.Stderr = was
	b, err := os.ReadFile(f.Name())
	if err != nil {
		t.Fatal(err)
	}
	return code, string(b)
}

func newFile(t *testing.T) *opened {
	t.Helper()
	t.Setenv("SOJOURN_STORE", "sqlite:"+filepath.Join(t.TempDir(), "sessions.db"))
	if code, text := command(t, "migrate"); code != exitDone {
		t.Fatalf("migrate: %d, %s", code, text)
	}
	g := grammar{Store: os.Getenv("SOJOURN_STORE"), Table: "sessions", Timeout: 30 * time.Second}
	s, err := g.open(t.Context(), nil, false)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

// docs/command.md: "A session that is ended is dead with its next request, on every machine"; docs/moving-in.md: "what was
// ended here does not come back". A session that was moved in, by import-scs or by a visit, and that revoke ID has
// ended, comes back with the browser's next request, as long as the old one is kept: RevokeID of the library ends that,
// and the command does not.
func TestFaultRevokeIDOfWhatMovedIn(t *testing.T) {
	for _, imported := range []bool{true, false} {
		s := newFile(t)
		token := strings.Repeat("o", scsToken)
		var data bytes.Buffer
		if err := gob.NewEncoder(&data).Encode(struct {
			Deadline time.Time
			Values   map[string]any
		}{time.Now().Add(time.Hour), map[string]any{"uid": 7}}); err != nil {
			t.Fatal(err)
		}
		if _, err := s.table.db.Exec(oldTable[sqlstore.SQLite]); err != nil {
			t.Fatal(err)
		}
		if _, err := s.table.db.Exec(strings.Replace(oldInsert[sqlstore.SQLite], "%d", "60", 1), token, data.Bytes()); err != nil {
			t.Fatal(err)
		}
		m, err := sojourn.New(s.backend, sojourn.Config{Legacy: &legacy.SCS{Rows: legacy.SQLite(s.table.db, "old_sessions"), Owner: "uid"}})
		if err != nil {
			t.Fatal(err)
		}
		visit := func() (i sojourn.Info) {
			r := httptest.NewRequest("GET", "https://example.com/", nil)
			r.AddCookie(&http.Cookie{Name: "session", Value: token})
			m.LoadAndSave(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { i = m.Info(r.Context()) })).ServeHTTP(httptest.NewRecorder(), r)
			return i
		}
		if imported {
			if code, text := command(t, "import-scs", "--plain-tokens", "--owner-key", "uid", "--from-table", "old_sessions"); code != exitDone {
				t.Fatalf("import-scs: %d, %s", code, text)
			}
		} else if i := visit(); i.Owner != "7" {
			t.Fatalf("moved in is %+v", i)
		}
		id := ""
		for i, err := range m.List(context.Background(), "7") {
			if err != nil {
				t.Fatal(err)
			}
			id = i.ID
		}
		if code, text := command(t, "revoke", id, "--yes"); code != exitDone {
			t.Fatalf("revoke: %d, %s", code, text)
		}
		if i := visit(); i.Owner != "" {
			t.Errorf("imported %v: the session that was revoked came back, as %q", imported, i.Owner)
		}
	}
}

// An owner is UTF-8, as Login refuses any other. What is none is made another owner by the parser of flags, silently, and
// that one's sessions are ended: it is a command line that is wrong, so 2 and nothing done.
func TestFaultOwnerThatIsNotUTF8(t *testing.T) {
	s := newFile(t)
	m, err := sojourn.New(s.backend, sojourn.Config{})
	if err != nil {
		t.Fatal(err)
	}
	m.LoadAndSave(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { _ = m.Login(r.Context(), "bob\uFFFD") })).
		ServeHTTP(httptest.NewRecorder(), httptest.NewRequest("POST", "https://example.com/", nil))
	if code, text := command(t, "revoke", "--owner", "bob\xff", "--yes"); code != exitUsage {
		t.Errorf("the code is %d, want %d: %s", code, exitUsage, text)
	}
	n := 0
	for range m.List(context.Background(), "bob\uFFFD") {
		n++
	}
	if n != 1 {
		t.Error("somebody else's session was ended")
	}
}

// "No password … is ever written, in an error neither." One that Go quotes is written: with a quotation mark, a backslash
// or a tab in it. So is one in a variable of the environment other than SOJOURN_STORE.
func TestFaultPasswordThatIsQuoted(t *testing.T) {
	newFile(t)
	for _, password := range []string{`hunter"two`, `hunter\two`, "hunter\ttwo", "hunterétwo"} {
		for _, flag := range []string{"--limit", "--table", "--timeout"} {
			if _, text := command(t, "ls", flag, "mysql://app:"+password+"@db/app"); strings.Contains(text, "hunter") {
				t.Errorf("%s: %s", flag, text)
			}
		}
	}
	t.Setenv("SOJOURN_TABLE", "mysql://app:hunter2two@db/app")
	if _, text := command(t, "ls"); strings.Contains(text, "hunter") {
		t.Errorf("SOJOURN_TABLE: %s", text)
	}
}

// "1: … standard error says what was done." With --json it says only that the answer could not be written.
func TestFaultAnswerThatIsLostInJSON(t *testing.T) {
	newFile(t)
	full, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
	if err != nil {
		t.Skip(err)
	}
	defer full.Close()
	was := os.Stdout
	os.Stdout = full
	defer func() { os.Stdout = was }()
	for _, flag := range []string{"--yes", "--json"} {
		if code, text := command(t, "revoke", "--everyone", flag, "-y"); code != exitFailed || !strings.Contains(text, "it is done") {
			t.Errorf("%s: %d, %s", flag, code, text)
		}
	}
}

// "--dry-run counts and writes nothing." It counts what is there already as to be imported.
func TestFaultDryRunOfWhatIsThereAlready(t *testing.T) {
	s := newFile(t)
	var data bytes.Buffer
	if err := gob.NewEncoder(&data).Encode(struct {
		Deadline time.Time
		Values   map[string]any
	}{time.Now().Add(time.Hour), map[string]any{"uid": 7}}); err != nil {
		t.Fatal(err)
	}
	if _, err := s.table.db.Exec(oldTable[sqlstore.SQLite]); err != nil {
		t.Fatal(err)
	}
	if _, err := s.table.db.Exec(strings.Replace(oldInsert[sqlstore.SQLite], "%d", "60", 1), strings.Repeat("o", scsToken), data.Bytes()); err != nil {
		t.Fatal(err)
	}
	importing := []string{"import-scs", "--plain-tokens", "--owner-key", "uid", "--from-table", "old_sessions", "--json"}
	if code, text := command(t, importing...); code != exitDone {
		t.Fatalf("import-scs: %d, %s", code, text)
	}
	out, err := os.Create(filepath.Join(t.TempDir(), "stdout"))
	if err != nil {
		t.Fatal(err)
	}
	defer out.Close()
	was := os.Stdout
	os.Stdout = out
	command(t, append(importing, "--dry-run")...)
	os.Stdout = was
	if b, err := os.ReadFile(out.Name()); err != nil || !bytes.Contains(b, []byte(`"imported":0,"already":1`)) {
		t.Errorf("%v: %s", err, b)
	}
}
