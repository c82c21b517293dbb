package integration

import (
	"context"
	"errors"
	"fmt"
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
		_, err := s.Fence(ctx, "bob")
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
		time.Sleep(100 * time.Millisecond)
		s := p.store(t)
		migrate(t, s)
		mu.Lock()
		before := len(live)
		mu.Unlock()
		time.Sleep(100 * time.Millisecond)
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
		for _, p := range []place{
			onMySQL(t, nil, mysqlTable, "ALTER TABLE sessions ADD owner INT NOT NULL DEFAULT 7"),
			onPostgres(t, postgresTable, "ALTER TABLE sessions ADD owner INT NOT NULL DEFAULT 7"),
			onSQLite(t, usual, sqliteTable, "ALTER TABLE sessions ADD owner INT NOT NULL DEFAULT 7"),
		} {
			s := p.store(t)
			if err := s.Migrate(t.Context()); err == nil || !strings.Contains(err.Error(), "rename") {
				t.Errorf("Migrate: %v, want an error that says to rename the column", err)
			}
			r := create(t, s, newRecord("ann"))
			holds(t, s, r)
			if n := scan[int](t, p.open(t), "SELECT owner FROM sessions"); n != 7 {
				t.Errorf("the column is now %d", n)
			}
		}
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

func TestSQLTableOfAnotherName(t *testing.T) {
	places := map[string]place{
		"select":           onMySQL(t, nil),
		"public.Order":     onPostgres(t),
		"main.my_sessions": onSQLite(t, usual),
	}
	for name, p := range places {
		t.Run(name, func(t *testing.T) {
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
	for name, p := range map[string]place{
		"MySQL":             onMySQL(t, nil, mysqlTable),
		"MySQL latin1":      onMySQL(t, nil, mysqlTable, "ALTER TABLE sessions MODIFY token CHAR(43) CHARACTER SET latin1 COLLATE latin1_german2_ci"),
		"MySQL as it comes": onMySQL(t, nil),
		"Postgres":          onPostgres(t, postgresTable),
		"Postgres char":     onPostgres(t, strings.Replace(postgresTable, "TEXT", "CHAR(43) COLLATE \"und-x-icu\"", 1)),
		"SQLite":            onSQLite(t, usual, sqliteTable),
		"SQLite nocase":     onSQLite(t, usual, strings.Replace(sqliteTable, "TEXT PRIMARY", "TEXT COLLATE NOCASE PRIMARY", 1)),
	} {
		t.Run(name, func(t *testing.T) {
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
}
