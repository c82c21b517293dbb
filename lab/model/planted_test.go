package model

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"
)

// recorded is a test that may fail without failing this one.
type recorded struct {
	*testing.T
	failed bool
}

func (r *recorded) Failed() bool              { return r.failed }
func (r *recorded) Fail()                     { r.failed = true }
func (r *recorded) FailNow()                  { r.failed = true; runtime.Goexit() }
func (r *recorded) Errorf(f string, a ...any) { r.failed = true; r.Logf(f, a...) }
func (r *recorded) Error(a ...any)            { r.failed = true; r.Log(a...) }
func (r *recorded) Fatalf(f string, a ...any) { r.Errorf(f, a...); runtime.Goexit() }
func (r *recorded) Fatal(a ...any)            { r.Error(a...); runtime.Goexit() }

// found runs a search that has to break a law within a minute.
func found(t *testing.T, b Bias, wrap Wrap) {
	t.Helper()
	begun := time.Now()
	r := &recorded{T: t}
	done := make(chan struct{})
	go func() {
		defer close(done)
		search(t, r, 1_000_000, b, wrap)
	}()
	<-done
	if !r.failed {
		t.Fatal("the planted bug was not found")
	}
	if took := time.Since(begun); took > time.Minute {
		t.Errorf("it took %s", took)
	}
}

func TestPlantedNoFence(t *testing.T) {
	found(t, Bias{Keepers: []Keeper{InStore}}, NoFence)
}

func TestPlantedNoCompareAndSwap(t *testing.T) {
	found(t, Bias{Keepers: []Keeper{InStore}}, NoCompare)
}

func TestPlantedSealNotHidden(t *testing.T) {
	found(t, Bias{Keepers: []Keeper{Visitors}, Verbs: visitors}, NotHidden)
}

func TestPlantedSealNotForgotten(t *testing.T) {
	found(t, Bias{Keepers: []Keeper{Visitors}, Verbs: visitors}, NotForgotten)
}

func TestPlantedSealMovedInTwice(t *testing.T) {
	found(t, Bias{Keepers: []Keeper{Visitors}, Verbs: copies, Copies: true}, NoTaken)
}

// A login that is merged with other saves of its session hands out no token of its own. The machine runs
// in a process whose root module has that bug.
func TestPlantedMergedLogin(t *testing.T) {
	t.Parallel()
	mutant(t, "save.go", "sv.begin(s, b, wk.ops, wk.token || ", "sv.begin(s, b, wk.ops, ", "^TestMachine$/^one_session_in_one_process$", "-more=50")
}

// mutant runs a test of this package with one line of the root module replaced, and wants it to fail.
func mutant(t *testing.T, file, line, instead, run string, more ...string) {
	t.Helper()
	if testing.Short() {
		t.Skip("it compiles the module anew")
	}
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(root, file)
	source, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if n := strings.Count(string(source), line); n != 1 {
		t.Fatalf("%s has %q %d times: tell this test what it is now", file, line, n)
	}
	dir := t.TempDir()
	changed := filepath.Join(dir, file)
	if err := os.WriteFile(changed, []byte(strings.Replace(string(source), line, instead, 1)), 0o600); err != nil {
		t.Fatal(err)
	}
	overlay, err := json.Marshal(map[string]map[string]string{"Replace": {path: changed}})
	if err != nil {
		t.Fatal(err)
	}
	list := filepath.Join(dir, "overlay.json")
	if err := os.WriteFile(list, overlay, 0o600); err != nil {
		t.Fatal(err)
	}
	begun := time.Now()
	args := append([]string{"test", "-count=1", "-timeout=2m", "-overlay=" + list, "-run=" + run, "."}, more...)
	out, err := exec.CommandContext(t.Context(), "go", args...).CombinedOutput()
	if err == nil {
		t.Fatalf("nothing was found:\n%s", out)
	}
	if !strings.Contains(string(out), "a law is broken") && !strings.Contains(string(out), "logins") {
		t.Fatalf("it failed without breaking a law:\n%s", out)
	}
	t.Logf("found after %s, compiling included:\n%s", time.Since(begun).Round(time.Millisecond), out)
}
