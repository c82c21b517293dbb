package main

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"slices"

	"github.com/pressly/goose/v3"
	goosedb "github.com/pressly/goose/v3/database"

	"github.com/gosojourn/sojourn/sqlstore"
)

//go:embed migrations
var migrations embed.FS

// A schema is how a kind of database keeps others out while its tables are made: several processes
// may start at once.
type schema struct {
	folder       string
	dialect      goosedb.Dialect
	lock, unlock string
	options      []goose.ProviderOption
}

var schemas = map[sqlstore.Dialect]schema{
	sqlstore.MySQL: {"mysql", goose.DialectMySQL,
		"DO GET_LOCK(CONCAT('snippets', SHA2(DATABASE(), 224)), 10)", "DO RELEASE_LOCK(CONCAT('snippets', SHA2(DATABASE(), 224)))", nil},
	sqlstore.Postgres: {"postgres", goose.DialectPostgres,
		"SELECT pg_advisory_lock(hashtext('snippetbox'))", "SELECT pg_advisory_unlock(hashtext('snippetbox'))", nil},
	// SQLite has no lock but that of a transaction, so goose begins none of its own.
	sqlstore.SQLite: {"sqlite", goose.DialectSQLite3, "BEGIN IMMEDIATE", "COMMIT", []goose.ProviderOption{goose.WithIsolateDDL(true)}},
}

// migrateSnippets brings the tables of people and snippets up to date. It may run at every start, and
// in several processes at once. The table of the sessions is not among them: its store migrates that.
func migrateSnippets(ctx context.Context, d *database) error {
	s := schemas[d.dialect]
	err := s.adopt(ctx, d.DB)
	if err == nil {
		err = s.up(ctx, d.DB)
	}
	if err != nil {
		return fmt.Errorf("snippets: migrate: %w", err)
	}
	return nil
}

func (s schema) up(ctx context.Context, db *sql.DB) error {
	files, err := fs.Sub(migrations, "migrations/"+s.folder)
	if err != nil {
		return err
	}
	p, err := goose.NewProvider(s.dialect, db, files, append(s.options, goose.WithSessionLocker(s))...)
	if err != nil {
		return err
	}
	_, err = p.Up(ctx)
	return err
}

// SessionLock and SessionUnlock are for goose.
func (s schema) SessionLock(ctx context.Context, conn *sql.Conn) error {
	_, err := conn.ExecContext(ctx, s.lock)
	return err
}

func (s schema) SessionUnlock(ctx context.Context, conn *sql.Conn) error {
	_, err := conn.ExecContext(ctx, s.unlock)
	if err != nil {
		conn.Raw(func(any) error { return driver.ErrBadConn }) // closes it, and with it the lock
	}
	return err
}

// adopt makes goose's own table, which goose would make without the lock, and writes into it which
// migrations the tables of builds before it have seen.
func (s schema) adopt(ctx context.Context, db *sql.DB) (err error) {
	versions, err := goosedb.NewStore(s.dialect, goose.DefaultTablename)
	if err != nil {
		return err
	}
	conn, err := db.Conn(ctx)
	if err != nil {
		return err
	}
	defer conn.Close()
	if err := s.SessionLock(ctx, conn); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.SessionUnlock(context.WithoutCancel(ctx), conn)) }()

	if _, err := versions.GetLatestVersion(ctx, conn); err == nil {
		return nil
	} else if !errors.Is(err, goosedb.ErrVersionNotFound) {
		if err := versions.CreateVersionTable(ctx, conn); err != nil {
			return err
		}
	}
	for version := range seen(ctx, conn) + 1 {
		if err := versions.Insert(ctx, conn, goosedb.InsertRequest{Version: version}); err != nil {
			return err
		}
	}
	return nil
}

// seen is the latest migration that tables of before goose are as good as.
func seen(ctx context.Context, conn *sql.Conn) int64 {
	rows, err := conn.QueryContext(ctx, "SELECT * FROM snippets WHERE id IS NULL")
	if err != nil {
		return 0 // there are no tables; and if that was not the reason, the migrations tell it
	}
	defer rows.Close()
	if columns, _ := rows.Columns(); slices.Contains(columns, "user_id") {
		return 3
	}
	return 1
}
