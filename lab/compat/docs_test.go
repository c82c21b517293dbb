package compat_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

var (
	programs = regexp.MustCompile(`\]\(\.\./(lab/compat/\w+)\)`)
	versions = regexp.MustCompile("`([a-z0-9.]+/[^` ]+) (v[0-9][^` ]*)`")
)

// What docs/routers.md shows of a program is in that program, line by line, and the versions are those of go.mod.
func TestPage(t *testing.T) {
	text, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	mod, err := os.ReadFile("go.mod")
	if err != nil {
		t.Fatal(err)
	}
	told, shown := map[string]bool{}, 0
	for _, section := range strings.Split(string(text), "\n## ")[1:] {
		title, _, _ := strings.Cut(section, "\n")
		blocks := blocksOf(section)
		for _, v := range versions.FindAllStringSubmatch(section, -1) {
			told[v[1]] = true
			if !strings.Contains(string(mod), "\t"+v[1]+" "+v[2]+"\n") {
				t.Errorf("%s: %s is not the version of go.mod", title, v[0])
			}
		}
		if len(blocks) == 0 {
			continue
		}
		program := programs.FindStringSubmatch(section)
		if program == nil {
			t.Errorf("%s: no link to the program", title)
			continue
		}
		source := sourceOf(t, filepath.Join("../..", program[1]))
		for _, b := range blocks {
			if shown++; !strings.Contains(source, b) {
				t.Errorf("%s: %s has no such lines:\n%s", title, program[1], b)
			}
		}
	}
	if shown < 15 {
		t.Errorf("the page shows %d programs: has its form changed?", shown)
	}
	direct, _, _ := strings.Cut(string(mod), ")\n")
	for _, l := range strings.Split(direct, "\n") {
		f := strings.Fields(l)
		if len(f) != 2 || !strings.HasPrefix(l, "\t") || strings.HasPrefix(f[0], "github.com/gosojourn/") || strings.HasPrefix(f[0], "google.golang.org/") {
			continue
		}
		if !told[f[0]] {
			t.Errorf("the page does not tell the version of %s", f[0])
		}
	}
}

// blocksOf are the Go blocks of a section, without indentation.
func blocksOf(section string) (blocks []string) {
	var block []string
	inside := false
	for _, l := range strings.Split(section, "\n") {
		switch l = strings.TrimSpace(l); {
		case l == "```go":
			inside, block = true, nil
		case inside && l == "```":
			inside = false
			blocks = append(blocks, "\n"+strings.Join(block, "\n")+"\n")
		case inside:
			block = append(block, l)
		}
	}
	return blocks
}

// sourceOf is all Go code of a folder, without indentation.
func sourceOf(t *testing.T, folder string) string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(folder, "*.go"))
	if err != nil || len(files) == 0 {
		t.Fatalf("%s: no program: %v", folder, err)
	}
	var all strings.Builder
	for _, f := range files {
		text, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		for _, l := range strings.Split(string(text), "\n") {
			all.WriteString("\n" + strings.TrimSpace(l))
		}
	}
	return all.String() + "\n"
}
