package sqlstore

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/gosojourn/sojourn"
)

// patience is how long a statement is tried again that lost against others without having done
// anything, where ctx sets no end to it.
const patience = time.Second

// again runs f until it answers something other than a passing failure, or its time is over. No statement
// waits for a lock inside the server: one that was given up would wait on, and then write.
func (s *Store) again(ctx context.Context, limit time.Duration, f func() error) error {
	return s.repeat(ctx, limit, s.unsent, f)
}

// repeat runs f while its error may pass, until ctx ends, or limit is over where that has no end. Why it had
// to be repeated is told if ctx ends while it runs.
func (s *Store) repeat(ctx context.Context, limit time.Duration, passing func(error) bool, f func() error) error {
	start, last := time.Now(), error(nil)
	for pause := time.Millisecond; ; pause = min(2*pause, 50*time.Millisecond) {
		err := f()
		if err != nil && last != nil && !passing(err) && ctx.Err() != nil {
			return fmt.Errorf("%w, and before that: %w", err, last)
		}
		if err == nil || !passing(err) {
			return err
		}
		last = err
		if _, ends := ctx.Deadline(); !ends && time.Since(start) > limit {
			return err
		}
		t := time.NewTimer(pause/2 + rand.N(pause/2))
		select {
		case <-ctx.Done():
			t.Stop()
			return err
		case <-t.C:
			s.repeats.Add(1)
		}
	}
}

// passing reports that nothing was applied, and that another try may do.
func (s *Store) passing(err error) bool {
	k := s.d.kind(err)
	return k == lost || k == locked
}

// unsent is passing, or a bad connection, on which nothing has been sent: where many statements are given up at once,
// whoever is next may meet more closed ones than package sql passes by. In the end that is an outage and no conflict.
func (s *Store) unsent(err error) bool { return s.passing(err) || errors.Is(err, driver.ErrBadConn) }

// taken reports that an INSERT found its key there.
func (s *Store) taken(err error) bool { return s.d.kind(err) == taken }

// failed wraps what went wrong in op. It never is ErrNotFound or ErrConflict.
func (s *Store) failed(ctx context.Context, op string, err error) error {
	switch s.d.kind(err) {
	case missing:
		s.owners.forget()
		return fmt.Errorf("sqlstore: %s: table %s, or a column of it, is missing: call (*sqlstore.Store).Migrate once, "+
			"or correct Options.Table or the database that the DSN names: %w", op, s.w.table, err)
	case refused, unfit:
		return fmt.Errorf("sqlstore: %s: %w: %w", op, sojourn.ErrRefused, discreet(err))
	}
	if e := ctx.Err(); e != nil && !errors.Is(err, e) {
		err = fmt.Errorf("%w: %w", e, err)
	}
	if (errors.Is(err, context.DeadlineExceeded) || errors.Is(err, context.Canceled)) && !s.passing(err) {
		err = s.crowded(err)
	}
	if noRoom(err) {
		return fmt.Errorf("sqlstore: %s: the server takes no more prepared statements from any client: SET GLOBAL max_prepared_stmt_count to more, "+
			"find out who prepares statements and does not close them (SHOW GLOBAL STATUS LIKE 'Prepared_stmt_count'), or set Options.NoPrepare and interpolateParams=true in the DSN: %w", op, err)
	}
	if behindPooler(err) {
		return fmt.Errorf("sqlstore: %s: the pooler seems to hand out a connection for one transaction only: set Options.NoPrepare, "+
			"and with pgx add default_query_exec_mode=exec to the DSN, because the driver prepares statements by itself: %w", op, err)
	}
	return fmt.Errorf("sqlstore: %s: %w", op, discreet(err))
}

// behindPooler reports that a prepared statement is on another connection than it was made on.
func behindPooler(err error) bool {
	switch sqlState(err) {
	case "26000", "42P05": // invalid_sql_statement_name, duplicate_prepared_statement
		return true
	}
	return false
}

// cause is the server's own error.
func cause(err error) error {
	var e interface {
		error
		SQLState() string
	}
	if errors.As(err, &e) {
		return e
	}
	return err
}

// crowded tells who has waited in vain for a connection, and what he can do. A context that ends does not
// say what it was that took so long, but a pool without a free connection does.
func (s *Store) crowded(err error) error {
	if p := s.db.Stats(); p.MaxOpenConnections > 0 && p.InUse >= p.MaxOpenConnections {
		return fmt.Errorf("%w: all %d connections are in use, by the application too, and %d more statements of sessions wait or run: "+
			"give the sessions a *sql.DB of their own, or load before the transaction", err, p.MaxOpenConnections, s.underway.Load())
	}
	return err
}

// discreet hides the text of errors that quote values. errors.As finds the driver's error still.
func discreet(err error) error {
	switch n := mysqlNumber(err); n {
	case 1062, // ER_DUP_ENTRY
		1064, // ER_PARSE_ERROR
		1292, // ER_TRUNCATED_WRONG_VALUE
		1366, // ER_TRUNCATED_WRONG_VALUE_FOR_FIELD
		1644, // ER_SIGNAL_EXCEPTION
		3819, // ER_CHECK_CONSTRAINT_VIOLATED
		4025: // ER_CONSTRAINT_FAILED
		return &discreetError{fmt.Sprintf("Error %d of the server, whose text quotes values; Check may know more", n), err}
	}
	if state := sqlState(err); len(state) == 5 && (state[:2] == "22" || state[:2] == "23" || state[:2] == "P0") {
		return &discreetError{"SQLSTATE " + state + " of the server, whose text may quote values; Check may know more", err}
	}
	return err
}

type discreetError struct {
	text string
	err  error
}

func (e *discreetError) Error() string { return e.text }
func (e *discreetError) Unwrap() error { return e.err }
