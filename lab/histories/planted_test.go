package histories

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/gosojourn/sojourn"
)

// A forgetful store replaces a record at whatever version it is.
type forgetful struct{ *Lossy }

func (f forgetful) Update(ctx context.Context, r sojourn.Record, _ uint64) error {
	there, err := f.Load(ctx, r.ID)
	if err != nil {
		return err
	}
	return f.Lossy.Update(ctx, r, there.Version)
}

// A greedy store ends also the session that is to stay.
type greedy struct{ *Lossy }

func (g greedy) RevokeOwner(ctx context.Context, owner, _ string) (uint64, error) {
	return g.Lossy.RevokeOwner(ctx, owner, "")
}

func TestABugInTheStoreIsFound(t *testing.T) {
	for what, b := range map[string]struct {
		spec  *Spec
		store func(*Lossy) sojourn.Store
	}{
		"it ignores the version":       {&Counter, func(l *Lossy) sojourn.Store { return forgetful{l} }},
		"it ends also the one to keep": {&Logins, func(l *Lossy) sojourn.Store { return greedy{l} }},
	} {
		t.Run(what, func(t *testing.T) {
			first := options.First()
			stage := inMemory(t, b.store(NewLossy(first, 10)), 2)
			rep, err := Runs{Spec: b.spec, Stage: stage, Seed: first, For: 20 * time.Second, AtOnce: 3}.Run(t.Context(), true)
			if err != nil {
				t.Fatal(err)
			}
			if rep.Wrong == nil || !rep.Wrong.Verdict.Refused() {
				t.Fatalf("an order was found for each of %d histories", rep.Histories)
			}
			t.Logf("history %d:\n%s", rep.Histories, Print(rep.Wrong.Verdict.Ops()))
		})
	}
}

// planted are changes of one place in the root module, each with the part of TestMemory that refuses it. A build takes
// seconds, so SOJOURN_MUTANTS=1 asks for those after the first two; that their texts are there is looked at always.
var planted = []struct{ what, file, old, new, spec string }{
	{"the keeper: what was lost is done again", "settle.go",
		"if v := t.tried[i].Version; now.Version == v || now.DescendsFrom(v) {", "if v := t.tried[i].Version; v == 0 {", "one/counter"},
	{"the queue: whoever was taken along is forgotten when it is done again", "turn.go",
		"for _, x := range t.merged {\n\t\tt.apply1(x, base, now, false)\n\t}", "", "two/counter"},
	{"the keeper: a logout ends what has another token", "stored.go",
		"case known.Token != r.Token:\n\t\t\treturn ErrEnded", "case false:", "one/logins"},
	{"the queue: barriers are merged", "internal/queue/queue.go",
		"if e == nil || e.Alone || e.Ends.Before(head.Ends) {", "if e == nil || e.Ends.Before(head.Ends) {", "one/logins"},
}

// Each is built into a copy of this test, by an overlay of one file, and TestMemory has to fail there.
func TestABugInTheKeeperOrTheQueueIsFound(t *testing.T) {
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	for n, p := range planted {
		t.Run(p.what, func(t *testing.T) {
			t.Parallel()
			file := filepath.Join(root, p.file)
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if n := strings.Count(string(text), p.old); n != 1 {
				t.Fatalf("%s has this text %d times, want once: the code has changed, so change the bug:\n%s", p.file, n, p.old)
			}
			if n >= 2 && os.Getenv("SOJOURN_MUTANTS") == "" {
				t.Skip("set SOJOURN_MUTANTS=1 to build it")
			}
			dir := t.TempDir()
			broken, overlay := filepath.Join(dir, "broken.go"), filepath.Join(dir, "overlay.json")
			replaced, err := json.Marshal(map[string]map[string]string{"Replace": {file: broken}})
			if err != nil {
				t.Fatal(err)
			}
			err = errors.Join(os.WriteFile(broken, []byte(strings.Replace(string(text), p.old, p.new, 1)), 0o666), os.WriteFile(overlay, replaced, 0o666))
			if err != nil {
				t.Fatal(err)
			}
			cmd := exec.CommandContext(t.Context(), "go", "test", "-count=1", "-vet=off", "-overlay="+overlay, "-run=^TestMemory$/"+p.spec+"$", ".", "-soak=30s")
			out, err := cmd.CombinedOutput()
			if err == nil || !strings.Contains(string(out), "no order explains this history") {
				t.Errorf("it was not found: %v\n%s", err, out)
			}
			if testing.Verbose() {
				t.Logf("%s", out)
			}
		})
	}
}
