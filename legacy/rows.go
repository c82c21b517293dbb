package legacy

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"regexp"
	"time"

	"github.com/gosojourn/sojourn"
)

// Rows is where scs has its sessions.
type Rows interface {
	// Find answers the data under key, byte by byte the same; sojourn.ErrNotFound if there is none, or if it
	// has expired.
	Find(ctx context.Context, key string) ([]byte, error)

	// Delete deletes it; nil if it is gone.
	Delete(ctx context.Context, key string) error
}

// An Extender is Rows that can keep a session alive. Those of MySQL, Postgres and SQLite are, and those of Redis whose
// client has
//
//	ExpireAt(ctx context.Context, key string, at time.Time) error
type Extender interface {
	// Extend has what is under key expire at until, unless it does so later; nil if there is nothing.
	Extend(ctx context.Context, key string, until time.Time) error
}

// extends reports whether rows are an Extender that can.
func extends(rows Rows) bool {
	if r, ok := rows.(*redisRows); ok {
		_, ok = r.client.(expirer)
		return ok
	}
	_, ok := rows.(Extender)
	return ok
}

// MySQL is the table of scs's mysqlstore, "sessions" if table is empty, on MySQL or MariaDB. It may be the table
// that package sqlstore uses, too.
func MySQL(db *sql.DB, table string) Rows {
	return newTable(db, table, "SELECT token, data FROM %s WHERE token = ? AND UTC_TIMESTAMP(6) < expiry", "DELETE FROM %s WHERE token = ?",
		"UPDATE %s SET expiry = ? WHERE token = ? AND expiry < ?", func(t time.Time, key string) []any { return []any{t.UTC(), key, t.UTC()} })
}

// Postgres is the table of scs's postgresstore or pgxstore, "sessions" if table is empty.
func Postgres(db *sql.DB, table string) Rows {
	return newTable(db, table, "SELECT token, data FROM %s WHERE token = $1 AND current_timestamp < expiry", "DELETE FROM %s WHERE token = $1",
		"UPDATE %s SET expiry = $1 WHERE token = $2 AND expiry < $1", func(t time.Time, key string) []any { return []any{t, key} })
}

// SQLite is the table of scs's sqlite3store, "sessions" if table is empty.
func SQLite(db *sql.DB, table string) Rows {
	return newTable(db, table, "SELECT token, data FROM %s WHERE token = $1 AND julianday('now') < expiry", "DELETE FROM %s WHERE token = $1",
		"UPDATE %s SET expiry = julianday($1) WHERE token = $2 AND expiry < julianday($1)",
		func(t time.Time, key string) []any { return []any{t.UTC().Format("2006-01-02T15:04:05.999"), key} })
}

type table struct {
	db        *sql.DB
	name      string
	find, del string
	extend    string
	args      func(until time.Time, key string) []any // of extend
}

func newTable(db *sql.DB, name, find, del, extend string, args func(until time.Time, key string) []any) Rows {
	if name == "" {
		name = "sessions"
	}
	return &table{db, name, fmt.Sprintf(find, name), fmt.Sprintf(del, name), fmt.Sprintf(extend, name), args}
}

var tableName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*(\.[A-Za-z_][A-Za-z0-9_]*)?$`)

func (t *table) Validate() error {
	switch {
	case t.db == nil:
		return errors.New("legacy: the database of the old sessions is nil")
	case !tableName.MatchString(t.name):
		return fmt.Errorf("legacy: %q is no name of a table: use letters, digits and underscores", t.name)
	}
	return nil
}

func (t *table) Find(ctx context.Context, key string) (data []byte, err error) {
	var token string
	err = t.db.QueryRowContext(ctx, t.find, key).Scan(&token, &data)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return nil, sojourn.ErrNotFound
	case err != nil:
		return nil, fmt.Errorf("legacy: table %s: %w", t.name, err)
	case token != key: // a collation may not know upper case from lower
		return nil, sojourn.ErrNotFound
	}
	return data, nil
}

func (t *table) Delete(ctx context.Context, key string) error {
	if _, err := t.db.ExecContext(ctx, t.del, key); err != nil {
		return fmt.Errorf("legacy: table %s: %w", t.name, err)
	}
	return nil
}

// Extend puts off the end of a row.
func (t *table) Extend(ctx context.Context, key string, until time.Time) error {
	if _, err := t.db.ExecContext(ctx, t.extend, t.args(until, key)...); err != nil {
		return fmt.Errorf("legacy: table %s: %w", t.name, err)
	}
	return nil
}

// A RedisClient is the little of a Redis client that is needed; a few lines make one of any (see the Example).
type RedisClient interface {
	// Get answers the value of key; ok is false if there is none.
	Get(ctx context.Context, key string) (value []byte, ok bool, err error)
	Del(ctx context.Context, key string) error
}

// Redis is what scs's redisstore or goredisstore keeps; the prefix is "scs:session:" if it is empty, as it is in
// both.
func Redis(c RedisClient, prefix string) Rows {
	if prefix == "" {
		prefix = "scs:session:"
	}
	return &redisRows{c, prefix}
}

type redisRows struct {
	client RedisClient
	prefix string
}

func (r *redisRows) Validate() error {
	if r.client == nil {
		return errors.New("legacy: the Redis client of the old sessions is nil")
	}
	return nil
}

func (r *redisRows) Find(ctx context.Context, key string) ([]byte, error) {
	data, ok, err := r.client.Get(ctx, r.prefix+key)
	if err != nil {
		return nil, fmt.Errorf("legacy: redis: %w", err)
	}
	if !ok {
		return nil, sojourn.ErrNotFound
	}
	return data, nil
}

func (r *redisRows) Delete(ctx context.Context, key string) error {
	if err := r.client.Del(ctx, r.prefix+key); err != nil {
		return fmt.Errorf("legacy: redis: %w", err)
	}
	return nil
}

// expirer is what a RedisClient needs where scs had an idle limit.
type expirer interface {
	ExpireAt(ctx context.Context, key string, at time.Time) error
}

// Extend puts off the end of a key.
func (r *redisRows) Extend(ctx context.Context, key string, until time.Time) error {
	c, ok := r.client.(expirer)
	if !ok {
		return fmt.Errorf("legacy: redis: the client has no ExpireAt: %w", errors.ErrUnsupported)
	}
	if err := c.ExpireAt(ctx, r.prefix+key, until); err != nil {
		return fmt.Errorf("legacy: redis: %w", err)
	}
	return nil
}

// A ContextStore is any store of scs's that takes contexts.
type ContextStore interface {
	FindCtx(ctx context.Context, token string) (data []byte, found bool, err error)
	DeleteCtx(ctx context.Context, token string) error
}

// CtxStore is a store of scs's as it stands, such as a goredisstore, or one of your own. It is no Extender: what such a
// store is told anew might bring a session back that a server of the old version has just ended.
func CtxStore(s ContextStore) Rows { return ctxStore{s} }

type ctxStore struct{ s ContextStore }

func (c ctxStore) Find(ctx context.Context, key string) ([]byte, error) {
	data, found, err := c.s.FindCtx(ctx, key)
	if err == nil && !found {
		err = sojourn.ErrNotFound
	}
	return data, err
}

func (c ctxStore) Delete(ctx context.Context, key string) error { return c.s.DeleteCtx(ctx, key) }
