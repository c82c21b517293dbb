package sqlstore

import (
	"context"
	"database/sql"
	"fmt"
	"time"
)

// A transaction that raises a fence cannot write down when it is committed: it runs before that. A login that
// began in between, and has compared the old password, must not pass for one that began after the revocation.
// So the transaction leaves the time open. Who reads such a fence knows that it is committed by now, and
// writes that down: too late rather than too early.

// unsettled is the time of a fence of which only its transaction knows more.
const unsettled = -1

// settle makes f, if it is unsettled, one that was raised now. Whether that could be written down, too, changes
// nothing for this question: the next one does it.
func (s *Store) settle(ctx context.Context, owner string, f *fence) {
	if f.raised != unsettled {
		return
	}
	f.raised = f.now
	_, _ = s.writeSettled(ctx, owner, f.number)
}

// writeSettled answers an error while a transaction is open that has raised this fence.
func (s *Store) writeSettled(ctx context.Context, owner string, number int64) (int, error) {
	return s.exec(ctx, qSettle, append(append([]any{number}, s.now()...), s.d.bytesValue([]byte(owner)))...)
}

// freeFence is fence, of an owner whose fence no open transaction has raised. While one has, it asks again: a login
// waits for that, and nobody else, and nothing waits in the server. In SQLite nobody can write beside such a
// transaction, so there is nothing to wait for: what was written before it began, it has found.
func (s *Store) freeFence(ctx context.Context, owner string) (f fence, err error) {
	passing := func(err error) bool { return s.passing(err) || ended(err) }
	key := s.d.bytesValue([]byte(owner))
	err = s.repeat(ctx, patience, passing, func() error {
		f = fence{}
		start := time.Now()
		err := s.each(ctx, qFreeFence, append(s.now(), key), func(r *sql.Rows) error {
			return r.Scan(&f.now, &f.number, &f.raised)
		})
		f.took = time.Since(start)
		return err
	})
	s.gaveUpReading(ctx, err, qFreeFence, key)
	switch {
	case err == nil:
		s.settle(ctx, owner, &f)
	case s.d.kind(err) == locked && !s.d.inside:
		err = fmt.Errorf("a transaction is open that revokes this owner's sessions (RevokeTx), or has locked the row of this owner in table %s: %w", s.w.owners().table, err)
	}
	return f, err
}
