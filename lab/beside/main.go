// Command beside measures how requests fare beside somebody who holds locks, or who migrates the table.
//
//	go run ./lab/beside locks                       4 of 16 sessions are locked: what the 12 others save
//	go run ./lab/beside migrate -rows 1000000       the longest stall of 1,000 requests a second beside Migrate
//	go run ./lab/beside sweep -rows 100000          what a sweep costs behind rows that are none of ours
//	go run ./lab/beside -on postgres migrate        on MariaDB or MySQL (mysql) or on PostgreSQL alone
//
// The servers are those of the tests: SOJOURN_MYSQL, SOJOURN_POSTGRES, or the standard ports of 127.0.0.1. A
// database of its own is made there, and dropped.
package main

import (
	"context"
	"crypto/rand"
	"database/sql"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"strings"
	"syscall"

	_ "github.com/go-sql-driver/mysql"
	_ "github.com/jackc/pgx/v5/stdlib"

	"github.com/gosojourn/sojourn/sqlstore"
)

func main() {
	on := flag.String("on", "mysql,postgres", "servers")
	rows := flag.Int("rows", 1_000_000, "rows of the table that is migrated")
	flag.Parse()
	what := flag.Arg(0)
	if flag.NArg() > 1 { // flags behind the word
		flag.CommandLine.Parse(flag.Args()[1:])
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	for name := range strings.SplitSeq(*on, ",") {
		err := withServer(ctx, name, func(s *server) error {
			switch what {
			case "locks":
				return s.locks(ctx)
			case "migrate":
				return s.migrate(ctx, *rows)
			case "sweep":
				return s.sweep(ctx, *rows)
			}
			return fmt.Errorf("%q: locks, migrate or sweep", what)
		})
		if err != nil {
			fmt.Fprintf(os.Stderr, "beside: %s: %v\n", name, err)
			os.Exit(1)
		}
	}
}

// A server has a database of ours.
type server struct {
	name    string
	dialect sqlstore.Dialect
	driver  string
	dsn     string
	table   string // as scs documents it
	more    string // doubles the rows of the table, by other keys
}

var servers = map[string]server{
	"mysql": {"", sqlstore.MySQL, "mysql", "root@tcp(127.0.0.1:3306)/",
		"CREATE TABLE sessions (token CHAR(43) PRIMARY KEY, data BLOB NOT NULL, expiry TIMESTAMP(6) NOT NULL, KEY sessions_expiry_idx (expiry))",
		"INSERT INTO sessions (token, data, expiry) SELECT LEFT(SHA2(CONCAT(token, '%d'), 256), 43), data, expiry FROM sessions LIMIT %d"},
	"postgres": {"", sqlstore.Postgres, "pgx", "postgres://postgres@127.0.0.1:5432/postgres",
		"CREATE TABLE sessions (token TEXT PRIMARY KEY, data BYTEA NOT NULL, expiry TIMESTAMPTZ NOT NULL); CREATE INDEX sessions_expiry_idx ON sessions (expiry)",
		"INSERT INTO sessions (token, data, expiry) SELECT left(md5(token || '%d') || md5(token), 43), data, expiry FROM sessions LIMIT %d"},
}

func withServer(ctx context.Context, name string, f func(*server) error) error {
	s, ok := servers[name]
	if !ok {
		return fmt.Errorf("no such server: mysql or postgres")
	}
	if v := os.Getenv("SOJOURN_" + strings.ToUpper(name)); v != "" {
		s.dsn = v
	}
	base, err := sql.Open(s.driver, s.dsn)
	if err != nil {
		return err
	}
	defer base.Close()
	if err := base.QueryRowContext(ctx, "SELECT VERSION()").Scan(&s.name); err != nil {
		return err
	}
	if s.dialect == sqlstore.MySQL && !strings.Contains(s.name, "MariaDB") {
		s.name = "MySQL " + s.name
	}
	s.name = strings.Join(strings.Fields(s.name)[:min(2, len(strings.Fields(s.name)))], " ")
	database := "sojourn_beside_" + strings.ToLower(rand.Text()[:10])
	if _, err := base.ExecContext(ctx, "CREATE DATABASE "+database); err != nil {
		return err
	}
	defer base.ExecContext(context.WithoutCancel(ctx), "DROP DATABASE "+database)
	at, params, _ := strings.Cut(s.dsn, "?")
	s.dsn = at[:strings.LastIndex(at, "/")+1] + database
	if params != "" {
		s.dsn += "?" + params
	}
	db, err := s.open()
	if err != nil {
		return err
	}
	defer db.Close()
	if _, err := db.ExecContext(ctx, s.table); err != nil && s.dialect == sqlstore.MySQL {
		return err
	}
	return f(&s)
}

// open makes a pool as an application would have it.
func (s *server) open() (*sql.DB, error) {
	db, err := sql.Open(s.driver, s.dsn)
	if err == nil {
		db.SetMaxOpenConns(16)
		db.SetMaxIdleConns(16)
	}
	return db, err
}
