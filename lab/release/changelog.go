package main

import (
	"fmt"
	"regexp"
	"strings"

	"golang.org/x/mod/semver"
)

var section = regexp.MustCompile(`^## (Unreleased|(v[0-9]+\.[0-9]+\.[0-9]+(?:-[0-9A-Za-z.]+)?), [0-9]{4}-[0-9]{2}-[0-9]{2})$`)

// judgeChangelog says what is out of order: first what is not released, with something in it, then the versions,
// the newest first, each with its day. tags are those that the root module has.
func judgeChangelog(text, version string, tags []string) (bad []string) {
	var headings []string
	lines := 0 // under the first heading
	for line := range strings.Lines(text) {
		if line = strings.TrimSpace(line); strings.HasPrefix(line, "## ") {
			headings = append(headings, line)
		} else if len(headings) == 1 && line != "" {
			lines++
		}
	}
	if len(headings) == 0 || headings[0] != unreleased || lines == 0 {
		bad = append(bad, "CHANGELOG.md: nothing stands under '## Unreleased', so there is nothing to release")
	}
	var versions []string
	for i, h := range headings {
		m := section.FindStringSubmatch(h)
		switch {
		case m == nil:
			bad = append(bad, fmt.Sprintf("CHANGELOG.md: %q is no heading: say '## Unreleased' or '## v1.2.3, 2026-01-31'", h))
		case m[2] == "" && i > 0:
			bad = append(bad, "CHANGELOG.md: '## Unreleased' is not the first heading")
		case m[2] != "":
			if n := len(versions); n > 0 && semver.Compare(m[2], versions[n-1]) >= 0 {
				bad = append(bad, fmt.Sprintf("CHANGELOG.md: %s stands below %s: the newest comes first, each once", m[2], versions[n-1]))
			}
			versions = append(versions, m[2])
		}
	}
	return append(bad, judgeVersions(versions, version, tags)...)
}

const unreleased = "## Unreleased"

// judgeVersions holds the headings against the tags.
func judgeVersions(versions []string, version string, tags []string) (bad []string) {
	have := map[string]bool{}
	for _, v := range versions {
		have[v] = true
	}
	if have[version] {
		bad = append(bad, "CHANGELOG.md has a heading for "+version+" already")
	}
	for _, tag := range tags {
		if !have[tag] {
			bad = append(bad, "CHANGELOG.md has no heading for "+tag+", which is tagged")
		}
		if semver.Compare(tag, version) >= 0 {
			bad = append(bad, version+" is not newer than "+tag+", which is tagged")
		}
	}
	return bad
}
