package main

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strings"

	"github.com/gosojourn/sojourn"
	"github.com/gosojourn/sojourn/sqlstore"
)

// A backend is what every store has that this command opens.
type backend interface {
	sojourn.Store
	sojourn.OwnerIndex
	sojourn.EveryoneRevoker
	sojourn.Lister
	sojourn.Checker
}

// An opened store answers, and is to be closed.
type opened struct {
	backend
	io.Closer
	name  string // for people: without the password
	table *table // nil where the store is none
}

// A table is a store in a database.
type table struct {
	*sqlstore.Store
	db      *sql.DB
	dialect sqlstore.Dialect
	quoted  string // its name, as statements have it
}

const schemes = "sqlite:PATH, mysql://user:password@host:port/name, postgres://user:password@host:port/name, " +
	"redis://user:password@host:port, rediscluster://host:port or redissentinel://host:port?master_set=NAME"

// open opens the store that the flags name, and waits for its first answer. No file is made where there is none,
// except by migrate. Errors never quote the URL, as it may hold a password.
func (g *grammar) open(ctx context.Context, log *slog.Logger, create bool) (*opened, error) {
	if g.Timeout <= 0 {
		return nil, usage("--timeout %s: it must be more than nothing, such as 10s", g.Timeout)
	}
	kind, rest, _ := strings.Cut(g.Store, ":")
	ctx, cancel := context.WithTimeout(ctx, g.Timeout)
	defer cancel()
	switch kind {
	case "":
		return nil, usage("no store is named: use --store URL or SOJOURN_STORE=URL, where URL is %s", schemes)
	case "sqlite":
		db, err := openSQLite(strings.TrimPrefix(rest, "//"), create)
		return g.openTable(ctx, db, err, log)
	case "mysql", "mariadb":
		db, err := openMySQL(g.Store, g.Timeout)
		return g.openTable(ctx, db, err, log)
	case "postgres", "postgresql":
		db, err := openPostgres(g.Store, g.Timeout)
		return g.openTable(ctx, db, err, log)
	case "redis", "rediss", "rediscluster", "redissentinel":
		return g.openRedis(kind)
	}
	return nil, usage("the store's URL begins with no kind of store that is known: it must be %s", schemes)
}

// openTable makes a store of a database that answers.
func (g *grammar) openTable(ctx context.Context, d *database, err error, log *slog.Logger) (*opened, error) {
	if err != nil {
		return nil, err
	}
	store, err := sqlstore.New(d.DB, d.dialect, sqlstore.Options{Table: g.Table, NoPrepare: d.pooled, OwnPool: true, Logger: log})
	if err != nil {
		d.Close()
		return nil, usage("%s: %w", cmp.Or(g.tableFlag, "--table"), err)
	}
	t := &table{store, d.DB, d.dialect, quoted(d.dialect, g.Table)}
	o := &opened{backend: store, Closer: closer(func() error { return errors.Join(store.Close(), d.Close()) }), name: d.name, table: t}
	if err := d.PingContext(ctx); err != nil {
		o.Close()
		return nil, fmt.Errorf("%s cannot be used: %s: %s", d.name, strings.Join(strings.Fields(err.Error()), " "), d.remedy(err))
	}
	return o, nil
}

type closer func() error

func (c closer) Close() error { return c() }

// manager gives o a manager that has as long for each exchange as the flags say. What it says of the sessions that it
// cannot read is counted.
func (g *grammar) manager(o *opened) (*sojourn.Manager, *view, error) {
	v := &view{opened: o}
	m, err := sojourn.New(v, sojourn.Config{
		StoreTimeout: g.Timeout,
		Logger:       slog.New(slog.DiscardHandler),
		OnEvent: func(_ context.Context, e sojourn.Event) {
			if e.Name == sojourn.EventUnreadable {
				v.unreadable++
			}
		},
	})
	return m, v, err
}
