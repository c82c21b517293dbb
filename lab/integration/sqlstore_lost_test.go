package integration

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/gosojourn/sojourn"
	"github.com/gosojourn/sojourn/sqlstore"
)

// Where people set a strict isolation, a database gives up a statement for the sake of another session's, on
// the same page of an index, say. That is not told as a session that has changed, nor as an id that is taken:
// here each session has one user, so there is no conflict.
func TestSQLStrangersAreNoConflict(t *testing.T) {
	besideEachOther(t, map[string]opener{
		"MySQL":                    mysqlPlace(nil, mysqlTable),
		"MySQL serializable":       isolatedMySQL("SERIALIZABLE"),
		"Postgres repeatable read": isolatedPostgres("repeatable read"),
		"Postgres serializable":    isolatedPostgres("serializable"),
	}, func(t *testing.T, p place) {
		stores := []*sqlstore.Store{p.store(t), p.store(t)}
		migrate(t, stores[0])
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		var wg sync.WaitGroup
		for i := range 16 {
			wg.Go(func() {
				for range 25 {
					if what, err := wholeLife(ctx, stores[i%2]); err != nil {
						t.Errorf("%s: %v", what, err)
						return
					}
				}
			})
		}
		wg.Wait()
	})
}

// wholeLife makes a session, changes it and ends it. It answers what failed.
func wholeLife(ctx context.Context, s sojourn.Store) (what string, err error) {
	r := newRecord("ann")
	if err = s.Create(ctx, r); err != nil {
		return "Create", err
	}
	was := r.Version
	r.Version = newVersion()
	if err = s.Update(ctx, r, was); err != nil {
		return "Update", err
	}
	r.Seen = r.Seen.Add(time.Second)
	if err = s.Touch(ctx, r); err != nil {
		return "Touch", err
	}
	if _, err = s.Load(ctx, r.ID); err != nil {
		return "Load", err
	}
	return "Delete", s.Delete(ctx, r.ID, r.Version)
}

// postgresIsolation is the statement that has all connections to a database begin so.
func postgresIsolation(level string) string {
	return "DO $$ BEGIN EXECUTE 'ALTER DATABASE ' || current_database() || ' SET default_transaction_isolation = ''" + level + "'''; END $$"
}
