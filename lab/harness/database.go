package harness

import (
	"context"
	"database/sql"
	"fmt"
	"os"
	"sync"
	"testing"
	"time"
)

// A kind is what the harness knows about one make of database server.
type kind struct {
	name   string // in SOJOURN_REQUIRE
	driver string
	env    string // the variable that holds a server's DSN
	root   string // and that with a folder of its programs, see unpacked
	local  string // DSN of the server on the standard port

	absent     string // the line that says how to have a server
	noPrograms string // and how to have its programs

	create, drop string // format: the database's name
	dsn          func(base, db string) (string, error)
	find         func() (setup, bool) // this kind's programs on this machine

	shared   func() (base string, err error) // base "" without an error: there is none
	template func() (*private, error)        // nil without an error: there are no programs
}

// share makes shared look for the server once per process.
func (k *kind) share() {
	k.shared = sync.OnceValues(func() (string, error) {
		if dsn := os.Getenv(k.env); dsn != "" {
			if err := k.ping(dsn); err != nil {
				return "", fmt.Errorf("%s=%s: %w", k.env, dsn, err)
			}
			return dsn, nil
		}
		if rootOf(k.root) == "" && k.ping(k.local) == nil {
			return k.local, nil
		}
		p, err := k.install()
		if p == nil || err != nil {
			return "", err
		}
		closing.add(p.remove)
		if err := p.start(); err != nil {
			return "", err
		}
		return p.base(p.addr), k.ping(p.base(p.addr))
	})
}

func (k *kind) ping(dsn string) error {
	return k.do(dsn, func(ctx context.Context, db *sql.DB) error {
		if err := db.PingContext(ctx); err != nil {
			return err
		}
		return know(ctx, k.driver, db)
	})
}

// know asks db which server it is, and notes that.
func know(ctx context.Context, driver string, db *sql.DB) error {
	query := map[string]string{"mysql": "SELECT VERSION()", "pgx": "SHOW server_version", "sqlite": "SELECT sqlite_version()"}[driver]
	var version string
	err := db.QueryRowContext(ctx, query).Scan(&version)
	if err == nil {
		meet(sqlName(driver, version))
	}
	return err
}

// do runs f on a connection that is gone afterwards.
func (k *kind) do(dsn string, f func(ctx context.Context, db *sql.DB) error) error {
	db, err := sql.Open(k.driver, dsn)
	if err != nil {
		return err
	}
	defer db.Close()
	// A DROP DATABASE waits for as long as a test has left a transaction open.
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	return f(ctx, db)
}

func (k *kind) exec(dsn, format string, a ...any) error {
	return k.do(dsn, func(ctx context.Context, db *sql.DB) error {
		_, err := db.ExecContext(ctx, fmt.Sprintf(format, a...))
		return err
	})
}

// database makes a database on the shared server, for the length of the test, and returns its DSN.
func (k *kind) database(t testing.TB) string {
	t.Helper()
	wanted(t, k.name)
	base, err := k.shared()
	if err != nil {
		t.Fatalf("harness: %v", err)
	}
	if base == "" {
		Missing(t, k.name, k.absent)
	}
	name := newName()
	dsn, err := k.dsn(base, name)
	if err == nil {
		err = k.exec(base, k.create, name)
	}
	if err != nil {
		t.Fatalf("harness: %s: create database: %v", k.name, err)
	}
	t.Cleanup(func() {
		if err := k.exec(base, k.drop, name); err != nil {
			t.Errorf("harness: %s: drop database %s: %v", k.name, name, err)
		}
	})
	return dsn
}
