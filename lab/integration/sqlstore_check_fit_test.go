package integration

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gosojourn/sojourn/lab/harness"
	"github.com/gosojourn/sojourn/sqlstore"
)

// as opens p as another user of MySQL, who is granted what is said.
func (p place) as(t testing.TB, grant string) place {
	t.Helper()
	user := harness.MySQLUser(t, fmt.Sprintf(grant, mysqlDatabase(t, p)))
	_, at, _ := strings.Cut(p.dsn, "@")
	p.dsn = user + ":@" + at
	return p
}

// A table that is right is not enough: what the user, the server and the pool refuse to sessions, Check says
// before they do, all at once, each with what to run. It leaves nothing behind.
func TestF62_CheckDoesWhatSessionsDo(t *testing.T) {
	for name, c := range map[string]struct {
		filler func(t *testing.T) place
		as     func(t *testing.T, p place) place
		want   []string
	}{
		"MariaDB, SELECT alone": {migratedMySQL, func(t *testing.T, p place) place { return p.as(t, "SELECT ON %s.*") },
			[]string{"GRANT DELETE, UPDATE, INSERT ON `sessions` TO 'sojourn_test_", "GRANT DELETE, UPDATE, INSERT ON `sessions_owners` TO 'sojourn_test_"}},
		"MariaDB, no DELETE": {migratedMySQL, func(t *testing.T, p place) place { return p.as(t, "SELECT, INSERT, UPDATE ON %s.*") },
			[]string{"may not DELETE on table `sessions`", "may not DELETE on table `sessions_owners`"}},
		"MariaDB, one table of two": {migratedMySQL, func(t *testing.T, p place) place { return p.as(t, "SELECT, INSERT, UPDATE, DELETE ON %s.sessions") },
			[]string{"GRANT SELECT, INSERT, UPDATE, DELETE ON `sessions_owners`"}},
		"MariaDB, no right at all": {migratedMySQL, func(t *testing.T, p place) place { return p.as(t, "CREATE ON %s.other") },
			[]string{"GRANT SELECT, INSERT, UPDATE, DELETE ON `sessions` TO"}},
		"MariaDB, read-only transactions": {migratedMySQL, func(t *testing.T, p place) place {
			p.dsn += "&" + mysqlVariable(t, "transaction_read_only", "tx_read_only") + "=1"
			return p
		}, []string{"READ ONLY"}},
		"MariaDB, a column nobody fills": {func(t *testing.T) place {
			return onMySQL(t, nil, mysqlTable, "ALTER TABLE sessions ADD ip VARCHAR(45) NOT NULL, ADD n INT NOT NULL, ADD id INT NOT NULL AUTO_INCREMENT UNIQUE")
		}, nil, []string{"column ip of table `sessions` is NOT NULL and has no default, and nobody fills it: ALTER TABLE `sessions` ALTER COLUMN `ip` SET DEFAULT ''",
			"ALTER COLUMN `n` SET DEFAULT 0"}},
		"MariaDB, a constraint": {func(t *testing.T) place {
			return onMySQL(t, nil, mysqlTable, "ALTER TABLE sessions ADD CONSTRAINT c CHECK (LENGTH(data) < 100)")
		}, nil, []string{"refuses to write"}},
		"MariaDB, a trigger": {func(t *testing.T) place {
			return onMySQL(t, nil, mysqlTable, "CREATE TRIGGER x BEFORE INSERT ON sessions FOR EACH ROW SET NEW.data = CONCAT(NEW.data, 'x')")
		}, nil, []string{"after create, a second connection reads something else"}},
		"PostgreSQL, SELECT alone": {func(t *testing.T) place {
			p := migratedPostgres(t)
			p.exec(t, "GRANT SELECT ON sessions, sessions_owners TO pg_monitor")
			return p
		}, asMonitor, []string{`GRANT DELETE, UPDATE, INSERT ON "sessions" TO pg_monitor`, `GRANT DELETE, UPDATE, INSERT ON "sessions_owners" TO pg_monitor`}},
		"PostgreSQL, nothing": {migratedPostgres, asMonitor,
			[]string{`on table "sessions_owners"`}},
		"PostgreSQL, read-only": {migratedPostgres, func(t *testing.T, p place) place {
			p.dsn += "?default_transaction_read_only=on"
			return p
		}, []string{"read-only transaction (SQLSTATE 25006)): let the DSN lead to the primary"}},
		"PostgreSQL, a column nobody fills": {func(t *testing.T) place {
			return onPostgres(t, postgresTable, "ALTER TABLE sessions ADD ip TEXT NOT NULL, ADD id BIGINT GENERATED ALWAYS AS IDENTITY")
		}, nil, []string{`ALTER TABLE "sessions" ALTER COLUMN "ip" DROP NOT NULL`}},
		"PostgreSQL, a rule": {func(t *testing.T) place {
			return onPostgres(t, postgresTable, "CREATE RULE r AS ON DELETE TO sessions DO INSTEAD NOTHING")
		}, nil, []string{"still there"}},
		"SQLite, read-only": {migratedSQLite, func(t *testing.T, p place) place {
			p.dsn += "&_pragma=query_only(1)"
			return p
		}, []string{"readonly"}},
		"SQLite, a column nobody fills": {func(t *testing.T) place {
			return onSQLite(t, usual, strings.Replace(sqliteTable, "expiry REAL NOT NULL)", "expiry REAL NOT NULL, ip TEXT NOT NULL)", 1))
		}, nil, []string{"column ip of table"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			filler := c.filler(t)
			p := filler
			if c.as != nil {
				p = c.as(t, filler)
			}
			says(t, p.store(t).Check(t.Context()), c.want)
			if n := scan[int](t, filler.open(t), "SELECT COUNT(*) FROM sessions"); n != 0 && !strings.HasSuffix(name, "a rule") {
				t.Errorf("%d sessions are left behind", n)
			}
			if c.as != nil {
				if n := scan[int](t, filler.open(t), "SELECT COUNT(*) FROM sessions_owners"); n != 1 {
					t.Errorf("%d fences are there, want the mark of a complete index", n)
				}
			}
		})
	}
}

func says(t *testing.T, err error, want []string) {
	t.Helper()
	if err == nil {
		t.Fatal("Check: nil")
	}
	for _, w := range want {
		if !strings.Contains(err.Error(), w) {
			t.Errorf("Check does not say %q", w)
		}
	}
	if n := len(strings.Split(err.Error(), "\n")); n != len(want) {
		t.Errorf("Check says %d things, want %d", n, len(want))
	}
	t.Log(err)
}

func migrated(t *testing.T, p place) place {
	t.Helper()
	migrate(t, p.store(t))
	return p
}

func migratedMySQL(t *testing.T) place    { return migrated(t, onMySQL(t, nil, mysqlTable)) }
func migratedPostgres(t *testing.T) place { return migrated(t, onPostgres(t, postgresTable)) }
func migratedSQLite(t *testing.T) place   { return migrated(t, onSQLite(t, usual, sqliteTable)) }

func asMonitor(_ *testing.T, p place) place {
	p.dsn += "?role=pg_monitor"
	return p
}

// A server that takes no writes from this user.
func TestF62_CheckOnAReadOnlyServer(t *testing.T) {
	server := harness.StartMySQL(t)
	p := place{sqlstore.MySQL, "mysql", server.DSN("app", "multiStatements=true")}
	migrated(t, p)
	p.exec(t, "CREATE USER web", "GRANT ALL ON app.* TO web", "SET GLOBAL read_only = 1")
	web := p
	_, at, _ := strings.Cut(p.dsn, "@")
	web.dsn = "web:@" + at
	says(t, web.store(t).Check(t.Context()), []string{"let the DSN lead to the primary server, or SET GLOBAL read_only = OFF"})
}

// A table that is right, on which Check plays a session and takes it away again.
func TestF62_CheckLeavesNothingBehind(t *testing.T) {
	everywhere(t, func(t *testing.T, p place) {
		s, db := p.store(t), p.open(t)
		for _, fences := range []int{0, 1} {
			for range 3 {
				if err := s.Check(t.Context()); err != nil {
					t.Error(err)
				}
			}
			if n := scan[int](t, db, "SELECT COUNT(*) FROM sessions"); n != 0 {
				t.Errorf("%d sessions are left behind", n)
			}
			migrate(t, s)
			if n := scan[int](t, db, "SELECT COUNT(*) FROM sessions_owners"); n != 1 {
				t.Errorf("%d fences are left behind beside the mark of a complete index, round %d", n-1, fences)
			}
		}
		// Its time is over at every point of it.
		for n := 1; ; n += 2 {
			if s.Check(&endsAfter{Context: t.Context(), done: make(chan struct{}), left: n}) == nil {
				break
			}
			if n > 5000 {
				t.Fatal("Check never comes to its end")
			}
		}
		if n := scan[int](t, db, "SELECT COUNT(*) FROM sessions"); n != 0 {
			t.Errorf("%d sessions are left behind by a Check that was given up", n)
		}
		if n := scan[int](t, db, "SELECT COUNT(*) FROM sessions_owners"); n != 1 {
			t.Errorf("%d fences are left behind by a Check that was given up", n-1)
		}
	})
}

// endsAfter is a context that is done when it has been asked so many times.
type endsAfter struct {
	context.Context
	mu   sync.Mutex
	done chan struct{}
	left int
}

func (c *endsAfter) Done() <-chan struct{} {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.left--; c.left == 0 {
		close(c.done)
	}
	return c.done
}

func (c *endsAfter) Err() error {
	select {
	case <-c.done:
		return context.DeadlineExceeded
	default:
		return nil
	}
}

func TestF62_CheckSeesADatabaseInMemory(t *testing.T) {
	p := place{sqlstore.SQLite, "sqlite", "file::memory:?" + usual}
	db := p.open(t)
	s := newStore(t, db, p.dialect, sqlstore.Options{})
	migrate(t, s)
	says(t, s.Check(t.Context()), []string{"in memory, and each connection of the pool has one of its own"})

	one := p.open(t)
	one.SetMaxOpenConns(1)
	s = newStore(t, one, p.dialect, sqlstore.Options{OwnPool: true})
	migrate(t, s)
	if err := s.Check(t.Context()); err != nil {
		t.Error(err)
	}
}

// Probes come at once, more than the pool has connections. Each reads back on a second connection, and none
// waits for another that does the same, nor do sessions.
func TestF62_ManyCheckAtOnce(t *testing.T) {
	everywhere(t, func(t *testing.T, p place) {
		db := p.open(t)
		db.SetMaxOpenConns(2)
		s := newStore(t, db, p.dialect, sqlstore.Options{OwnPool: true})
		migrate(t, s)
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
		defer cancel()
		var wg sync.WaitGroup
		for range 12 {
			wg.Go(func() {
				if err := s.Check(ctx); err != nil {
					t.Errorf("Check: %v", err)
				}
			})
			wg.Go(func() {
				if what, err := wholeLife(ctx, s); err != nil {
					t.Errorf("%s: %v", what, err)
				}
			})
		}
		wg.Wait()
	})
}

// A limit that handlers can use up is told before they do.
func TestF12_CheckWarnsOfASmallPool(t *testing.T) {
	everywhere(t, func(t *testing.T, p place) {
		for conns, want := range map[int]string{1: "the pool has one connection", 4: "the pool has at most 4 connections", 8: "", 0: ""} {
			db := p.open(t)
			db.SetMaxOpenConns(conns)
			err := newStore(t, db, p.dialect, sqlstore.Options{}).Check(t.Context())
			if want != "" {
				says(t, err, []string{want})
			} else if err != nil {
				t.Errorf("%d connections: %v", conns, err)
			}
			if err := newStore(t, db, p.dialect, sqlstore.Options{OwnPool: true}).Check(t.Context()); err != nil {
				t.Errorf("%d connections of its own: %v", conns, err)
			}
		}
	})
}
