package sqlstore

import (
	"context"
	"database/sql"
	"slices"
	"strings"
)

// A querier is a *sql.DB or one connection of it.
type querier interface {
	ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error)
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
}

type column struct {
	kind   string
	length int64 // 0: none, or none that matters
	needed bool  // a row must be given a value: there is no default, and no NULL
}

// zero is a default that column may have.
func (c column) zero() string {
	switch {
	case strings.Contains(c.kind, "int"), strings.Contains(c.kind, "dec"), c.kind == "float", c.kind == "double", c.kind == "bit":
		return "0"
	case strings.Contains(c.kind, "time"):
		return "CURRENT_TIMESTAMP"
	}
	return "''"
}

// columns answers the columns of w's table by name: none, if there is no such table.
func (s *Store) columns(ctx context.Context, q querier, w writer) (map[string]column, error) {
	var cols map[string]column
	err := s.again(ctx, patience, func() error {
		cols = map[string]column{}
		return each(ctx, q, w.sql(s.d.columns), func(scan func(...any) error) error {
			var name string
			var c column
			var needed int
			err := scan(&name, &c.kind, &c.length, &needed)
			c.needed = needed == 1
			cols[name] = c
			return err
		})
	})
	return cols, err
}

type index struct {
	first  string // column
	unique bool
	width  int // columns
	name   string
	broken bool // its building was given up, nobody uses it
}

type indexes []index

func (x indexes) leads(column string) bool {
	return slices.ContainsFunc(x, func(i index) bool { return i.first == column && !i.broken })
}

func (x indexes) unique(column string) bool {
	return slices.ContainsFunc(x, func(i index) bool { return i.first == column && i.unique && i.width == 1 && !i.broken })
}

// indexes answers those of w's table.
func (s *Store) indexes(ctx context.Context, q querier, w writer) (indexes, error) {
	var all indexes
	err := each(ctx, q, w.sql(s.d.indexes), func(scan func(...any) error) error {
		var i index
		var unique, broken int
		err := scan(&i.first, &unique, &i.width, &i.name, &broken)
		i.unique, i.broken = unique == 1, broken == 1
		all = append(all, i)
		return err
	})
	return all, err
}

// shape answers what w's table is: "" for a table, "partitioned" for one in parts, or something that is none.
func (s *Store) shape(ctx context.Context, q querier, w writer) (shape string, err error) {
	err = q.QueryRowContext(ctx, w.sql(s.d.shape)).Scan(&shape)
	return shape, err
}

// partitioned is the shape of a table in parts, whose indexes PostgreSQL does not build beside the traffic.
const partitioned = "partitioned"

// each calls f for every row.
func each(ctx context.Context, q querier, text string, f func(scan func(...any) error) error) error {
	rows, err := q.QueryContext(ctx, text)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		if err := f(rows.Scan); err != nil {
			return err
		}
	}
	return rows.Err()
}

// number asks for one.
func number(ctx context.Context, q querier, text string, args ...any) (n int64, err error) {
	err = q.QueryRowContext(ctx, text, args...).Scan(&n)
	return n, err
}

// isOwner reports whether c is the column that Migrate adds, not somebody else's of the same name.
func (s *Store) isOwner(c column) bool {
	return c.kind == s.d.ownerType && (c.length == 0 || c.length >= maxOwner)
}

// isComplete reports whether Migrate has been completed, by any process.
func (s *Store) isComplete(ctx context.Context, q querier) (bool, error) {
	cols, err := s.columns(ctx, q, s.w.owners())
	if _, timed := cols["raised"]; err != nil || !timed {
		return false, err
	}
	n, err := number(ctx, q, s.w.sql(s.d.finished))
	return n == 1, err
}

// learn notes how much column data holds, where that depends on its type.
func (s *Store) learn(ctx context.Context, q querier, cols map[string]column) error {
	room := cols["data"].length
	if room == 0 {
		return nil
	}
	packet, err := number(ctx, q, s.w.sql(s.d.packet))
	if err != nil {
		return err
	}
	s.room.Store(min(room, 1<<24-1, (packet-4096)/2))
	return nil
}
