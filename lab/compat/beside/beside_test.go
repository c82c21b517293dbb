package main

import (
	"os"
	"strings"
	"testing"
)

// The page of comparison has what the program prints, which has the same outcome each time.
func TestPageSaysWhatRuns(t *testing.T) {
	var b strings.Builder
	report(&b, ginContrib(), fiberSession())
	page, err := os.ReadFile("../../../docs/comparison.md")
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(page), "```\n"+b.String()+"```\n") {
		t.Errorf("docs/comparison.md has something else than\n%s", b.String())
	}
}
