package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/url"
	"strings"
	"time"

	"github.com/go-sql-driver/mysql"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/stdlib"

	"github.com/gosojourn/sojourn/sqlstore"
)

// A database keeps snippets and sessions.
type database struct {
	*sql.DB
	dialect sqlstore.Dialect
	name    string // for messages: without the password
}

const (
	maxConns    = 16
	dialTimeout = 3 * time.Second
)

// openDatabase opens what flag -db names. Errors never quote it, as it may hold a password.
func openDatabase(flag string, logger *slog.Logger) (*database, error) {
	kind, rest, _ := strings.Cut(flag, ":")
	var d *database
	var err error
	switch {
	case flag == "":
		d, err = openDataFile()
	case kind == "sqlite":
		d, err = openSQLite(strings.TrimPrefix(rest, "//"))
	case kind == "mysql", kind == "mariadb":
		d, err = openMySQL(flag, logger)
	case kind == "postgres", kind == "postgresql":
		d, err = openPostgres(flag)
	default:
		err = errors.New("it must begin with sqlite:, mysql:// or postgres://, as in sqlite:snippets.db")
	}
	if err != nil {
		return nil, fmt.Errorf("-db: %w", err)
	}
	// Connections beyond the idle ones are closed after every use, which costs more than the query.
	d.SetMaxOpenConns(maxConns)
	d.SetMaxIdleConns(maxConns)
	d.SetConnMaxIdleTime(5 * time.Minute)
	return d, nil
}

func openMySQL(flag string, logger *slog.Logger) (*database, error) {
	u, err := parseURL(flag)
	if err != nil {
		return nil, err
	}
	cfg, err := mysql.ParseDSN("/?" + u.RawQuery) // the driver's own parameters, such as tls
	if err != nil {
		return nil, fmt.Errorf("the parameters after the question mark: %w", err)
	}
	cfg.Net, cfg.Addr, cfg.DBName = "tcp", hostPort(u, "3306"), strings.TrimPrefix(u.Path, "/")
	cfg.User = u.User.Username()
	cfg.Passwd, _ = u.User.Password()
	cfg.ParseTime, cfg.Loc, cfg.Timeout = true, time.UTC, dialTimeout
	cfg.Logger = slog.NewLogLogger(logger.Handler(), slog.LevelDebug) // it comes as an error, too
	c, err := mysql.NewConnector(cfg)
	if err != nil {
		return nil, err
	}
	return &database{sql.OpenDB(c), sqlstore.MySQL, "MySQL at " + cfg.Addr}, nil
}

// openPostgres takes a password from PGPASSWORD or ~/.pgpass where the URL has none.
func openPostgres(flag string) (*database, error) {
	u, err := parseURL(flag)
	if err != nil {
		return nil, err
	}
	cfg, err := pgx.ParseConfig(flag)
	if err != nil {
		return nil, errors.New("PostgreSQL's driver does not understand this URL: use postgres://user:password@host:port/name")
	}
	if cfg.ConnectTimeout == 0 {
		cfg.ConnectTimeout = dialTimeout
	}
	return &database{stdlib.OpenDB(*cfg), sqlstore.Postgres, "PostgreSQL at " + hostPort(u, "5432")}, nil
}

func parseURL(flag string) (*url.URL, error) {
	u, err := url.Parse(flag)
	if err != nil { // which quotes the password
		return nil, errors.New("it is no URL: in a password write %25 for %, %40 for @, %3A for : and %2F for /")
	}
	if u.Hostname() == "" || strings.Trim(u.Path, "/") == "" {
		return nil, fmt.Errorf("it must name a server and a database: %s://user:password@host:port/name", u.Scheme)
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

// refuses reports whether a server is up and has said no, and will say so again: to the name or the
// password, or because it has no such database. The text is the server's; it quotes no password.
func refuses(err error) (text string, no bool) {
	if e, ok := errors.AsType[*mysql.MySQLError](err); ok {
		return e.Error(), e.Number != 1040 // too many connections
	}
	if e, ok := errors.AsType[*pgconn.PgError](err); ok {
		return e.Message, e.Code != "57P03" && e.Code != "53300" // starting; too many connections
	}
	return "", false
}

// wait returns when the database answers, or with the reason why it has not within patience:
// servers are often started together with what needs them. A file is there or is not, and so is a
// right to the database.
func (d *database) wait(ctx context.Context, patience time.Duration, logger *slog.Logger) error {
	if d.dialect == sqlstore.SQLite {
		if err := d.PingContext(ctx); err != nil {
			return fmt.Errorf("the database (%s) cannot be used: %w", d.name, err)
		}
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	var last error
	for pause := 100 * time.Millisecond; ; pause = min(2*pause, time.Second) {
		err := d.PingContext(ctx)
		if err == nil {
			return nil
		}
		if text, no := refuses(err); no {
			return fmt.Errorf("the database (%s) refuses: %s: look at the user, the password and the name in -db", d.name, text)
		}
		if last == nil {
			last = err
			logger.Warn("waiting for the database", "database", d.name, "for", patience, "error", err)
		}
		if ctx.Err() == nil {
			last = err
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("the database (%s) cannot be used: %w: is it running, and is -db right?", d.name, last)
		case <-time.After(pause):
		}
	}
}
