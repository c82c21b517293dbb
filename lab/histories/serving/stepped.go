package serving

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

const (
	nowBegins = "func Now() Time {\n\tsec, nsec, mono := runtimeNow()\n"
	nowSteps  = nowBegins + "\tsec += steppedBy.Load() / int64(Second)\n"
	stepGo    = `package time

import "sync/atomic"

var steppedBy atomic.Int64

// Step has Now answer by whole seconds later or earlier than it is. The monotonic clock goes on, and so do timers.
func Step(d Duration) { steppedBy.Store(int64(d)) }
`
)

// BuildStepped builds in dir the program that serves orders, whose clock Process.Step steps. The time package is the
// installed one with a line more in Now. The first build takes more than a minute of computing, because everything imports that.
func BuildStepped(dir string) (program string, err error) {
	lib, text, err := timePackage()
	if err != nil {
		return "", err
	}
	timeGo, err := stepping(text)
	if err != nil {
		return "", err
	}
	overlay := map[string]string{}
	for name, text := range map[string]string{"time.go": timeGo, "step.go": stepGo} {
		file := filepath.Join(dir, name)
		if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
			return "", err
		}
		overlay[filepath.Join(lib, name)] = file
	}
	list, err := json.Marshal(map[string]any{"Replace": overlay})
	if err == nil {
		err = os.WriteFile(filepath.Join(dir, "overlay.json"), list, 0o644)
	}
	if err != nil {
		return "", err
	}
	program = filepath.Join(dir, "app")
	cmd := exec.Command("go", "build", "-overlay", filepath.Join(dir, "overlay.json"), "-tags", "steppedclock", "-o", program,
		"github.com/gosojourn/sojourn/lab/histories/serving/app")
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("%s: %w\n%s", cmd, err, out)
	}
	return program, nil
}

// timePackage is where the installed Go has it, and the text of its time.go.
func timePackage() (dir, text string, err error) {
	root, err := exec.Command("go", "env", "GOROOT").Output()
	if err != nil {
		return "", "", fmt.Errorf("go env GOROOT: %w", err)
	}
	dir = filepath.Join(strings.TrimSpace(string(root)), "src", "time")
	b, err := os.ReadFile(filepath.Join(dir, "time.go"))
	return dir, string(b), err
}

// stepping is the source of package time with a Now that can be stepped.
func stepping(source string) (string, error) {
	if n := strings.Count(source, nowBegins); n != 1 {
		return "", fmt.Errorf("package time has %d times %q, want once: Now has changed, and this package has to follow", n, nowBegins)
	}
	return strings.Replace(source, nowBegins, nowSteps, 1), nil
}

// withClock answers /clock with the time of this process, after a step if it is asked for one.
func withClock(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/clock" {
			next.ServeHTTP(w, r)
			return
		}
		if by := r.FormValue("by"); by != "" {
			d, err := time.ParseDuration(by)
			if err == nil {
				err = step(d)
			}
			if err != nil {
				http.Error(w, err.Error(), http.StatusNotImplemented)
				return
			}
		}
		_, _ = fmt.Fprint(w, time.Now().UnixMilli())
	})
}

// Step has the clock of the process be d later than it is, or earlier; 0 puts it right. It answers how much later it
// is now than that of this process.
func (p *Process) Step(d time.Duration) (off time.Duration, err error) {
	res, err := http.PostForm(p.URL+"/clock", url.Values{"by": {d.String()}})
	if err != nil {
		return 0, err
	}
	defer res.Body.Close()
	var ms int64
	if _, err := fmt.Fscan(res.Body, &ms); err != nil || res.StatusCode != http.StatusOK {
		return 0, fmt.Errorf("the process does not step its clock: %s: %w", res.Status, err)
	}
	return time.Until(time.UnixMilli(ms)), nil
}
