package integration

import (
	"database/sql"
	"fmt"
	"os"
	"strconv"
	"testing"
	"time"

	"github.com/gosojourn/sojourn/sqlstore"
)

// What the sessions of one owner cost must not depend on those of others. Rows that the server reads
// are counted where it tells, because they are exact; SOJOURN_ROWS=1000000 asks with a million.
func TestListingCostsPerOwner(t *testing.T) {
	rows := 20_000
	if v := os.Getenv("SOJOURN_ROWS"); v != "" {
		var err error
		if rows, err = strconv.Atoi(v); err != nil {
			t.Fatalf("SOJOURN_ROWS: %v", err)
		}
	}
	fill := map[sqlstore.Dialect]string{
		sqlstore.MySQL: `INSERT INTO sessions (token, data, expiry, owner)
			SELECT CONCAT('filler', seq), 'x', NOW() + INTERVAL 1 DAY, CONCAT('other', seq DIV 5) FROM seq_1_to_%d`,
		sqlstore.Postgres: `INSERT INTO sessions (token, data, expiry, owner)
			SELECT 'filler' || i, 'x', now() + interval '1 day', ('other' || i / 5)::bytea FROM generate_series(1, %d) i; ANALYZE sessions`,
		sqlstore.SQLite: `INSERT INTO sessions (token, data, expiry, owner)
			WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < %d)
			SELECT 'filler' || i, x'78', julianday('now') + 1, CAST('other' || i / 5 AS BLOB) FROM n`,
	}
	everywhere(t, func(t *testing.T, p place) {
		db := p.open(t)
		db.SetMaxOpenConns(1) // what a connection has read is asked of the same one
		s := newStore(t, db, p.dialect, sqlstore.Options{})
		migrate(t, s)
		work := func() (read int64, took time.Duration) {
			const owner = "somebody"
			for range 5 {
				create(t, s, newRecord(owner))
			}
			owned(t, s, owner) // statements are prepared by now
			before, start := rowsRead(t, db, p), time.Now()
			if n := len(owned(t, s, owner)); n != 5 {
				t.Fatalf("%d sessions listed, want 5", n)
			}
			if _, err := s.RevokeOwner(t.Context(), owner, ""); err != nil {
				t.Fatal(err)
			}
			return rowsRead(t, db, p) - before, time.Since(start)
		}
		work()
		few, fast := work()
		mustExec(t, db, fmt.Sprintf(fill[p.dialect], rows))
		work()
		many, slow := work()
		t.Logf("list and revoke 5 sessions: %d rows read in %v beside none, %d rows in %v beside %d others", few, fast, many, slow, rows)
		if many > few+50 {
			t.Errorf("%d rows read beside %d others, %d beside none", many, rows, few)
		}
	})
}

// rowsRead is how many rows were read so far: by this connection of MariaDB, by scans of the whole
// table on PostgreSQL; SQLite does not tell.
func rowsRead(t *testing.T, db *sql.DB, p place) int64 {
	t.Helper()
	switch p.dialect {
	case sqlstore.MySQL:
		return scan[int64](t, db, `SELECT CAST(SUM(VARIABLE_VALUE) AS SIGNED) FROM information_schema.SESSION_STATUS WHERE VARIABLE_NAME LIKE 'HANDLER_READ%'
			AND VARIABLE_NAME NOT LIKE 'HANDLER_READ_RND%'`)
	case sqlstore.Postgres:
		mustExec(t, db, "SELECT pg_stat_force_next_flush()")
		mustExec(t, db, "SELECT 1")
		return scan[int64](t, db, "SELECT seq_tup_read FROM pg_stat_user_tables WHERE relname = 'sessions'")
	}
	return 0
}
