package sqlstore

import (
	"context"
	"database/sql"
	"fmt"
	"strings"
	"sync/atomic"
	"time"
)

// A transaction of another database may find tables of sessions there, too, end nobody's sessions in them, and answer
// success. So RevokeTx compares the names of the databases. It compares no servers: two members of a cluster are one database.

// place is the database of the store's own connections, once it is known.
type place struct{ name atomic.Pointer[string] }

// besidePatience is how long RevokeTx waits for a connection of the store's own pool. The application's transaction keeps one
// meanwhile, perhaps of the same pool: if all who wait have one, nobody gets another.
const besidePatience = 3 * time.Second

// standing answers the level of isolation on a connection, where it matters, and the database.
func (s *Store) standing(ctx context.Context, q interface {
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
}) (level, place string, err error) {
	err = q.QueryRowContext(ctx, s.w.sql(s.d.standing)).Scan(&level, &place)
	return level, place, err
}

// learnPlace asks once.
func (s *Store) learnPlace(ctx context.Context) (string, error) {
	if known := s.place.name.Load(); known != nil {
		return *known, nil
	}
	_, name, err := s.standing(ctx, s.db)
	if err == nil {
		s.place.name.Store(&name)
	}
	return name, err
}

// fits answers an error for a transaction of another database, and for one whose DELETE would not see what others
// have committed since it began.
func (s *Store) fits(ctx context.Context, tx *sql.Tx) error {
	level, theirs, err := s.standing(ctx, tx)
	if err != nil {
		return err
	}
	if s.d.unseen && level != "read committed" && level != "read uncommitted" {
		return fmt.Errorf("the transaction is %s, and would not see the sessions of logins since it began: begin it with sql.LevelReadCommitted", strings.ToUpper(level))
	}
	var ours string
	if err := s.aside(ctx, "to learn which database keeps the sessions (Check at the start does it, too)", func(ctx context.Context) (err error) {
		ours, err = s.learnPlace(ctx)
		return err
	}); err != nil {
		return err
	}
	if theirs != ours {
		return fmt.Errorf("%w: it is of %q, and they are in %q", errElsewhere, theirs, ours)
	}
	return nil
}

// aside runs f, which wants a connection beside that of the transaction, and does not wait for it to the end of ctx.
func (s *Store) aside(ctx context.Context, what string, f func(ctx context.Context) error) error {
	short, cancel := context.WithTimeout(ctx, besidePatience)
	defer cancel()
	err := f(short)
	if err != nil && short.Err() != nil && ctx.Err() == nil {
		return fmt.Errorf("a connection beside the transaction's was not had within %s, %s: "+
			"let the pool have more connections than transactions are open at once: %w", besidePatience, what, err)
	}
	return err
}
