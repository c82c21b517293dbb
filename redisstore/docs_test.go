package redisstore_test

import (
	"os"
	"regexp"
	"strings"
	"testing"
)

// What docs/redisstore.md shows is in an Example, which compiles.
func TestPageShowsExamples(t *testing.T) {
	page, err := os.ReadFile("../docs/redisstore.md")
	if err != nil {
		t.Fatal(err)
	}
	examples, err := os.ReadFile("example_test.go")
	if err != nil {
		t.Fatal(err)
	}
	shown := regexp.MustCompile("(?ms)^```go\n(.*?)^```$").FindAllStringSubmatch(string(page), -1)
	if len(shown) == 0 {
		t.Error("the page shows no program")
	}
	for _, m := range shown {
		if indented := regexp.MustCompile("(?m)^(.)").ReplaceAllString(m[1], "\t$1"); !strings.Contains(string(examples), indented) {
			t.Errorf("this is in no Example:\n%s", m[1])
		}
	}
}
