package integration

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gosojourn/sojourn"
)

// V7.4.2 between two processes: a login that began in one before a revocation began in the other
// never survives it, whatever the schedule.
func TestALoginInFlightDiesInAnotherProcess(t *testing.T) {
	if text := os.Getenv(orderVar); text != "" {
		serveLogins(t, text)
		return
	}
	schedules, atOnce := inShort(200, 1000), 4
	for _, k := range betweenProcesses {
		t.Run(k.name, func(t *testing.T) {
			t.Parallel()
			o := k.at(t)
			m := managerOn(t, o.store(t), sojourn.Config{StoreTimeout: time.Minute})
			url := startProcess(t, "TestALoginInFlightDiesInAnotherProcess", o)
			var before, after, survived atomic.Int64
			var wg sync.WaitGroup
			for w := range atOnce {
				wg.Go(func() {
					for i := w; i < schedules; i += atOnce {
						owner := fmt.Sprintf("owner %d", i)
						began := make(chan time.Time, 1)
						go func() {
							time.Sleep(rand.N(4 * time.Millisecond))
							began <- time.Now()
							if err := m.RevokeAll(t.Context(), owner); err != nil {
								t.Errorf("RevokeAll: %v", err)
							}
							close(began)
						}()
						begun, cookie := loginThere(t, url, owner)
						revoking := <-began
						<-began
						alive := false
						if cookie != "" {
							visit(m, "GET", cookie, func(_ http.ResponseWriter, r *http.Request) { alive = m.Info(r.Context()).Owner == owner })
						}
						switch {
						case !begun.Before(revoking):
							after.Add(1)
						case alive:
							survived.Add(1)
							fallthrough
						default:
							before.Add(1)
						}
					}
				})
			}
			wg.Wait()
			if n := survived.Load(); n > 0 {
				t.Errorf("%d logins survived a revocation that began after them", n)
			}
			if before.Load() < int64(schedules)/10 {
				t.Errorf("only %d logins began before the revocation: little is tested", before.Load())
			}
			t.Logf("%d logins began before the revocation, %d after", before.Load(), after.Load())
		})
	}
}

// loginThere answers when the other process began to handle the login, and the cookie that it sent.
func loginThere(t *testing.T, url, owner string) (begun time.Time, cookie string) {
	t.Helper()
	res, err := http.Post(url, "text/plain", strings.NewReader(owner))
	if err != nil {
		t.Errorf("login: %v", err)
		return time.Now(), ""
	}
	defer res.Body.Close()
	io.Copy(io.Discard, res.Body)
	said := res.Header.Get("Begun")
	if said == "" && res.StatusCode == http.StatusConflict {
		return begun, "" // the store did not answer in time, and what the handler had put into the header is gone
	}
	if begun, err = time.Parse(time.RFC3339Nano, said); err != nil {
		t.Error(err)
	}
	if res.StatusCode == http.StatusOK {
		for _, c := range res.Cookies() {
			cookie = c.Name + "=" + c.Value
		}
	}
	return begun, cookie
}

// startProcess has another process run a test of this package with an order, which says where it listens.
func startProcess(t *testing.T, test string, o order) (url string) {
	t.Helper()
	return startProcessWith(t, test, o)
}

// startProcessWith is that with an order of the test's own.
func startProcessWith(t *testing.T, test string, o any) (url string) {
	t.Helper()
	text, err := json.Marshal(o)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	cmd := exec.CommandContext(ctx, os.Args[0], "-test.run=^"+test+"$")
	cmd.Env = append(os.Environ(), orderVar+"="+string(text))
	stdin, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	cmd.Stderr = os.Stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewReader(stdout)
	t.Cleanup(func() {
		stdin.Close() // which ends it
		rest, _ := io.ReadAll(lines)
		if err := cmd.Wait(); err != nil {
			t.Errorf("the other process: %v\n%s", err, rest)
		}
		cancel()
	})
	line, err := lines.ReadString('\n')
	if err != nil || !strings.HasPrefix(line, "http://") {
		t.Fatalf("the other process says %q, %v", line, err)
	}
	return strings.TrimSpace(line)
}

// serveLogins is what that process does, until its input ends.
func serveLogins(t *testing.T, text string) { serveUntilInputEnds(t, loginsOf(t, managerOf(t, text))) }

// managerOf is the other process's manager.
func managerOf(t *testing.T, text string) *sojourn.Manager {
	var o order
	if err := json.Unmarshal([]byte(text), &o); err != nil {
		t.Fatal(err)
	}
	return managerOn(t, o.store(t), sojourn.Config{
		StoreTimeout: time.Minute,
		ErrorHandler: func(w http.ResponseWriter, _ *http.Request, err error) {
			http.Error(w, err.Error(), http.StatusConflict)
		},
	})
}

// loginsOf logs in whoever the body names, and says when the handler began.
func loginsOf(t *testing.T, m *sojourn.Manager) http.Handler {
	return m.LoadAndSave(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Begun", time.Now().Format(time.RFC3339Nano))
		owner, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		time.Sleep(rand.N(4 * time.Millisecond))
		_ = m.Login(r.Context(), string(owner)) // Commit says it again
	}))
}

// serveUntilInputEnds is the other side of startProcess.
func serveUntilInputEnds(t *testing.T, h http.Handler) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server := http.Server{Handler: h}
	go server.Serve(ln)
	fmt.Printf("http://%s\n", ln.Addr())
	io.Copy(io.Discard, os.Stdin)
	server.Close()
}
