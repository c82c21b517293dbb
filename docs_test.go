package sojourn_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// The page of recipes names Examples that exist, and leaves none of its own out.
func TestRecipesAreExamples(t *testing.T) {
	page, err := os.ReadFile("docs/recipes.md")
	if err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob("example*_test.go")
	if err != nil {
		t.Fatal(err)
	}
	recipes, all := make(map[string]bool), make(map[string]bool)
	for _, file := range files {
		src, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range regexp.MustCompile(`(?m)^func (Example\w*)\(\) \{`).FindAllStringSubmatch(string(src), -1) {
			all[m[1]] = true
			recipes[m[1]] = strings.HasPrefix(file, "example_recipes")
		}
	}
	named := make(map[string]bool)
	for _, m := range regexp.MustCompile("`(Example\\w+)`").FindAllStringSubmatch(string(page), -1) {
		if named[m[1]] = true; !all[m[1]] {
			t.Errorf("docs/recipes.md names %s, which does not exist", m[1])
		}
	}
	for name, recipe := range recipes {
		if recipe && !named[name] {
			t.Errorf("docs/recipes.md does not name %s", name)
		}
	}
}

// What docs/cross-site.md shows of a handler is in an Example, but for its indentation.
func TestCrossSitePageShowsExamples(t *testing.T) {
	read := func(file string) string {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
	flat := func(code string) string { return regexp.MustCompile(`(?m)^\t+`).ReplaceAllString(code, "") }
	examples := flat(read("example_crosssite_test.go"))
	shown := regexp.MustCompile("(?ms)^```go\n(.*?)^```$").FindAllStringSubmatch(read("docs/cross-site.md"), -1)
	if len(shown) == 0 {
		t.Error("the page shows nothing: has its form changed?")
	}
	for _, m := range shown {
		for line := range strings.Lines(m[1]) {
			if !strings.Contains(examples, flat(line)) {
				t.Errorf("this is in no Example: %s", line)
			}
		}
	}
}
