package sojourn_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// What Go code the README shows is in an Example, which compiles: its first program, and what is no whole
// program. The programs, and the two sides of each diff, are compiled and run in lab/readme.
func TestReadmeShowsExamples(t *testing.T) {
	readme, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob("example*_test.go")
	if err != nil {
		t.Fatal(err)
	}
	var examples strings.Builder
	for _, file := range files {
		src, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		examples.Write(src)
	}
	for i, m := range regexp.MustCompile("(?ms)^```go\n(.*?)^```$").FindAllStringSubmatch(string(readme), -1) {
		code := m[1]
		switch program := strings.HasPrefix(code, "package main\n"); {
		case i == 0:
			_, code, _ = strings.Cut(code, "func main() {\n")
			code = "func Example() {\n" + code
		case program:
			continue
		}
		if !strings.Contains(examples.String(), code) {
			t.Errorf("this is in no Example:\n%s", m[1])
		}
	}
	if !strings.Contains(examples.String(), `var visits = sojourn.NewKey[int]("visits")`) {
		t.Error("the README's key is not that of Example")
	}
}
