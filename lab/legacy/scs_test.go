package legacy

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"database/sql"
	"encoding/base64"
	"errors"
	"net/http"
	"testing"
	"time"

	"github.com/alexedwards/scs/goredisstore"
	"github.com/alexedwards/scs/mysqlstore"
	"github.com/alexedwards/scs/postgresstore"
	"github.com/alexedwards/scs/sqlite3store"
	"github.com/alexedwards/scs/v2"
	"github.com/redis/go-redis/v9"
	"github.com/redis/rueidis"

	"github.com/gosojourn/sojourn"
	"github.com/gosojourn/sojourn/lab/harness"
	"github.com/gosojourn/sojourn/legacy"
	"github.com/gosojourn/sojourn/redisstore"
	"github.com/gosojourn/sojourn/sqlstore"
)

const key = "authenticatedUserID"

// onSCS is an application on scs, which writes each session back at each request, as it does with an idle
// timeout: whatever it has read may come back after we have ended it.
func onSCS(rows legacy.Rows, store scs.Store, hashed bool, open func() sojourn.Store) *scene {
	m := scs.New()
	m.Store, m.HashTokenInStore, m.IdleTimeout = store, hashed, time.Hour
	m.Cookie.Secure = true
	return &scene{
		name: m.Cookie.Name,
		old: m.LoadAndSave(oldHandler(
			func(r *http.Request, _ http.ResponseWriter) (string, error) {
				return m.GetString(r.Context(), key), nil
			},
			func(r *http.Request, _ http.ResponseWriter, owner string) error {
				err := m.RenewToken(r.Context())
				m.Put(r.Context(), key, owner)
				return err
			})),
		legacy: func(keep time.Duration) sojourn.Legacy {
			return &legacy.SCS{Rows: rows, Owner: key, HashTokenInStore: hashed, KeepFor: keep, IdleTimeout: m.IdleTimeout}
		},
		store: open,
	}
}

// sqlPlace is a database with the table that scs documents, which package sqlstore shares.
func sqlPlace(t *testing.T, driver, dsn string, d sqlstore.Dialect, table ...string) (db *sql.DB, open func() sojourn.Store) {
	t.Helper()
	db = harness.Open(t, driver, dsn)
	conns := 16
	if driver == "sqlite" {
		conns = 1
	}
	db.SetMaxOpenConns(conns)
	db.SetMaxIdleConns(conns)
	for _, statement := range table {
		if _, err := db.Exec(statement); err != nil {
			t.Fatal(err)
		}
	}
	open = func() sojourn.Store {
		s, err := sqlstore.New(db, d, sqlstore.Options{})
		if err == nil {
			err = s.Migrate(t.Context())
		}
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { s.Close() })
		return s
	}
	return db, open
}

func TestFromMySQLStore(t *testing.T) {
	db, open := sqlPlace(t, "mysql", harness.MySQL(t), sqlstore.MySQL,
		"CREATE TABLE sessions (token CHAR(43) PRIMARY KEY, data BLOB NOT NULL, expiry TIMESTAMP(6) NOT NULL)",
		"CREATE INDEX sessions_expiry_idx ON sessions (expiry)")
	rows, store := legacy.MySQL(db, ""), mysqlstore.NewWithCleanupInterval(db, 0)
	usedOutlivesUnused(t, rows, store)
	onSCS(rows, store, false, open).run(t)
}

// Hashed tokens, and the table of postgresstore and pgxstore.
func TestFromPostgresStore(t *testing.T) {
	db, open := sqlPlace(t, "pgx", harness.Postgres(t), sqlstore.Postgres,
		"CREATE TABLE sessions (token TEXT PRIMARY KEY, data BYTEA NOT NULL, expiry TIMESTAMPTZ NOT NULL)",
		"CREATE INDEX sessions_expiry_idx ON sessions (expiry)")
	rows, store := legacy.Postgres(db, ""), postgresstore.NewWithCleanupInterval(db, 0)
	usedOutlivesUnused(t, rows, store)
	onSCS(rows, store, true, open).run(t)
}

func TestFromSQLite3Store(t *testing.T) {
	db, open := sqlPlace(t, "sqlite", harness.SQLite(t)+"?_pragma=busy_timeout(1000)&_pragma=journal_mode(WAL)", sqlstore.SQLite,
		"CREATE TABLE sessions (token TEXT PRIMARY KEY, data BLOB NOT NULL, expiry REAL NOT NULL)",
		"CREATE INDEX sessions_expiry_idx ON sessions(expiry)")
	rows, store := legacy.SQLite(db, ""), sqlite3store.NewWithCleanupInterval(db, 0)
	usedOutlivesUnused(t, rows, store)
	onSCS(rows, store, false, open).run(t)
}

// goRedis is a client of go-redis, as legacy.Redis wants it.
type goRedis struct{ *redis.Client }

func (c goRedis) Get(ctx context.Context, key string) ([]byte, bool, error) {
	b, err := c.Client.Get(ctx, key).Bytes()
	if errors.Is(err, redis.Nil) {
		return nil, false, nil
	}
	return b, err == nil, err
}

func (c goRedis) Del(ctx context.Context, key string) error { return c.Client.Del(ctx, key).Err() }

func (c goRedis) ExpireAt(ctx context.Context, key string, at time.Time) error {
	return c.Client.PExpireAt(ctx, key, at).Err()
}

// usedOutlivesUnused: a reader that knows of scs's idle limit puts the end of what it loads off, as scs does with each
// request, and no further than the absolute limit.
func usedOutlivesUnused(t *testing.T, rows legacy.Rows, store scs.Store) {
	t.Helper()
	end := time.Now().Add(time.Second)
	token := map[string]string{}
	for name, deadline := range map[string]time.Time{"used": end.Add(time.Hour), "unused": end.Add(time.Hour), "over": end} {
		data, err := scs.GobCodec{}.Encode(deadline, map[string]any{key: "ann"})
		if err != nil {
			t.Fatal(err)
		}
		sum := sha256.Sum256([]byte(rand.Text()))
		token[name] = base64.RawURLEncoding.EncodeToString(sum[:])
		commit := func(token string, data []byte, end time.Time) error { return store.Commit(token, data, end) }
		if c, ok := store.(scs.CtxStore); ok {
			commit = func(token string, data []byte, end time.Time) error {
				return c.CommitCtx(t.Context(), token, data, end)
			}
		}
		if err := commit(token[name], data, end); err != nil {
			t.Fatal(err)
		}
	}
	x := &legacy.SCS{Rows: rows, Owner: key, IdleTimeout: time.Hour}
	if err := x.Validate(); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"used", "over"} {
		if _, err := x.Load(t.Context(), nil, token[name]); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
	}
	found := func(name string) bool {
		_, err := rows.Find(t.Context(), token[name])
		if err != nil && !errors.Is(err, sojourn.ErrNotFound) {
			t.Fatal(err)
		}
		return err == nil
	}
	for found("unused") || found("over") {
		if time.Since(end) > 5*time.Second {
			t.Fatalf("unused is there: %v; over is there: %v", found("unused"), found("over"))
		}
	}
	if !found("used") {
		t.Error("the session ends although it is used")
	}
}

func TestFromGoRedisStore(t *testing.T) {
	addr := harness.Redis(t)
	client := redis.NewClient(&redis.Options{Addr: addr})
	t.Cleanup(func() { client.Close() })
	prefix := "sojourn-legacy-" + rand.Text() + ":"
	t.Cleanup(func() {
		ctx := context.Background()
		for all := client.Scan(ctx, 0, prefix+"*", 1000).Iterator(); all.Next(ctx); {
			client.Unlink(ctx, all.Val())
		}
	})
	ours, err := rueidis.NewClient(rueidis.ClientOption{InitAddress: []string{addr}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(ours.Close)
	open := func() sojourn.Store {
		s, err := redisstore.New(ours, redisstore.Options{Prefix: prefix + "ours:"})
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	rows, store := legacy.Redis(goRedis{client}, prefix), goredisstore.NewWithPrefix(client, prefix)
	usedOutlivesUnused(t, rows, store)
	onSCS(rows, store, false, open).run(t)
}
