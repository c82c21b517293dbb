package integration

import (
	"strings"
	"testing"

	"github.com/gosojourn/sojourn"
	"github.com/gosojourn/sojourn/lab/harness"
	"github.com/gosojourn/sojourn/sqlstore"
	"github.com/gosojourn/sojourn/storetest"
)

// Every promise of a store, on tables as people have them and with the settings that people make.
// The settings of one case have nothing to do with each other: one that does harm would show.
func TestSQLStore(t *testing.T) {
	for _, c := range []struct {
		name     string
		place    func(t *testing.T) place
		migrated bool
		options  sqlstore.Options
		conns    int
	}{
		{"MySQL as documented", func(t *testing.T) place {
			return onMySQL(t, nil, mysqlTable)
		}, false, sqlstore.Options{}, 8},
		{"MySQL migrated", func(t *testing.T) place {
			return onMySQL(t, []string{"parseTime=true", "loc=Local", "clientFoundRows=true", "time_zone='-05:00'"},
				mysqlTable, "ALTER TABLE sessions CONVERT TO CHARACTER SET utf8mb4 COLLATE utf8mb4_general_ci")
		}, true, sqlstore.Options{}, 8},
		{"MySQL not strict, gbk, interpolating", func(t *testing.T) place {
			return onMySQL(t, []string{"sql_mode=''", "charset=gbk", "interpolateParams=true", "parseTime=true", "loc=Europe%2FBerlin"},
				mysqlTable, "ALTER TABLE sessions CONVERT TO CHARACTER SET utf8mb4 COLLATE utf8mb4_bin")
		}, true, sqlstore.Options{NoPrepare: true}, 8},
		{"MySQL latin1, ON UPDATE, serializable", func(t *testing.T) place {
			return onMySQL(t, []string{mysqlIsolation(t, "SERIALIZABLE"), "sql_mode='ANSI,TRADITIONAL,PAD_CHAR_TO_FULL_LENGTH'"},
				strings.Replace(mysqlTable, "expiry TIMESTAMP(6) NOT NULL", "expiry TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP ON UPDATE CURRENT_TIMESTAMP", 1),
				"ALTER TABLE sessions CONVERT TO CHARACTER SET latin1")
		}, true, sqlstore.Options{}, 8},
		{"MySQL as Migrate makes it", func(t *testing.T) place {
			return onMySQL(t, []string{mysqlIsolation(t, "READ-COMMITTED")})
		}, true, sqlstore.Options{Table: "visits", OwnPool: true}, 1},
		{"Postgres as documented", func(t *testing.T) place {
			return onPostgres(t, postgresTable)
		}, false, sqlstore.Options{}, 8},
		{"Postgres migrated, serializable", func(t *testing.T) place {
			return onPostgres(t, postgresTable, postgresIsolation("serializable"))
		}, true, sqlstore.Options{}, 8},
		{"Postgres char, repeatable read, as behind a pooler", func(t *testing.T) place {
			p := onPostgres(t, strings.Replace(postgresTable, "TEXT", "CHAR(43)", 1), postgresIsolation("repeatable read"))
			p.dsn += "?default_query_exec_mode=simple_protocol"
			return p
		}, true, sqlstore.Options{NoPrepare: true}, 8},
		{"Postgres as Migrate makes it", func(t *testing.T) place {
			p := onPostgres(t)
			p.dsn += "?default_query_exec_mode=exec"
			return p
		}, true, sqlstore.Options{NoPrepare: true, OwnPool: true, Table: "public.Visits"}, 1},
		{"SQLite as documented", func(t *testing.T) place {
			return onSQLite(t, usual, sqliteTable)
		}, false, sqlstore.Options{}, 8},
		{"SQLite migrated", func(t *testing.T) place {
			return onSQLite(t, usual, sqliteTable)
		}, true, sqlstore.Options{}, 8},
		{"SQLite UTF-16, rollback journal", func(t *testing.T) place {
			return onSQLite(t, "_pragma=busy_timeout(5000)", "PRAGMA encoding = 'UTF-16le';"+sqliteTable)
		}, true, sqlstore.Options{NoPrepare: true, OwnPool: true}, 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			p := c.place(t)
			p.forgoTheDisk(t)
			db := harness.Open(t, p.driver, p.dsn)
			db.SetMaxOpenConns(c.conns)
			db.SetMaxIdleConns(c.conns)
			s := newStore(t, db, p.dialect, c.options)
			if c.migrated {
				migrate(t, s)
			}
			storetest.Run(t, func(*testing.T) sojourn.Store { return s })
		})
	}
}

// forgoTheDisk: what is left after a crash of the machine is not tried here, and to wait for the disk would take most
// of the time. MySQL can do that for all of a server only.
func (p *place) forgoTheDisk(t *testing.T) {
	switch p.dialect {
	case sqlstore.Postgres:
		p.exec(t, "DO $$ BEGIN EXECUTE 'ALTER DATABASE ' || current_database() || ' SET synchronous_commit = off'; END $$")
	case sqlstore.SQLite:
		p.dsn += "&_pragma=synchronous(NORMAL)" // Check warns of OFF
	}
}
