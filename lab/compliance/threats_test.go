package compliance_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

var (
	links   = regexp.MustCompile(`\[([^]]*)\]\(\.\./([^)]+)\)`)
	claimed = regexp.MustCompile("`([^`]+)`")
)

// Each line of a table of docs/threat-model.md names a test, and each test that is named is there.
func TestThreatModelNamesTests(t *testing.T) {
	text, err := os.ReadFile(root + "docs/threat-model.md")
	if err != nil {
		t.Fatal(err)
	}
	lines, names := 0, 0
	for line := range strings.Lines(string(text)) {
		found := links.FindAllStringSubmatch(line, -1)
		if strings.HasPrefix(line, "| ") && !strings.HasSuffix(line, "| shown by |\n") {
			if lines++; len(found) == 0 {
				t.Errorf("no test is named by: %s", line)
			}
		}
		for _, link := range found {
			for _, name := range claimed.FindAllStringSubmatch(link[1], -1) {
				names++
				if wrong := missing(name[1], link[2]); wrong != "" {
					t.Error(wrong)
				}
			}
		}
	}
	if lines < 30 || names < 50 {
		t.Errorf("%d claims and %d names: has the form of the page changed?", lines, names)
	}
}

// missing says what is wrong with the name of a test in file, or of a subtest or a law.
func missing(name, file string) string {
	if file == "lab/compliance" {
		if checks[name] == nil {
			return "TestCompliance has no case " + name
		}
		return ""
	}
	source, err := os.ReadFile(filepath.FromSlash(root + file))
	switch {
	case err != nil:
		return err.Error()
	case strings.HasPrefix(name, "Test") && !strings.Contains(string(source), "\nfunc "+name+"(t *testing.T)"),
		!strings.HasPrefix(name, "Test") && !strings.Contains(string(source), "{\""+name):
		return file + " has no " + name
	}
	return ""
}
