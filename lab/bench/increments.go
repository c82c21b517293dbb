package main

import (
	"context"
	"database/sql"
	"fmt"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/alexedwards/scs/mysqlstore"

	"github.com/gosojourn/sojourn"
	"github.com/gosojourn/sojourn/lab/peers"
	"github.com/gosojourn/sojourn/sqlstore"
)

// updatesCounted is a store that counts what of it costs an exchange to write.
type updatesCounted struct {
	*sqlstore.Store
	updates atomic.Int64
}

func (s *updatesCounted) Update(ctx context.Context, r sojourn.Record, version uint64) error {
	s.updates.Add(1)
	return s.Store.Update(ctx, r, version)
}

// measureIncrements has 200 requests, which have all read the session, add one to a number in it.
func measureIncrements(options) (all []result, err error) {
	const (
		requests = 200
		rounds   = 9
	)
	err = withDatabase(inMariaDB, func(ctx context.Context, db *sql.DB, _ place) error {
		if _, err := db.ExecContext(ctx, "CREATE TABLE sessions (token CHAR(43) PRIMARY KEY, data BLOB NOT NULL, expiry TIMESTAMP(6) NOT NULL)"); err != nil {
			return err
		}
		inner, err := sqlstore.New(db, sqlstore.MySQL, sqlstore.Options{Table: "increments"})
		if err != nil {
			return err
		}
		if err := inner.Migrate(ctx); err != nil {
			return err
		}
		counted := &updatesCounted{Store: inner}
		round := func(x peers.Library) (took time.Duration, left int) {
			cookie := begin(x, 1)
			var ready, done sync.WaitGroup
			ready.Add(requests)
			start := make(chan struct{})
			for range requests {
				done.Go(func() {
					c := newClient(x.Wrap(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
						x.Count(r, "count")
						ready.Done()
						<-start
						x.Add(w, r, "count")
					})), "POST", cookie)
					c.once()
				})
			}
			ready.Wait()
			from := time.Now()
			close(start)
			done.Wait()
			took = time.Since(from)
			c := newClient(x.Wrap(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { left = x.Count(r, "count") })), "GET", cookie)
			c.once()
			return took, left
		}
		ours, theirs := peers.SojournOn(counted, 0), peers.SCSOn(mysqlstore.NewWithCleanupInterval(db, 0), 0)
		var millis, updates []float64
		least, theirLeast, theirMillis := requests, requests, []float64{}
		for range rounds {
			before := counted.updates.Load()
			took, left := round(ours)
			millis = append(millis, float64(took.Microseconds())/1000)
			updates = append(updates, float64(counted.updates.Load()-before))
			least = min(least, left)
			took, left = round(theirs)
			theirMillis = append(theirMillis, float64(took.Microseconds())/1000)
			theirLeast = min(theirLeast, left)
		}
		kept := fmt.Sprintf("at least %d of %d kept; scs %d, in %.0f ms", least, requests, theirLeast, quartilesOf(theirMillis).Median)
		all = []result{
			{Name: "200 increments of one session at once, MariaDB", Value: quartilesOf(millis).Median, AtMost: 100, Measure: "ms", Unit: "increments", Pairs: rounds,
				Note: fmt.Sprintf("the slowest of %d: %.1f ms; %s", rounds, slices.Max(millis), kept)},
			{Name: "200 increments of one session at once, MariaDB, updates", Value: quartilesOf(updates).Median, AtMost: 20, Measure: "updates", Unit: "increments", Pairs: rounds,
				Note: fmt.Sprintf("the most of %d: %.0f", rounds, slices.Max(updates))},
		}
		if least < requests {
			return fmt.Errorf("of %d increments %d are left", requests, least)
		}
		return nil
	})
	return all, err
}
