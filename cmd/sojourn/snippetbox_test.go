package main

import (
	"bufio"
	"encoding/json"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// The reference application runs, and the command works on the store that it uses: who is ended here is out there.
func TestBesideSnippetbox(t *testing.T) {
	if _, err := os.Stat("../../snippetbox/main.go"); err != nil {
		t.Skip("the reference application is not here: this is the command's module alone")
	}
	program := filepath.Join(t.TempDir(), "snippetbox")
	if out, err := exec.Command("go", "build", "-o", program, "../../snippetbox").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	for _, kind := range kinds[:3] {
		t.Run(kind.name, func(t *testing.T) {
			v := variables{t, map[string]string{}}
			if err := kind.start(t)(v, t.TempDir()); err != nil {
				t.Fatal(err)
			}
			b := newBox(t, program, "-db", v.values["SOJOURN_STORE"])
			b.store = v.values["SOJOURN_STORE"]
			b.endedByID(t)
			b.endedByOwner(t, b.login(t))
		})
	}
	t.Run("redis", func(t *testing.T) {
		store := "redis://" + private(t, "redis")
		b := newBox(t, program, "-db", "sqlite:"+filepath.Join(t.TempDir(), "t.db"), "-sessions", store)
		b.store, b.prefix = store, "snippetbox:"
		b.endedByID(t)
		b.endedByOwner(t, b.login(t))
	})
	// Browsers keep the sessions, the database only whose have been ended.
	t.Run("sealed", func(t *testing.T) {
		store := "sqlite:" + filepath.Join(t.TempDir(), "t.db")
		first := newBox(t, program, "-db", store)
		first.store = store
		owner := first.login(t)
		b := newBox(t, program, "-db", store, "-sessions", "sealed")
		b.store = store
		b.post(t, "/user/login")
		b.endedByOwner(t, owner)
	})
}

type variables struct {
	t      *testing.T
	values map[string]string
}

func (v variables) Setenv(key, value string) { v.values[key] = value }
func (v variables) Defer(f func())           { v.t.Cleanup(f) }

// A box is the running application, with a browser at it, and the store as the command knows it.
type box struct {
	base          string
	client        *http.Client
	store, prefix string
}

func newBox(t *testing.T, program string, args ...string) *box {
	t.Helper()
	cmd := exec.Command(program, append(args, "-addr", "127.0.0.1:0", "-keys", filepath.Join(t.TempDir(), "keys"))...)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cmd.Process.Kill()
		cmd.Wait()
	})
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatalf("snippetbox has said %q, then %v", line, err)
	}
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	base := strings.TrimSuffix(strings.TrimSpace(strings.TrimPrefix(line, "snippetbox: ")), "/")
	return &box{base: base, client: &http.Client{Jar: jar, Timeout: 30 * time.Second}}
}

func (b *box) post(t *testing.T, path string) {
	t.Helper()
	resp, err := b.client.PostForm(b.base+path, url.Values{"name": {"ann"}, "email": {"ann@example.com"}, "password": {"correct horse battery"}})
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if text, _ := io.ReadAll(resp.Body); resp.StatusCode != http.StatusOK && resp.StatusCode != http.StatusUnprocessableEntity {
		t.Fatalf("%s: %s\n%s", path, resp.Status, text)
	}
}

func (b *box) loggedIn(t *testing.T) bool {
	t.Helper()
	resp, err := b.client.Get(b.base + "/account")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != http.StatusOK {
		t.Fatalf("/account: %s, %v\n%s", resp.Status, err, text)
	}
	return strings.Contains(string(text), "ann@example.com")
}

// run is the command, on the box's store.
func (b *box) run(t *testing.T, args ...string) string {
	t.Helper()
	cmd := exec.Command("sojourn", args...)
	cmd.Env = append(os.Environ(), "SOJOURN_STORE="+b.store)
	if b.prefix != "" {
		cmd.Env = append(cmd.Env, "SOJOURN_PREFIX="+b.prefix)
	}
	var complaint strings.Builder
	cmd.Stderr = &complaint
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("sojourn %q: %v\n%s%s", args, err, out, complaint.String())
	}
	return string(out)
}

// sessions are those of people who are logged in.
func (b *box) sessions(t *testing.T) (all []session) {
	t.Helper()
	for line := range strings.Lines(b.run(t, "ls", "-json", "-limit", "0")) {
		var s session
		if err := json.Unmarshal([]byte(line), &s); err != nil {
			t.Fatalf("%q: %v", line, err)
		}
		if s.Owner != "" {
			all = append(all, s)
		}
	}
	return all
}

// login logs in, with an account if there is none yet, and answers whose session the store has then.
func (b *box) login(t *testing.T) (owner string) {
	t.Helper()
	b.post(t, "/user/signup")
	b.post(t, "/user/login")
	all := b.sessions(t)
	if !b.loggedIn(t) || len(all) != 1 {
		t.Fatalf("logged in: %v, sessions: %+v", b.loggedIn(t), all)
	}
	return all[0].Owner
}

// out waits until the browser is logged out: a copy nearby may take a moment.
func (b *box) out(t *testing.T) {
	t.Helper()
	for end := time.Now().Add(30 * time.Second); b.loggedIn(t); time.Sleep(50 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("the session was ended, and the browser is still logged in")
		}
	}
}

func (b *box) endedByID(t *testing.T) {
	t.Helper()
	b.run(t, "check")
	b.run(t, "migrate")
	b.login(t)
	id := b.sessions(t)[0].ID
	if out := b.run(t, "show", id); !strings.Contains(out, id) {
		t.Errorf("show says %q", out)
	}
	b.run(t, "revoke", "-yes", id)
	b.out(t)
	if out := b.run(t, "stats", "-json"); !strings.Contains(out, `"logged_in":0`) {
		t.Errorf("stats says %q", out)
	}
	b.run(t, "sweep")
}

func (b *box) endedByOwner(t *testing.T, owner string) {
	t.Helper()
	if !b.loggedIn(t) {
		t.Fatal("the browser is not logged in")
	}
	b.run(t, "revoke", "-yes", "-owner", owner)
	b.out(t)
}
