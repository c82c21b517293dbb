package sqlstore

import (
	"context"
	"database/sql"
	"slices"
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
}

// columns answers the columns of w's table by name: none, if there is no such table.
func (s *Store) columns(ctx context.Context, q querier, w writer) (map[string]column, error) {
	var cols map[string]column
	err := s.again(ctx, patience, func() error {
		cols = map[string]column{}
		return each(ctx, q, w.sql(s.d.columns), func(scan func(...any) error) error {
			var name string
			var c column
			err := scan(&name, &c.kind, &c.length)
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
}

type indexes []index

func (x indexes) leads(column string) bool {
	return slices.ContainsFunc(x, func(i index) bool { return i.first == column })
}

func (x indexes) unique(column string) bool {
	return slices.Contains(x, index{column, true, 1})
}

// indexes answers those of the table.
func (s *Store) indexes(ctx context.Context, q querier) (indexes, error) {
	var all indexes
	err := each(ctx, q, s.w.sql(s.d.indexes), func(scan func(...any) error) error {
		var i index
		var unique int
		err := scan(&i.first, &unique, &i.width)
		i.unique = unique == 1
		all = append(all, i)
		return err
	})
	return all, err
}

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
func number(ctx context.Context, q querier, text string) (n int64, err error) {
	err = q.QueryRowContext(ctx, text).Scan(&n)
	return n, err
}

// isOwner reports whether c is the column that Migrate adds, not somebody else's of the same name.
func (s *Store) isOwner(c column) bool {
	return c.kind == s.d.ownerType && (c.length == 0 || c.length >= maxOwner)
}

// isComplete reports whether Migrate has been completed, by any process.
func (s *Store) isComplete(ctx context.Context, q querier) (bool, error) {
	cols, err := s.columns(ctx, q, s.w.owners())
	if err != nil || len(cols) == 0 {
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
