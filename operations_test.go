package sojourn_test

import (
	"os"
	"regexp"
	"strings"
	"testing"
)

// Each event is in the page for operators.
func TestOperationsKnowEachEvent(t *testing.T) {
	source, err := os.ReadFile("events.go")
	if err != nil {
		t.Fatal(err)
	}
	page, err := os.ReadFile("docs/operations.md")
	if err != nil {
		t.Fatal(err)
	}
	names := regexp.MustCompile(`EventName = "([a-z_]+)"`).FindAllStringSubmatch(string(source), -1)
	if len(names) < 10 {
		t.Fatalf("events.go has %d names", len(names))
	}
	for _, n := range names {
		if !strings.Contains(string(page), "`"+n[1]+"`") {
			t.Errorf("docs/operations.md does not say what to do about %s", n[1])
		}
	}
}
