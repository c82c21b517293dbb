package integration

import (
	"strings"
	"testing"

	"github.com/gosojourn/sojourn/lab/harness"
	"github.com/gosojourn/sojourn/sqlstore"
)

// checked answers what Check says where at leads, in the application and by the command.
func checked(at func(t *testing.T) place) misconfiguration {
	return func(t *testing.T) error {
		p := at(t)
		return byCommand(t, p.store(t).Check(t.Context()), p.url(t))
	}
}

// told likewise, of a store that was told to be on another kind of database.
func told(at func(t *testing.T) place, d sqlstore.Dialect) misconfiguration {
	return func(t *testing.T) error {
		return newStore(t, at(t).open(t), d, sqlstore.Options{}).Check(t.Context())
	}
}

// pooled likewise, with a pool of at most so many connections.
func pooled(at func(t *testing.T) place, conns int) misconfiguration {
	return func(t *testing.T) error {
		p := at(t)
		db := p.open(t)
		db.SetMaxOpenConns(conns)
		return newStore(t, db, p.dialect, sqlstore.Options{}).Check(t.Context())
	}
}

// after has statements run on what at makes.
func after(at func(t *testing.T) place, statements ...string) misconfiguration {
	return checked(func(t *testing.T) place {
		p := at(t)
		p.exec(t, statements...)
		return p
	})
}

// mysqlServer is a private one, so that global settings may be set.
func mysqlServer(statements ...string) misconfiguration {
	return checked(func(t *testing.T) place {
		p := place{sqlstore.MySQL, "mysql", harness.StartMySQL(t).DSN("app", "multiStatements=true")}
		migrated(t, p)
		p.exec(t, statements...)
		return p
	})
}

func TestSQLMisconfigurationsOfMySQL(t *testing.T) {
	empty := func(t *testing.T) place { return onMySQL(t, nil) }
	as := func(grant string) misconfiguration {
		return checked(func(t *testing.T) place { return migratedMySQL(t).as(t, grant) })
	}
	with := func(params ...string) misconfiguration {
		return checked(func(t *testing.T) place {
			p := migratedMySQL(t)
			p.dsn += "&" + strings.Join(params, "&")
			return p
		})
	}
	table := func(columns string) misconfiguration {
		return after(empty, "CREATE TABLE sessions ("+columns+", KEY (expiry))")
	}
	misconfigured(t, "MySQL and MariaDB", map[string]misconfiguration{
		"no table, or another database":   checked(empty),
		"the dialect of another database": told(empty, sqlstore.Postgres),
		"another table of that name":      after(empty, "CREATE TABLE sessions (token CHAR(43) PRIMARY KEY, data BLOB NOT NULL)"),
		"token too short":                 table("token CHAR(20) PRIMARY KEY, data BLOB NOT NULL, expiry DATETIME NOT NULL"),
		"token padded with zeros":         table("token BINARY(43) PRIMARY KEY, data BLOB NOT NULL, expiry DATETIME NOT NULL"),
		"data of a character set":         table("token CHAR(43) PRIMARY KEY, data TEXT NOT NULL, expiry DATETIME NOT NULL"),
		"data too short":                  table("token CHAR(43) PRIMARY KEY, data TINYBLOB NOT NULL, expiry DATETIME NOT NULL"),
		"expiry without a time of day":    table("token CHAR(43) PRIMARY KEY, data BLOB NOT NULL, expiry DATE NOT NULL"),
		"no primary key":                  table("token CHAR(43) NOT NULL, data BLOB NOT NULL, expiry DATETIME NOT NULL"),
		"no index of expiry":              after(migratedMySQL, "DROP INDEX sessions_expiry_idx ON sessions"),
		"no index of owner":               after(migratedMySQL, "DROP INDEX sessions_owner_idx ON sessions"),
		"Migrate broken off":              after(migratedMySQL, "DELETE FROM sessions_owners"),
		"owner of another type":           after(migratedMySQL, "ALTER TABLE sessions MODIFY owner BIGINT"),
		"owner NOT NULL":                  after(migratedMySQL, "ALTER TABLE sessions MODIFY owner VARBINARY(255) NOT NULL"),
		"two fences of one person":        after(migratedMySQL, "ALTER TABLE sessions_owners DROP PRIMARY KEY"),
		"a column nobody fills":           after(migratedMySQL, "ALTER TABLE sessions ADD ip VARCHAR(45) NOT NULL"),
		"a constraint":                    after(migratedMySQL, "ALTER TABLE sessions ADD CONSTRAINT c CHECK (LENGTH(data) < 100)"),
		"a trigger that changes rows":     after(migratedMySQL, "CREATE TRIGGER x BEFORE INSERT ON sessions FOR EACH ROW SET NEW.data = CONCAT(NEW.data, 'x')"),
		"a trigger that refuses":          after(migratedMySQL, "CREATE TRIGGER x BEFORE INSERT ON sessions FOR EACH ROW SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'no'"),
		"an engine without transactions":  after(migratedMySQL, "ALTER TABLE sessions ENGINE=MyISAM"),
		"a user who only reads":           as("SELECT ON %s.*"),
		"a user who deletes nothing":      as("SELECT, INSERT, UPDATE ON %s.*"),
		"no rights on the fences":         as("SELECT, INSERT, UPDATE, DELETE ON %s.sessions"),
		"no rights at all":                as("CREATE ON %s.other"),
		"a trigger whose maker is gone":   after(migratedMySQL, "CREATE DEFINER='gone'@'nowhere' TRIGGER x BEFORE INSERT ON sessions FOR EACH ROW SET NEW.expiry = NEW.expiry"),
		"a trigger that calls nothing":    after(migratedMySQL, "CREATE TRIGGER x BEFORE INSERT ON sessions FOR EACH ROW SET NEW.data = no_such_function(1)"),
		"read-only transactions": checked(func(t *testing.T) place {
			p := migratedMySQL(t)
			p.dsn += "&" + mysqlVariable(t, "transaction_read_only", "tx_read_only") + "=1"
			return p
		}),
		"a view": after(empty, "CREATE TABLE kept (token CHAR(43) PRIMARY KEY, data BLOB NOT NULL, expiry DATETIME NOT NULL, KEY (expiry))",
			"CREATE VIEW sessions AS SELECT * FROM kept"),
		"autocommit off":            with("autocommit=0"),
		"transactions that chain":   with("completion_type=1"),
		"few rows an answer":        with("sql_select_limit=20"),
		"the server's clock is off": with("timestamp=1600000000"),
		"a read-only server, a replica": checked(func(t *testing.T) place {
			p := place{sqlstore.MySQL, "mysql", harness.StartMySQL(t).DSN("app", "multiStatements=true")}
			migrated(t, p)
			p.exec(t, "CREATE USER web", "GRANT ALL ON app.* TO web", "SET GLOBAL read_only = 1")
			_, at, _ := strings.Cut(p.dsn, "@")
			p.dsn = "web:@" + at
			return p
		}),
		"small packets":                         mysqlServer("SET GLOBAL max_allowed_packet = 65536"),
		"few prepared statements":               mysqlServer("SET GLOBAL max_prepared_stmt_count = 60"),
		"fewer connections than the pool wants": mysqlServer("SET GLOBAL max_connections = 12"),
		"a user of few connections": checked(func(t *testing.T) place {
			p := place{sqlstore.MySQL, "mysql", harness.StartMySQL(t).DSN("app", "multiStatements=true")}
			migrated(t, p)
			p.exec(t, "CREATE USER web WITH MAX_USER_CONNECTIONS 10", "GRANT ALL ON app.* TO web")
			_, at, _ := strings.Cut(p.dsn, "@")
			p.dsn = "web:@" + at
			return p
		}),
		"a pool of one": pooled(migratedMySQL, 1),
		"a small pool":  pooled(migratedMySQL, 4),
		"no idle connections": func(t *testing.T) error {
			p := migratedMySQL(t)
			db := p.open(t)
			db.SetMaxIdleConns(0)
			s := newStore(t, db, p.dialect, sqlstore.Options{})
			for db.Stats().MaxIdleClosed <= 1000 {
				lacks(t, s, "AAAAAAAAAAAAAAAAAAAAAAAA")
			}
			return s.Check(t.Context())
		},
	})
}

func TestSQLMisconfigurationsOfPostgreSQL(t *testing.T) {
	empty := func(t *testing.T) place { return onPostgres(t) }
	monitor := func(statements ...string) misconfiguration {
		return checked(func(t *testing.T) place {
			p := migratedPostgres(t)
			p.exec(t, statements...)
			return asMonitor(t, p)
		})
	}
	table := func(columns string) misconfiguration {
		return after(empty, "CREATE TABLE sessions ("+columns+")", "CREATE INDEX ON sessions (expiry)")
	}
	misconfigured(t, "PostgreSQL", map[string]misconfiguration{
		"no table, or another database":   checked(empty),
		"the dialect of another database": told(empty, sqlstore.SQLite),
		"token too short":                 table("token VARCHAR(20) PRIMARY KEY, data BYTEA NOT NULL, expiry TIMESTAMPTZ NOT NULL"),
		"token a UUID":                    table("token UUID PRIMARY KEY, data BYTEA NOT NULL, expiry TIMESTAMPTZ NOT NULL"),
		"data JSON":                       table("token TEXT PRIMARY KEY, data JSONB NOT NULL, expiry TIMESTAMPTZ NOT NULL"),
		"expiry without a time zone":      table("token TEXT PRIMARY KEY, data BYTEA NOT NULL, expiry TIMESTAMP NOT NULL"),
		"no primary key":                  table("token TEXT, data BYTEA NOT NULL, expiry TIMESTAMPTZ NOT NULL"),
		"an index left invalid":           after(migratedPostgres, "UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'sessions_expiry_idx'::regclass"),
		"no index of owner":               after(migratedPostgres, "DROP INDEX sessions_owner_idx"),
		"owner of another type":           after(migratedPostgres, "ALTER TABLE sessions ALTER owner TYPE TEXT USING ''"),
		"owner NOT NULL":                  after(migratedPostgres, "ALTER TABLE sessions ALTER owner SET NOT NULL"),
		"a column nobody fills":           after(migratedPostgres, "ALTER TABLE sessions ADD ip TEXT NOT NULL"),
		"a rule that keeps rows":          after(migratedPostgres, "CREATE RULE r AS ON DELETE TO sessions DO INSTEAD NOTHING"),
		"a trigger that drops rows": after(migratedPostgres, "CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END'",
			"CREATE TRIGGER x BEFORE INSERT ON sessions FOR EACH ROW EXECUTE FUNCTION f()"),
		"published without a replica identity": after(migratedPostgres, "ALTER TABLE sessions REPLICA IDENTITY NOTHING", "CREATE PUBLICATION p FOR TABLE sessions"),
		"a trigger that calls nothing": after(migratedPostgres, "CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN PERFORM no_such_function(); RETURN NEW; END'",
			"CREATE TRIGGER x BEFORE INSERT ON sessions FOR EACH ROW EXECUTE FUNCTION f()"),
		"a view": after(empty, "CREATE TABLE kept (token TEXT PRIMARY KEY, data BYTEA NOT NULL, expiry TIMESTAMPTZ NOT NULL)",
			"CREATE VIEW sessions AS SELECT * FROM kept"),
		"fences in another schema": after(migratedPostgres, "CREATE SCHEMA tenant", "ALTER TABLE sessions_owners SET SCHEMA tenant",
			"DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET search_path = tenant, public', current_database()); END $$"),
		"UNLOGGED":                after(migratedPostgres, "ALTER TABLE sessions SET UNLOGGED"),
		"a user who only reads":   monitor("GRANT SELECT ON sessions, sessions_owners TO pg_monitor"),
		"no rights on the fences": monitor("GRANT SELECT, INSERT, UPDATE, DELETE ON sessions TO pg_monitor"),
		"row-level security": monitor("GRANT SELECT, INSERT, UPDATE, DELETE ON sessions, sessions_owners TO pg_monitor",
			"ALTER TABLE sessions ENABLE ROW LEVEL SECURITY"),
		"read-only transactions, a standby": checked(func(t *testing.T) place {
			p := migratedPostgres(t)
			p.dsn += "?default_transaction_read_only=on"
			return p
		}),
		"a pooler by the transaction": func(t *testing.T) (err error) {
			p := migratedPostgres(t)
			p.dsn = harness.PgBouncer(t, p.dsn, 4)
			for s := p.store(t); err == nil; err = s.Check(t.Context()) {
			}
			return err
		},
		"a driver that prepares by itself": func(t *testing.T) error {
			p := migratedPostgres(t)
			return newStore(t, p.open(t), p.dialect, sqlstore.Options{NoPrepare: true}).Check(t.Context())
		},
		"fewer connections than the pool wants": pooled(migratedPostgres, 100_000),
		"a pool of one":                         pooled(migratedPostgres, 1),
		"a small pool":                          pooled(migratedPostgres, 4),
	})
}

func TestSQLMisconfigurationsOfSQLite(t *testing.T) {
	empty := func(t *testing.T) place { return onSQLite(t, usual) }
	with := func(query string) misconfiguration {
		return checked(func(t *testing.T) place {
			p := migratedSQLite(t)
			name, _, _ := strings.Cut(p.dsn, "?")
			p.dsn = name + "?" + query
			return p
		})
	}
	misconfigured(t, "SQLite", map[string]misconfiguration{
		"no table, or another file":       checked(empty),
		"the dialect of another database": told(empty, sqlstore.MySQL),
		"another table of that name":      after(empty, "CREATE TABLE sessions (token TEXT PRIMARY KEY, name TEXT)"),
		"no primary key":                  after(empty, "CREATE TABLE sessions (token TEXT, data BLOB, expiry REAL)", "CREATE INDEX i ON sessions (expiry)"),
		"no index of expiry":              after(migratedSQLite, "DROP INDEX sessions_expiry_idx"),
		"a column nobody fills":           after(empty, "CREATE TABLE sessions (token TEXT PRIMARY KEY, data BLOB, expiry REAL, ip TEXT NOT NULL)", "CREATE INDEX i ON sessions (expiry)"),
		"a file that is only read":        with("mode=ro&" + usual),
		"query_only":                      with(usual + "&_pragma=query_only(1)"),
		"no busy timeout":                 with("_pragma=journal_mode(WAL)"),
		"writes that are not synced":      with(usual + "&_pragma=synchronous(OFF)"),
		"a view":                          after(empty, "CREATE TABLE kept (token TEXT PRIMARY KEY, data BLOB, expiry REAL)", "CREATE VIEW sessions AS SELECT * FROM kept"),
		"in memory, with several connections": func(t *testing.T) error {
			p := place{sqlstore.SQLite, "sqlite", "file::memory:?" + usual}
			s := p.store(t)
			migrate(t, s)
			return s.Check(t.Context())
		},
		"a pool of one": pooled(migratedSQLite, 1),
		"a small pool":  pooled(migratedSQLite, 4),
	})
}
