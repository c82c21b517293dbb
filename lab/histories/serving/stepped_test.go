package serving

import (
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

// The installed Go has the text that is replaced, once. This needs no build.
func TestTheInstalledGoCanBeStepped(t *testing.T) {
	text, err := os.ReadFile(filepath.Join(runtime.GOROOT(), "src", "time", "time.go")) //nolint:staticcheck // of the go that tests
	if err != nil {
		t.Skipf("skipped: no source of Go: %v", err)
	}
	got, err := stepping(string(text))
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(got, nowSteps) {
		t.Error("Now is not stepped")
	}
	if _, err := stepping("package time\n"); err == nil {
		t.Error("a package without that Now is taken for one that can be stepped")
	}
}
