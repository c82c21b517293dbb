package serving

import (
	"context"
	"database/sql"
	"errors"
	"log/slog"
	"time"

	"github.com/redis/rueidis"

	"github.com/gosojourn/sojourn"
	"github.com/gosojourn/sojourn/lab/histories"
	"github.com/gosojourn/sojourn/memstore"
	"github.com/gosojourn/sojourn/redisstore"
	"github.com/gosojourn/sojourn/sqlstore"
)

// An Order says which sessions a process serves.
type Order struct {
	Dialect     sqlstore.Dialect
	Driver, DSN string   // of a database; or
	Addrs       []string // of Redis; neither: in memory
	Sentinel    string   // the name under which Sentinels at Addrs watch it; "": they are servers
	Near        time.Duration
	Replicas    int           // how many are waited for after a write
	Idle        time.Duration // the idle limit; 0: the library's
	AtOnce      int           // how many requests are served at a time; 0: all
	MaxHeader   int           // http.Server.MaxHeaderBytes
}

func (o Order) open() (sojourn.Store, error) {
	if o.Driver == "" && len(o.Addrs) == 0 {
		return memstore.New(), nil
	}
	if o.Driver != "" {
		db, err := sql.Open(o.Driver, o.DSN)
		if err != nil {
			return nil, err
		}
		db.SetMaxOpenConns(8)
		db.SetMaxIdleConns(8)
		return sqlstore.New(db, o.Dialect, sqlstore.Options{Logger: slog.New(slog.DiscardHandler)})
	}
	// As docs/redisstore.md wants it: it waits for no dead connection for long.
	c := rueidis.ClientOption{InitAddress: o.Addrs, ConnWriteTimeout: time.Second, RetryDelay: func(attempts int, _ rueidis.Completed, _ error) time.Duration {
		if attempts > 3 {
			return -1
		}
		return time.Duration(attempts) * 20 * time.Millisecond
	}}
	c.Dialer.Timeout, c.Sentinel.MasterSet = time.Second, o.Sentinel
	client, err := rueidis.NewClient(c)
	if err != nil {
		return nil, err
	}
	return redisstore.New(client, redisstore.Options{Near: o.Near, WaitReplicas: o.Replicas, WaitTimeout: histories.StoreTimeout / 2})
}

// Migrate makes the tables, where there are any.
func (o Order) Migrate(ctx context.Context) error {
	if o.Driver == "" {
		return nil
	}
	db, err := sql.Open(o.Driver, o.DSN)
	if err != nil {
		return err
	}
	defer db.Close()
	store, err := sqlstore.New(db, o.Dialect, sqlstore.Options{Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		return err
	}
	return errors.Join(store.Migrate(ctx), store.Close())
}
