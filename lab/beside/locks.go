package main

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/gosojourn/sojourn/sqlstore"
)

const (
	rounds = 5
	slice  = 2 * time.Second
)

// A phase is what the twelve others did in a slice of time.
type phase struct {
	tally
	conns int
}

func (p *phase) perSecond() float64 { return float64(len(p.took)) / slice.Seconds() }

// locks compares what twelve of sixteen users save: while nobody locks anything, beside a transaction that has locked rows of
// none of them, beside one that has locked the rows of the other four, and in the second after that.
func (s *server) locks(ctx context.Context) error {
	db, err := s.open()
	if err != nil {
		return err
	}
	defer db.Close()
	store, err := sqlstore.New(db, s.dialect, sqlstore.Options{})
	if err != nil {
		return err
	}
	users, err := newUsers(ctx, store, 20)
	if err != nil {
		return err
	}
	strangers, users := users[:4], users[4:]
	var free, beside, locked, after [rounds]float64
	var p99, calm [rounds]time.Duration
	conns := map[string]int{}
	for i := range rounds {
		x := s.save(ctx, db, store, users, slice)
		free[i], conns["free"] = x.perSecond(), max(conns["free"], x.conns)
		for _, lock := range []struct {
			name   string
			of     []*user
			result *[rounds]float64
		}{{"beside", strangers, &beside}, {"locked", users[:4], &locked}} {
			release, err := s.lock(ctx, lock.of)
			if err != nil {
				return err
			}
			x := s.save(ctx, db, store, users, slice)
			if err := release(); err != nil {
				return err
			}
			lock.result[i], conns[lock.name] = x.perSecond(), max(conns[lock.name], x.conns)
			if lock.name == "locked" {
				p99[i] = x.at(.99)
			} else {
				calm[i] = x.at(.99)
			}
			if len(x.failed) > 0 {
				return fmt.Errorf("%s: %d saves of the twelve failed: %w", lock.name, len(x.failed), x.failed[0])
			}
		}
		x = s.save(ctx, db, store, users, time.Second)
		after[i] = float64(len(x.took))
	}
	slices.Sort(p99[:])
	slices.Sort(calm[:])
	fmt.Printf("%s, saves a second of 12 users: %.0f while nobody locks, %.0f beside a transaction that has locked others' rows, "+
		"%.0f while 4 of 16 are locked (%.0f %% of that), p99 %v and %v, in the second after it %.0f (%.0f %% of the first); connections %d, %d, %d\n", s.name,
		median(free), median(beside), median(locked), 100*ratio(locked, beside), calm[rounds/2].Round(100*time.Microsecond), p99[rounds/2].Round(100*time.Microsecond),
		median(after), 100*ratio(after, free), conns["free"], conns["beside"], conns["locked"])
	return nil
}

// lock has a transaction of somebody else's lock the rows of these.
func (s *server) lock(ctx context.Context, of []*user) (release func() error, err error) {
	db, err := s.open()
	if err != nil {
		return nil, err
	}
	tx, err := db.BeginTx(ctx, &sql.TxOptions{Isolation: sql.LevelReadCommitted}) // no gaps between rows
	if err != nil {
		return nil, err
	}
	var keys []string
	for _, u := range of {
		keys = append(keys, "'"+u.r.ID+"'")
	}
	_, err = tx.ExecContext(ctx, "UPDATE sessions SET expiry = expiry WHERE token IN ("+strings.Join(keys, ", ")+")")
	return func() error { defer db.Close(); return tx.Rollback() }, err
}

// save has each user save his session again and again, and tells of the last twelve.
func (s *server) save(ctx context.Context, db *sql.DB, store *sqlstore.Store, users []*user, span time.Duration) *phase {
	x := &phase{}
	var over atomic.Bool
	var wg sync.WaitGroup
	for i, u := range users {
		wg.Go(func() {
			for !over.Load() {
				ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
				start := time.Now()
				err := u.save(ctx, store, u.r)
				if took := time.Since(start); i >= 4 && !over.Load() {
					x.add(took, err)
				}
				cancel()
			}
		})
	}
	for end := time.Now().Add(span); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		x.conns = max(x.conns, db.Stats().OpenConnections)
	}
	over.Store(true)
	wg.Wait()
	return x
}

func median(of [rounds]float64) float64 {
	all := slices.Sorted(slices.Values(of[:]))
	return all[len(all)/2]
}

// ratio is the median of those of each round: the machine does other things, too.
func ratio(a, b [rounds]float64) float64 {
	for i := range a {
		a[i] /= b[i]
	}
	return median(a)
}
