package main

import (
	"os"
	"slices"
	"strings"
	"testing"
)

// What a stranger gets builds and runs. All modules: SOJOURN_RELEASE=all.
func TestAStrangerCanUseIt(t *testing.T) {
	var b strings.Builder
	err := try(t.Context(), &b, options{root: "../..", version: "v0.1.0", rootOnly: os.Getenv("SOJOURN_RELEASE") != "all"})
	if err != nil {
		t.Fatalf("%v\n%s", err, b.String())
	}
	for _, want := range []string{
		"a program that requires github.com/gosojourn/sojourn builds and runs", "git tag -a v0.1.0 ", "git tag -a cmd/sojourn/v0.1.0 ",
	} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("it does not say %q:\n%s", want, b.String())
		}
	}
}

// A module is tagged behind those that it requires.
func TestTagsAreInOrder(t *testing.T) {
	all, err := workspace("../..")
	if err != nil {
		t.Fatal(err)
	}
	var tags []string
	for _, m := range all {
		if m.tagged() {
			tags = append(tags, m.tag("v0.1.0"))
		}
	}
	root, redis, command := slices.Index(tags, "v0.1.0"), slices.Index(tags, "redisstore/v0.1.0"), slices.Index(tags, "cmd/sojourn/v0.1.0")
	if root != 0 || redis < root || command < redis {
		t.Errorf("%q", tags)
	}
	if slices.ContainsFunc(tags, func(tag string) bool { return strings.HasPrefix(tag, "lab") || strings.HasPrefix(tag, "snippetbox") }) {
		t.Errorf("%q has what is never tagged", tags)
	}
}

func TestGoModsAreJudged(t *testing.T) {
	file := func(dir, text string) mod { return mod{dir: dir, path: strings.Fields(text)[1], text: []byte(text)} }
	for _, c := range []struct {
		m    mod
		want string
	}{
		{file(".", "module github.com/gosojourn/sojourn\n"), ""},
		{file("redisstore", "module github.com/gosojourn/sojourn/redisstore\n\nrequire github.com/gosojourn/sojourn v0.1.0\n"), ""},
		{file("redisstore", "module github.com/gosojourn/sojourn/redisstore\n\nrequire github.com/gosojourn/sojourn v0.0.9\n"), "say v0.1.0"},
		{file("redisstore", "module github.com/gosojourn/sojourn/redis\n"), "its folder says"},
		{file("redisstore", "module github.com/gosojourn/sojourn/redisstore\n\nreplace github.com/gosojourn/sojourn => ../\n"), "has a replace"},
		{file("redisstore", "module github.com/gosojourn/sojourn/redisstore\n\nrequire github.com/gosojourn/sojourn/lab v0.1.0\n"), "never tagged"},
	} {
		got := strings.Join(judge([]mod{c.m}, "v0.1.0"), "; ")
		if (got == "") != (c.want == "") || !strings.Contains(got, c.want) {
			t.Errorf("%s: %q, want %q", c.m.text, got, c.want)
		}
	}
}

func TestChangelogIsJudged(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		{"# Changelog\n\n## Unreleased\n- something\n", ""},
		{"# Changelog\n\n## Unreleased\n- something\n\n## v0.0.2, 2026-01-31\n- x\n\n## v0.0.1, 2026-01-01\n- x\n", ""},
		{"# Changelog\n\n## Unreleased\n\n## v0.0.1, 2026-01-01\n- x\n", "nothing stands under"},
		{"# Changelog\n\n## v0.0.1, 2026-01-01\n- x\n", "nothing stands under"},
		{"## Unreleased\n- x\n## v0.0.1, 2026-01-01\n## v0.0.2, 2026-01-31\n", "v0.0.2 stands below v0.0.1"},
		{"## Unreleased\n- x\n## v0.0.1\n", "is no heading"},
		{"## Unreleased\n- x\n## v0.0.1, 2026-01-01\n## Unreleased\n", "not the first"},
		{"## Unreleased\n- x\n## v0.1.0, 2026-01-01\n", "already"},
	} {
		got := strings.Join(judgeChangelog(c.text, "v0.1.0", nil), "; ")
		if (got == "") != (c.want == "") || !strings.Contains(got, c.want) {
			t.Errorf("%q: %q, want %q", c.text, got, c.want)
		}
	}
	if got := judgeChangelog("## Unreleased\n- x\n", "v0.1.0", []string{"v0.0.1", "v0.2.0"}); len(got) != 3 {
		t.Errorf("%q: want both headings missed, and a version that is not newer", got)
	}
}
