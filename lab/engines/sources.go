package main

import (
	"bufio"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// A source is an archive of packages, as the machine's own configuration of apt names it.
type source struct {
	uris, suites, components []string
	signedBy                 string // "": by whatever apt trusts
}

// sid answers the machine's own source, but for that suite, in the one-line format.
func sid() (string, error) {
	suite := release()
	for _, s := range sources("/etc/apt") {
		if len(s.uris) == 0 || !slices.Contains(s.suites, suite) || !slices.Contains(s.components, "main") {
			continue
		}
		options := ""
		if s.signedBy != "" {
			options = "[signed-by=" + s.signedBy + "] "
		}
		return "deb " + options + s.uris[0] + " sid main\n", nil
	}
	return "", errors.New("this machine's apt has no source of Debian's own packages")
}

// release is the suite that this machine is of.
func release() string {
	text, _ := os.ReadFile("/etc/os-release")
	for line := range strings.Lines(string(text)) {
		if name, ok := strings.CutPrefix(strings.TrimSpace(line), "VERSION_CODENAME="); ok {
			return strings.Trim(name, `"`)
		}
	}
	return "stable"
}

func sources(etc string) (all []source) {
	lists, _ := filepath.Glob(filepath.Join(etc, "sources.list.d", "*"))
	for _, name := range append([]string{filepath.Join(etc, "sources.list")}, lists...) {
		text, err := os.ReadFile(name)
		switch {
		case err != nil:
		case strings.HasSuffix(name, ".sources"):
			all = append(all, stanzas(string(text))...)
		case strings.HasSuffix(name, ".list"):
			all = append(all, oneLines(string(text))...)
		}
	}
	return all
}

// stanzas are of the format deb822. A key that is written out there, over several lines, is passed by.
func stanzas(text string) (all []source) {
	var s source
	lines := bufio.NewScanner(strings.NewReader(text + "\n\n"))
	for lines.Scan() {
		line := lines.Text()
		if strings.TrimSpace(line) == "" {
			all, s = append(all, s), source{}
			continue
		}
		field, value, _ := strings.Cut(line, ":")
		switch strings.ToLower(field) {
		case "uris":
			s.uris = strings.Fields(value)
		case "suites":
			s.suites = strings.Fields(value)
		case "components":
			s.components = strings.Fields(value)
		case "signed-by":
			s.signedBy = strings.TrimSpace(value)
		}
	}
	return all
}

// oneLines are like: deb [option=value] URI suite component …
func oneLines(text string) (all []source) {
	for line := range strings.Lines(text) {
		rest, ok := strings.CutPrefix(strings.TrimSpace(line), "deb ")
		if !ok {
			continue
		}
		var s source
		if options, after, ok := strings.Cut(rest, "]"); ok {
			for option := range strings.FieldsSeq(strings.Trim(options, " [")) {
				if by, ok := strings.CutPrefix(option, "signed-by="); ok {
					s.signedBy = by
				}
			}
			rest = after
		}
		if f := strings.Fields(rest); len(f) > 2 {
			s.uris, s.suites, s.components = f[:1], f[1:2], f[2:]
			all = append(all, s)
		}
	}
	return all
}
