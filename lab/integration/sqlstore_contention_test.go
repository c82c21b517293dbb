package integration

import (
	"context"
	"encoding/binary"
	"errors"
	"math/rand/v2"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gosojourn/sojourn"
	"github.com/gosojourn/sojourn/sqlstore"
)

// [seen]: two who lock the same rows in another order lock each other out. A save does not wait for a lock
// inside the server, so that the other side goes on at once and the save is done when it is through.
func TestSQLDeadlockIsNone(t *testing.T) {
	for name, c := range map[string]struct {
		at      opener
		timeout string // for the other side, so that a deadlock would show
	}{
		"MySQL":    {mysqlPlace(nil, mysqlTable), "SET SESSION innodb_lock_wait_timeout = 1"},
		"Postgres": {postgresPlace(postgresTable), "SET lock_timeout = '1s'"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := c.at(t)
			if p.dialect == sqlstore.MySQL && !isMariaDB(t) {
				t.Skip("MySQL waits in the server for what a trigger locks")
			}
			// The store's one statement locks its row of sessions and then, by a trigger, a row that
			// another transaction holds, which wants the row of sessions.
			p.exec(t, "CREATE TABLE other (id INT PRIMARY KEY, n INT NOT NULL)", "INSERT INTO other VALUES (1, 0)")
			if p.dialect == sqlstore.MySQL {
				p.exec(t, "CREATE TRIGGER tr BEFORE UPDATE ON sessions FOR EACH ROW UPDATE other SET n = n + 1 WHERE id = 1")
			} else {
				p.exec(t, "CREATE FUNCTION f() RETURNS trigger AS 'BEGIN UPDATE other SET n = n + 1 WHERE id = 1; RETURN NEW; END' LANGUAGE plpgsql",
					"CREATE TRIGGER tr AFTER UPDATE ON sessions FOR EACH ROW EXECUTE FUNCTION f()")
			}
			db := p.open(t)
			s := newStore(t, db, p.dialect, sqlstore.Options{})
			r := create(t, s, newRecord(""))

			conn, err := p.open(t).Conn(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close()
			for _, q := range []string{c.timeout, "BEGIN", "UPDATE other SET n = 100 WHERE id = 1"} {
				if _, err := conn.ExecContext(t.Context(), q); err != nil {
					t.Fatal(err)
				}
			}
			next := r
			next.Version = newVersion()
			ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
			defer cancel()
			err = s.Update(ctx, next, r.Version)
			if err == nil || errors.Is(err, sojourn.ErrConflict) || !strings.Contains(strings.ToLower(err.Error()), "lock") {
				t.Errorf("Update: %v, want an error that says what it waited for", err)
			}
			nothingRuns(t, p, db)
			for _, q := range []string{"DELETE FROM sessions", "ROLLBACK"} {
				if _, err := conn.ExecContext(t.Context(), q); err != nil {
					t.Errorf("the other side: %s: %v", q, err)
				}
			}
			holds(t, s, r)
			if err := s.Update(t.Context(), next, r.Version); err != nil {
				t.Errorf("Update afterwards: %v", err)
			}
			holds(t, s, next)
		})
	}
}

// [seen]: a lock timeout, SQLITE_BUSY: nothing was applied, so it is a conflict and no outage.
func TestSQLLockTimeoutIsAConflict(t *testing.T) {
	besideEachOther(t, map[string]opener{
		"MySQL":                      mysqlPlace([]string{"innodb_lock_wait_timeout=1"}, mysqlTable),
		"Postgres":                   postgresPlace(postgresTable, "DO $$ BEGIN EXECUTE 'ALTER DATABASE ' || current_database() || ' SET lock_timeout = ''100ms'''; END $$"),
		"SQLite":                     sqlitePlace("", sqliteTable),
		"SQLite with a busy timeout": sqlitePlace("_pragma=busy_timeout(100)&_pragma=journal_mode(WAL)", sqliteTable),
	}, func(t *testing.T, p place) {
		ctx := t.Context()
		s := p.store(t)
		r := create(t, s, newRecord(""))

		conn, err := p.open(t).Conn(ctx)
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		begin := "BEGIN"
		if p.dialect == sqlstore.SQLite {
			begin = "BEGIN IMMEDIATE"
		}
		for _, q := range []string{begin, "UPDATE sessions SET token = token"} {
			if _, err := conn.ExecContext(ctx, q); err != nil {
				t.Fatal(err)
			}
		}
		next := r
		next.Version = newVersion()
		if err := s.Update(ctx, next, r.Version); err != sojourn.ErrConflict {
			t.Errorf("Update: %v, want ErrConflict", err)
		}
		if err := s.Touch(ctx, r); err != sojourn.ErrConflict {
			t.Errorf("Touch: %v, want ErrConflict", err)
		}
		if err := s.Delete(ctx, r.ID, r.Version); err != sojourn.ErrConflict {
			t.Errorf("Delete: %v, want ErrConflict", err)
		}
		if p.dialect == sqlstore.SQLite {
			if err := s.Create(ctx, newRecord("")); err != sojourn.ErrConflict {
				t.Errorf("Create: %v, want ErrConflict", err)
			}
		}
		if err := s.Delete(ctx, r.ID, 0); err == nil || errors.Is(err, sojourn.ErrConflict) {
			t.Errorf("Delete at any version: %v, want an error that is no conflict", err)
		}
		holds(t, s, r) // reading goes on meanwhile
		if _, err := conn.ExecContext(ctx, "ROLLBACK"); err != nil {
			t.Fatal(err)
		}
		if err := s.Update(ctx, next, r.Version); err != nil {
			t.Errorf("Update afterwards: %v", err)
		}
		holds(t, s, next)
	})
}

// Two processes, 200 increments: none is lost, whatever the isolation is that people set.
func TestSQLNoIncrementIsLost(t *testing.T) {
	besideEachOther(t, map[string]opener{
		"MySQL":                    mysqlPlace(nil, mysqlTable),
		"MySQL read committed":     isolatedMySQL("READ-COMMITTED"),
		"MySQL serializable":       isolatedMySQL("SERIALIZABLE"),
		"Postgres":                 postgresPlace(postgresTable),
		"Postgres repeatable read": isolatedPostgres("repeatable read"),
		"Postgres serializable":    isolatedPostgres("serializable"),
		"SQLite":                   sqlitePlace(usual, sqliteTable),
		"SQLite with nothing set":  sqlitePlace("", sqliteTable),
	}, func(t *testing.T, p place) {
		// F67: a Load that meets SQLITE_BUSY goes on until its time is over.
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		stores := []*sqlstore.Store{p.store(t), p.store(t)}
		migrate(t, stores[0])
		r := newRecord("ann")
		r.Data = make([]byte, 8)
		create(t, stores[0], r)
		var conflicts atomic.Int64
		var wg sync.WaitGroup
		for i := range 20 {
			wg.Go(func() {
				s := stores[i%2]
				for range 10 {
					for {
						got, err := s.Load(ctx, r.ID)
						if err != nil {
							t.Errorf("Load: %v", err)
							return
						}
						was := got.Version
						got.Version = newVersion()
						got.Data = binary.BigEndian.AppendUint64(nil, binary.BigEndian.Uint64(got.Data)+1)
						if err = s.Update(ctx, got, was); err == nil {
							break
						}
						if err != sojourn.ErrConflict {
							t.Errorf("Update: %v, want ErrConflict or nil", err)
							return
						}
						conflicts.Add(1)
						time.Sleep(rand.N(5 * time.Millisecond)) // as the manager does
					}
				}
			})
		}
		wg.Wait()
		got, err := stores[1].Load(ctx, r.ID)
		if err != nil {
			t.Fatal(err)
		}
		if n := binary.BigEndian.Uint64(got.Data); n != 200 {
			t.Errorf("%d of 200 increments survive", n)
		}
		t.Logf("%d conflicts", conflicts.Load())
	})
}

// A pool of one connection: no method holds it while it wants another.
func TestSQLPoolOfOne(t *testing.T) {
	everywhere(t, func(t *testing.T, p place) {
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
		defer cancel()
		db := p.open(t)
		db.SetMaxOpenConns(1)
		s := newStore(t, db, p.dialect, sqlstore.Options{OwnPool: true})
		if err := s.Migrate(ctx); err != nil {
			t.Fatal(err)
		}
		if err := s.Check(ctx); err != nil {
			t.Fatal(err)
		}
		for range 120 {
			create(t, s, newRecord("ann"))
		}
		seen := 0
		for r, err := range s.ListOwner(ctx, "ann") {
			if err != nil {
				t.Fatal(err)
			}
			if err := s.Delete(ctx, r.ID, r.Version); err != nil {
				t.Fatal(err)
			}
			seen++
		}
		if seen != 120 {
			t.Errorf("%d sessions of 120 were listed", seen)
		}
		if _, err := s.RevokeOwner(ctx, "ann", ""); err != nil {
			t.Fatal(err)
		}
		if _, err := s.Sweep(ctx, time.Now(), 1000); err != nil {
			t.Fatal(err)
		}
	})
}
