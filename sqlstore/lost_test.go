package sqlstore

import (
	"context"
	"database/sql/driver"
	"errors"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gosojourn/sojourn"
)

// losses are what a database answers to the one of two that it gives up. Nothing was applied.
var losses = map[string]struct {
	d   Dialect
	err error
}{
	"serialization failure": {Postgres, &pgError{"40001"}},
	"deadlock, PostgreSQL":  {Postgres, &pgError{"40P01"}},
	"deadlock, MySQL":       {MySQL, &mysqlError{1213}},
	"snapshot, MariaDB":     {MySQL, &mysqlError{1020}},
}

var writes = map[string]func(ctx context.Context, s *Store) error{
	"Create": func(ctx context.Context, s *Store) error { return s.Create(ctx, someRecord(1)) },
	"Update": func(ctx context.Context, s *Store) error { return s.Update(ctx, someRecord(1), 77) },
	"Touch":  func(ctx context.Context, s *Store) error { return s.Touch(ctx, someRecord(1)) },
	"Delete": func(ctx context.Context, s *Store) error { return s.Delete(ctx, someRecord(1).ID, 77) },
}

// losing is a store whose first statements that run fail, so many times.
func losing(t *testing.T, d Dialect, err error, times int64) *Store {
	var lost atomic.Int64
	f := &fake{do: func(context.Context, string, []driver.NamedValue) (reply, error) {
		if lost.Add(1) <= times {
			return reply{}, err
		}
		return reply{affected: 1}, nil
	}}
	return f.store(t, d, 8)
}

// Who has lost against a stranger has not found the id taken, nor the session changed.
func TestALostRaceIsNoAnswer(t *testing.T) {
	for name, c := range losses {
		for op, write := range writes {
			synctest.Test(t, func(t *testing.T) {
				if err := write(t.Context(), losing(t, c.d, c.err, 5)); err != nil {
					t.Errorf("%s, %s: %v, want nil", name, op, err)
				}
			})
		}
	}
}

// It is tried for a second, or for as long as the context lasts, whose end settles nothing.
func TestALostRaceEndsSomeTime(t *testing.T) {
	for name, c := range losses {
		for op, write := range writes {
			synctest.Test(t, func(t *testing.T) {
				s := losing(t, c.d, c.err, 1<<60)
				began := time.Now()
				if err := write(t.Context(), s); err != sojourn.ErrConflict {
					t.Errorf("%s, %s without a deadline: %v, want ErrConflict", name, op, err)
				}
				if took := time.Since(began); took < patience || took > 2*patience {
					t.Errorf("%s, %s without a deadline was given up after %v", name, op, took)
				}
				ctx, cancel := context.WithTimeout(t.Context(), 3*patience)
				defer cancel()
				if err := write(ctx, s); !errors.Is(err, context.DeadlineExceeded) || errors.Is(err, sojourn.ErrConflict) || !errors.Is(err, c.err) {
					t.Errorf("%s, %s with a deadline: %v, want DeadlineExceeded and why", name, op, err)
				}
			})
		}
	}
}
