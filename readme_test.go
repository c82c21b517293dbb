package sojourn_test

import (
	"os"
	"strings"
	"testing"
)

// The program in the README is the Example, which compiles.
func TestReadmeIsTheExample(t *testing.T) {
	readme, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	example, err := os.ReadFile("example_test.go")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, ok := strings.Cut(string(readme), "func main() {\n")
	body, _, ok2 := strings.Cut(rest, "\n}\n```")
	if !ok || !ok2 {
		t.Fatal("the README begins with no program")
	}
	if !strings.Contains(string(example), "func Example() {\n"+body+"\n}\n") {
		t.Error("the README's program is not that of Example")
	}
	if !strings.Contains(string(example), `var visits = sojourn.NewKey[int]("visits")`) {
		t.Error("the README's key is not that of Example")
	}
}
