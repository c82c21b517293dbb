package sqlstore

import (
	"database/sql"
	"database/sql/driver"
	"fmt"
	"strings"
	"testing"
)

func TestNewNamesEveryMistake(t *testing.T) {
	_, err := New(nil, 0, Options{Table: "a.b.c"})
	if err == nil {
		t.Fatal("New: nil")
	}
	for _, want := range []string{"db is nil", "Dialect (0)", `Options.Table ("a.b.c")`} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("New does not say %q: %v", want, err)
		}
	}
	db := sql.OpenDB(noDriver{})
	for table, ok := range map[string]bool{
		"":                      true,
		"sessions":              true,
		"web.sessions":          true,
		"_s1":                   true,
		strings.Repeat("a", 50): true,
		strings.Repeat("a", 51): false,
		"1s":                    false,
		"a b":                   false,
		"a`b":                   false,
		`a"b`:                   false,
		"a;b":                   false,
		".a":                    false,
		"a.":                    false,
		"sessions\n":            false,
		"sé":                    false,
	} {
		for _, d := range []Dialect{MySQL, Postgres, SQLite} {
			if _, err := New(db, d, Options{Table: table}); (err == nil) != ok {
				t.Errorf("%s: Table %q: %v", d, table, err)
			}
		}
	}
}

// Nothing is left to be filled in, every UPDATE assigns expiry, and parameters are numbered.
func TestStatements(t *testing.T) {
	for _, d := range []*dialect{&mysql, &postgres, &sqlite} {
		w := d.writer(table{"web", "visits"})
		for q, text := range texts {
			got := w.sql(text)
			if strings.ContainsAny(got, "{}") || !strings.Contains(got, w.d.quote+"web"+w.d.quote+".") {
				t.Errorf("%s %d: %s", d.name, q, got)
			}
			if strings.HasPrefix(got, "UPDATE") && !strings.Contains(got, "fence =") && !strings.Contains(got, "expiry = ") {
				t.Errorf("%s %d does not assign expiry: %s", d.name, q, got)
			}
			n := strings.Count(w.fills.Replace(text), "?")
			if d.numbered && (strings.Contains(got, "?") || !strings.Contains(got, fmt.Sprint("$", n)) || strings.Contains(got, fmt.Sprint("$", n+1))) {
				t.Errorf("%s %d: parameters are not numbered to %d: %s", d.name, q, n, got)
			}
		}
		for _, text := range []string{d.lock, d.commit, d.cancel, d.createTable, d.createOwners, d.indexExpiry, d.indexOwner,
			d.addOwner, d.addRaised, d.finish, d.finished, d.columns, d.indexes} {
			if got := w.sql(text); strings.ContainsAny(got, "{}") {
				t.Errorf("%s: %s", d.name, got)
			}
		}
	}
}

type noDriver struct{ driver.Connector }
