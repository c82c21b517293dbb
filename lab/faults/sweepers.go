package faults

import (
	"database/sql"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gosojourn/sojourn"
	"github.com/gosojourn/sojourn/lab/harness"
	"github.com/gosojourn/sojourn/lab/histories/serving"
	"github.com/gosojourn/sojourn/sqlstore"
)

const sweepingAtOnce = 4

// sweepers has four sweep at once what has expired, beside the application. Each row is counted once.
func sweepers(k kind) func(t *testing.T) *scene {
	return func(t *testing.T) *scene {
		_, o := k.start(t)
		urls := two(t, o)
		n := *expired
		if n == 0 {
			if n = 2_000_000; *soak == 0 {
				n = 5000
			}
		}
		db := harness.Open(t, o.Driver, o.DSN)
		fill(t, db, o, n)
		return &scene{urls: urls, fault: func(time.Duration) {
			began := time.Now()
			var swept atomic.Int64
			var all sync.WaitGroup
			for range sweepingAtOnce {
				all.Go(func() { swept.Add(int64(sweep(t, o))) })
			}
			all.Wait()
			left := 0
			if err := db.QueryRow("SELECT COUNT(*) FROM sessions WHERE token LIKE 'z00000000%'").Scan(&left); err != nil {
				t.Error(err)
			}
			t.Logf("%d expired rows were swept in %v", n, time.Since(began).Round(10*time.Millisecond))
			if int(swept.Load()) != n || left > 0 {
				t.Errorf("%d rows had expired; %d are told to be swept, %d are left", n, swept.Load(), left)
			}
		}}
	}
}

// fill puts n rows there that expired four days ago.
func fill(t *testing.T, db *sql.DB, o serving.Order, n int) {
	t.Helper()
	insert := "INSERT INTO sessions (token, data, expiry) SELECT CONCAT('z', LPAD(seq, 23, '0')), REPEAT('x', 200), NOW(6) - INTERVAL 4 DAY FROM seq_%d_to_%d"
	if o.Driver == "pgx" {
		insert = "INSERT INTO sessions (token, data, expiry) SELECT 'z' || lpad(seq::text, 23, '0'), convert_to(repeat('x', 200), 'UTF8'), now() - interval '4 days' FROM generate_series(%d, %d) AS seq"
	}
	if o.Driver == "sqlite" {
		insert = "WITH RECURSIVE g(seq) AS (SELECT %d UNION ALL SELECT seq + 1 FROM g WHERE seq < %d) INSERT INTO sessions (token, data, expiry) SELECT printf('z%%023d', seq), zeroblob(200), julianday('now') - 4 FROM g"
	}
	const each = 50_000
	for from := 1; from <= n; from += each {
		run(t, db, fmt.Sprintf(insert, from, min(n, from+each-1)))
	}
}

// sweep is one process that sweeps until nothing is left.
func sweep(t *testing.T, o serving.Order) (all int) {
	db, err := sql.Open(o.Driver, o.DSN)
	if err != nil {
		t.Error(err)
		return 0
	}
	defer db.Close()
	store, err := sqlstore.New(db, o.Dialect, sqlstore.Options{Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Error(err)
		return 0
	}
	defer store.Close()
	for nothing := 0; nothing < 3; {
		n, err := store.Sweep(t.Context(), time.Now(), 1000)
		if err != nil && !sojourn.Unavailable(err) {
			t.Error(err)
			return all
		}
		if err != nil {
			t.Logf("a sweep: %s", strings.SplitN(err.Error(), "\n", 2)[0])
		}
		if all += n; n == 0 {
			nothing++
			time.Sleep(50 * time.Millisecond) // what another one has locked is passed by
		}
	}
	return all
}
