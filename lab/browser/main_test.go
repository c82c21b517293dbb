package browser

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"github.com/gosojourn/sojourn/lab/harness"
)

func TestMain(m *testing.M) {
	closeAll := func() {}
	chromium = sync.OnceValues(func() (context.Context, error) {
		path := findChromium()
		if path == "" {
			return nil, nil
		}
		ctx, stop := chromedp.NewExecAllocator(context.Background(), append(chromedp.DefaultExecAllocatorOptions[:],
			chromedp.ExecPath(path),
			chromedp.NoSandbox,                     // containers have none
			chromedp.WSURLReadTimeout(time.Minute), // a busy machine takes its time to start it
			chromedp.Flag("disable-gpu", true),
			chromedp.Flag("ignore-certificate-errors", true), // ours are made at start
			chromedp.Flag("host-resolver-rules", "MAP *.test 127.0.0.1, MAP * ~NOTFOUND, EXCLUDE localhost, EXCLUDE 127.0.0.1"),
			chromedp.Flag("disable-component-update", true),
		)...)
		ctx, end := chromedp.NewContext(ctx)
		closeAll = func() { end(); stop() }
		return ctx, chromedp.Do(ctx)
	})
	harness.Main(m, func() {
		closeAll()
		closeBound()
		if buildDir != "" {
			os.RemoveAll(buildDir)
		}
	})
}

// chromium is one Chromium for all tests; nil where there is none.
var chromium func() (context.Context, error)

func findChromium() string {
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "headless-shell"} {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	return ""
}

var buildDir string

// theProgram builds snippetbox, once.
var theProgram = sync.OnceValues(func() (string, error) {
	var err error
	if buildDir, err = os.MkdirTemp("", "sojourn-browser-"); err != nil {
		return "", err
	}
	path := filepath.Join(buildDir, "snippetbox")
	cmd := exec.Command("go", "build", "-o", path, "github.com/gosojourn/sojourn/snippetbox")
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", &buildError{string(out), err}
	}
	return path, nil
})

type buildError struct {
	out string
	err error
}

func (e *buildError) Error() string {
	return "snippetbox does not build: " + e.err.Error() + "\n" + e.out
}
