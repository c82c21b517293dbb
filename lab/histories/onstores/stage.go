package onstores

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log"
	"log/slog"
	"net"
	"net/http"
	"os"
	"time"

	"github.com/go-sql-driver/mysql"
	"github.com/redis/rueidis"

	"github.com/gosojourn/sojourn"
	"github.com/gosojourn/sojourn/lab/histories"
	"github.com/gosojourn/sojourn/redisstore"
	"github.com/gosojourn/sojourn/sqlstore"
)

// An Order says which sessions a process serves.
type Order struct {
	Dialect     sqlstore.Dialect
	Driver, DSN string   // of a database; or
	Addrs       []string // of Redis
	Sentinel    string   // the name under which Sentinels at Addrs watch it; "": they are servers
	Near        time.Duration
	Replicas    int // how many are waited for after a write
}

func (o Order) open() (sojourn.Store, error) {
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

// OrderVar is set for a program that is to serve: Serve reads it.
const OrderVar = "SOJOURN_HISTORIES_ORDER"

// Serve serves the application as the environment orders and says where on standard output. When standard input
// ends it answers what it has been asked, and returns. Without an order it returns at once, with false.
func Serve() (bool, error) {
	text := os.Getenv(OrderVar)
	if text == "" {
		return false, nil
	}
	var o Order
	if err := json.Unmarshal([]byte(text), &o); err != nil {
		return true, err
	}
	if err := mysql.SetLogger(log.New(io.Discard, "", 0)); err != nil { // it has a line for each connection that is cut
		return true, err
	}
	store, err := o.open()
	if err != nil {
		return true, err
	}
	h, err := histories.App(store, sojourn.Config{StoreTimeout: histories.StoreTimeout, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		return true, err
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return true, err
	}
	server := &http.Server{Handler: withFigures(h), ReadHeaderTimeout: 5 * time.Second}
	go func() { _ = server.Serve(l) }()
	fmt.Printf("http://%s\n", l.Addr())
	if _, err = io.Copy(io.Discard, os.Stdin); err != nil {
		return true, err
	}
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	return true, server.Shutdown(ctx)
}
