package scscompat_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"testing"

	"github.com/alexedwards/scs/goredisstore"
	"github.com/alexedwards/scs/mysqlstore"
	"github.com/alexedwards/scs/postgresstore"
	"github.com/alexedwards/scs/sqlite3store"
	"github.com/alexedwards/scs/v2"
	_ "github.com/go-sql-driver/mysql"
	_ "github.com/jackc/pgx/v5/stdlib"
	"github.com/redis/go-redis/v9"
	_ "modernc.org/sqlite"

	"github.com/gosojourn/sojourn/lab/harness"
)

func TestMain(m *testing.M) { harness.Main(m) }

// The stores of scs that most programs use, on real servers, with scs's own tables.
var scsStores = []struct {
	name string
	open func(t *testing.T) scs.Store
}{
	{"mysqlstore", func(t *testing.T) scs.Store {
		db := harness.Open(t, "mysql", harness.MySQL(t, "parseTime=true"))
		run(t, db.ExecContext, `CREATE TABLE sessions (token CHAR(43) PRIMARY KEY, data BLOB NOT NULL, expiry TIMESTAMP(6) NOT NULL)`)
		return mysqlstore.NewWithCleanupInterval(db, 0)
	}},
	{"postgresstore", func(t *testing.T) scs.Store {
		db := harness.Open(t, "pgx", harness.Postgres(t))
		run(t, db.ExecContext, `CREATE TABLE sessions (token TEXT PRIMARY KEY, data BYTEA NOT NULL, expiry TIMESTAMPTZ NOT NULL)`)
		return postgresstore.NewWithCleanupInterval(db, 0)
	}},
	{"sqlite3store", func(t *testing.T) scs.Store {
		db := harness.Open(t, "sqlite", harness.SQLite(t))
		db.SetMaxOpenConns(1)
		run(t, db.ExecContext, `CREATE TABLE sessions (token TEXT PRIMARY KEY, data BLOB NOT NULL, expiry REAL NOT NULL)`)
		return sqlite3store.NewWithCleanupInterval(db, 0)
	}},
	{"goredisstore", func(t *testing.T) scs.Store {
		c := redis.NewClient(&redis.Options{Addr: harness.Redis(t)})
		t.Cleanup(func() { _ = c.Close() })
		return goredisstore.NewWithPrefix(c, "scscompat:"+t.Name()+":")
	}},
}

func run[R any](t *testing.T, exec func(context.Context, string, ...any) (R, error), statement string) {
	t.Helper()
	if _, err := exec(t.Context(), statement); err != nil {
		t.Fatal(err)
	}
}

// People whose sessions scs began stay logged in when the process is replaced, under requests that come all the
// while to both processes, and no change of a process of ours is lost to another request of it.
func TestMovingOnRealStores(t *testing.T) {
	for _, x := range scsStores {
		t.Run(x.name, func(t *testing.T) {
			store := x.open(t)
			theirs, ours := newTheirs(fields{store: store}), newOurs(fields{store: store})
			const people, each = 20, 5
			tokens := make([]string, people)
			for i := range tokens {
				_, tokens[i] = ask(t, theirs, "", func(_ http.ResponseWriter, ctx context.Context) { theirs.Put(ctx, "userID", i+1) })
			}
			var all sync.WaitGroup
			for i, token := range tokens {
				for n := range each {
					all.Go(func() {
						if n == 0 {
							if got := seen(t, theirs, token, "userID"); got != i+1 {
								t.Errorf("scs does not know person %d any more: %v", i+1, got)
							}
							return
						}
						ask(t, ours, token, func(_ http.ResponseWriter, ctx context.Context) {
							if got := ours.GetInt(ctx, "userID"); got != i+1 {
								t.Errorf("person %d is logged out: %d", i+1, got)
							}
							ours.Put(ctx, fmt.Sprint("key", n), n)
						})
					})
				}
			}
			all.Wait()
			for i, token := range tokens {
				ask(t, ours, token, func(_ http.ResponseWriter, ctx context.Context) {
					if keys := ours.Keys(ctx); len(keys) != each {
						t.Errorf("person %d has %q", i+1, keys)
					}
					_ = ours.RenewToken(ctx)
				})
				if got := seen(t, theirs, token, "userID"); got != nil {
					t.Errorf("an old token of person %d works after the renewal", i+1)
				}
			}
			ended := 0
			err := ours.Iterate(t.Context(), func(ctx context.Context) error {
				if ours.GetInt(ctx, "userID") == 0 {
					return errors.New("a session without its values")
				}
				ended++
				return ours.Destroy(ctx)
			})
			if err != nil || ended != people {
				t.Errorf("Iterate: %d of %d, %v", ended, people, err)
			}
		})
	}
}
