package sqlstore

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"time"
)

// lockPatience is how long Migrate waits for another writer of SQLite to finish.
const lockPatience = 30 * time.Second

// Migrate makes the table where there is none, and adds what the owner index needs: column owner
// and its index, and the table of fences. What is there stays as it is, and any number of processes
// may call it at once, at every start or once. Sessions that were saved before are then entered in
// the index; ctx should allow for a scan of the table the first time.
//
// It holds the lock of ALTER TABLE for as long as the database takes to add a nullable column.
func (s *Store) Migrate(ctx context.Context) error {
	const op = "migrate"
	conn, err := s.db.Conn(ctx)
	if err != nil {
		return s.failed(ctx, op, err)
	}
	err = s.locked(ctx, conn, func() error { return s.alter(ctx, conn) })
	conn.Close() // the rest takes one when it needs one, and there may be no other
	if err == nil {
		err = s.enter(ctx)
	}
	if err != nil {
		return s.failed(ctx, op, err)
	}
	return nil
}

// locked runs f while no other process does, in a transaction where the dialect has them for DDL.
func (s *Store) locked(ctx context.Context, conn *sql.Conn, f func() error) (err error) {
	exec := func(ctx context.Context, text string) error {
		return s.again(ctx, lockPatience, func() error {
			_, err := conn.ExecContext(ctx, s.w.sql(text))
			return err
		})
	}
	if s.d.begin != "" {
		if err := exec(ctx, s.d.begin); err != nil {
			return err
		}
	}
	defer func() {
		end := s.d.commit
		if err != nil {
			end = s.d.cancel
		}
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
		defer cancel()
		if e := exec(ctx, end); e != nil {
			conn.Raw(func(any) error { return driver.ErrBadConn }) // not back into the pool with this
			err = errors.Join(err, e)
		}
	}()
	for locked := s.d.lock == ""; !locked; {
		var answer sql.NullInt64
		if err := conn.QueryRowContext(ctx, s.w.sql(s.d.lock)).Scan(&answer); err != nil {
			return err
		}
		if !answer.Valid {
			return errors.New("the server refuses the lock")
		}
		locked = answer.Int64 == 1
	}
	return f()
}

func (s *Store) alter(ctx context.Context, q querier) error {
	exec := func(text string) error {
		_, err := q.ExecContext(ctx, s.w.sql(text))
		return err
	}
	cols, err := s.columns(ctx, q, s.w)
	if err != nil {
		return err
	}
	if len(cols) == 0 {
		if err = exec(s.d.createTable); err != nil {
			return err
		}
		if cols, err = s.columns(ctx, q, s.w); err != nil {
			return err
		}
	}
	for _, w := range s.d.wants {
		if _, ok := cols[w.column]; !ok {
			return fmt.Errorf("table %s has no column %s: is it the table of sessions?", s.w.table, w.column)
		}
	}
	switch o, ok := cols["owner"]; {
	case !ok:
		if err = exec(s.d.addOwner); err != nil {
			return err
		}
	case !s.isOwner(o):
		return fmt.Errorf("table %s has a column owner of its own, of type %s: rename it", s.w.table, o.kind)
	}
	if err = exec(s.d.createOwners); err != nil {
		return err
	}
	found, err := s.indexes(ctx, q)
	if err != nil {
		return err
	}
	if !found.leads("expiry") {
		if err = exec(s.d.indexExpiry); err != nil {
			return err
		}
	}
	if !found.leads("owner") {
		if err = exec(s.d.indexOwner); err != nil {
			return err
		}
	}
	return s.learn(ctx, q, cols)
}

// enter puts into the owner index what was saved without it. Whoever still writes without it looks
// whether the column is there after every write, so what this scan does not meet has seen to itself.
func (s *Store) enter(ctx context.Context) error {
	s.owners.state.Store(present)
	done, err := s.isComplete(ctx, s.db)
	if err != nil || done {
		s.owners.complete.Store(done)
		return err
	}
	after := ""
	for {
		page, err := s.page(ctx, qUnfilled, after, []byte{format}, []byte("000"))
		if err != nil {
			return err
		}
		for _, x := range page {
			r, err := decode(x.token, x.data)
			if err == nil {
				err = s.fill(ctx, &r)
			}
			if err != nil && !errors.Is(err, errForeign) {
				return err
			}
		}
		if len(page) < batch {
			break
		}
		after = page[len(page)-1].token
	}
	err = s.again(ctx, lockPatience, func() error {
		_, err := s.db.ExecContext(ctx, s.w.sql(s.d.finish))
		return err
	})
	if err != nil && !s.taken(err) { // taken: another process was first
		return err
	}
	s.owners.complete.Store(true)
	return nil
}
