package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/redis/rueidis"

	"github.com/gosojourn/sojourn/legacy"
	"github.com/gosojourn/sojourn/sqlstore"
)

// Old sessions are scs's, wherever they are kept.
type oldSessions struct {
	io.Closer
	name  string
	rows  legacy.Rows
	each  func(ctx context.Context, do func(token string) error) error
	count func(ctx context.Context) int // about; -1 is not known
}

// open opens the place where scs keeps its sessions.
func (c *importCmd) open(ctx context.Context, g *grammar) (*oldSessions, error) {
	own := *g
	if c.From != "" {
		own.Store = c.From
	}
	switch kind, _, _ := strings.Cut(own.Store, ":"); kind {
	case "redis", "rediss", "redissentinel":
		client, name, err := own.redisClient(kind, own.Store)
		if err != nil {
			return nil, err
		}
		return oldInRedis(client, name, c.FromPrefix), nil
	case "rediscluster":
		return nil, usage("--from: scs in a Redis Cluster cannot be listed by one client: let the browsers bring these sessions in (Config.Legacy)")
	}
	own.Table, own.tableFlag = c.FromTable, "--from-table"
	s, err := own.open(ctx, nil, false)
	if err != nil {
		return nil, err
	}
	read := map[sqlstore.Dialect]func(*sql.DB, string) legacy.Rows{
		sqlstore.MySQL: legacy.MySQL, sqlstore.Postgres: legacy.Postgres, sqlstore.SQLite: legacy.SQLite,
	}[s.table.dialect]
	return &oldSessions{s, s.name, read(s.table.db, c.FromTable), s.table.eachOld, s.table.rows}, nil
}

const (
	scsToken = 43 // characters: base64url of 32 bytes
	oldPage  = 500
)

// eachOld calls do for each token of scs's in the table, page by page, and holds no connection meanwhile.
func (t *table) eachOld(ctx context.Context, do func(token string) error) error {
	after := ""
	for {
		page, err := t.oldTokens(ctx, after)
		if err != nil {
			return fmt.Errorf("table %s: %w", t.quoted, err)
		}
		for _, token := range page {
			if after = token; len(token) != scsToken {
				continue // a session of ours, in the same table
			}
			if err := errors.Join(ctx.Err(), do(token)); err != nil {
				return err
			}
		}
		if len(page) < oldPage {
			return nil
		}
	}
}

func (t *table) oldTokens(ctx context.Context, after string) (page []string, err error) {
	place := "?"
	if t.dialect == sqlstore.Postgres {
		place = "$1"
	}
	rows, err := t.db.QueryContext(ctx, fmt.Sprintf("SELECT token FROM %s WHERE token > %s ORDER BY token LIMIT %d", t.quoted, place, oldPage), after)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var token string
		if err := rows.Scan(&token); err != nil {
			return nil, err
		}
		page = append(page, token)
	}
	return page, rows.Err()
}

// oldInRedis are those of scs's redisstore or goredisstore, on one node.
func oldInRedis(client rueidis.Client, name, prefix string) *oldSessions {
	each := func(ctx context.Context, do func(token string) error) error {
		for cursor := uint64(0); ; {
			e, err := client.Do(ctx, client.B().Scan().Cursor(cursor).Match(globbed(prefix)+"*").Count(oldPage).Build()).AsScanEntry()
			if err != nil {
				return err
			}
			for _, key := range e.Elements {
				if token := strings.TrimPrefix(key, prefix); len(token) == scsToken {
					if err := errors.Join(ctx.Err(), do(token)); err != nil {
						return err
					}
				}
			}
			if cursor = e.Cursor; cursor == 0 {
				return nil
			}
		}
	}
	return &oldSessions{closer(func() error { client.Close(); return nil }), name, legacy.Redis(oldRedis{client}, prefix), each,
		func(context.Context) int { return -1 }}
}

// globbed has each character of a prefix stand for itself in a pattern.
func globbed(prefix string) string {
	return strings.NewReplacer(`\`, `\\`, "*", `\*`, "?", `\?`, "[", `\[`, "]", `\]`).Replace(prefix)
}

type oldRedis struct{ client rueidis.Client }

func (r oldRedis) Get(ctx context.Context, key string) ([]byte, bool, error) {
	b, err := r.client.Do(ctx, r.client.B().Get().Key(key).Build()).AsBytes()
	if rueidis.IsRedisNil(err) {
		return nil, false, nil
	}
	return b, err == nil, err
}

func (r oldRedis) Del(ctx context.Context, key string) error {
	return r.client.Do(ctx, r.client.B().Del().Key(key).Build()).Error()
}
