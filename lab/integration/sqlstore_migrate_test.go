package integration

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gosojourn/sojourn"
	"github.com/gosojourn/sojourn/sqlstore"
)

func TestSQLTableAsItStands(t *testing.T) {
	everywhere(t, func(t *testing.T, p place) {
		ctx, s := t.Context(), p.store(t)
		if err := s.Check(ctx); err != nil {
			t.Errorf("Check: %v", err)
		}
		// A login is saved, because its owner is in the header.
		r := create(t, s, newRecord("ann"))
		was := r.Version
		r.Version, r.Owner, r.Fence = newVersion(), "bob", 7
		if err := s.Update(ctx, r, was); err != nil {
			t.Fatal(err)
		}
		holds(t, s, r)

		// What wants the index says so, and what to do.
		unsupported := func(what string, err error) {
			t.Helper()
			if !errors.Is(err, errors.ErrUnsupported) || !strings.Contains(err.Error(), "Migrate") {
				t.Errorf("%s: %v, want ErrUnsupported that says to call Migrate", what, err)
			}
		}
		var last error
		for got, err := range s.ListOwner(ctx, "bob") {
			if last = err; err == nil {
				t.Errorf("ListOwner yields %v", got)
			}
		}
		unsupported("ListOwner", last)
		_, _, err := s.Fence(ctx, "bob")
		unsupported("Fence", err)
		_, err = s.RevokeOwner(ctx, "bob", "")
		unsupported("RevokeOwner", err)
		holds(t, s, r)

		// Another process migrates: this one finds out by itself.
		migrate(t, p.store(t))
		if !owned(t, s, "bob")[r.ID] || len(owned(t, s, "ann")) != 0 {
			t.Error("after Migrate the index does not have the session that was saved before")
		}
		holds(t, s, r)
	})
}

func TestSQLMigrateTenAtOnce(t *testing.T) {
	for _, there := range []bool{false, true} {
		everywhere(t, func(t *testing.T, p place) {
			var kept []sojourn.Record
			if there {
				s := p.store(t)
				for i := range 250 {
					kept = append(kept, create(t, s, newRecord([]string{"", "ann", "bob"}[i%3])))
				}
			} else {
				p.exec(t, "DROP TABLE sessions")
			}
			var wg sync.WaitGroup
			for range 10 {
				s := p.store(t)
				wg.Go(func() {
					for range 2 {
						if err := s.Migrate(t.Context()); err != nil {
							t.Errorf("Migrate: %v", err)
						}
					}
					if err := s.Check(t.Context()); err != nil {
						t.Errorf("Check: %v", err)
					}
				})
			}
			wg.Wait()
			s := p.store(t)
			byOwner := map[string]int{}
			for _, r := range kept {
				holds(t, s, r)
				byOwner[r.Owner]++
			}
			for _, owner := range []string{"ann", "bob"} {
				if n := len(owned(t, s, owner)); n != byOwner[owner] {
					t.Errorf("%d sessions of %s are listed, %d are there", n, owner, byOwner[owner])
				}
			}
			r := create(t, s, newRecord("cid"))
			if !owned(t, s, "cid")[r.ID] {
				t.Error("a session created after Migrate is not listed")
			}
		})
	}
}

// Processes that have not heard of the index go on logging people in while another one migrates:
// not one of those sessions is missing from the index.
func TestSQLMigrateMissesNoLogin(t *testing.T) {
	everywhere(t, func(t *testing.T, p place) {
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		var mu sync.Mutex
		live := map[string]bool{}
		logins := func() int { mu.Lock(); defer mu.Unlock(); return len(live) }
		someMore := func() {
			for most, end := logins()+20, time.Now().Add(20*time.Second); logins() < most && !t.Failed(); runtime.Gosched() {
				if time.Now().After(end) {
					t.Fatal("nobody logs in: nothing is tested")
				}
			}
		}
		var wg sync.WaitGroup
		for range 4 {
			s := p.store(t)
			wg.Go(func() {
				for ctx.Err() == nil {
					r := newRecord("")
					err := s.Create(t.Context(), r)
					if err == nil {
						was := r.Version
						r.Version, r.Owner = newVersion(), "ann"
						err = s.Update(t.Context(), r, was)
					}
					if err == nil {
						mu.Lock()
						live[r.ID] = true
						mu.Unlock()
					} else if err != sojourn.ErrConflict {
						t.Errorf("%v", err)
					}
				}
			})
		}
		someMore()
		s := p.store(t)
		migrate(t, s)
		before := logins()
		someMore()
		cancel()
		wg.Wait()
		listed := owned(t, s, "ann")
		for id := range live {
			if !listed[id] {
				t.Errorf("of %d sessions, %d of them before Migrate was done, the index does not have one", len(live), before)
				break
			}
		}
	})
}

func TestSQLMigrateKeepsToItself(t *testing.T) {
	t.Run("a column owner of somebody else", func(t *testing.T) {
		everywhere(t, func(t *testing.T, p place) {
			p.exec(t, "ALTER TABLE sessions ADD owner INT NOT NULL DEFAULT 7")
			s := p.store(t)
			if err := s.Migrate(t.Context()); err == nil || !strings.Contains(err.Error(), "rename") {
				t.Errorf("Migrate: %v, want an error that says to rename the column", err)
			}
			r := create(t, s, newRecord("ann"))
			holds(t, s, r)
			if n := scan[int](t, p.open(t), "SELECT owner FROM sessions"); n != 7 {
				t.Errorf("the column is now %d", n)
			}
		})
	})
	t.Run("a view", func(t *testing.T) {
		everywhere(t, func(t *testing.T, p place) {
			p.exec(t, "ALTER TABLE sessions RENAME TO kept", "CREATE VIEW sessions AS SELECT * FROM kept")
			if err := p.store(t).Migrate(t.Context()); err == nil || !strings.Contains(err.Error(), "is a view, nothing was changed") {
				t.Errorf("Migrate: %v, want an error that says that it is a view", err)
			}
			nothingMigrated(t, p)
		})
	})
	t.Run("an index of that name", func(t *testing.T) {
		everywhere(t, func(t *testing.T, p place) {
			drop := "DROP INDEX sessions_expiry_idx"
			if p.dialect == sqlstore.MySQL {
				drop += " ON sessions"
			}
			p.exec(t, drop, "CREATE INDEX sessions_expiry_idx ON sessions (token, expiry)")
			if err := p.store(t).Migrate(t.Context()); err == nil || !strings.Contains(err.Error(), "nothing was changed: rename it") {
				t.Errorf("Migrate: %v, want an error that says to rename the index", err)
			}
			nothingMigrated(t, p)
		})
	})
	t.Run("another table's index of that name", func(t *testing.T) {
		besideEachOther(t, map[string]opener{"Postgres": postgresPlace(postgresTable), "SQLite": sqlitePlace(usual, sqliteTable)}, func(t *testing.T, p place) {
			p.exec(t, "CREATE TABLE other (x INT)", "CREATE INDEX sessions_owner_idx ON other (x)")
			if err := p.store(t).Migrate(t.Context()); err == nil || !strings.Contains(err.Error(), "nothing was changed: rename it") {
				t.Errorf("Migrate: %v, want an error that says to rename the index", err)
			}
			nothingMigrated(t, p)
		})
	})
	t.Run("a table of something else", func(t *testing.T) {
		p := onPostgres(t, "CREATE TABLE sessions (id INT)")
		if err := p.store(t).Migrate(t.Context()); err == nil {
			t.Error("Migrate: nil, want an error")
		}
		if n := scan[int](t, p.open(t), "SELECT COUNT(*) FROM pg_attribute WHERE attrelid = 'sessions'::regclass AND attnum > 0"); n != 1 {
			t.Errorf("the table has %d columns now", n)
		}
	})
}

// nothingMigrated says what Migrate has left behind that it refused to do.
func nothingMigrated(t *testing.T, p place) {
	t.Helper()
	for _, q := range []string{"SELECT COUNT(owner) FROM sessions", "SELECT COUNT(*) FROM sessions_owners"} {
		var n int
		if err := p.open(t).QueryRowContext(t.Context(), q).Scan(&n); err == nil {
			t.Errorf("%s: is there", q)
		}
	}
}

// The fences belong to the table of sessions, wherever the search_path of whoever migrates would put a new table, or finds
// another tenant's.
func TestSQLMigrateKeepsTheFencesBesideTheSessions(t *testing.T) {
	path := func(p place, s string) place {
		p.dsn += "?search_path=" + s
		return p
	}
	t.Run("a new table", func(t *testing.T) {
		p := onPostgres(t, postgresTable, "CREATE SCHEMA tools")
		migrate(t, path(p, "tools,public").store(t))
		s := p.store(t)
		r := create(t, s, newRecord("ann"))
		if _, err := s.RevokeOwner(t.Context(), "ann", ""); err != nil {
			t.Errorf("RevokeOwner by a role of another search_path: %v", err)
		}
		lacks(t, s, r.ID)
	})
	t.Run("another tenant's table", func(t *testing.T) {
		p := onPostgres(t, postgresTable, "CREATE SCHEMA tenant", "CREATE TABLE tenant.sessions (LIKE sessions INCLUDING ALL)")
		migrate(t, p.store(t))
		tenant := path(p, "tenant,public")
		if err := tenant.store(t).Migrate(t.Context()); err == nil || !strings.Contains(err.Error(), `name the schema in Options.Table, such as "tenant.sessions"`) {
			t.Errorf("Migrate: %v, want an error that says to name the schema", err)
		}
		s := newStore(t, tenant.open(t), tenant.dialect, sqlstore.Options{Table: "tenant.sessions"})
		migrate(t, s)
		if _, err := s.RevokeOwner(t.Context(), "ann", ""); err != nil {
			t.Fatal(err)
		}
		if f, _, err := p.store(t).Fence(t.Context(), "ann"); f != 0 || err != nil {
			t.Errorf("the other tenant's ann has fence %d, %v", f, err)
		}
	})
}

// PostgreSQL builds no index of a table in parts beside the traffic. Migrate builds it nevertheless, and what MigrationSQL
// answers can be run.
func TestSQLMigrateATableInParts(t *testing.T) {
	parts := []string{"CREATE TABLE sessions (token TEXT PRIMARY KEY, data BYTEA NOT NULL, expiry TIMESTAMPTZ NOT NULL) PARTITION BY HASH (token)",
		"CREATE TABLE sessions_0 PARTITION OF sessions FOR VALUES WITH (MODULUS 2, REMAINDER 0)",
		"CREATE TABLE sessions_1 PARTITION OF sessions FOR VALUES WITH (MODULUS 2, REMAINDER 1)"}
	for name, alter := range map[string]func(t *testing.T, p place, s *sqlstore.Store){
		"Migrate": func(t *testing.T, p place, s *sqlstore.Store) { migrate(t, s) },
		"MigrationSQL": func(t *testing.T, p place, s *sqlstore.Store) {
			todo, err := s.MigrationSQL(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			p.exec(t, todo...)
		},
	} {
		t.Run(name, func(t *testing.T) {
			p := onPostgres(t, parts...)
			s := p.store(t)
			r := create(t, s, newRecord("ann"))
			alter(t, p, s)
			migrate(t, s)
			if todo, err := s.MigrationSQL(t.Context()); len(todo) > 0 || err != nil {
				t.Errorf("afterwards there is to do %q, %v", todo, err)
			}
			if err := s.Check(t.Context()); err != nil {
				t.Errorf("Check: %v", err)
			}
			for got, err := range s.ListOwner(t.Context(), "ann") {
				if err != nil || got.ID != r.ID {
					t.Errorf("ListOwner: %v, %v", got, err)
				}
			}
		})
	}
}

func TestSQLTableOfAnotherName(t *testing.T) {
	for name, at := range map[string]opener{
		"select":           mysqlPlace(nil),
		"public.Order":     postgresPlace(),
		"main.my_sessions": sqlitePlace(usual),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := at(t)
			s := newStore(t, p.open(t), p.dialect, sqlstore.Options{Table: name})
			for range 2 {
				migrate(t, s)
			}
			if err := s.Check(t.Context()); err != nil {
				t.Error(err)
			}
			r := create(t, s, newRecord("ann"))
			if !owned(t, s, "ann")[r.ID] {
				t.Error("the session is not listed")
			}
			if _, err := s.RevokeOwner(t.Context(), "ann", ""); err != nil {
				t.Error(err)
			}
			lacks(t, s, r.ID)
		})
	}
	t.Run("a schema of its own", func(t *testing.T) {
		p := onPostgres(t, "CREATE SCHEMA web")
		s := newStore(t, p.open(t), p.dialect, sqlstore.Options{Table: "web.sessions"})
		migrate(t, s)
		r := create(t, s, newRecord("ann"))
		if n := scan[int](t, p.open(t), "SELECT COUNT(*) FROM web.sessions"); n != 1 {
			t.Errorf("%d rows in web.sessions", n)
		}
		holds(t, s, r)
	})
}

// The table is dropped and restored without the index under a running process.
func TestSQLRestoredWithoutIndex(t *testing.T) {
	everywhere(t, func(t *testing.T, p place) {
		s := p.store(t)
		migrate(t, s)
		create(t, s, newRecord("ann"))
		p.exec(t, "DROP TABLE sessions", "DROP TABLE sessions_owners")
		p.exec(t, map[sqlstore.Dialect]string{sqlstore.MySQL: mysqlTable, sqlstore.Postgres: postgresTable, sqlstore.SQLite: sqliteTable}[p.dialect])
		r := newRecord("ann")
		if err := s.Create(t.Context(), r); err == nil {
			t.Error("Create: nil, though the column is not there")
		}
		create(t, s, r)
		holds(t, s, r)
		migrate(t, s)
		if !owned(t, s, "ann")[r.ID] {
			t.Error("the session is not listed")
		}
	})
}

func TestSQLPagesOfOneOwner(t *testing.T) {
	besideEachOther(t, map[string]opener{
		"MySQL":             mysqlPlace(nil, mysqlTable),
		"MySQL latin1":      mysqlPlace(nil, mysqlTable, "ALTER TABLE sessions MODIFY token CHAR(43) CHARACTER SET latin1 COLLATE latin1_german2_ci"),
		"MySQL as it comes": mysqlPlace(nil),
		"Postgres":          postgresPlace(postgresTable),
		"Postgres char":     postgresPlace(strings.Replace(postgresTable, "TEXT", "CHAR(43) COLLATE \"und-x-icu\"", 1)),
		"SQLite":            sqlitePlace(usual, sqliteTable),
		"SQLite nocase":     sqlitePlace(usual, strings.Replace(sqliteTable, "TEXT PRIMARY", "TEXT COLLATE NOCASE PRIMARY", 1)),
	}, func(t *testing.T, p place) {
		s := p.store(t)
		migrate(t, s)
		want := map[string]bool{}
		for i := range 230 {
			r := newRecord("ann")
			if i%3 == 0 { // ids that sort among signs, cases and digits
				r.ID = fmt.Sprintf("%c%c", "-_azAZ09"[i%8], "-_azAZ09"[i/8%8]) + r.ID[2:]
			}
			want[create(t, s, r).ID] = true
			if i%10 == 0 {
				create(t, s, newRecord("bob"))
			}
		}
		got := owned(t, s, "ann")
		if len(got) != len(want) {
			t.Errorf("%d of %d sessions are listed", len(got), len(want))
		}
		var keep string
		for keep = range want {
			break
		}
		if _, err := s.RevokeOwner(t.Context(), "ann", keep); err != nil {
			t.Fatal(err)
		}
		if got := owned(t, s, "ann"); len(got) != 1 || !got[keep] {
			t.Errorf("%d sessions are left, want the one kept", len(got))
		}
		if n := len(owned(t, s, "bob")); n != 23 {
			t.Errorf("%d of another owner's 23 sessions are left", n)
		}
	})
}
