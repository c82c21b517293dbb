package sqlstore

import (
	"context"
	"database/sql/driver"
	"errors"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gosojourn/sojourn"
)

var future = time.Date(2037, 1, 1, 0, 0, 0, 0, time.UTC)

// What the database refuses to those who share a statement, it says once: nobody asks again alone.
func TestF11_RefusedTogetherAskOnce(t *testing.T) {
	for _, c := range []struct {
		d   Dialect
		err error
	}{
		{MySQL, &mysqlError{1290}},
		{Postgres, &pgError{"25006"}},
		{SQLite, &moderncError{8}},
	} {
		for what, call := range map[string]func(ctx context.Context, s *Store, i int) error{
			"Update": func(ctx context.Context, s *Store, i int) error { return s.Update(ctx, someRecord(i), 77) },
			"Load": func(ctx context.Context, s *Store, i int) error {
				_, err := s.Load(ctx, someRecord(i).ID)
				return err
			},
		} {
			if what == "Load" && c.d == SQLite {
				continue // no load is shared there
			}
			synctest.Test(t, func(t *testing.T) {
				f := &fake{do: func(context.Context, string, []driver.NamedValue) (reply, error) {
					time.Sleep(time.Millisecond) // until all have come
					return reply{}, c.err
				}}
				s := f.store(t, c.d, 8)
				const callers = 16
				var wg sync.WaitGroup
				for i := range callers {
					wg.Go(func() {
						err := call(t.Context(), s, i)
						if !errors.Is(err, sojourn.ErrRefused) || !errors.Is(err, c.err) || !strings.Contains(err.Error(), c.err.Error()) {
							t.Errorf("%s %s: %v, want ErrRefused in the words of the database", c.d, what, err)
						}
					})
				}
				wg.Wait()
				// Each lane has one alone, and all who wait go together, in one more or, among lanes, two.
				if n, most := f.count(), usualLanes()+2; n > most {
					t.Errorf("%s %s: %d callers asked %d times, want at most %d", c.d, what, callers, n, most)
				}
			})
		}
	}
}

// A value that does not fit is refused to the one who has it, not to those beside.
func TestF11_UnfitIsRefusedToOne(t *testing.T) {
	for d, unfit := range map[Dialect]error{MySQL: &mysqlError{4025}, Postgres: &pgError{"23514"}, SQLite: &moderncError{19}} {
		synctest.Test(t, func(t *testing.T) {
			bad := someRecord(3)
			f := &fake{}
			f.do = func(_ context.Context, query string, args []driver.NamedValue) (reply, error) {
				time.Sleep(time.Millisecond)
				for _, a := range args {
					if a.Value == bad.ID {
						return reply{}, unfit
					}
				}
				if strings.Contains(query, "RETURNING") {
					return reply{}, errors.New("the test has no one to share with")
				}
				return reply{affected: 1}, nil
			}
			s := f.store(t, d, 8)
			var wg sync.WaitGroup
			for i := range usualLanes() + 4 {
				wg.Go(func() {
					time.Sleep(time.Duration(i)) // the lanes are taken by those of other numbers
					n := (i + 4) % (usualLanes() + 4)
					err := s.Update(t.Context(), someRecord(n), 77)
					if n == 3 && !errors.Is(err, sojourn.ErrRefused) || n != 3 && err != nil {
						t.Errorf("%s: session %d: %v", d, n, err)
					}
				})
			}
			wg.Wait()
		})
	}
}

func TestF11_OutOfRangeIsRefused(t *testing.T) {
	s := (&fake{}).store(t, MySQL, 1)
	for what, change := range map[string]func(*sojourn.Record){
		"ID":      func(r *sojourn.Record) { r.ID = "x" },
		"Version": func(r *sojourn.Record) { r.Version = 1 << 48 },
		"Owner":   func(r *sojourn.Record) { r.Owner = strings.Repeat("x", 256) },
		"Expiry":  func(r *sojourn.Record) { r.Expiry = future.AddDate(100, 0, 0) },
		"Seen":    func(r *sojourn.Record) { r.Seen = future.AddDate(10000, 0, 0) },
	} {
		r := someRecord(0)
		change(&r)
		if err := s.Create(t.Context(), r); !errors.Is(err, sojourn.ErrRefused) || !strings.Contains(err.Error(), what) {
			t.Errorf("%s: %v, want ErrRefused that names it", what, err)
		}
	}
}
