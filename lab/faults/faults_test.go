package faults

import (
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/gosojourn/sojourn/lab/harness"
	"github.com/gosojourn/sojourn/lab/histories/serving"
)

func TestMain(m *testing.M) {
	if serves, err := serving.Serve(); serves {
		if err != nil {
			fmt.Fprintln(os.Stderr, "faults:", err)
			os.Exit(1)
		}
		return
	}
	harness.SideBySide("8")
	harness.Main(m, removePrograms)
}

// Whatever is done to servers and processes, what was acknowledged is there afterwards, who was logged out is out,
// no answer takes longer than its budget, and the application goes on by itself.
func TestFaults(t *testing.T) {
	if *soak == 0 {
		t.Parallel()
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			if row.long && *soak == 0 {
				t.Skip("with -soak")
			}
			if *soak == 0 {
				t.Parallel()
			}
			lasting := *soak
			if lasting == 0 {
				lasting = 300 * time.Millisecond
			}
			r := row.open(t).play(t, lasting)
			t.Logf("| %s | %s | %v |", row.name, row.done, r)
			if !row.lossy && r.lost > 0 {
				t.Errorf("%d of %d acknowledged writes are lost", r.lost, r.acknowledged)
			}
			if !row.lossy && r.revived > 0 {
				t.Errorf("%d of %d ended sessions are back", r.revived, r.ended)
			}
			if row.forgets && r.lost == 0 {
				t.Error("the server has forgotten everything, and the judge finds nothing lost")
			}
			if r.doubled > 0 {
				t.Errorf("%d increments too many", r.doubled)
			}
			if r.acknowledged < 50 || r.ended == 0 || r.requests == 0 {
				t.Errorf("%+v: little is tested", r)
			}
		})
	}
}

// The page has these rows, in this order. The numbers are of one run.
func TestThePageHasTheRows(t *testing.T) {
	var want []string
	for _, row := range rows {
		want = append(want, "| "+row.name+" | "+row.done+" |")
	}
	inOrder(t, "| fault | what was done |", want)
}

// inOrder looks that the table with that head has rows that begin so, and no others.
func inOrder(t *testing.T, head string, want []string) {
	t.Helper()
	text, err := os.ReadFile("../../docs/reliability.md")
	if err != nil {
		t.Fatal(err)
	}
	_, table, found := strings.Cut(string(text), head)
	if !found {
		t.Fatalf("the page has no table %s", head)
	}
	lines := strings.Split(table, "\n")[2:]
	for i, w := range append(want, "") {
		if i >= len(lines) || !strings.HasPrefix(lines[i], w) || w == "" && strings.HasPrefix(lines[i], "|") {
			t.Fatalf("row %d of the page is %q, want %q", i+1, lines[i], w)
		}
	}
}
