package integration

import (
	"database/sql"
	"errors"
	"strings"
	"sync"
	"testing"

	"github.com/gosojourn/sojourn"
	"github.com/gosojourn/sojourn/lab/harness"
	"github.com/gosojourn/sojourn/sqlstore"
)

// Check names everything at once, each with what to do.
func TestSQLCheckNamesWhatIsWrong(t *testing.T) {
	for name, c := range map[string]struct {
		at   opener
		want []string
	}{
		"no table": {mysqlPlace(nil), []string{"no table `sessions`: call Migrate"}},
		"everything": {mysqlPlace([]string{"autocommit=0"}, "CREATE TABLE sessions (token CHAR(20), data TEXT, expiry INT)"),
			[]string{
				"token holds 20, it must hold 24: ALTER TABLE `sessions` MODIFY token CHAR(43)",
				"data is of type text: ALTER TABLE `sessions` MODIFY data BLOB",
				"expiry is of type int: ALTER TABLE `sessions` MODIFY expiry TIMESTAMP(6)",
				"token is not unique: ALTER TABLE `sessions` ADD PRIMARY KEY (token)",
				"expiry has no index",
				"autocommit is off",
			}},
		"BINARY pads with zeros": {mysqlPlace(nil, "CREATE TABLE sessions (token BINARY(43) PRIMARY KEY, data TINYBLOB NOT NULL, expiry DATETIME NOT NULL, KEY(expiry))"),
			[]string{"token is of type binary", "data is of type tinyblob"}},
		"Postgres": {postgresPlace("CREATE TABLE sessions (token VARCHAR(20), data TEXT, expiry TIMESTAMP)"),
			[]string{
				"token holds 20, it must hold 24",
				"data is of type text: ALTER TABLE \"sessions\" ALTER COLUMN data TYPE BYTEA",
				"expiry is of type timestamp: ALTER TABLE \"sessions\" ALTER COLUMN expiry TYPE TIMESTAMPTZ",
				"token is not unique",
				"expiry has no index",
			}},
		"half migrated": {postgresPlace(postgresTable, "ALTER TABLE sessions ADD owner BYTEA"), []string{"not completed: call Migrate again"}},
		"owner":         {postgresPlace(postgresTable, "ALTER TABLE sessions ADD owner TEXT"), []string{"owner is of type text"}},
		"other columns": {sqlitePlace(usual, "CREATE TABLE sessions (id INTEGER PRIMARY KEY, name TEXT)"),
			[]string{"no column token", "no column data", "no column expiry"}},
		"busy_timeout": {sqlitePlace("", sqliteTable), []string{"busy_timeout is 0"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			err := c.at(t).store(t).Check(t.Context())
			if err == nil {
				t.Fatal("Check: nil")
			}
			for _, want := range c.want {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("Check does not say %q", want)
				}
			}
			if n := len(strings.Split(err.Error(), "\n")); n != len(c.want) {
				t.Errorf("Check says %d things, want %d", n, len(c.want))
			}
			t.Log(err)
		})
	}
}

func TestSQLCheckSeesTheIdlePool(t *testing.T) {
	p := onMySQL(t, nil, mysqlTable)
	db := p.open(t)
	db.SetMaxIdleConns(0)
	s := newStore(t, db, p.dialect, sqlstore.Options{})
	if err := s.Check(t.Context()); err != nil {
		t.Fatal(err)
	}
	for db.Stats().MaxIdleClosed <= 100 {
		lacks(t, s, "AAAAAAAAAAAAAAAAAAAAAAAA")
	}
	if err := s.Check(t.Context()); err == nil || !strings.Contains(err.Error(), "SetMaxIdleConns") {
		t.Errorf("Check: %v, want an error that says SetMaxIdleConns", err)
	}
}

// What goes wrong is said without a word of what was to be stored.
func TestSQLErrorsTellNoSecrets(t *testing.T) {
	r := newRecord("secret-owner")
	r.Data = []byte("secret-data \xff\xfe \x00 secret-data")
	nowhere := place{sqlstore.Postgres, "pgx", "postgres://127.0.0.1:1/none"}
	besideEachOther(t, map[string]opener{
		"MySQL, no table":        mysqlPlace(nil),
		"MySQL, text":            mysqlPlace(nil, "CREATE TABLE sessions (token CHAR(43) PRIMARY KEY, data TEXT, expiry TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP)"),
		"MySQL, short":           mysqlPlace(nil, "CREATE TABLE sessions (token CHAR(20) PRIMARY KEY, data BLOB, expiry TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP)"),
		"MySQL, number":          mysqlPlace(nil, "CREATE TABLE sessions (token BIGINT PRIMARY KEY, data BLOB, expiry TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP)"),
		"Postgres, no table":     postgresPlace(),
		"Postgres, text":         postgresPlace("CREATE TABLE sessions (token BIGINT PRIMARY KEY, data BYTEA, expiry TIMESTAMPTZ)"),
		"Postgres, out of reach": func(testing.TB) place { return nowhere },
		"SQLite, no table":       sqlitePlace(usual),
	}, func(t *testing.T, p place) {
		db, err := sql.Open(p.driver, p.dsn) // without a Ping
		if err != nil {
			t.Fatal(err)
		}
		defer db.Close()
		s := newStore(t, db, p.dialect, sqlstore.Options{})
		errs := []error{s.Create(t.Context(), r), s.Update(t.Context(), r, r.Version), s.Touch(t.Context(), r), s.Delete(t.Context(), r.ID, r.Version)}
		_, err = s.Load(t.Context(), r.ID)
		_, err2 := s.RevokeOwner(t.Context(), r.Owner, r.ID)
		for _, err := range append(errs, err, err2) {
			if err == nil {
				continue
			}
			if errors.Is(err, sojourn.ErrNotFound) || errors.Is(err, sojourn.ErrConflict) {
				continue
			}
			for _, secret := range []string{r.ID, r.ID[:8], "secret", "\\xFF", "736563726574"} {
				if strings.Contains(err.Error(), secret) {
					t.Errorf("an error quotes %q: %v", secret, err)
				}
			}
			if !strings.HasPrefix(err.Error(), "sqlstore: ") {
				t.Errorf("an error does not say whence: %v", err)
			}
		}
	})
}

// A server that was restarted has forgotten every prepared statement.
func TestSQLServerRestarted(t *testing.T) {
	for name, c := range map[string]struct {
		start   func(testing.TB) *harness.Server
		dialect sqlstore.Dialect
		driver  string
	}{
		"MySQL":    {harness.StartMySQL, sqlstore.MySQL, "mysql"},
		"Postgres": {harness.StartPostgres, sqlstore.Postgres, "pgx"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := c.start(t)
			p := place{c.dialect, c.driver, server.DSN("app")}
			s := p.store(t)
			migrate(t, s)
			r := create(t, s, newRecord("ann"))
			holds(t, s, r)
			server.Kill()
			if _, err := s.Load(t.Context(), r.ID); err == nil || errors.Is(err, sojourn.ErrNotFound) {
				t.Errorf("Load without a server: %v, want an error that is not ErrNotFound", err)
			}
			next := r
			next.Version = newVersion()
			if err := s.Update(t.Context(), next, r.Version); err == nil || errors.Is(err, sojourn.ErrConflict) {
				t.Errorf("Update without a server: %v, want an error that is not ErrConflict", err)
			}
			server.Start()
			holds(t, s, r)
			if err := s.Update(t.Context(), next, r.Version); err != nil {
				t.Errorf("Update after the restart: %v", err)
			}
			holds(t, s, next)
		})
	}
}

// Postgres ends every connection, and a running store goes on: whoever only looks asks another connection.
func TestSQLConnectionsTerminated(t *testing.T) {
	p := onPostgres(t, postgresTable)
	s := p.store(t)
	migrate(t, s)
	r := create(t, s, newRecord("ann"))
	for range 3 {
		var wg sync.WaitGroup
		for range 10 { // so that there are several connections to end
			wg.Go(func() { holds(t, s, r) })
		}
		wg.Wait()
		p.exec(t, "SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()")
		for range 20 {
			if _, err := s.Load(t.Context(), r.ID); err != nil {
				t.Fatal(err)
			}
		}
	}
	holds(t, s, r)
}
