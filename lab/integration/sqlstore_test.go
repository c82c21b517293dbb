package integration

import (
	"bytes"
	"context"
	"crypto/rand"
	"database/sql"
	"encoding/base64"
	mathrand "math/rand/v2"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/gosojourn/sojourn"
	"github.com/gosojourn/sojourn/lab/harness"
	"github.com/gosojourn/sojourn/sqlstore"
)

// The tables as scs documents them, and 'Let's Go' with it. None of the tests below has another one
// unless it says so.
const (
	mysqlTable = "CREATE TABLE sessions (token CHAR(43) PRIMARY KEY, data BLOB NOT NULL, expiry TIMESTAMP(6) NOT NULL);" +
		"CREATE INDEX sessions_expiry_idx ON sessions (expiry)"
	postgresTable = "CREATE TABLE sessions (token TEXT PRIMARY KEY, data BYTEA NOT NULL, expiry TIMESTAMPTZ NOT NULL);" +
		"CREATE INDEX sessions_expiry_idx ON sessions (expiry)"
	sqliteTable = "CREATE TABLE sessions (token TEXT PRIMARY KEY, data BLOB NOT NULL, expiry REAL NOT NULL);" +
		"CREATE INDEX sessions_expiry_idx ON sessions(expiry)"
)

// A place is a database with room for one table of sessions, to be opened as often as there are
// processes to play.
type place struct {
	dialect     sqlstore.Dialect
	driver, dsn string
}

func (p place) open(t testing.TB) *sql.DB {
	t.Helper()
	db := harness.Open(t, p.driver, p.dsn)
	db.SetMaxOpenConns(16)
	db.SetMaxIdleConns(16)
	return db
}

// store opens a store as a process of its own would.
func (p place) store(t testing.TB) *sqlstore.Store {
	t.Helper()
	return newStore(t, p.open(t), p.dialect, sqlstore.Options{})
}

func newStore(t testing.TB, db *sql.DB, d sqlstore.Dialect, o sqlstore.Options) *sqlstore.Store {
	t.Helper()
	s, err := sqlstore.New(db, d, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

// params of the driver go to the DSN, statements of SQL into the empty database.
func onMySQL(t testing.TB, params []string, statements ...string) place {
	t.Helper()
	p := place{sqlstore.MySQL, "mysql", harness.MySQL(t, append(params, "multiStatements=true")...)}
	p.exec(t, statements...)
	return p
}

// mysqlIsolation is the parameter of the driver for a level of isolation. MariaDB 10 knows it by an old
// name, and MySQL no longer does.
func mysqlIsolation(t testing.TB, level string) string {
	t.Helper()
	return mysqlVariable(t, "transaction_isolation", "tx_isolation") + "='" + level + "'"
}

// mysqlVariable answers the name that the server knows of those that a variable has had.
func mysqlVariable(t testing.TB, names ...string) string {
	t.Helper()
	db := harness.Open(t, "mysql", harness.MySQL(t))
	for _, name := range names {
		if _, err := db.Exec("SET @x = @@" + name); err == nil {
			return name
		}
	}
	t.Fatalf("the server knows none of %q", names)
	return ""
}

func isMariaDB(t testing.TB) bool {
	t.Helper()
	return strings.Contains(scan[string](t, harness.Open(t, "mysql", harness.MySQL(t)), "SELECT VERSION()"), "MariaDB")
}

func onPostgres(t testing.TB, statements ...string) place {
	t.Helper()
	p := place{sqlstore.Postgres, "pgx", harness.Postgres(t)}
	p.exec(t, statements...)
	return p
}

func onSQLite(t testing.TB, query string, statements ...string) place {
	t.Helper()
	dsn := url.URL{Scheme: "file", Path: harness.SQLite(t), RawQuery: query}
	p := place{sqlstore.SQLite, "sqlite", dsn.String()}
	p.exec(t, statements...)
	return p
}

// usual is what a SQLite DSN should have.
const usual = "_pragma=busy_timeout(5000)&_pragma=journal_mode(WAL)"

// An opener makes a place when a test is about to use it: what is not to run in this process is skipped then.
type opener func(t testing.TB) place

func mysqlPlace(params []string, statements ...string) opener {
	return func(t testing.TB) place { t.Helper(); return onMySQL(t, params, statements...) }
}

// isolatedMySQL is the documented table, on connections of that isolation.
func isolatedMySQL(level string) opener {
	return func(t testing.TB) place {
		t.Helper()
		return onMySQL(t, []string{mysqlIsolation(t, level)}, mysqlTable)
	}
}

func postgresPlace(statements ...string) opener {
	return func(t testing.TB) place { t.Helper(); return onPostgres(t, statements...) }
}

// isolatedPostgres likewise.
func isolatedPostgres(level string) opener {
	return postgresPlace(postgresTable, postgresIsolation(level))
}

func sqlitePlace(query string, statements ...string) opener {
	return func(t testing.TB) place { t.Helper(); return onSQLite(t, query, statements...) }
}

// everywhere runs f on the documented table of each dialect, on all of them at the same time: they mostly wait
// for different servers.
func everywhere(t *testing.T, f func(t *testing.T, p place)) {
	besideEachOther(t, map[string]opener{
		"MySQL":    mysqlPlace(nil, mysqlTable),
		"Postgres": postgresPlace(postgresTable),
		"SQLite":   sqlitePlace(usual, sqliteTable),
	}, f)
}

// besideEachOther runs f in all these places, as many at a time as -parallel lets.
func besideEachOther(t *testing.T, places map[string]opener, f func(t *testing.T, p place)) {
	for name, at := range places {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f(t, at(t))
		})
	}
}

func (p place) exec(t testing.TB, statements ...string) {
	t.Helper()
	db := harness.Open(t, p.driver, p.dsn)
	defer db.Close()
	for _, s := range statements {
		mustExec(t, db, s)
	}
}

func mustExec(t testing.TB, db *sql.DB, statement string, args ...any) {
	t.Helper()
	if _, err := db.Exec(statement, args...); err != nil {
		t.Fatalf("%s: %v", statement, err)
	}
}

func scan[T any](t testing.TB, db *sql.DB, query string, args ...any) (v T) {
	t.Helper()
	if err := db.QueryRow(query, args...).Scan(&v); err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	return v
}

func migrate(t testing.TB, s *sqlstore.Store) {
	t.Helper()
	if err := s.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
}

func newRecord(owner string) sojourn.Record {
	var id [18]byte
	rand.Read(id[:])
	data := make([]byte, 300)
	rand.Read(data)
	now := time.Now().Truncate(time.Millisecond)
	return sojourn.Record{
		ID:      base64.RawURLEncoding.EncodeToString(id[:]),
		Owner:   owner,
		Expiry:  now.Add(time.Hour),
		Seen:    now,
		Version: newVersion(),
		Data:    data,
	}
}

func newVersion() uint64 { return 1 + mathrand.Uint64N(1<<48-1) }

func create(t testing.TB, s sojourn.Store, r sojourn.Record) sojourn.Record {
	t.Helper()
	if err := s.Create(t.Context(), r); err != nil {
		t.Fatalf("Create: %v", err)
	}
	return r
}

// holds fails unless Load answers r.
func holds(t testing.TB, s sojourn.Store, r sojourn.Record) {
	t.Helper()
	got, err := s.Load(context.WithoutCancel(t.Context()), r.ID)
	if err != nil {
		t.Fatalf("Load: %v", err)
	}
	if got.ID != r.ID || got.Owner != r.Owner || !got.Expiry.Equal(r.Expiry) || !got.Seen.Equal(r.Seen) ||
		got.Fence != r.Fence || got.Version != r.Version || !bytes.Equal(got.Data, r.Data) {
		t.Fatalf("Load answers %+v\nwant %+v", got, r)
	}
}

// lacks fails unless Load answers ErrNotFound.
func lacks(t testing.TB, s sojourn.Store, id string) {
	t.Helper()
	if _, err := s.Load(t.Context(), id); err != sojourn.ErrNotFound {
		t.Fatalf("Load: %v, want ErrNotFound", err)
	}
}

// owned lists the ids of owner's sessions.
func owned(t testing.TB, s sojourn.OwnerIndex, owner string) map[string]bool {
	t.Helper()
	ids := map[string]bool{}
	for r, err := range s.ListOwner(t.Context(), owner) {
		if err != nil {
			t.Fatalf("ListOwner: %v", err)
		}
		if ids[r.ID] {
			t.Fatal("ListOwner yields a session twice")
		}
		ids[r.ID] = true
	}
	return ids
}
