package dbsc_test

import (
	"os"
	"regexp"
	"strings"
	"testing"
)

// What docs/device-bound-sessions.md shows is in an Example, but for its indentation.
func TestThePageShowsExamples(t *testing.T) {
	read := func(file string) string {
		text, err := os.ReadFile(file)
		must(t, err)
		return string(text)
	}
	flat := func(code string) string { return regexp.MustCompile(`(?m)^\t+`).ReplaceAllString(code, "") }
	examples := flat(read("example_test.go"))
	shown := regexp.MustCompile("(?ms)^```go\n(.*?)^```$").FindAllStringSubmatch(read("../docs/device-bound-sessions.md"), -1)
	if len(shown) == 0 {
		t.Error("the page shows nothing: has its form changed?")
	}
	for _, m := range shown {
		if !strings.Contains(examples, flat(m[1])) {
			t.Errorf("this is in no Example:\n%s", m[1])
		}
	}
}
