package main

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/redis/rueidis"

	"github.com/gosojourn/sojourn"
	"github.com/gosojourn/sojourn/redisstore"
	"github.com/gosojourn/sojourn/sealed"
	"github.com/gosojourn/sojourn/sqlstore"
)

// Where sessions are kept: flag -sessions.
const (
	inDatabase = "database"
	inCookies  = "sealed"
)

func inRedis(kept string) bool {
	return strings.HasPrefix(kept, "redis://") || strings.HasPrefix(kept, "rediss://")
}

// checkSessions never quotes a URL, as it may hold a password.
func checkSessions(kept string) error {
	if kept == inDatabase || kept == inCookies {
		return nil
	}
	if !inRedis(kept) {
		return fmt.Errorf("-sessions: use %s, %s, or the URL of a Redis, such as redis://user:password@127.0.0.1:6379", inDatabase, inCookies)
	}
	if _, err := rueidis.ParseURL(kept); err != nil {
		return errors.New("-sessions: it is no URL of a Redis: use redis://user:password@host:port, with %25 for %, %40 for @ and %2F for / in a password; rediss:// speaks TLS; ?addr=host:port names more nodes of a Cluster")
	}
	return nil
}

// openSessions answers what keeps sessions, and what is to be closed afterwards. Those that browsers keep
// themselves need the database for what browsers cannot keep: whose sessions have been ended.
func openSessions(kept string, db *sqlstore.Store) (sojourn.Store, io.Closer, error) {
	if !inRedis(kept) {
		return db, db, nil
	}
	o, err := rueidis.ParseURL(kept)
	if err != nil {
		return nil, nil, checkSessions(kept)
	}
	o.ConnWriteTimeout, o.Dialer.Timeout, o.ClientName = time.Second, dialTimeout, "snippetbox"
	o.RetryDelay = func(attempts int, _ rueidis.Completed, _ error) time.Duration {
		if attempts > 3 {
			return -1 // a page that says so is better than one that is waited for
		}
		return time.Duration(attempts) * 20 * time.Millisecond
	}
	client, err := rueidis.NewClient(o)
	if err != nil {
		return nil, nil, fmt.Errorf("-sessions: the Redis at %s cannot be used: %w: is it running?", strings.Join(o.InitAddress, ", "), err)
	}
	store, err := redisstore.New(client, redisstore.Options{Prefix: "snippetbox:", Near: 2 * time.Second})
	return store, closer(client.Close), errors.Join(err, db.Close())
}

type closer func()

func (f closer) Close() error {
	f()
	return nil
}

// newSessions makes the manager.
func newSessions(kept string, store sojourn.Store, ring *sealed.Ring, cfg sojourn.Config) (*sojourn.Manager, error) {
	if kept != inCookies {
		return sojourn.New(store, cfg)
	}
	cfg.MaxPerOwner = 0
	cfg.Revocations, _ = store.(sojourn.OwnerIndex)
	return sojourn.NewSealed(ring, cfg)
}
