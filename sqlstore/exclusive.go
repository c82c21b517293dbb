package sqlstore

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"slices"
	"strconv"
	"time"
)

// exclusively does a step while no other process does one, if it is still to be done then.
func (s *Store) exclusively(ctx context.Context, st step) error {
	conn, err := s.db.Conn(ctx)
	if err != nil {
		return err
	}
	defer conn.Close()
	return s.locking(ctx, conn, func() error {
		todo, err := s.plan(ctx, conn)
		if err != nil || !slices.ContainsFunc(todo, st.equal) {
			return err
		}
		if st.online && s.d.apart && s.db.Stats().MaxOpenConnections != 1 {
			// The answer of the last query holds a snapshot until another statement takes its place, and the
			// building of an index waits for every snapshot.
			if _, err := conn.ExecContext(ctx, s.d.brief); err != nil {
				return err
			}
			return s.run(ctx, s.db, st, true)
		}
		return s.run(ctx, conn, st, st.online && !s.d.apart)
	})
}

// run runs the statements of a step.
func (s *Store) run(ctx context.Context, q querier, st step, online bool) error {
	for _, text := range st.sql {
		if online {
			text = s.d.online(text)
		}
		start := time.Now()
		s.log.InfoContext(ctx, "sqlstore: migrate: "+st.what, "table", s.w.table, "sql", text)
		err := s.queueBriefly(ctx, q, text)
		if online && notOnline(err) {
			s.log.WarnContext(ctx, "sqlstore: migrate: not beside the traffic: this engine cannot", "table", s.w.table, "sql", text, "error", err)
			return s.run(ctx, q, st, false)
		}
		if err != nil {
			return err
		}
		s.log.InfoContext(ctx, "sqlstore: migrate: done", "table", s.w.table, "step", st.what, "took", time.Since(start).Round(time.Millisecond))
	}
	return nil
}

// queueing is for how long an ALTER may wait for a lock of the table while everybody waits behind it.
const queueing = 50 * time.Millisecond

// queueBriefly executes text on q. MySQL waits for a lock in whole seconds, so another connection of the pool, if there is
// one, looks, and ends the statement when it has waited for longer than queueing. That is told as a passing error.
func (s *Store) queueBriefly(ctx context.Context, q querier, text string) error {
	if s.d.queues == "" || s.db.Stats().MaxOpenConnections == 1 {
		_, err := q.ExecContext(ctx, text)
		return err
	}
	id, err := number(ctx, q, s.d.self)
	if err != nil {
		return err
	}
	watching, stop := context.WithCancel(ctx)
	done := make(chan struct{})
	go func() {
		defer close(done)
		s.endQueueing(watching, id)
	}()
	_, err = q.ExecContext(ctx, text)
	stop()
	<-done
	return err
}

// endQueueing looks until ctx ends whether connection id waits for a lock of a table.
func (s *Store) endQueueing(ctx context.Context, id int64) {
	conn, err := s.db.Conn(ctx)
	if err != nil {
		return // the server gives it a second
	}
	defer conn.Close()
	var since time.Time
	for ctx.Err() == nil {
		n, err := number(ctx, conn, s.d.queues, id)
		switch {
		case err != nil:
			return
		case n == 0:
			since = time.Time{}
		case since.IsZero():
			since = time.Now()
		case time.Since(since) >= queueing:
			conn.ExecContext(ctx, s.d.end+strconv.FormatInt(id, 10))
			since = time.Time{}
		}
		rest(ctx, queueing/2)
	}
}

// notOnline reports ER_ALTER_OPERATION_NOT_SUPPORTED, with a reason or without: a table of MyISAM, say.
func notOnline(err error) bool {
	n := mysqlNumber(err)
	return n == 1845 || n == 1846
}

// locking runs f while no other process does, in a transaction where the dialect has them for DDL, in which
// no statement waits long for a lock.
func (s *Store) locking(ctx context.Context, conn *sql.Conn, f func() error) (err error) {
	exec := func(ctx context.Context, text string) error {
		if text == "" {
			return nil
		}
		return s.again(ctx, lockPatience, func() error {
			_, err := conn.ExecContext(ctx, s.w.sql(text))
			return err
		})
	}
	if err := exec(ctx, s.d.begin); err != nil {
		return err
	}
	defer func() {
		end := s.d.commit
		if err != nil {
			end = s.d.cancel
		}
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
		defer cancel()
		e := exec(ctx, end)
		if e != nil || s.d.brief != "" && s.d.begin == "" {
			conn.Raw(func(any) error { return driver.ErrBadConn }) // not back into the pool with what was set here
		}
		if e != nil {
			err = errors.Join(err, e)
		}
	}()
	if err := s.obtain(ctx, conn); err != nil {
		return err
	}
	if err := exec(ctx, s.d.brief); err != nil {
		return err
	}
	return f()
}

// errBusy: another process migrates.
var errBusy = errors.New("another process migrates these tables")

// obtain gets the lock that processes which migrate keep each other out with. It does not wait within the
// transaction: whoever builds an index waits for the end of it.
func (s *Store) obtain(ctx context.Context, conn *sql.Conn) error {
	if s.d.lock == "" {
		return nil
	}
	var answer sql.NullInt64
	switch err := conn.QueryRowContext(ctx, s.w.sql(s.d.lock)).Scan(&answer); {
	case err != nil:
		return err
	case !answer.Valid:
		return errors.New("the server refuses the lock")
	case answer.Int64 != 1:
		return errBusy
	}
	return nil
}
