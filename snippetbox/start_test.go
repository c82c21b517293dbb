package main

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net/url"
	"path/filepath"
	"strings"
	"testing"

	"github.com/go-sql-driver/mysql"
	"github.com/jackc/pgx/v5/pgconn"
)

// What it says when it starts with nothing but its defaults: where it is, where the data is, no warning.
func TestStartsWithoutAWarning(t *testing.T) {
	everyDatabase(t, func(t *testing.T, database string) {
		var stdout, stderr buffer
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		out := &untilLines{buffer: &stdout, n: 2, then: cancel}
		err := run(ctx, []string{"-addr", "127.0.0.1:0", "-db", database, "-keys", filepath.Join(t.TempDir(), "keys")}, out, &stderr)
		if err != nil || strings.Contains(stderr.String(), "WARN") || strings.Contains(stderr.String(), "ERROR") {
			t.Errorf("%v\n%s", err, &stderr)
		}
		place := strings.TrimPrefix(database, "sqlite:")
		if u, err := url.Parse(database); err == nil && u.Host != "" {
			place = u.Host
		}
		lines := strings.Split(stdout.String(), "\n")
		if len(lines) < 2 || !strings.HasPrefix(lines[0], "snippetbox: http://127.0.0.1:") || !strings.Contains(lines[1], place) {
			t.Errorf("it says %q, want where it is and %s", lines, place)
		}
	})
}

func TestItSaysWhereItsOwnFileIs(t *testing.T) {
	home := t.TempDir()
	t.Setenv("XDG_DATA_HOME", home)
	var stdout buffer
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	if err := run(ctx, []string{"-addr", "127.0.0.1:0"}, &untilLines{buffer: &stdout, n: 2, then: cancel}, io.Discard); err != nil {
		t.Fatal(err)
	}
	if path := filepath.Join(home, "snippetbox", "snippetbox.db"); !strings.Contains(stdout.String(), path) {
		t.Errorf("it says %q, want %s", stdout.String(), path)
	}
}

// untilLines keeps what is written, and does then after n lines.
type untilLines struct {
	*buffer
	n    int
	then func()
}

func (u *untilLines) Write(p []byte) (int, error) {
	n, err := u.buffer.Write(p)
	if strings.Count(u.String(), "\n") >= u.n {
		u.then()
	}
	return n, err
}

// A server that says no is not asked again: one line, no waiting, no password.
func TestRefusedDatabaseEndsAtOnce(t *testing.T) {
	my, pg := mysqlDatabase(t), postgresDatabase(t)
	user := func(database, user string) string {
		u, err := url.Parse(database)
		if err != nil {
			t.Fatal(err)
		}
		u.User = url.UserPassword(user, "tiger")
		return u.String()
	}
	for name, database := range map[string]string{
		"MySQL, password":      user(my, "nobody_of_snippetbox"),
		"MySQL, database":      my + "_nowhere",
		"PostgreSQL, user":     user(pg, "nobody_of_snippetbox"),
		"PostgreSQL, database": pg + "_nowhere",
	} {
		t.Run(name, func(t *testing.T) {
			var stdout, stderr buffer
			err := run(t.Context(), []string{"-addr", "127.0.0.1:0", "-db", database, "-keys", filepath.Join(t.TempDir(), "keys")}, &stdout, &stderr)
			if err == nil || !strings.Contains(err.Error(), "refuses") || !strings.Contains(err.Error(), "-db") {
				t.Errorf("run: %v", err)
			}
			if err != nil && (strings.Contains(err.Error(), "\n") || strings.Contains(err.Error(), "tiger")) {
				t.Errorf("it is more than a line, or has the password: %v", err)
			}
			if stderr.String()+stdout.String() != "" {
				t.Errorf("and it says\n%s%s", &stderr, &stdout)
			}
		})
	}
}

func TestRefuses(t *testing.T) {
	for _, c := range []struct {
		err error
		no  bool
	}{
		{&mysql.MySQLError{Number: 1045}, true},
		{&mysql.MySQLError{Number: 1049}, true},
		{&mysql.MySQLError{Number: 1040}, false}, // too many connections
		{&pgconn.PgError{Code: "28P01"}, true},   // password
		{&pgconn.PgError{Code: "3D000"}, true},   // database
		{&pgconn.PgError{Code: "57P03"}, false},  // starting
		{&pgconn.PgError{Code: "53300"}, false},  // too many connections
		{io.EOF, false},
	} {
		if _, no := refuses(errors.Join(c.err)); no != c.no {
			t.Errorf("%v: %t", c.err, no)
		}
	}
}

// A server that is not there yet is waited for.
func TestDatabaseIsWaitedFor(t *testing.T) {
	var log buffer
	d, err := openDatabase("mysql://u:tiger@127.0.0.1:1/x", quiet)
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	err = d.wait(t.Context(), databasePatience/50, slog.New(slog.NewTextHandler(&log, nil)))
	if err == nil || !strings.Contains(err.Error(), "is it running") || !strings.Contains(log.String(), "waiting for the database") {
		t.Errorf("%v\n%s", err, &log)
	}
}
