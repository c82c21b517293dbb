package main

import (
	"os"
	"strings"
	"testing"
)

// Sojourn has none of them; that the peers do shows that the code can find them. The README has the very
// table that the command prints.
func TestFaults(t *testing.T) {
	counts := run(t.TempDir())
	for i, f := range faults {
		scs, ours := counts[i][0], counts[i][2]
		if ours != 0 {
			t.Errorf("%s: %d of %d %s", f.id, ours, f.of, f.what)
		}
		if scs == 0 {
			t.Errorf("%s: scs does not have it: is it tested?", f.id)
		}
	}
	var b strings.Builder
	table(&b, counts)
	readme, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(readme), b.String()) {
		t.Errorf("the README has another table:\n%s", b.String())
	}
}
