package sqlstore

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"strings"
	"testing"
)

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
		d       *dialect
		err     error
		want    kind
		secrecy bool
	}{
		{&mysql, &mysqlError{1213}, lost, false},
		{&mysql, &mysqlError{1205}, locked, false},
		{&mysql, &mysqlError{1020}, lost, false},
		{&mysql, fmt.Errorf("traced: %w", &mysqlError{1213}), lost, false},
		{&mysql, errors.Join(plain, &mysqlError{1213}), lost, false},
		{&mysql, &mysqlError{1062}, taken, true},
		{&mysql, &mysqlError{1366}, unfit, true},
		{&mysql, &mysqlError{1054}, missing, false},
		{&mysql, &mysqlError{1451}, unfit, false},   // a foreign key of somebody's refers to the session
		{&mysql, &mysqlError{1449}, unfit, false},   // a trigger's maker is gone
		{&mysql, &mysqlError{1665}, refused, false}, // a binary log by statement
		{&mysql, &mysqlError{3098}, refused, false}, // group replication, no primary key
		{&mysql, plain, untold, false},
		{&mysql, driver.ErrBadConn, untold, false},
		{&postgres, &pgError{"40001"}, lost, false},
		{&postgres, &pgError{"40P01"}, lost, false},
		{&postgres, &pgError{"55P03"}, locked, false},
		{&postgres, &pgError{"40003"}, untold, false}, // whether it was committed is not known
		{&postgres, &pgError{"57014"}, locked, false}, // ours, an administrator's, or a statement_timeout: nothing was applied
		{&postgres, &pgError{"42703"}, missing, false},
		{&postgres, &pgError{"55000"}, refused, false}, // no replica identity
		{&postgres, &pgError{"42883"}, unfit, false},   // a trigger calls what is not there
		{&postgres, &pgError{"55006"}, untold, false},  // object_in_use passes
		{&postgres, &pgError{"0A000"}, untold, false},  // a cached plan that must not change its type, does on the next try
		{&postgres, fmt.Errorf("traced: %w", &pgError{"22P02"}), unfit, true},
		{&postgres, plain, untold, false},
		{&sqlite, &moderncError{5}, locked, false},
		{&sqlite, &moderncError{517}, locked, false}, // SQLITE_BUSY_SNAPSHOT
		{&sqlite, &moderncError{6}, locked, false},
		{&sqlite, &moderncError{9}, untold, false}, // SQLITE_INTERRUPT
		{&sqlite, mattnError{5}, locked, false},
		{&sqlite, errors.New("no such column: owner"), missing, false},
		{&sqlite, plain, untold, false},
		{&mysql, &mysqlError{3572}, locked, false},
		{&mysql, &mysqlError{1290}, refused, false},
		{&mysql, &mysqlError{1114}, refused, false},
		{&mysql, &mysqlError{1040}, untold, false}, // too many connections
		{&mysql, &mysqlError{1026}, untold, false}, // a file was not written, who knows which
		{&mysql, &mysqlError{1064}, syntax, true},
		{&mysql, &mysqlError{4025}, unfit, true},
		{&postgres, &pgError{"25006"}, refused, false},
		{&postgres, &pgError{"53100"}, refused, false},
		{&postgres, &pgError{"28P01"}, refused, false},
		{&postgres, &pgError{"53300"}, untold, false}, // too_many_connections
		{&postgres, &pgError{"57P03"}, untold, false}, // cannot_connect_now
		{&postgres, &pgError{"58030"}, untold, false}, // io_error
		{&postgres, &pgError{"23514"}, unfit, true},
		{&postgres, &pgError{"P0001"}, unfit, true},
		{&sqlite, &moderncError{8}, refused, false},
		{&sqlite, &moderncError{1032}, refused, false}, // SQLITE_READONLY_DBMOVED
		{&sqlite, &moderncError{13}, refused, false},
		{&sqlite, &moderncError{10}, untold, false}, // SQLITE_IOERR
		{&sqlite, errors.New("attempt to write a readonly database"), refused, false},
	} {
		if got := c.d.kind(c.err); got != c.want {
			t.Errorf("%s: kind(%v) is %v, want %v", c.d.name, c.err, got, c.want)
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

// A table that is not there is the first thing that goes wrong in a new program: the error says what to do,
// whichever call meets it.
func TestMissingTableSaysMigrate(t *testing.T) {
	for name, c := range map[string]struct {
		d   Dialect
		err error
	}{
		"MySQL":    {MySQL, &mysqlError{1146}},
		"Postgres": {Postgres, &pgError{"42P01"}},
		"SQLite":   {SQLite, errors.New("no such table: sessions")},
	} {
		f := &fake{do: func(context.Context, string, []driver.NamedValue) (reply, error) { return reply{}, c.err }}
		s := f.store(t, c.d, 1)
		_, err := s.Load(t.Context(), someRecord(1).ID)
		for what, err := range map[string]error{"Load": err, "Create": s.Create(t.Context(), someRecord(1))} {
			if err == nil || !strings.Contains(err.Error(), "sessions") || !strings.Contains(err.Error(), "Migrate") || !errors.Is(err, c.err) {
				t.Errorf("%s: %s: %v, want the table's name, the remedy and the cause", name, what, err)
			}
		}
	}
}
