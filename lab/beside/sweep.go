package main

import (
	"context"
	"fmt"
	"time"

	"github.com/gosojourn/sojourn/sqlstore"
)

// sweep compares what a batch of a hundred costs with what it costs behind so many expired rows that something else has
// left in the table, by keys that are none of ours: each batch reads past them.
func (s *server) sweep(ctx context.Context, rows int) error {
	db, err := s.open()
	if err != nil {
		return err
	}
	defer db.Close()
	store, err := sqlstore.New(db, s.dialect, sqlstore.Options{})
	if err != nil {
		return err
	}
	var took [2]time.Duration
	for i := range took {
		dead, err := newUsers(ctx, store, 600)
		if err != nil {
			return err
		}
		for _, u := range dead {
			r := u.r
			r.Version, r.Expiry = version(), time.Now().Add(-24*time.Hour)
			if err := store.Update(ctx, r, u.r.Version); err != nil {
				return err
			}
		}
		start := time.Now()
		n, err := store.Sweep(ctx, time.Now(), 500)
		if err != nil || n != 500 {
			return fmt.Errorf("%d of 500 were swept: %w", n, err)
		}
		took[i] = time.Since(start) / 5
		if i == 0 {
			if err := s.foreign(ctx, db, rows); err != nil {
				return err
			}
		}
	}
	fmt.Printf("%s: a batch of 100 takes %v, and behind %d expired rows of something else %v\n", s.name, took[0].Round(100*time.Microsecond), rows, took[1].Round(100*time.Microsecond))
	return nil
}
