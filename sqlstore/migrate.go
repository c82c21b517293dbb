package sqlstore

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// lockPatience is how long Migrate, a sweep, a revocation wait for others to finish, where ctx sets no end.
const lockPatience = 30 * time.Second

// Migrate makes the table where there is none, and adds what the owner index needs: the column owner with
// its index, and the table of fences. It looks at the tables first. If they have another shape, it returns
// an error and changes nothing. It never removes what is there. Any number of processes may call it, at
// every start and at once. The first call enters the sessions that are there into the index, so ctx should
// allow for a scan of the table.
//
// Running processes go on meanwhile. No statement waits long for a lock on the table, because everybody else
// would wait behind it. While another connection holds a lock (a transaction that reads, a dump), Migrate
// tries again until ctx ends, or for 30 seconds if ctx has no deadline. Indexes are built while others use
// the table. Options.Logger gets each statement.
//
// Where the application may not alter tables, let somebody else run the statements of [Store.MigrationSQL].
// Migrate then only writes rows.
func (s *Store) Migrate(ctx context.Context) error {
	const op = "migrate"
	err := s.alter(ctx)
	if err == nil {
		err = s.enter(ctx)
	}
	if err != nil {
		return s.unmigrated(ctx, op, err)
	}
	return nil
}

func (s *Store) unmigrated(ctx context.Context, op string, err error) error {
	if other := s.otherKind(ctx, err); other != nil {
		return fmt.Errorf("sqlstore: %s: %w", op, other)
	}
	return s.failed(ctx, op, err)
}

// MigrationSQL returns the statements that Migrate would run on the tables as they are now, and runs none.
// It is for databases that somebody else alters. It returns none after Migrate, and after they were run. On
// PostgreSQL run those that say CONCURRENTLY outside a transaction.
func (s *Store) MigrationSQL(ctx context.Context) ([]string, error) {
	todo, err := s.plan(ctx, s.db)
	if err != nil {
		return nil, s.unmigrated(ctx, "migration SQL", err)
	}
	var all []string
	for _, st := range todo {
		for _, text := range st.sql {
			if st.online {
				text = s.d.online(text)
			}
			all = append(all, text)
		}
	}
	return all, nil
}

func (s *Store) alter(ctx context.Context) error {
	for range 50 { // more often than there are steps: other processes may be ahead of this one
		todo, err := s.plan(ctx, s.db)
		if err != nil {
			return err
		}
		if len(todo) == 0 {
			cols, err := s.columns(ctx, s.db, s.w)
			if err != nil {
				return err
			}
			return s.learn(ctx, s.db, cols)
		}
		if err := s.patiently(ctx, todo[0]); err != nil {
			if s.denied(err) {
				err = fmt.Errorf("%w: grant it, or have somebody run what MigrationSQL answers: %q", err, todo[0].sql)
			}
			return err
		}
	}
	return errors.New("the tables are not what they should be after each step was done: does somebody else alter them?")
}

// patiently does a step, again while others hold locks that it would have to wait for. The pauses grow, because
// each try holds up the others for a moment.
func (s *Store) patiently(ctx context.Context, st step) error {
	start, pause := time.Now(), 100*time.Millisecond
	var waits error
	for {
		err := s.exclusively(ctx, st)
		switch {
		case err == nil:
			return nil
		case ctx.Err() != nil:
			return errors.Join(waits, err)
		case err == errBusy:
			waits = err
			rest(ctx, 20*time.Millisecond)
			continue
		case !s.passing(err) && !ended(err):
			return err
		}
		waits = fmt.Errorf("another connection holds a lock on the table (an open transaction, or a dump), and %q waits for it: end that one, or run the statement yourself", st.sql)
		if _, ends := ctx.Deadline(); !ends && time.Since(start) > lockPatience {
			return fmt.Errorf("%w: %w", waits, err)
		}
		s.log.WarnContext(ctx, "sqlstore: migrate: locked by another session, will try again", "table", s.w.table, "step", st.what, "pause", pause, "error", discreet(err))
		rest(ctx, pause)
		pause = min(2*pause, 5*time.Second)
	}
}

// rest waits for d, or for the end of ctx.
func rest(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
	case <-t.C:
	}
}
