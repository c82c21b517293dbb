package integration

import (
	"context"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gosojourn/sojourn/sqlstore"
)

// A journal hands on what a store logs.
type journal struct{ lines chan string }

func newJournal() *journal { return &journal{make(chan string, 1000)} }

func (j *journal) Enabled(context.Context, slog.Level) bool { return true }
func (j *journal) WithAttrs([]slog.Attr) slog.Handler       { return j }
func (j *journal) WithGroup(string) slog.Handler            { return j }
func (j *journal) Handle(_ context.Context, r slog.Record) error {
	line := r.Message
	r.Attrs(func(a slog.Attr) bool { line += " " + a.String(); return true })
	j.lines <- line
	return nil
}

// await answers when a line with these words was logged.
func (j *journal) await(t *testing.T, words string) string {
	t.Helper()
	for {
		select {
		case line := <-j.lines:
			if strings.Contains(line, words) {
				return line
			}
		case <-time.After(20 * time.Second):
			t.Errorf("nothing was logged that says %q", words)
			return ""
		}
	}
}

// Another session has a transaction open that reads the table. Machines that are running go on while a new
// one migrates: no request fails, and none waits for the end of that transaction.
func TestF63_MigrateBesideAReader(t *testing.T) {
	for name, c := range map[string]struct {
		at    opener
		stall time.Duration
	}{
		"MariaDB":    {mysqlPlace(nil, mysqlTable), 3 * time.Second},
		"PostgreSQL": {postgresPlace(postgresTable), 2 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := c.at(t)
			create(t, p.store(t), newRecord("ann"))
			reader, err := p.open(t).Begin()
			if err != nil {
				t.Fatal(err)
			}
			defer reader.Rollback()
			if _, err := reader.Exec("SELECT COUNT(*) FROM sessions"); err != nil {
				t.Fatal(err)
			}
			log := newJournal()
			s := newStore(t, p.open(t), p.dialect, sqlstore.Options{Logger: slog.New(log)})
			done := make(chan error, 1)
			go func() { done <- s.Migrate(t.Context()) }()

			ctx, cancel := context.WithCancel(t.Context())
			var wg sync.WaitGroup
			for range 4 {
				s, r := p.store(t), newRecord("bob")
				create(t, s, r)
				wg.Go(func() {
					for ctx.Err() == nil {
						ctx, cancel := context.WithTimeout(t.Context(), c.stall)
						was := r.Version
						r.Version = newVersion()
						_, err := s.Load(ctx, r.ID)
						if err == nil {
							err = s.Update(ctx, r, was)
						}
						cancel()
						if err != nil {
							t.Errorf("a request failed: %v", err)
							return
						}
					}
				})
			}
			for range 3 {
				log.await(t, "locked by another session")
			}
			select {
			case err := <-done:
				t.Errorf("Migrate: %v, though the table was locked", err)
			default:
			}
			reader.Rollback()
			select {
			case err := <-done:
				if err != nil {
					t.Errorf("Migrate: %v", err)
				}
			case <-time.After(30 * time.Second):
				t.Error("Migrate has not returned")
			}
			cancel()
			wg.Wait()
			if err := s.Check(t.Context()); err != nil {
				t.Error(err)
			}
			if n := len(owned(t, s, "bob")); n != 4 {
				t.Errorf("%d sessions of 4 are listed", n)
			}
		})
	}
}

// Where nothing is to be done nothing is locked, nor said.
func TestF63_MigrateAgainTouchesNothing(t *testing.T) {
	everywhere(t, func(t *testing.T, p place) {
		migrate(t, p.store(t))
		log := newJournal()
		s := newStore(t, p.open(t), p.dialect, sqlstore.Options{Logger: slog.New(log)})
		tx, err := p.open(t).Begin()
		if err != nil {
			t.Fatal(err)
		}
		defer tx.Rollback()
		if _, err := tx.Exec("SELECT COUNT(*) FROM sessions"); err != nil {
			t.Fatal(err)
		}
		migrate(t, s)
		if len(log.lines) != 0 {
			t.Errorf("Migrate did something: %s", <-log.lines)
		}
	})
}

// A Migrate that waits in vain says for what, and what to do.
func TestF63_MigrateSaysWhatItWaitsFor(t *testing.T) {
	besideEachOther(t, map[string]opener{"MySQL": mysqlPlace(nil, mysqlTable), "Postgres": postgresPlace(postgresTable)}, func(t *testing.T, p place) {
		tx, err := p.open(t).Begin()
		if err != nil {
			t.Fatal(err)
		}
		if _, err := tx.Exec("SELECT COUNT(*) FROM sessions"); err != nil {
			t.Fatal(err)
		}
		log := newJournal()
		s := newStore(t, p.open(t), p.dialect, sqlstore.Options{Logger: slog.New(log)})
		ctx, cancel := context.WithCancel(t.Context())
		go func() {
			defer cancel()
			log.await(t, "locked by another session")
		}()
		err = s.Migrate(ctx)
		if err == nil || !strings.Contains(err.Error(), "another connection holds a lock") || !strings.Contains(err.Error(), "ADD COLUMN owner") {
			t.Errorf("Migrate: %v", err)
		}
		tx.Rollback()
	})
}

// What an index was built with is left invalid where the building was given up: it is built again.
func TestF63_IndexThatWasGivenUp(t *testing.T) {
	p := onPostgres(t, postgresTable, "ALTER TABLE sessions ADD owner BYTEA",
		"CREATE INDEX sessions_owner_idx ON sessions (owner, token) WHERE owner IS NOT NULL",
		"UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'sessions_owner_idx'::regclass")
	s := p.store(t)
	migrate(t, s)
	if !scan[bool](t, p.open(t), "SELECT indisvalid FROM pg_index WHERE indexrelid = 'sessions_owner_idx'::regclass") {
		t.Error("the index is still invalid")
	}
}

// Somebody else runs the statements; the application, which may only write rows, then completes the index.
func TestF63_MigrationSQLForSomebodyElse(t *testing.T) {
	everywhere(t, func(t *testing.T, p place) {
		for _, there := range []bool{true, false} {
			s := p.store(t)
			if there {
				create(t, s, newRecord("ann"))
			} else {
				p.exec(t, "DROP TABLE sessions", "DROP TABLE sessions_owners")
			}
			text, err := s.MigrationSQL(t.Context())
			if err != nil || len(text) < 3 {
				t.Fatalf("MigrationSQL: %q, %v", text, err)
			}
			t.Log(strings.Join(text, ";\n"))
			p.exec(t, text...)
			if text, err := s.MigrationSQL(t.Context()); err != nil || len(text) != 0 {
				t.Errorf("MigrationSQL afterwards: %q, %v", text, err)
			}
			web := p
			if p.dialect == sqlstore.MySQL {
				web = p.as(t, "SELECT, INSERT, UPDATE, DELETE ON %s.*")
			} else if p.dialect == sqlstore.Postgres {
				p.exec(t, "GRANT SELECT, INSERT, UPDATE, DELETE ON sessions, sessions_owners TO pg_monitor")
				web = asMonitor(t, p)
			}
			s = web.store(t)
			migrate(t, s)
			if err := s.Check(t.Context()); err != nil {
				t.Error(err)
			}
			if n := len(owned(t, s, "ann")); n == 0 && there {
				t.Error("the session is not listed")
			}
		}
	})
}

// A table of the same name that is somebody else's: Migrate says so, and changes nothing.
func TestF64_MigrateLooksFirst(t *testing.T) {
	const pgList = "SELECT string_agg(c.relname || ' ' || a.attname || ' ' || a.atttypid, ',' ORDER BY c.relname, a.attnum) FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid WHERE c.relnamespace = 'public'::regnamespace AND NOT a.attisdropped"
	const myList = "SELECT GROUP_CONCAT(CONCAT(TABLE_NAME, ' ', COLUMN_NAME, ' ', COLUMN_TYPE, ' ', COLUMN_KEY) ORDER BY TABLE_NAME, ORDINAL_POSITION) FROM information_schema.COLUMNS WHERE TABLE_SCHEMA = DATABASE()"
	const liteList = "SELECT group_concat(sql) FROM sqlite_master"
	for name, c := range map[string]struct {
		at         opener
		list, want string
	}{
		"PostgreSQL, uuid and jsonb": {postgresPlace("CREATE TABLE sessions (token UUID PRIMARY KEY, data JSONB NOT NULL, expiry TIMESTAMPTZ NOT NULL)"), pgList, "type uuid"},
		"PostgreSQL, other columns":  {postgresPlace("CREATE TABLE sessions (id UUID PRIMARY KEY, payload JSONB)"), pgList, "no column token"},
		"PostgreSQL, one more":       {postgresPlace("CREATE TABLE sessions (token TEXT PRIMARY KEY, data BYTEA NOT NULL, expiry TIMESTAMPTZ NOT NULL, user_id INT NOT NULL)"), pgList, "column user_id"},
		"PostgreSQL, other owners":   {postgresPlace(postgresTable, "CREATE TABLE sessions_owners (id INT, owner TEXT)"), pgList, "is not the table of fences"},
		"MariaDB, text and int":      {mysqlPlace(nil, "CREATE TABLE sessions (token INT PRIMARY KEY, data TEXT NOT NULL, expiry INT NOT NULL)"), myList, "type int"},
		"MariaDB, other owners":      {mysqlPlace(nil, mysqlTable, "CREATE TABLE sessions_owners (id INT PRIMARY KEY, owner VARCHAR(40))"), myList, "is not the table of fences"},
		"SQLite, other columns":      {sqlitePlace(usual, "CREATE TABLE sessions (id INTEGER PRIMARY KEY, payload TEXT)"), liteList, "no column token"},
		"SQLite, other owners":       {sqlitePlace(usual, sqliteTable, "CREATE TABLE sessions_owners (id INTEGER, owner TEXT)"), liteList, "is not the table of fences"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := c.at(t)
			db := p.open(t)
			before := scan[string](t, db, c.list)
			s := p.store(t)
			if err := s.Migrate(t.Context()); err == nil || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), "nothing was changed") {
				t.Errorf("Migrate: %v, want %q and that nothing was changed", err, c.want)
			}
			if _, err := s.MigrationSQL(t.Context()); err == nil {
				t.Error("MigrationSQL: nil")
			}
			if after := scan[string](t, db, c.list); after != before {
				t.Errorf("before: %s\nafter: %s", before, after)
			}
		})
	}
}
