package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/mod/modfile"
)

const home = "github.com/gosojourn/sojourn"

// untagged are the modules that nobody outside depends on: proof, and the reference application.
var untagged = []string{"lab", "lab/compat", "snippetbox"}

// A mod is one module of the workspace.
type mod struct {
	dir  string // from the root, in slashes; "." is the root module
	path string
	text []byte   // of go.mod
	ours []string // paths of our modules that it requires
}

func (m mod) tagged() bool { return !slices.Contains(untagged, m.dir) }

// tag is the name under which git has version of m.
func (m mod) tag(version string) string {
	if m.dir == "." {
		return version
	}
	return m.dir + "/" + version
}

// workspace reads the modules that go.work uses, each behind those of ours that it requires.
func workspace(root string) ([]mod, error) {
	text, err := os.ReadFile(filepath.Join(root, "go.work"))
	if err != nil {
		return nil, err
	}
	work, err := modfile.ParseWork("go.work", text, nil)
	if err != nil {
		return nil, err
	}
	var all []mod
	for _, use := range work.Use {
		m := mod{dir: filepath.ToSlash(filepath.Clean(use.Path))}
		if m.text, err = os.ReadFile(filepath.Join(root, use.Path, "go.mod")); err != nil {
			return nil, err
		}
		file, err := modfile.Parse(m.dir+"/go.mod", m.text, nil)
		if err != nil {
			return nil, err
		}
		m.path = file.Module.Mod.Path
		for _, r := range file.Require {
			if isOurs(r.Mod.Path) {
				m.ours = append(m.ours, r.Mod.Path)
			}
		}
		all = append(all, m)
	}
	return inOrder(all)
}

func isOurs(path string) bool { return path == home || strings.HasPrefix(path, home+"/") }

// inOrder puts each module behind those that it requires: the order in which they are tagged.
func inOrder(all []mod) (ordered []mod, err error) {
	done := map[string]bool{}
	for len(ordered) < len(all) {
		before := len(ordered)
		for _, m := range all {
			if !done[m.path] && !slices.ContainsFunc(m.ours, func(p string) bool { return !done[p] }) {
				done[m.path] = true
				ordered = append(ordered, m)
			}
		}
		if len(ordered) == before {
			return nil, errors.New("modules of ours require each other in a circle, or one that go.work does not use")
		}
	}
	return ordered, nil
}

// judge says what keeps all from being released as version.
func judge(all []mod, version string) (bad []string) {
	for _, m := range all {
		want := home
		if m.dir != "." {
			want += "/" + m.dir
		}
		if m.path != want {
			bad = append(bad, fmt.Sprintf("%s/go.mod: the module is %s, its folder says %s", m.dir, m.path, want))
		}
		file, err := modfile.Parse(m.dir+"/go.mod", m.text, nil)
		if err != nil {
			bad = append(bad, err.Error())
			continue
		}
		for _, r := range file.Require {
			if isOurs(r.Mod.Path) && r.Mod.Version != version {
				bad = append(bad, fmt.Sprintf("%s/go.mod requires %s %s: say %s", m.dir, r.Mod.Path, r.Mod.Version, version))
			}
			if isOurs(r.Mod.Path) && m.tagged() && slices.Contains(untagged, strings.TrimPrefix(r.Mod.Path, home+"/")) {
				bad = append(bad, fmt.Sprintf("%s/go.mod requires %s, which is never tagged: nobody could build it", m.dir, r.Mod.Path))
			}
		}
		if len(file.Replace) > 0 {
			bad = append(bad, m.dir+"/go.mod has a replace, which whoever depends on it does not get: go.work has them")
		}
	}
	return bad
}
