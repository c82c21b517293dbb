package sojourn_test

import (
	"io/fs"
	"os"
	"path"
	"strings"
	"testing"

	"github.com/gosojourn/sojourn/internal/leak"
)

func TestMain(m *testing.M) { leak.Main(m) }

// Packages whose tests do not end with a look for goroutines, each with its reason.
var leaky = map[string]string{
	"storetest":   "its tests hold the kit to stores whose calls never end",
	"cmd/sojourn": "its tests are transcripts of processes",
	"snippetbox":  "its tests are to be copied from, by who cannot import internal packages",
}

func TestEachPackageLooksForGoroutinesLeftBehind(t *testing.T) {
	looks := map[string]bool{}
	err := fs.WalkDir(os.DirFS("."), ".", func(file string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() || !strings.HasSuffix(file, "_test.go") || strings.HasPrefix(file, ".") {
			return err
		}
		text, err := os.ReadFile(file)
		has := strings.Contains(string(text), "leak.Main(m)") || strings.Contains(string(text), "harness.Main(m") || strings.Contains(string(text), "{ Main(m) }")
		looks[path.Dir(file)] = looks[path.Dir(file)] || has
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(looks) < 10 {
		t.Fatalf("%d packages with tests: that is not the whole repository", len(looks))
	}
	for dir, has := range looks {
		if reason := leaky[dir]; has == (reason != "") {
			t.Errorf("%s: looks for goroutines left behind: %v; reason not to: %q", dir, has, reason)
		}
	}
}
