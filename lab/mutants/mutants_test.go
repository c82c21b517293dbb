package main

import (
	"os"
	"path/filepath"
	"testing"
)

// Each mutant is a build and a run of tests, so all of them take minutes: SOJOURN_MUTANTS=1 asks for it.
func TestNoMutantSurvives(t *testing.T) {
	if os.Getenv("SOJOURN_MUTANTS") == "" {
		t.Skip("takes minutes: set SOJOURN_MUTANTS=1 to run it")
	}
	survived, err := try(root(t), mutants, testing.Verbose())
	if err != nil {
		t.Fatal(err)
	}
	if survived > 0 {
		t.Errorf("%d mutants survive", survived)
	}
}

// What a mutant changes has to be there, once, or it would not be the mutant that its name says.
func TestMutantsAreOfThisCode(t *testing.T) {
	names := map[string]bool{}
	for _, m := range mutants {
		if names[m.does] {
			t.Errorf("two are named %q", m.does)
		}
		names[m.does] = true
		text, err := os.ReadFile(filepath.Join(root(t), filepath.FromSlash(m.file)))
		if err != nil {
			t.Fatal(err)
		}
		if n := m.in(text); n != 1 {
			t.Errorf("%s: %s has its text %d times, want once", m.does, m.file, n)
		}
		if m.old == m.new || m.run == "" {
			t.Errorf("%s: changes nothing, or asks no test", m.does)
		}
	}
}

func root(t *testing.T) string {
	t.Helper()
	dir, err := filepath.Abs("../..")
	if err == nil {
		err = isRoot(dir)
	}
	if err != nil {
		t.Fatal(err)
	}
	return dir
}
