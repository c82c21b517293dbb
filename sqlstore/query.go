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
	text      [queries][]wording
	wording   atomic.Int32 // the one that the server understands, or an earlier one
	kept      [queries]atomic.Pointer[sql.Stmt]
	noPrepare bool
	underway  atomic.Int32 // statements that wait for a connection or for their answer
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
	st, err := s.db.PrepareContext(ctx, s.words(q).sql)
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
	s.underway.Add(1)
	defer s.underway.Add(-1)
	for {
		now := s.wording.Load()
		r, err := s.resultNow(ctx, q, args)
		if !s.reworded(q, now, err) {
			return r, err
		}
	}
}

// reworded reports that there are other words for what the server has not understood. It has done nothing.
func (s *statements) reworded(q query, now int32, err error) bool {
	if err == nil || int(now)+1 >= len(s.text[q]) || mysqlKind(err) != syntax {
		return false
	}
	s.wording.CompareAndSwap(now, now+1)
	return true
}

func (s *statements) resultNow(ctx context.Context, q query, args []any) (r sql.Result, err error) {
	w := s.words(q)
	args = w.order(args)
	given, sent := s.watched(args)
	defer func() { err = sent.judge(ctx, err) }()
	st, err := s.prepared(ctx, q)
	if err == nil && st != nil {
		r, err = st.ExecContext(ctx, given...)
	} else if err == nil {
		r, err = s.db.ExecContext(ctx, w.sql, given...)
	}
	if noRoom(err) {
		if text, ok := spelled(w.sql, args); ok {
			return s.db.ExecContext(ctx, text)
		}
	}
	return r, err
}

// words answers q as the server understands it, as far as that is known.
func (s *statements) words(q query) wording {
	return s.text[q][min(int(s.wording.Load()), len(s.text[q])-1)]
}

// waits reports whether the server may hold up a statement for another's lock: MariaDB may not.
func (s *statements) waits() bool { return s.wording.Load() > 0 }

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
		r, err = tx.ExecContext(ctx, s.words(q).sql, args...)
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

// only scans the only row of q, or answers sql.ErrNoRows.
func (s *statements) only(ctx context.Context, q query, dest []any, args ...any) error {
	s.underway.Add(1)
	defer s.underway.Add(-1)
	st, err := s.prepared(ctx, q)
	if err == nil && st != nil {
		err = st.QueryRowContext(ctx, args...).Scan(dest...)
	} else if err == nil {
		err = s.db.QueryRowContext(ctx, s.words(q).sql, args...).Scan(dest...)
	}
	if noRoom(err) {
		if text, ok := spelled(s.words(q).sql, args); ok {
			err = s.db.QueryRowContext(ctx, text).Scan(dest...)
		}
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

func (s *statements) query(ctx context.Context, q query, args []any) (*sql.Rows, error) {
	for {
		now := s.wording.Load()
		r, err := s.queryNow(ctx, q, args)
		if !s.reworded(q, now, err) {
			return r, err
		}
	}
}

func (s *statements) queryNow(ctx context.Context, q query, args []any) (r *sql.Rows, err error) {
	st, err := s.prepared(ctx, q)
	if err == nil && st != nil {
		r, err = st.QueryContext(ctx, args...)
	} else if err == nil {
		r, err = s.db.QueryContext(ctx, s.words(q).sql, args...)
	}
	if noRoom(err) {
		if text, ok := spelled(s.words(q).sql, args); ok {
			return s.db.QueryContext(ctx, text)
		}
	}
	return r, err
}

// each has scan see every row of q.
func (s *statements) each(ctx context.Context, q query, args []any, scan func(*sql.Rows) error) error {
	s.underway.Add(1)
	defer s.underway.Add(-1)
	r, err := s.query(ctx, q, args)
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
