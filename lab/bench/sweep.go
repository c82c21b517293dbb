package main

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/alexedwards/scs/mysqlstore"
	"github.com/alexedwards/scs/v2"

	"github.com/gosojourn/sojourn"
)

// measureSweep has half of the sessions of a large table swept, and watches meanwhile how long those wait
// who save sessions that are alive; and the same of scs.
func measureSweep(o options) (all []result, err error) {
	rows, calm := 1_000_000, 10*time.Second
	if o.quick {
		rows, calm = 100_000, time.Second
	}
	err = withDatabase(inMariaDB, func(ctx context.Context, db *sql.DB, _ place) error {
		for _, side := range []func(context.Context, *sql.DB, int, time.Duration) (swept, error){sweepOurs, sweepTheirs} {
			x, err := side(ctx, db, rows, calm)
			if err != nil {
				return err
			}
			r := result{
				Name:  fmt.Sprintf("sweep of half of %d rows, MariaDB, under load, longest stall of a save, %s", rows, x.name),
				Value: float64(x.longest.Microseconds()) / 1000, Measure: "ms", Unit: "sweep", P99: [2]time.Duration{x.p99},
				Note: fmt.Sprintf("%d rows in %v, p99 of saves %v; without a sweep the longest was %v",
					x.deleted, x.took.Round(100*time.Millisecond), x.p99.Round(100*time.Microsecond), x.idle.Round(100*time.Microsecond)),
			}
			if x.name == "Sojourn" {
				r.AtMost = 100
			}
			all = append(all, r)
		}
		return nil
	})
	return all, err
}

// swept is how one sweep went.
type swept struct {
	name          string
	deleted       int
	took          time.Duration
	longest, idle time.Duration // of a save: meanwhile, and before, for as long as calm says
	calm          time.Duration
	p99           time.Duration
}

// besideSaves runs sweep while four write, each his own session, after they have done so for a while.
func (x *swept) besideSaves(save func(writer int) error, sweep func() (int, error)) error {
	run := func(work func() error) (longest, p99 time.Duration, err error) {
		done := make(chan struct{})
		var wg sync.WaitGroup
		var took [4][]time.Duration
		var errs [4]error
		for w := range took {
			wg.Go(func() {
				for errs[w] == nil {
					select {
					case <-done:
						return
					default:
					}
					start := time.Now()
					errs[w] = save(w)
					took[w] = append(took[w], time.Since(start))
				}
			})
		}
		err = work()
		close(done)
		wg.Wait()
		every := slices.Concat(took[:]...)
		for _, e := range errs {
			if err == nil {
				err = e
			}
		}
		return slices.Max(every), percentile(every, .99), err
	}
	var err error
	if x.idle, _, err = run(func() error { time.Sleep(x.calm); return nil }); err != nil {
		return err
	}
	x.longest, x.p99, err = run(func() error {
		start := time.Now()
		var err error
		x.deleted, err = sweep()
		x.took = time.Since(start)
		return err
	})
	return err
}

func sweepOurs(ctx context.Context, db *sql.DB, rows int, calm time.Duration) (swept, error) {
	x := swept{name: "Sojourn", calm: calm}
	c, err := newCrowd(ctx, inMariaDB, db, "sweeping")
	if err != nil {
		return x, err
	}
	if err := c.add(ctx, rows, everyOther); err != nil {
		return x, err
	}
	defer db.ExecContext(ctx, "DROP TABLE sweeping")
	m, err := sojourn.New(c.store, sojourn.Config{})
	if err != nil {
		return x, err
	}
	all := &visitors{c: c, known: make([]sojourn.Record, 400)}
	for i := range all.known { // those with an even number live
		all.known[i] = crowdRecord(crowdID(2*i), crowdOwner(2*i), time.Now().Add(24*time.Hour))
	}
	turn := [4]int{}
	return x, x.besideSaves(func(w int) error {
		turn[w]++
		return all.update(ctx, turn[w]%100*4+w)
	}, func() (int, error) { return m.Sweep(ctx) })
}

// sweepTheirs is with what the cleaner of mysqlstore does: one DELETE of all, see its source.
func sweepTheirs(ctx context.Context, db *sql.DB, rows int, calm time.Duration) (swept, error) {
	x := swept{name: "scs", calm: calm}
	for _, text := range []string{
		"CREATE TABLE sessions (token CHAR(43) PRIMARY KEY, data BLOB NOT NULL, expiry TIMESTAMP(6) NOT NULL)",
		"CREATE INDEX sessions_expiry_idx ON sessions (expiry)",
	} {
		if _, err := db.ExecContext(ctx, text); err != nil {
			return x, err
		}
	}
	defer db.ExecContext(ctx, "DROP TABLE sessions")
	data, err := scs.GobCodec{}.Encode(time.Now().Add(24*time.Hour), map[string]any{"key": strings.Repeat("d", 100)})
	if err != nil {
		return x, err
	}
	if _, err := db.ExecContext(ctx, fmt.Sprintf(`INSERT INTO sessions SELECT q.id, ?, IF(seq MOD 2 = 1, UTC_TIMESTAMP(6) - INTERVAL 30 HOUR, UTC_TIMESTAMP(6) + INTERVAL 24 HOUR)
		- INTERVAL (seq * 7919 MOD 3600) SECOND FROM (SELECT seq, LEFT(SHA2(seq, 256), 43) AS id FROM seq_0_to_%d) q ORDER BY q.id`, rows-1), data); err != nil {
		return x, err
	}
	store := mysqlstore.NewWithCleanupInterval(db, 0)
	tokens := make([]string, 400)
	for i := range tokens {
		if err := db.QueryRowContext(ctx, fmt.Sprintf("SELECT LEFT(SHA2(%d, 256), 43)", 2*i)).Scan(&tokens[i]); err != nil {
			return x, err
		}
	}
	turn := [4]int{}
	return x, x.besideSaves(func(w int) error {
		turn[w]++
		return store.Commit(tokens[turn[w]%100*4+w], data, time.Now().Add(24*time.Hour))
	}, func() (int, error) {
		r, err := db.ExecContext(ctx, "DELETE FROM sessions WHERE expiry < UTC_TIMESTAMP(6)")
		if err != nil {
			return 0, err
		}
		n, err := r.RowsAffected()
		return int(n), err
	})
}
