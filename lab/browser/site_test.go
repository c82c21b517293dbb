package browser

import (
	"bufio"
	"bytes"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gosojourn/sojourn/lab/harness"
)

// A site is a running snippetbox.
type site struct {
	url  string // without a slash at the end
	log  *buffer
	stop func()
}

// schemes are how a person reaches it: what browsers take for secure differs.
var schemes = []string{"https", "http"}

// onEach runs a story over https and on http://localhost.
func onEach(t *testing.T, story func(t *testing.T, scheme string)) {
	for _, scheme := range schemes {
		t.Run(scheme, func(t *testing.T) { story(t, scheme) })
	}
}

// start runs the program with a database and keys of its own, unless args say otherwise.
func start(t *testing.T, scheme string, args ...string) *site {
	t.Helper()
	needChromium(t)
	path, err := theProgram()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	defaults := []string{"-addr", "127.0.0.1:0", "-db", "sqlite:" + filepath.Join(dir, "snippets.db"), "-keys", filepath.Join(dir, "keys")}
	if scheme == "https" {
		defaults = append(defaults, "-tls")
	}
	s := &site{log: &buffer{}}
	cmd := exec.Command(path, append(defaults, args...)...)
	cmd.Stderr = s.log
	first := make(chan string, 1)
	cmd.Stdout = &firstLine{to: first}
	s.stop = harness.StartProgram(t, cmd)
	select {
	case line := <-first:
		s.url = strings.TrimSuffix(strings.TrimPrefix(line, "snippetbox: "), "/")
	case <-time.After(2 * patience):
		t.Fatalf("snippetbox does not say where it is:\n%s", s.log)
	}
	s.url = strings.Replace(s.url, "127.0.0.1", "localhost", 1)
	return s
}

func needChromium(t *testing.T) {
	t.Helper()
	if findChromium() == "" {
		harness.Missing(t, "browser", "skipped: snippetbox in a real browser; it needs Chromium (apt-get install chromium)")
	}
}

// firstLine passes on the first line that is written to it.
type firstLine struct {
	b  bytes.Buffer
	to chan string
}

func (f *firstLine) Write(p []byte) (int, error) {
	if f.to != nil {
		f.b.Write(p)
		if line, err := bufio.NewReader(&f.b).ReadString('\n'); err == nil {
			f.to <- strings.TrimSuffix(line, "\n")
			f.to = nil
		}
	}
	return len(p), nil
}

// buffer is a bytes.Buffer for several goroutines.
type buffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (b *buffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *buffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}

// requests counts what the log has of one kind.
func (s *site) requests(method, path string) int {
	return strings.Count(s.log.String(), "method="+method+" path="+path+" ")
}
