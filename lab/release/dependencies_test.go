package main

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"golang.org/x/mod/modfile"
)

// The table of docs/dependencies.md names each module that one of ours requires directly, where, and its licence.
func TestDependenciesAreOnThePage(t *testing.T) {
	by := map[string][]string{}
	all, err := workspace("../..")
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range all {
		file, err := modfile.Parse(m.dir, m.text, nil)
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range file.Require {
			if !r.Indirect && !isOurs(r.Mod.Path) {
				by[r.Mod.Path] = append(by[r.Mod.Path], m.dir)
			}
		}
	}
	if len(by) < 20 {
		t.Fatalf("%d dependencies: that is not the whole workspace", len(by))
	}
	page := tableOf(t, "../../docs/dependencies.md", "dependencies")
	for path, dirs := range by {
		row, there := page[path]
		if !there {
			t.Errorf("%s, required by %v, is not on the page", path, dirs)
			continue
		}
		delete(page, path)
		named := strings.Split(row[1], ", ")
		slices.Sort(named)
		slices.Sort(dirs)
		if !slices.Equal(named, dirs) {
			t.Errorf("%s is required by %v; the page says %v", path, dirs, named)
		}
		if l := licence(t, path); l != row[2] {
			t.Errorf("%s has the licence %s; the page says %s", path, l, row[2])
		}
		if row[3] == "" {
			t.Errorf("%s has no reason", path)
		}
	}
	for path := range page {
		t.Errorf("the page has %s, which nothing requires directly", path)
	}
}

// tableOf reads the rows of a page's table by their first cell.
func tableOf(t *testing.T, page, name string) map[string][]string {
	t.Helper()
	text, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	_, text, _ = bytes.Cut(text, []byte("<!-- "+name+" -->"))
	text, _, _ = bytes.Cut(text, []byte("<!-- end of "+name+" -->"))
	rows := map[string][]string{}
	for line := range strings.Lines(string(text)) {
		cells := strings.Split(strings.Trim(line, "| \n"), " | ")
		if len(cells) == 4 && strings.Contains(cells[0], ".") {
			rows[cells[0]] = cells
		}
	}
	return rows
}

// licences are told by words that only they have, in the order in which one text may quote another.
var licences = []struct {
	name  string
	words *regexp.Regexp
}{
	{"Apache-2.0", regexp.MustCompile(`Apache License\s+Version 2\.0`)},
	{"MPL-2.0", regexp.MustCompile(`Mozilla Public License,? [Vv]ersion 2\.0`)},
	{"MIT", regexp.MustCompile(`Permission is hereby granted, free of charge`)},
	{"BSD-3-Clause", regexp.MustCompile(`(?s)Redistribution and use.*(Neither the name|may be used to\s+endorse)`)},
	{"BSD-2-Clause", regexp.MustCompile(`Redistribution and use`)},
	{"ISC", regexp.MustCompile(`Permission to use, copy, modify,? and(/or)? distribute`)},
}

func licence(t *testing.T, path string) string {
	t.Helper()
	c := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", path)
	c.Dir = "../.."
	out, err := c.Output()
	dir := strings.TrimSpace(string(out))
	if err != nil || dir == "" {
		t.Skipf("%s is not in the module cache: %v", path, err)
	}
	files, _ := filepath.Glob(filepath.Join(dir, "[Ll][Ii][Cc][Ee][Nn][CcSs][Ee]*"))
	files = append(files, filepath.Join(dir, "COPYING"))
	for _, f := range files {
		text, _ := os.ReadFile(f)
		for _, l := range licences {
			if l.words.Match(text) {
				return l.name
			}
		}
	}
	return fmt.Sprintf("unknown (%q)", files)
}

// Two builds of the command from two folders, neither with anything of the other's, are the same bytes.
func TestDependenciesBuildTheSameCommandTwice(t *testing.T) {
	if os.Getenv("SOJOURN_RELEASE") != "all" {
		t.Skip("builds the command twice from nothing, some minutes: SOJOURN_RELEASE=all")
	}
	var built [2][]byte
	for i := range built {
		folder := t.TempDir()
		root := filepath.Join(folder, fmt.Sprint("checkout", i))
		if out, err := exec.Command("git", "clone", "-q", "../..", root).CombinedOutput(); err != nil {
			t.Skipf("this is no checkout: %s", out)
		}
		c := exec.Command("go", "build", "-trimpath", "-buildvcs=false", "-o", filepath.Join(folder, "sojourn"), "./cmd/sojourn")
		c.Dir, c.Env = root, append(os.Environ(), "GOCACHE="+filepath.Join(folder, "cache"))
		if out, err := c.CombinedOutput(); err != nil {
			t.Fatalf("%v: %s", err, out)
		}
		var err error
		if built[i], err = os.ReadFile(filepath.Join(folder, "sojourn")); err != nil {
			t.Fatal(err)
		}
	}
	if !bytes.Equal(built[0], built[1]) {
		t.Error("two builds of one commit differ")
	}
}
