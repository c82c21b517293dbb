package main

import (
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
)

var firstCell = regexp.MustCompile(`(?m)^\| ([^|]*?) \|`)

// The page has the rows that the command prints, no more and no fewer: a store or a kind of request that is added is
// measured, and one that goes does not stay in the page. The figures are of the day.
func TestThePageHasTheRowsOfTheCommand(t *testing.T) {
	page, err := os.ReadFile("../../docs/scaling.md")
	if err != nil {
		t.Fatal(err)
	}
	m := regexp.MustCompile(`(?s)` + begins + `(.*?)` + ends).FindSubmatch(page)
	if m == nil {
		t.Fatalf("the page has not the marks %q and %q", begins, ends)
	}
	var nothing []measured
	for _, name := range names() {
		nothing = append(nothing, measured{store: name, costs: map[string]cost{}})
	}
	got, want := cells(string(m[1])), cells(report(nothing, 0))
	if !slices.Equal(got, want) {
		t.Errorf("the page has the rows\n%q\nand the command prints\n%q", got, want)
	}
}

// What was counted is counted again, and the page says the same. Crawlers cost the store nothing.
func TestThePageHasTheCountsOfTheCommand(t *testing.T) {
	page, err := os.ReadFile("../../docs/scaling.md")
	if err != nil {
		t.Fatal(err)
	}
	text, err := reportVisitors()
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(page), countBegins+text+ends) {
		t.Errorf("the page has not, between its marks,\n%s", text)
	}
	for _, row := range []string{"| memory, Config.Anonymous | and the burst | 1000 | 1000 | 1.00 | 100 |", "| SQLite, Config.Anonymous | and the burst | 1000 | 1000 | 1.00 | 100 |"} {
		if !strings.Contains(text, row) {
			t.Errorf("there is no row %q", row)
		}
	}
}

func cells(text string) (all []string) {
	for _, m := range firstCell.FindAllStringSubmatch(text, -1) {
		all = append(all, m[1])
	}
	return all
}

// What is measured where nothing has to be started: a question for each read, two for each write, and processor time.
func TestAStoreIsMeasured(t *testing.T) {
	for _, s := range stores {
		if s.name != "memory" && s.name != "SQLite" {
			continue
		}
		m, err := measure(s, 200)
		if err != nil {
			t.Fatal(err)
		}
		if m.costs["read"].asked != 1 || m.costs["write"].asked != 2 || m.costs["write"].app == 0 || m.bytes < 100 || m.bytes > 5000 {
			t.Errorf("%s: %+v", s.name, m)
		}
	}
}
