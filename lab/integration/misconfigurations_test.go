package integration

import (
	"os"
	"regexp"
	"strings"
	"testing"
)

// A misconfiguration is set up, and answers what Check says of it.
type misconfiguration func(t *testing.T) error

// misconfigured sets up each of these, and compares what Check says with docs/misconfigurations.md: what is in the
// document and not here fails, and so does what is here and not there.
func misconfigured(t *testing.T, section string, all map[string]misconfiguration) {
	rows, elsewhere := documented(t, section), unseen(t, section)
	for what := range elsewhere {
		if all[what] == nil {
			t.Errorf("the command does not see %q of section %q: nobody sets that up", what, section)
		}
	}
	for what := range rows {
		if all[what] == nil {
			t.Errorf("nobody sets up %q of section %q", what, section)
		}
	}
	for what, check := range all {
		t.Run(what, func(t *testing.T) {
			says, there := rows[what]
			err := check(t)
			if err == nil {
				t.Fatal("Check: nil")
			}
			if !there {
				t.Fatalf("section %q of the document has no such row; Check says\n%v", section, err)
			}
			for line := range strings.Lines(err.Error()) {
				line = checkPrefix.ReplaceAllString(strings.TrimSpace(line), "")
				if !says.MatchString(line) {
					t.Errorf("Check says %q,\nthe document %q", line, says)
				}
			}
			switch seen, by := seenByCommand(t, err, says), elsewhere[what]; {
			case seen && by != "":
				t.Errorf("the document says that sojourn check does not see it, and it does")
			case !seen && by == "":
				t.Errorf("sojourn check does not see it: list it in the document, with who tells instead")
			}
		})
	}
}

// checkPrefix stands before each finding.
var checkPrefix = regexp.MustCompile(`^(sql|redis)store: check: `)

// documented answers what Check says by what is wrong, with the remedy behind it. An ellipsis stands for any text.
func documented(t *testing.T, section string) map[string]*regexp.Regexp {
	t.Helper()
	rows := map[string]*regexp.Regexp{}
	for _, cells := range tableOf(t, section) {
		says := regexp.QuoteMeta(cells[1] + ": " + cells[2])
		rows[cells[0]] = regexp.MustCompile("(?s)^" + strings.ReplaceAll(says, "…", ".*") + "$")
	}
	return rows
}

// tableOf answers the rows of a section's table, without its head.
func tableOf(t *testing.T, section string) (rows [][]string) {
	t.Helper()
	text, err := os.ReadFile("../../docs/misconfigurations.md")
	if err != nil {
		t.Fatal(err)
	}
	_, part, _ := strings.Cut(string(text), "\n## "+section+"\n")
	part, _, _ = strings.Cut(part, "\n## ")
	head := true
	for line := range strings.Lines(part) {
		cells := strings.Split(strings.Trim(strings.TrimSpace(line), "|"), "|")
		if len(cells) != 3 {
			continue
		}
		if strings.HasPrefix(cells[0], "-") {
			head = false
			continue
		}
		for i := range cells {
			cells[i] = strings.TrimSpace(cells[i])
		}
		if !head {
			rows = append(rows, cells)
		}
	}
	if len(rows) == 0 {
		t.Fatalf("docs/misconfigurations.md has no rows in section %q", section)
	}
	return rows
}
