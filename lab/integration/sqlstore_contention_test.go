package integration

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gosojourn/sojourn"
	"github.com/gosojourn/sojourn/sqlstore"
)

// [seen]: a deadlock is answered as a conflict, and the other side's transaction goes on.
func TestSQLDeadlockIsAConflict(t *testing.T) {
	for name, c := range map[string]struct {
		place place
		other string
	}{
		"MySQL":    {onMySQL(t, nil, mysqlTable), "INSERT INTO ballast VALUES "},
		"Postgres": {onPostgres(t, postgresTable), "INSERT INTO ballast VALUES "},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ctx, p := t.Context(), c.place
			// The store's one statement locks its row of sessions and then, by a trigger, a row that
			// another transaction holds, which wants the row of sessions.
			p.exec(t, "CREATE TABLE other (id INT PRIMARY KEY, n INT NOT NULL)", "INSERT INTO other VALUES (1, 0)")
			if p.dialect == sqlstore.MySQL {
				p.exec(t, "CREATE TRIGGER tr BEFORE UPDATE ON sessions FOR EACH ROW UPDATE other SET n = n + 1 WHERE id = 1",
					"CREATE TABLE ballast (id INT PRIMARY KEY AUTO_INCREMENT, b INT)")
			} else {
				p.exec(t, "CREATE FUNCTION f() RETURNS trigger AS 'BEGIN UPDATE other SET n = n + 1 WHERE id = 1; RETURN NEW; END' LANGUAGE plpgsql",
					"CREATE TRIGGER tr AFTER UPDATE ON sessions FOR EACH ROW EXECUTE FUNCTION f()")
			}
			s := p.store(t)
			r := create(t, s, newRecord(""))

			tx, err := p.open(t).BeginTx(ctx, nil)
			if err != nil {
				t.Fatal(err)
			}
			defer tx.Rollback()
			if _, err := tx.Exec("UPDATE other SET n = 100 WHERE id = 1"); err != nil {
				t.Fatal(err)
			}
			if p.dialect == sqlstore.MySQL { // the lighter transaction is the victim
				for i := range 200 {
					if _, err := tx.Exec(fmt.Sprintf("INSERT INTO ballast (b) VALUES (%d)", i)); err != nil {
						t.Fatal(err)
					}
				}
			} else if _, err := tx.Exec("SET LOCAL deadlock_timeout = '1min'"); err != nil {
				t.Fatal(err)
			}
			answer := make(chan error)
			next := r
			next.Version = newVersion()
			go func() { answer <- s.Update(ctx, next, r.Version) }()
			waitForLock(t, p)
			if _, err := tx.Exec("DELETE FROM sessions"); err != nil {
				t.Fatalf("the other transaction: %v", err)
			}
			if err := tx.Rollback(); err != nil {
				t.Fatal(err)
			}
			if err := <-answer; err != sojourn.ErrConflict {
				t.Fatalf("Update: %v, want ErrConflict", err)
			}
			holds(t, s, r)
		})
	}
}

// waitForLock returns when some statement of p's database waits for a lock.
func waitForLock(t *testing.T, p place) {
	t.Helper()
	query := `SELECT COUNT(*) FROM information_schema.innodb_trx JOIN information_schema.processlist ON id = trx_mysql_thread_id
		WHERE db = DATABASE() AND trx_state = 'LOCK WAIT'`
	if p.dialect == sqlstore.Postgres {
		query = "SELECT COUNT(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
	}
	db := p.open(t)
	for range 100 {
		if scan[int](t, db, query) > 0 {
			return
		}
		time.Sleep(200 * time.Millisecond) // InnoDB renews that table only when nobody has read it for 100 ms
	}
	t.Fatal("nothing waits for a lock")
}

// [seen]: a lock timeout, SQLITE_BUSY: nothing was applied, so it is a conflict and no outage.
func TestSQLLockTimeoutIsAConflict(t *testing.T) {
	for name, c := range map[string]struct{ place, locker place }{
		"MySQL":                      {place: onMySQL(t, []string{"innodb_lock_wait_timeout=1"}, mysqlTable)},
		"Postgres":                   {place: onPostgres(t, postgresTable, "DO $$ BEGIN EXECUTE 'ALTER DATABASE ' || current_database() || ' SET lock_timeout = ''100ms'''; END $$")},
		"SQLite":                     {place: onSQLite(t, "", sqliteTable)},
		"SQLite with a busy timeout": {place: onSQLite(t, "_pragma=busy_timeout(100)&_pragma=journal_mode(WAL)", sqliteTable)},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ctx, p := t.Context(), c.place
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
}

// Two processes, 200 increments: none is lost, whatever the isolation is that people set.
func TestSQLNoIncrementIsLost(t *testing.T) {
	alter := func(isolation string) string {
		return "DO $$ BEGIN EXECUTE 'ALTER DATABASE ' || current_database() || ' SET default_transaction_isolation = ''" + isolation + "'''; END $$"
	}
	for name, p := range map[string]place{
		"MySQL":                    onMySQL(t, nil, mysqlTable),
		"MySQL read committed":     onMySQL(t, []string{"tx_isolation='READ-COMMITTED'"}, mysqlTable),
		"MySQL serializable":       onMySQL(t, []string{"tx_isolation='SERIALIZABLE'"}, mysqlTable),
		"Postgres":                 onPostgres(t, postgresTable),
		"Postgres repeatable read": onPostgres(t, postgresTable, alter("repeatable read")),
		"Postgres serializable":    onPostgres(t, postgresTable, alter("serializable")),
		"SQLite":                   onSQLite(t, usual, sqliteTable),
		"SQLite with nothing set":  onSQLite(t, "", sqliteTable),
	} {
		t.Run(name, func(t *testing.T) {
			ctx := t.Context()
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
}

// A pool of one connection: no method holds it while it wants another.
func TestSQLPoolOfOne(t *testing.T) {
	everywhere(t, func(t *testing.T, p place) {
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
		defer cancel()
		db := p.open(t)
		db.SetMaxOpenConns(1)
		s := newStore(t, db, p.dialect, sqlstore.Options{})
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
