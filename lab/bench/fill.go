package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/gosojourn/sojourn"
	"github.com/gosojourn/sojourn/sqlstore"
)

// A crowd is a table of many sessions, five of each owner. The store writes two of them, the server copies
// those: only so are there a million before the bench is over. The n-th has an id that can be worked out.
type crowd struct {
	medium medium
	db     *sql.DB
	store  *sqlstore.Store
	table  string
	size   int
}

const perOwner = 5

// The templates: one alive, one that has expired so long ago that the sweeper takes it.
var templates = [2]string{"template-that-is-live----", "template-that-is-dead----"}

func init() {
	for i := range templates {
		templates[i] = templates[i][:24]
	}
}

func crowdID(n int) string {
	sum := sha256.Sum256(fmt.Append(nil, n))
	return hex.EncodeToString(sum[:12])
}

func crowdOwner(n int) string { return fmt.Sprintf("o%07d", n/perOwner) }

// crowdVersion is that of the sessions as they were filled in.
const crowdVersion = 1

func crowdRecord(id, owner string, expiry time.Time) sojourn.Record {
	return sojourn.Record{
		ID: id, Owner: owner, Expiry: expiry.Truncate(time.Millisecond), Seen: time.Now().Truncate(time.Millisecond),
		Fence: 1, Version: crowdVersion, Data: bytes.Repeat([]byte{'d'}, floorBytes),
	}
}

func newCrowd(ctx context.Context, m medium, db *sql.DB, table string) (*crowd, error) {
	store, err := sqlstore.New(db, sqlMedia[m].dialect, sqlstore.Options{Table: table})
	if err != nil {
		return nil, err
	}
	if err := store.Migrate(ctx); err != nil {
		return nil, err
	}
	c := &crowd{m, db, store, table, 0}
	for i, age := range []time.Duration{-24 * time.Hour, 30 * time.Hour} {
		if err := store.Create(ctx, crowdRecord(templates[i], crowdOwner(0), time.Now().Add(-age))); err != nil {
			return nil, err
		}
	}
	return c, nil
}

// add fills in n more, of whom some are dead.
func (c *crowd) add(ctx context.Context, n int, dead string) error {
	first, last := c.size, c.size+n-1
	c.size += n
	if c.medium == inSQLite {
		return c.addToSQLite(ctx, first, last, dead)
	}
	// In the order of the primary key, as the server likes it. Sessions expire in another order than that of
	// their keys, so column expiry differs; it is only the sweeper's index.
	text := map[medium]string{
		inMariaDB: `INSERT INTO {table} (token, data, expiry, owner)
			SELECT q.id, CONCAT(SUBSTR(s.data, 1, 9), q.id, SUBSTR(s.data, 34, 43), q.owner, SUBSTR(s.data, 85)),
				s.expiry - INTERVAL (seq * 7919 MOD 3600) SECOND, q.owner
			FROM (SELECT seq, LEFT(SHA2(seq, 256), 24) AS id, CONCAT('o', LPAD(seq DIV 5, 7, '0')) AS owner FROM seq_{first}_to_{last}) q
			JOIN {table} s ON s.token = IF({dead}, '{deadone}', '{liveone}') ORDER BY q.id`,
		inPostgres: `INSERT INTO {table} (token, data, expiry, owner)
			SELECT q.id, substring(s.data FROM 1 FOR 9) || q.id::bytea || substring(s.data FROM 34 FOR 43) || q.owner || substring(s.data FROM 85),
				s.expiry - make_interval(secs => (seq::bigint * 7919 % 3600)::int), q.owner
			FROM (SELECT seq, left(encode(sha256(seq::text::bytea), 'hex'), 24) AS id, ('o' || lpad((seq / 5)::text, 7, '0'))::bytea AS owner
				FROM generate_series({first}, {last}) seq) q
			JOIN {table} s ON s.token = CASE WHEN {dead} THEN '{deadone}' ELSE '{liveone}' END ORDER BY q.id`,
	}[c.medium]
	text = strings.NewReplacer("{table}", c.table, "{first}", fmt.Sprint(first), "{last}", fmt.Sprint(last), "{dead}", dead,
		"{deadone}", templates[1], "{liveone}", templates[0]).Replace(text)
	if _, err := c.db.ExecContext(ctx, text); err != nil {
		return fmt.Errorf("filling %s: %w", c.table, err)
	}
	if c.medium == inPostgres { // what the server would do by itself in a minute
		_, err := c.db.ExecContext(ctx, "VACUUM ANALYZE "+c.table)
		return err
	}
	_, err := c.db.ExecContext(ctx, "ANALYZE TABLE "+c.table)
	return err
}

func (c *crowd) addToSQLite(ctx context.Context, first, last int, dead string) error {
	var data [2][]byte
	var expiry [2]float64
	for i, id := range templates {
		if err := c.db.QueryRowContext(ctx, "SELECT data, expiry FROM "+c.table+" WHERE token = ?", id).Scan(&data[i], &expiry[i]); err != nil {
			return err
		}
	}
	type one struct {
		id string
		n  int
	}
	all := make([]one, 0, last-first+1)
	for n := first; n <= last; n++ {
		all = append(all, one{crowdID(n), n})
	}
	slices.SortFunc(all, func(a, b one) int { return strings.Compare(a.id, b.id) })
	tx, err := c.db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback()
	insert, err := tx.PrepareContext(ctx, "INSERT INTO "+c.table+" (token, data, expiry, owner) VALUES (?, ?, ?, ?)")
	if err != nil {
		return err
	}
	for _, x := range all {
		i := 0
		if dead == everyOne || dead == everyOther && x.n%2 == 1 {
			i = 1
		}
		owner := []byte(crowdOwner(x.n))
		row := slices.Concat(data[i][:9], []byte(x.id), data[i][33:76], owner, data[i][84:])
		if _, err := insert.ExecContext(ctx, x.id, row, expiry[i]-float64(x.n*7919%3600)/86400, owner); err != nil {
			return err
		}
	}
	return tx.Commit()
}

// withDatabase runs f with a database that is taken away afterwards.
func withDatabase(m medium, f func(ctx context.Context, db *sql.DB, p place) error) error {
	p, err := find(m)
	if err != nil {
		return &missingError{err}
	}
	defer p.remove()
	db, err := sql.Open(sqlMedia[m].driver, p.dsn)
	if err != nil {
		return err
	}
	defer db.Close()
	db.SetMaxOpenConns(16)
	db.SetMaxIdleConns(16)
	return f(context.Background(), db, p)
}

// Who is dead, in SQL.
const (
	nobody     = "seq < 0"
	everyOther = "seq % 2 = 1"
	everyOne   = "seq >= 0"
)
