package main

import (
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/go-sql-driver/mysql"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/stdlib"
	_ "modernc.org/sqlite"

	"github.com/gosojourn/sojourn/sqlstore"
)

// A database is opened, and may not have answered yet.
type database struct {
	*sql.DB
	dialect sqlstore.Dialect
	name    string // for people: without the password
	pooled  bool   // behind a pooler that hands out connections by the transaction, as the URL says
}

// conns is enough for what this command does: Check reads back on a second connection.
const conns = 4

func newDatabase(db *sql.DB, d sqlstore.Dialect, name string) *database {
	db.SetMaxOpenConns(conns)
	db.SetMaxIdleConns(conns)
	return &database{DB: db, dialect: d, name: name}
}

// remedy says what to do about a database that has not answered.
func (d *database) remedy(err error) string {
	if _, ok := errors.AsType[*mysql.MySQLError](err); ok {
		return "look at the user, the password and the database in the URL"
	}
	if _, ok := errors.AsType[*pgconn.PgError](err); ok {
		return "look at the user, the password and the database in the URL"
	}
	if d.dialect == sqlstore.SQLite {
		return "is it a database of SQLite, and may you write to it and its folder?"
	}
	return "is it running, and is the address in the URL right?"
}

// openSQLite opens a file. It makes one only for who wants to create tables there: any other command would find
// an empty database in place of a mistyped path.
func openSQLite(path string, create bool) (*database, error) {
	if path == "" || strings.HasPrefix(path, ":") {
		return nil, usage("sqlite: wants the path of a file, as in sqlite:sessions.db")
	}
	path, err := filepath.Abs(path)
	if err != nil {
		return nil, err
	}
	options := "_busy_timeout=1000&_synchronous=FULL"
	if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) && create {
		// SQLite would create it for everybody to read. Its other files take over the mode of this one.
		f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
		if err != nil {
			return nil, err
		}
		f.Close()
		options += "&_journal_mode=WAL" // of an existing file it is the application's to choose
	} else if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("there is no file %s: correct the path, or make it with sojourn migrate", path)
	} else if err != nil {
		return nil, err
	}
	slashed := filepath.ToSlash(path)
	if !strings.HasPrefix(slashed, "/") {
		slashed = "/" + slashed // C:/…
	}
	name := url.URL{Scheme: "file", Path: slashed, RawQuery: options}
	db, err := sql.Open("sqlite", name.String())
	if err != nil {
		return nil, err
	}
	return newDatabase(db, sqlstore.SQLite, "SQLite in "+path), nil
}

func openMySQL(text string, patience time.Duration) (*database, error) {
	u, err := parseURL(text)
	if err != nil {
		return nil, err
	}
	cfg, err := mysql.ParseDSN("/?" + u.RawQuery) // the driver's own parameters, such as tls
	if err != nil {
		return nil, usage("the store's URL: MySQL's driver does not take what stands after the question mark%s", refusedParam(u))
	}
	cfg.Net, cfg.Addr, cfg.DBName = "tcp", hostPort(u, "3306"), strings.TrimPrefix(u.Path, "/")
	cfg.User = u.User.Username()
	cfg.Passwd, _ = u.User.Password()
	cfg.ParseTime, cfg.Loc = true, time.UTC
	if cfg.Timeout == 0 {
		cfg.Timeout = patience
	}
	cfg.Logger = &mysql.NopLogger{} // it comes as an error, too
	c, err := mysql.NewConnector(cfg)
	if err != nil {
		return nil, usage("the store's URL: %w", err)
	}
	return newDatabase(sql.OpenDB(c), sqlstore.MySQL, "MySQL at "+cfg.Addr), nil
}

// refusedParam names a parameter that MySQL's driver does not take. The driver's own error has its value, which may be a
// secret.
func refusedParam(u *url.URL) string {
	for pair := range strings.SplitSeq(u.RawQuery, "&") {
		if _, err := mysql.ParseDSN("/?" + pair); err != nil {
			name, _, _ := strings.Cut(pair, "=")
			return ": look at " + name
		}
	}
	return ""
}

// openPostgres takes a password from PGPASSWORD or ~/.pgpass where the URL has none.
func openPostgres(text string, patience time.Duration) (*database, error) {
	u, err := parseURL(text)
	if err != nil {
		return nil, err
	}
	cfg, err := pgx.ParseConfig(text)
	if err != nil {
		return nil, usage("PostgreSQL's driver does not understand the store's URL: use postgres://user:password@host:port/name")
	}
	if cfg.ConnectTimeout == 0 {
		cfg.ConnectTimeout = patience
	}
	d := newDatabase(stdlib.OpenDB(*cfg), sqlstore.Postgres, "PostgreSQL at "+hostPort(u, "5432"))
	d.pooled = cfg.DefaultQueryExecMode == pgx.QueryExecModeExec
	return d, nil
}

func parseURL(text string) (*url.URL, error) {
	u, err := url.Parse(text)
	if err != nil { // which quotes the password
		return nil, usage("the store's URL does not parse: in a password write %%25 for %%, %%40 for @, %%3A for : and %%2F for /")
	}
	if strings.Contains(u.Path, "@") { // it is in the password, and what seems to be the host is, too
		return nil, usage("the store's URL has an @ behind a slash: in a password write %%2F for / and %%40 for @")
	}
	if u.Hostname() == "" || strings.Trim(u.Path, "/") == "" {
		return nil, usage("the store's URL must name a server and a database: %s://user:password@host:port/name", u.Scheme)
	}
	return u, nil
}

func hostPort(u *url.URL, defaultPort string) string {
	port := u.Port()
	if port == "" {
		port = defaultPort
	}
	return net.JoinHostPort(u.Hostname(), port)
}

// quoted writes a table's name, which sqlstore.New has accepted, as statements have it.
func quoted(d sqlstore.Dialect, name string) string {
	q := `"`
	if d == sqlstore.MySQL {
		q = "`"
	}
	return q + strings.ReplaceAll(name, ".", q+"."+q) + q
}
