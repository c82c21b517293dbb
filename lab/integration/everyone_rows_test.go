package integration

import (
	"context"
	"fmt"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gosojourn/sojourn"
	"github.com/gosojourn/sojourn/lab/harness"
	"github.com/gosojourn/sojourn/redisstore"
	"github.com/gosojourn/sojourn/sqlstore"
)

// The rows go in batches beside requests, which do not wait for long: the longest stall is printed.
// SOJOURN_EVERYONE_ROWS=1000000 asks with a million.
func TestEveryonesRowsGoBesideRequests(t *testing.T) {
	rows := numberOf(t, "SOJOURN_EVERYONE_ROWS", 2000)
	everywhere(t, func(t *testing.T, p place) {
		s := p.store(t)
		migrate(t, s)
		create(t, s, newRecord("somebody"))
		copyRows(t, p, rows)
		endBesideRequests(t, s)
	})
	t.Run("Redis", func(t *testing.T) {
		c := redisClient(t, nil, harness.StartRedis(t).Addr())
		s := redisStore(t, c, redisstore.Options{Prefix: "sojourn:"})
		var wg sync.WaitGroup
		var made atomic.Int64
		for range 64 {
			wg.Go(func() {
				for made.Add(1) <= int64(rows) {
					create(t, s, newRecord(fmt.Sprint("somebody ", made.Load()/5)))
				}
			})
		}
		wg.Wait()
		endBesideRequests(t, s)
	})
}

// copyRows has the server copy the only row so often, each under another id.
func copyRows(t *testing.T, p place, rows int) {
	t.Helper()
	db := p.open(t)
	db.SetMaxOpenConns(1)
	text := map[sqlstore.Dialect]string{
		sqlstore.MySQL: `INSERT INTO sessions (token, data, expiry, owner)
			WITH RECURSIVE n(i) AS (SELECT %[1]d UNION ALL SELECT i + 1 FROM n WHERE i < %[2]d)
			SELECT LEFT(SHA2(i, 256), 24), CONCAT(LEFT(t.data, 9), LEFT(SHA2(i, 256), 24), SUBSTRING(t.data, 34)), t.expiry, CONCAT('other', i DIV 5)
			FROM n, (SELECT * FROM sessions WHERE token = '%[3]s') t`,
		sqlstore.Postgres: `INSERT INTO sessions (token, data, expiry, owner)
			SELECT left(md5(i::text), 24), substring(t.data FROM 1 FOR 9) || convert_to(left(md5(i::text), 24), 'UTF8') || substring(t.data FROM 34), t.expiry, ('other' || i / 5)::bytea
			FROM generate_series(%[1]d, %[2]d) i, (SELECT * FROM sessions WHERE token = '%[3]s') t`,
		sqlstore.SQLite: `INSERT INTO sessions (token, data, expiry, owner)
			WITH RECURSIVE n(i) AS (SELECT %[1]d UNION ALL SELECT i + 1 FROM n WHERE i < %[2]d)
			SELECT printf('%%024d', i), unhex(hex(substr(t.data, 1, 9)) || hex(printf('%%024d', i)) || hex(substr(t.data, 34))), t.expiry, CAST('other' || i / 5 AS BLOB)
			FROM n, (SELECT * FROM sessions WHERE token = '%[3]s') t`,
	}[p.dialect]
	if p.dialect == sqlstore.MySQL { // MariaDB and MySQL have a limit each
		for _, v := range []string{"cte_max_recursion_depth", "max_recursive_iterations"} {
			db.Exec("SET SESSION " + v + " = 10000000")
		}
	}
	var template string
	if err := db.QueryRow("SELECT token FROM sessions").Scan(&template); err != nil {
		t.Fatal(err)
	}
	for from := 1; from <= rows; from += 50_000 {
		mustExec(t, db, fmt.Sprintf(text, from, min(from+49_999, rows), template))
	}
}

func endBesideRequests(t *testing.T, s interface {
	sojourn.Store
	sojourn.Lister
}) {
	m := managerOn(t, s, sojourn.Config{StoreTimeout: 10 * time.Second})
	before := cookieOf(visit(m, "POST", "", plusOne))
	rows, err := s.Count(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	var longest, asked, failed atomic.Int64
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			cookie := ""
			for ctx.Err() == nil {
				began := time.Now()
				w := visit(m, "POST", cookie, plusOne)
				took := int64(time.Since(began))
				for last := longest.Load(); took > last && !longest.CompareAndSwap(last, took); last = longest.Load() {
				}
				asked.Add(1)
				if w.Code != http.StatusOK {
					failed.Add(1)
				}
				if c := cookieOf(w); c != "" {
					cookie = c
				}
				time.Sleep(5 * time.Millisecond)
			}
		})
	}
	time.Sleep(100 * time.Millisecond)
	usual := time.Duration(longest.Swap(0))
	began := time.Now()
	dead := make(chan time.Duration, 1)
	go func() { // when nobody is in any more, though the rows are there
		for livesHere(m, "GET", before) {
		}
		dead <- time.Since(began)
	}()
	if err := m.RevokeEveryone(t.Context()); err != nil {
		t.Errorf("RevokeEveryone: %v", err)
	}
	took := time.Since(began)
	out := <-dead
	stop()
	wg.Wait()
	var left, passed int
	for r, err := range s.ListAll(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		if r.Fence < sojourn.EveryoneStep {
			passed++
		} else {
			left++
		}
	}
	if left > 8 || passed > 8 { // what a save has locked just then is passed by
		t.Errorf("%d rows of before are left, and %d others, want at most those of 8 visitors who were saving beside it, and those that they began", passed, left)
	}
	if n := failed.Load(); n > 0 {
		t.Errorf("%d of %d requests beside it failed", n, asked.Load())
	}
	t.Logf("%d rows: a session of before was dead after %v, all rows were gone after %v; the longest of %d requests beside it took %v, and before it %v",
		rows, out.Round(time.Microsecond), took.Round(time.Millisecond), asked.Load(), time.Duration(longest.Load()).Round(time.Millisecond), usual.Round(time.Millisecond))
}
