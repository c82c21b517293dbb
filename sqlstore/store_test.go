package sqlstore

import (
	"database/sql"
	"database/sql/driver"
	"errors"
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

func TestOnlySQLiteIsLocal(t *testing.T) {
	for _, d := range []Dialect{MySQL, Postgres, SQLite} {
		s, err := New(sql.OpenDB(noDriver{}), d, Options{})
		if err != nil {
			t.Fatal(err)
		}
		if s.Local() != (d == SQLite) {
			t.Errorf("%s: Local is %v", d, s.Local())
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
			d.addOwner, d.finish, d.finished, d.columns, d.indexes} {
			if got := w.sql(text); strings.ContainsAny(got, "{}") {
				t.Errorf("%s: %s", d.name, got)
			}
		}
	}
}

// Errors as the drivers make them, whose types cannot be imported here.
type (
	mysqlError   struct{ Number uint16 }
	pgError      struct{ Code string }
	moderncError struct{ code int }
	mattnError   struct{ Code int }
)

func (e *mysqlError) Error() string {
	return fmt.Sprintf("Error %d: Duplicate entry 'secret'", e.Number)
}
func (e *pgError) Error() string      { return "ERROR: secret (SQLSTATE " + e.Code + ")" }
func (e *pgError) SQLState() string   { return e.Code }
func (e *moderncError) Error() string { return "some text" }
func (e *moderncError) Code() int     { return e.code }
func (e mattnError) Error() string    { return "database is locked" }

func TestErrorsOfDrivers(t *testing.T) {
	plain := errors.New("connection refused")
	for _, c := range []struct {
		d                           *dialect
		err                         error
		transient, missing, secrecy bool
	}{
		{&mysql, &mysqlError{1213}, true, false, false},
		{&mysql, &mysqlError{1205}, true, false, false},
		{&mysql, &mysqlError{1020}, true, false, false},
		{&mysql, fmt.Errorf("traced: %w", &mysqlError{1213}), true, false, false},
		{&mysql, errors.Join(plain, &mysqlError{1213}), true, false, false},
		{&mysql, &mysqlError{1062}, false, false, true},
		{&mysql, &mysqlError{1366}, false, false, true},
		{&mysql, &mysqlError{1054}, false, true, false},
		{&mysql, plain, false, false, false},
		{&mysql, driver.ErrBadConn, false, false, false},
		{&postgres, &pgError{"40001"}, true, false, false},
		{&postgres, &pgError{"40P01"}, true, false, false},
		{&postgres, &pgError{"55P03"}, true, false, false},
		{&postgres, &pgError{"40003"}, false, false, false}, // whether it was committed is not known
		{&postgres, &pgError{"57014"}, false, false, false},
		{&postgres, &pgError{"42703"}, false, true, false},
		{&postgres, fmt.Errorf("traced: %w", &pgError{"22P02"}), false, false, true},
		{&postgres, plain, false, false, false},
		{&sqlite, &moderncError{5}, true, false, false},
		{&sqlite, &moderncError{517}, true, false, false}, // SQLITE_BUSY_SNAPSHOT
		{&sqlite, &moderncError{6}, true, false, false},
		{&sqlite, &moderncError{9}, false, false, false}, // SQLITE_INTERRUPT
		{&sqlite, mattnError{5}, true, false, false},
		{&sqlite, errors.New("no such column: owner"), false, true, false},
		{&sqlite, plain, false, false, false},
	} {
		if got := c.d.transient(c.err); got != c.transient {
			t.Errorf("%s: transient(%v) is %v", c.d.name, c.err, got)
		}
		if got := c.d.missing(c.err); got != c.missing {
			t.Errorf("%s: missing(%v) is %v", c.d.name, c.err, got)
		}
		hidden := discreet(c.err)
		if c.secrecy == (hidden.Error() == c.err.Error()) || c.secrecy && strings.Contains(hidden.Error(), "secret") {
			t.Errorf("%s: %v is told as %v", c.d.name, c.err, hidden)
		}
		if !errors.Is(hidden, c.err) {
			t.Errorf("%s: %v is lost behind %v", c.d.name, c.err, hidden)
		}
	}
}

type noDriver struct{ driver.Connector }
