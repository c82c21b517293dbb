package main

import (
	"context"
	"database/sql"
	"fmt"
	"log/slog"
	"os"
	"sync"
	"time"

	"github.com/gosojourn/sojourn/sqlstore"
)

// migrate has a new process migrate a large table while others serve 1,000 requests a second, one in four of which
// writes, and while somebody's transaction that has read the table is open for the first three seconds.
func (s *server) migrate(ctx context.Context, rows int) error {
	db, err := s.open()
	if err != nil {
		return err
	}
	defer db.Close()
	store, err := sqlstore.New(db, s.dialect, sqlstore.Options{})
	if err != nil {
		return err
	}
	users, err := newUsers(ctx, store, 1000)
	if err != nil {
		return err
	}
	if err := s.grow(ctx, db, len(users), rows); err != nil {
		return err
	}
	calm := s.traffic(ctx, store, users, func() error { time.Sleep(10 * time.Second); return nil })
	other, err := s.open()
	if err != nil {
		return err
	}
	defer other.Close()
	migrating, err := sqlstore.New(other, s.dialect, sqlstore.Options{Logger: slog.New(slog.NewTextHandler(os.Stderr, nil))})
	if err != nil {
		return err
	}
	reader, err := other.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	if _, err := reader.ExecContext(ctx, "SELECT COUNT(*) FROM (SELECT token FROM sessions LIMIT 10) AS x"); err != nil {
		return err
	}
	time.AfterFunc(3*time.Second, func() { reader.Rollback() })
	start := time.Now()
	beside := s.traffic(ctx, store, users, func() error { return migrating.Migrate(ctx) })
	fmt.Printf("%s, %d rows: Migrate took %v; %s; before it %s\n", s.name, rows, time.Since(start).Round(100*time.Millisecond), beside, calm)
	return nil
}

// grow makes rows of the table's n.
func (s *server) grow(ctx context.Context, db *sql.DB, n, rows int) error {
	for round := 0; n < rows; round++ {
		more := min(n, rows-n)
		if _, err := db.ExecContext(ctx, fmt.Sprintf(s.more, round, more)); err != nil {
			return err
		}
		n += more
	}
	return nil
}

// foreign fills the table with so many rows of something else, which expired long ago.
func (s *server) foreign(ctx context.Context, db *sql.DB, rows int) error {
	if _, err := db.ExecContext(ctx, "DELETE FROM sessions"); err != nil {
		return err
	}
	store, err := sqlstore.New(db, s.dialect, sqlstore.Options{})
	if err != nil {
		return err
	}
	if _, err := newUsers(ctx, store, 100); err != nil {
		return err
	}
	if err := s.grow(ctx, db, 100, rows); err != nil {
		return err
	}
	_, err = db.ExecContext(ctx, "UPDATE sessions SET token = CONCAT('.', LEFT(token, 42)), expiry = '2020-02-02 02:02:02', data = '{}'")
	return err
}

// traffic is requests, a thousand a second, for as long as work takes.
func (s *server) traffic(ctx context.Context, store *sqlstore.Store, users []*user, work func() error) *tally {
	var t tally
	done := make(chan error, 1)
	go func() { done <- work() }()
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	var wg sync.WaitGroup
	defer wg.Wait()
	for n := 0; ; n++ {
		select {
		case err := <-done:
			wg.Wait()
			if err != nil {
				t.failed = append(t.failed, err)
			}
			return &t
		case <-tick.C:
		}
		u := users[n%len(users)]
		wg.Go(func() {
			ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
			defer cancel()
			start := time.Now()
			err := u.request(ctx, store, n%4 == 0)
			t.add(time.Since(start), err)
		})
	}
}

func (t *tally) String() string {
	words := fmt.Sprintf("%d requests, %d failed, p50 %v, p99 %v, longest %v", len(t.took), len(t.failed),
		t.at(.5).Round(10*time.Microsecond), t.at(.99).Round(100*time.Microsecond), t.at(1).Round(time.Millisecond))
	if len(t.failed) > 0 {
		words += fmt.Sprintf(" (%v)", t.failed[0])
	}
	return words
}
