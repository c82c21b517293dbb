package main

import (
	"context"
	"crypto/rand"
	"database/sql"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/redis/rueidis"
)

// A place is a medium that is there, and what takes it away again.
type place struct {
	medium medium
	dsn    string
	remove func()
}

// find looks where the servers are that the tests use; an error says why there is none.
func find(m medium) (place, error) {
	name := "sojourn_bench_" + strings.ToLower(rand.Text()[:10])
	env := func(name, otherwise string) string {
		if v := os.Getenv(name); v != "" {
			return v
		}
		return otherwise
	}
	switch m {
	case inMemory, inCookies:
		return place{m, "", func() {}}, nil
	case inSQLite:
		dir, err := os.MkdirTemp("", "sojourn-bench-")
		if err != nil {
			return place{}, err
		}
		dsn := "file:" + filepath.Join(dir, "bench.db") + "?_pragma=busy_timeout(10000)&_pragma=journal_mode(WAL)&_pragma=synchronous(FULL)&_txlock=immediate"
		return place{m, dsn, func() { os.RemoveAll(dir) }}, nil
	case inMariaDB:
		base := env("SOJOURN_MYSQL", "root@tcp(127.0.0.1:3306)/")
		server, params, _ := strings.Cut(base, "?")
		server = server[:strings.LastIndex(server, "/")+1]
		return database(m, "mysql", base, "CREATE DATABASE "+name+" CHARACTER SET utf8mb4", "DROP DATABASE "+name, server+name+"?parseTime=true&"+params)
	case inPostgres:
		base := env("SOJOURN_POSTGRES", "postgres://postgres@127.0.0.1:5432/postgres")
		server, params, _ := strings.Cut(base, "?")
		server = server[:strings.LastIndex(server, "/")+1]
		return database(m, "pgx", base, "CREATE DATABASE "+name, "DROP DATABASE "+name+" WITH (FORCE)", server+name+"?"+params)
	case inRedis:
		addr := env("SOJOURN_REDIS", "127.0.0.1:6379")
		c, err := net.DialTimeout("tcp", addr, time.Second)
		if err != nil {
			return place{}, errors.New("no Redis runs on " + addr)
		}
		c.Close()
		return place{m, addr, func() { clearRedis(addr) }}, nil
	}
	return place{}, fmt.Errorf("%s is unknown", m)
}

func database(m medium, driver, base, create, drop, dsn string) (place, error) {
	exec := func(text string) error {
		db, err := sql.Open(driver, base)
		if err != nil {
			return err
		}
		defer db.Close()
		ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
		defer cancel()
		_, err = db.ExecContext(ctx, text)
		return err
	}
	if err := exec(create); err != nil {
		return place{}, fmt.Errorf("no %s: %w", m, err)
	}
	return place{m, strings.TrimRight(dsn, "?&"), func() { _ = exec(drop) }}, nil
}

// clearRedis takes away what the application has left in a server that others may use.
func clearRedis(addr string) {
	c, err := rueidis.NewClient(rueidis.ClientOption{InitAddress: []string{addr}})
	if err != nil {
		return
	}
	defer c.Close()
	ctx := context.Background()
	for _, match := range []string{"bench:*", "benchnear:*", "floor:*", "scs:session:*"} {
		for cursor, more := uint64(0), true; more; {
			e, err := c.Do(ctx, c.B().Scan().Cursor(cursor).Match(match).Count(1000).Build()).AsScanEntry()
			if err != nil {
				return
			}
			if len(e.Elements) > 0 {
				c.Do(ctx, c.B().Del().Key(e.Elements...).Build())
			}
			cursor, more = e.Cursor, e.Cursor != 0
		}
	}
}
