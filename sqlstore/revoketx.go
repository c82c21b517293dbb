package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"

	fences "github.com/gosojourn/sojourn/internal/fence"
)

// RevokeTx is [Store.RevokeOwner] as a part of tx, a transaction of the application's. A new password, say, and the end of
// all sessions of its owner are committed together, or neither is. Until then the sessions live. A login that is under
// way, in whatever process, does not survive the commit: it waits for the end of tx within Config.StoreTimeout,
// and is refused then, or told that the store could not answer. Nobody else waits, except on SQLite, where whoever
// writes waits for tx.
//
// tx must be of the database that keeps the sessions; it may be of another pool. The names of both databases are
// compared (on SQLite their files), and a tx of another one is an error. Give it ctx of the request: then
// this request may log owner in again after the commit, and a later login is never taken for an earlier one.
// Outside a request call [Store.Fence] after the commit; without that the owner's next login is refused once, with
// sojourn.ErrEnded.
//
// On PostgreSQL an owner who was never revoked takes a second connection for a moment, of the store's own pool. If
// there is none within 3 seconds, that is an error: give the sessions a [sql.DB] of their own, or this one more
// connections than such transactions are open at once. There tx must be READ COMMITTED, its default. Under a stricter level it would not see the sessions that were
// written after it had begun, so that is an error. On MySQL ask for [sql.LevelReadCommitted]: its
// default also locks gaps of the index, and logins of the owners next to this one wait until tx is over. On SQLite
// let tx begin as a writer (BEGIN IMMEDIATE), and call nothing of the manager while it is open.
//
// After an error roll tx back. The error is [errors.ErrUnsupported] before [Store.Migrate]; [sql.ErrTxDone] if tx is over;
// the driver's own, wrapped, if the database has chosen tx to lose against another transaction.
func (s *Store) RevokeTx(ctx context.Context, tx *sql.Tx, owner string) error {
	return s.RevokeOthersTx(ctx, tx, owner, "")
}

// RevokeOthersTx is [Store.RevokeTx], but the session with id keep stays: that of the person who changes the password,
// Info(ctx).ID. "" keeps none.
func (s *Store) RevokeOthersTx(ctx context.Context, tx *sql.Tx, owner, keep string) error {
	const op = "revoke in a transaction"
	if tx == nil {
		return fmt.Errorf("sqlstore: %s: tx is nil: begin one in the database that keeps the sessions", op)
	}
	if err := askable(op, owner); err != nil {
		return err
	}
	number, err := s.revokeIn(ctx, tx, owner, keep)
	switch {
	case err == errNotIndexed:
		return unindexed(op)
	case s.d.kind(err) == missing:
		err = fmt.Errorf("the transaction must be of the database that keeps the sessions: %w", err)
	}
	if err != nil {
		return s.failed(ctx, op, err)
	}
	if r := fences.RequestOf(ctx); r != nil {
		r.Raised(owner, uint64(number), func(ctx context.Context) bool {
			_, err := s.writeSettled(ctx, owner, number)
			return err == nil
		})
	}
	return nil
}

var (
	errNotIndexed = errors.New("there is no owner index")
	errElsewhere  = errors.New("the transaction is of another database than the sessions")
)

// revokeIn raises the fence first. From then on the row is locked, and a login that has not found it free before is
// refused; a session that was written by one that has is met by the DELETE, which begins later. (On SQLite nobody
// else writes from then on.) So the order, and that the DELETE sees what was committed when it begins, are what
// counts. It answers what the fence was raised to.
//
// Each statement waits for locks as any other of the transaction: the database sees a deadlock then, and names a
// victim. After an error nothing more is done, because MySQL may have rolled back all that came before.
func (s *Store) revokeIn(ctx context.Context, tx *sql.Tx, owner, keep string) (number int64, err error) {
	if err := s.fits(ctx, tx); err != nil {
		return 0, err
	}
	if err := s.indexedIn(ctx, tx); err != nil {
		return 0, err
	}
	key := s.d.bytesValue([]byte(owner))
	if err := s.raiseIn(ctx, tx, owner, key); err != nil {
		return 0, err
	}
	text, err := s.endOwnedIn(ctx, tx)
	if err != nil {
		return 0, err
	}
	length := fmt.Sprintf("%03d", len(owner))
	if _, err := s.execTx(ctx, tx, text, key, keep, []byte{format}, []byte(length), len(owner), key); err != nil {
		return 0, err
	}
	return number, tx.QueryRowContext(ctx, s.w.sql("SELECT fence FROM {owners} WHERE owner = {bytes}"), key).Scan(&number)
}

// indexedIn answers errNotIndexed unless Migrate has been completed. It takes no second connection: tx may have the
// pool's only one.
func (s *Store) indexedIn(ctx context.Context, tx *sql.Tx) error {
	if s.owners.complete.Load() {
		return nil
	}
	cols, err := s.columns(ctx, tx, s.w)
	if err != nil {
		return err
	}
	if !s.isOwner(cols["owner"]) {
		return errNotIndexed
	}
	if done, err := s.isComplete(ctx, tx); err != nil {
		return err
	} else if !done {
		return errNotIndexed
	}
	return nil
}

// raiseIn raises the fence of owner, which is locked then until tx is over.
func (s *Store) raiseIn(ctx context.Context, tx *sql.Tx, owner string, key any) error {
	args := []any{key}
	if !s.d.unseen {
		args = append(args, s.now()...)
	}
	for range 3 { // Sweep may take away again what makeRoom has made
		n, err := s.execTx(ctx, tx, s.w.sql(s.d.raise), args...)
		if err != nil || n > 0 {
			return err
		}
		if err := s.makeRoom(ctx, owner); err != nil {
			return err
		}
	}
	return errElsewhere
}

// makeRoom makes the row of a fence that was never raised, outside the transaction: PostgreSQL does not show
// anybody a row that is not committed, so a login would find nothing that it must wait for.
func (s *Store) makeRoom(ctx context.Context, owner string) error {
	return s.aside(ctx, "to make the row of an owner who was never revoked", func(ctx context.Context) error {
		return s.again(ctx, patience, func() error {
			_, err := s.exec(ctx, qFirstFence, append([]any{s.d.bytesValue([]byte(owner)), 0}, s.now()...)...)
			return err
		})
	})
}

// endOwned is a condition. The owner in the header counts, and the column finds it; a row in a later format goes, too.
const endOwned = `owner = {bytes} AND token <> ? AND ({format} <> {ascii} OR {length} = {ascii} AND {named} = {bytes})`

// endOwnedIn names the index, where the text wants it.
func (s *Store) endOwnedIn(ctx context.Context, tx *sql.Tx) (string, error) {
	text := s.w.sql(s.d.endOwned)
	if !strings.Contains(text, "{default}") {
		return text, nil
	}
	found, err := s.indexes(ctx, tx, s.w)
	if err != nil {
		return "", err
	}
	for _, x := range found {
		if x.first == "owner" && !x.broken {
			return strings.Replace(text, "{default}", s.d.quoted("", x.name), 1), nil
		}
	}
	return "", errNotIndexed
}

// execTx has a statement end in the server, too, that the driver has given up: else it would keep what tx has
// locked for as long as it waits for a lock there.
func (s *Store) execTx(ctx context.Context, tx *sql.Tx, text string, args ...any) (int, error) {
	mark := ""
	if s.d.running != "" {
		mark = "/* sojourn " + strconv.FormatUint(rand.Uint64(), 36) + " */"
		text += " " + mark
	}
	r, err := tx.ExecContext(ctx, text, args...)
	if mark != "" {
		s.abandon(ctx, err, mark)
	}
	return affected(ctx, r, err)
}
