package sqlstore

import (
	"context"
	"database/sql"
	"sync/atomic"
)

// statements are prepared when first used and kept. database/sql prepares them again on each
// connection that has not seen them, so also after the server was restarted.
type statements struct {
	db        *sql.DB
	text      [queries]string
	kept      [queries]atomic.Pointer[sql.Stmt]
	noPrepare bool
}

// prepared answers the kept statement, or nil where none may be kept. No lock: two callers who
// both come first prepare twice, and none waits for another's exchange.
func (s *statements) prepared(ctx context.Context, q query) (*sql.Stmt, error) {
	if s.noPrepare {
		return nil, nil
	}
	if st := s.kept[q].Load(); st != nil {
		return st, nil
	}
	st, err := s.db.PrepareContext(ctx, s.text[q])
	if err != nil {
		return nil, err
	}
	if !s.kept[q].CompareAndSwap(nil, st) {
		st.Close()
		return s.prepared(ctx, q)
	}
	return st, nil
}

// exec answers how many rows q affected.
func (s *statements) exec(ctx context.Context, q query, args ...any) (int, error) {
	r, err := s.result(ctx, q, args...)
	return affected(ctx, r, err)
}

func (s *statements) result(ctx context.Context, q query, args ...any) (sql.Result, error) {
	st, err := s.prepared(ctx, q)
	if err != nil {
		return nil, err
	}
	if st != nil {
		return st.ExecContext(ctx, args...)
	}
	return s.db.ExecContext(ctx, s.text[q], args...)
}

// execIn is exec in a transaction.
func (s *statements) execIn(ctx context.Context, tx *sql.Tx, q query, args ...any) (int, error) {
	st, err := s.prepared(ctx, q)
	if err != nil {
		return 0, err
	}
	var r sql.Result
	if st != nil {
		r, err = tx.StmtContext(ctx, st).ExecContext(ctx, args...)
	} else {
		r, err = tx.ExecContext(ctx, s.text[q], args...)
	}
	return affected(ctx, r, err)
}

func affected(ctx context.Context, r sql.Result, err error) (int, error) {
	if err != nil {
		return 0, err
	}
	n, err := r.RowsAffected()
	if n == 0 && err == nil {
		err = ctx.Err() // a driver that was interrupted may answer nothing at all
	}
	return int(n), err
}

// one scans the only row of q, or answers sql.ErrNoRows.
func (s *statements) one(ctx context.Context, q query, dest any, args ...any) error {
	st, err := s.prepared(ctx, q)
	if err != nil {
		return err
	}
	if st != nil {
		err = st.QueryRowContext(ctx, args...).Scan(dest)
	} else {
		err = s.db.QueryRowContext(ctx, s.text[q], args...).Scan(dest)
	}
	if err == sql.ErrNoRows && ctx.Err() != nil {
		return ctx.Err()
	}
	return err
}

// A row is a key and what was asked of its data.
type row struct {
	token string
	data  []byte
}

// rows reads q to its end and lets go of the connection before it answers.
func (s *statements) rows(ctx context.Context, q query, args ...any) (all []row, err error) {
	err = s.each(ctx, q, args, func(r *sql.Rows) error {
		var x row
		err := r.Scan(&x.token, &x.data)
		all = append(all, x)
		return err
	})
	return all, err
}

// each has scan see every row of q.
func (s *statements) each(ctx context.Context, q query, args []any, scan func(*sql.Rows) error) error {
	st, err := s.prepared(ctx, q)
	if err != nil {
		return err
	}
	var r *sql.Rows
	if st != nil {
		r, err = st.QueryContext(ctx, args...)
	} else {
		r, err = s.db.QueryContext(ctx, s.text[q], args...)
	}
	if err != nil {
		return err
	}
	defer r.Close()
	for r.Next() {
		if err := scan(r); err != nil {
			return err
		}
	}
	if err := r.Err(); err != nil {
		return err
	}
	return ctx.Err()
}

func (s *statements) close() error {
	var first error
	for i := range s.kept {
		if st := s.kept[i].Swap(nil); st != nil {
			if err := st.Close(); err != nil && first == nil {
				first = err
			}
		}
	}
	return first
}
