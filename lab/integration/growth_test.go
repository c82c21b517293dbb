package integration

import (
	"database/sql"
	"fmt"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/gosojourn/sojourn/sqlstore"
)

// What the sessions of one owner cost must not depend on those of others. Rows that the server reads
// are counted where it tells, because they are exact; SOJOURN_ROWS=1000000 asks with a million.
func TestListingCostsPerOwner(t *testing.T) {
	rows := numberOf(t, "SOJOURN_ROWS", 20_000)
	fill := map[sqlstore.Dialect]string{
		sqlstore.MySQL: `INSERT INTO sessions (token, data, expiry, owner)
			WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < %d)
			SELECT CONCAT('filler', i), 'x', NOW() + INTERVAL 1 DAY, CONCAT('other', i DIV 5) FROM n`,
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
		if p.dialect == sqlstore.MySQL { // MariaDB and MySQL have a limit each
			for _, v := range []string{"cte_max_recursion_depth", "max_recursive_iterations"} {
				db.Exec("SET SESSION " + v + " = 10000000")
			}
		}
		mustExec(t, db, fmt.Sprintf(fill[p.dialect], rows))
		work()
		many, slow := work()
		t.Logf("list and revoke 5 sessions: %d rows read in %v beside none, %d rows in %v beside %d others", few, fast, many, slow, rows)
		if many > few+50 {
			t.Errorf("%d rows read beside %d others, %d beside none", many, rows, few)
		}
	})
}

// numberOf is what the variable says, or else usual.
func numberOf(t *testing.T, variable string, usual int) int {
	t.Helper()
	v := os.Getenv(variable)
	if v == "" {
		return usual
	}
	n, err := strconv.Atoi(v)
	if err != nil {
		t.Fatalf("%s: %v", variable, err)
	}
	return n
}

// inShort is how often something is tried: few times with -short, as on versions beside the usual ones.
func inShort(few, usual int) int {
	if testing.Short() {
		return few
	}
	return usual
}

// rowsRead is how many rows were read so far: by this connection of MariaDB, by scans of the whole
// table on PostgreSQL; SQLite does not tell.
func rowsRead(t *testing.T, db *sql.DB, p place) int64 {
	t.Helper()
	switch p.dialect {
	case sqlstore.MySQL:
		rows, err := db.Query("SHOW SESSION STATUS LIKE 'Handler_read%'")
		if err != nil {
			t.Fatal(err)
		}
		defer rows.Close()
		var name string
		var n, sum int64
		for rows.Next() {
			if err := rows.Scan(&name, &n); err != nil {
				t.Fatal(err)
			}
			if !strings.HasPrefix(name, "Handler_read_rnd") { // which also count what SHOW reads
				sum += n
			}
		}
		return sum
	case sqlstore.Postgres:
		mustExec(t, db, "SELECT pg_stat_force_next_flush()")
		mustExec(t, db, "SELECT 1")
		return scan[int64](t, db, "SELECT seq_tup_read FROM pg_stat_user_tables WHERE relname = 'sessions'")
	}
	return 0
}
