package integration

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/gosojourn/sojourn"
	"github.com/gosojourn/sojourn/sqlstore"
)

// A pool of one, and a stranger holds the gap in which the first fence of an owner goes. What is given up then is
// ended in the server, by that one connection, and raises no fence later.
func TestF15_ARevocationGivenUpIsNotDoneLater(t *testing.T) {
	p := onMySQL(t, nil, mysqlTable)
	db := p.open(t)
	db.SetMaxOpenConns(1)
	s := newStore(t, db, p.dialect, sqlstore.Options{})
	migrate(t, s)
	kept := create(t, s, newRecord("ann"))
	release := lockedBy(t, p, "BEGIN", "SELECT * FROM sessions_owners FOR UPDATE")
	defer release()
	for range 3 {
		ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
		_, err := s.RevokeOwner(ctx, "ann", "")
		cancel()
		if !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("RevokeOwner: %v, want DeadlineExceeded", err)
		}
	}
	nothingRuns(t, p, db)
	release()
	if fence, _ := fenceOf(t, s); fence != 0 {
		t.Errorf("the fence is %d: what was given up was done later", fence)
	}
	holds(t, s, kept)
}

// Of those whom a stranger holds up, some give up. The others are none of theirs, and go on when he is gone.
func TestF15_OthersGoOnWhenSomeGiveUp(t *testing.T) {
	const each = 6
	p := onMySQL(t, nil, mysqlTable)
	db := p.open(t)
	s := newStore(t, db, p.dialect, sqlstore.Options{})
	create(t, s, newRecord(""))
	release := lockedBy(t, p, "BEGIN", "UPDATE sessions SET expiry = expiry")
	defer release()
	var short, long sync.WaitGroup
	patient := make([]sojourn.Record, each)
	for i := range patient {
		patient[i] = newRecord("")
		long.Go(func() {
			ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
			defer cancel()
			if err := s.Create(ctx, patient[i]); err != nil {
				t.Errorf("Create by who has time: %v", err)
			}
		})
		short.Go(func() {
			ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
			defer cancel()
			if err := s.Create(ctx, newRecord("")); !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("Create by who has none: %v, want DeadlineExceeded", err)
			}
		})
	}
	short.Wait()
	atMostRun(t, p, db, each)
	release()
	long.Wait()
	for _, r := range patient {
		holds(t, s, r)
	}
	if n := scan[int](t, db, "SELECT COUNT(*) FROM sessions"); n != 1+each {
		t.Errorf("%d sessions, want %d: what was given up was written late", n, 1+each)
	}
}

// Promise 16 with many at once: whoever meets others at the fence has lost nothing but time. Here one of them
// holds it for longer than a statement is usually tried again, and nobody has said when to give up.
func TestSQLFenceThatOthersHold(t *testing.T) {
	besideEachOther(t, map[string]opener{"MySQL": mysqlPlace(nil, mysqlTable), "Postgres": postgresPlace(postgresTable)}, func(t *testing.T, p place) {
		s := p.store(t)
		migrate(t, s)
		before := revoke(t, s)
		release := lockedBy(t, p, "BEGIN", "UPDATE sessions_owners SET fence = fence")
		defer release()
		raised := make(chan uint64, 3)
		var all sync.WaitGroup
		for range cap(raised) {
			all.Go(func() {
				fence, err := s.RevokeOwner(t.Context(), "ann", "")
				if err != nil {
					t.Errorf("RevokeOwner: %v", err)
				}
				raised <- fence
			})
		}
		time.AfterFunc(1500*time.Millisecond, release)
		all.Wait()
		different := map[uint64]bool{before: true}
		for range cap(raised) {
			different[<-raised] = true
		}
		if len(different) != 1+cap(raised) {
			t.Errorf("%d fences of 4 revocations: %v", len(different), different)
		}
	})
}

// A stranger locks the whole table against readers too. Loads and lists that were given up do not stay in the server,
// where they would wait for a day, and those who have time go on when the lock is gone.
func TestF15_ReadersThatGaveUpAreNotLeftInTheServer(t *testing.T) {
	p := onMySQL(t, nil, mysqlTable)
	db := p.open(t)
	s := newStore(t, db, p.dialect, sqlstore.Options{})
	migrate(t, s)
	var rs [8]sojourn.Record
	for i := range rs {
		rs[i] = create(t, s, newRecord("ann"))
	}
	holds(t, s, rs[0])
	fenceOf(t, s)
	release := lockedBy(t, p, "LOCK TABLES sessions WRITE, sessions_owners WRITE")
	defer release()
	var short, long sync.WaitGroup
	for i, r := range rs {
		for what, call := range map[string]func(ctx context.Context) error{
			"Load":  func(ctx context.Context) error { _, err := s.Load(ctx, r.ID); return err },
			"Fence": func(ctx context.Context) error { _, _, err := s.Fence(ctx, "ann"); return err },
			"ListOwner": func(ctx context.Context) (err error) {
				for _, err = range s.ListOwner(ctx, "ann") {
				}
				return err
			},
		} {
			short.Go(func() {
				ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
				defer cancel()
				if err := call(ctx); !errors.Is(err, context.DeadlineExceeded) {
					t.Errorf("%s %d: %v, want DeadlineExceeded", what, i, err)
				}
			})
		}
	}
	short.Wait()
	nothingRuns(t, p, db)
	for _, r := range rs {
		for _, patience := range []time.Duration{300 * time.Millisecond, 30 * time.Second} {
			group := &short
			if patience > time.Second {
				group = &long
			}
			group.Go(func() {
				ctx, cancel := context.WithTimeout(t.Context(), patience)
				defer cancel()
				if _, err := s.Load(ctx, r.ID); err != nil && patience > time.Second {
					t.Errorf("Load by who has time, of what others have given up: %v", err)
				}
			})
		}
	}
	short.Wait()
	time.AfterFunc(500*time.Millisecond, release) // what was given up is looked for meanwhile
	long.Wait()
}
