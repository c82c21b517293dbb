package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"time"

	fences "github.com/gosojourn/sojourn/internal/fence"
)

// A fence is a number for each owner whose sessions were ever revoked as a whole, with the time of the
// last revocation. Both are by the clock of the database: the hosts that use it may be years apart.

// fenceKept is for how long a fence is kept: no cookie lives longer than 400 days.
const fenceKept = 400 * 24 * time.Hour

// Fence returns the number that sessions of owner are stamped with, and how long ago it was raised by the
// database's clock. Both are 0 before the first RevokeOwner. (promise 16)
func (s *Store) Fence(ctx context.Context, owner string) (uint64, time.Duration, error) {
	const op = "fence"
	if err := s.askIndex(ctx, op, owner); err != nil {
		return 0, 0, err
	}
	read := s.fence
	if fences.IsFree(ctx) {
		read = s.freeFence
	}
	f, err := read(ctx, owner)
	if err != nil {
		return 0, 0, s.failed(ctx, op, err)
	}
	return uint64(f.number), f.age(), nil
}

type fence struct {
	number int64 // 0: there is none
	raised int64 // microseconds since 1970; 0: by a version that did not keep the time; or unsettled
	now    int64
	took   time.Duration // the statement that answered this
}

func (s *Store) fence(ctx context.Context, owner string) (f fence, err error) {
	passing := func(err error) bool { return s.passing(err) || ended(err) }
	key := s.d.bytesValue([]byte(owner))
	err = s.repeat(ctx, patience, passing, func() error {
		start := time.Now()
		err := s.only(ctx, qFence, []any{&f.now, &f.number, &f.raised}, append(s.now(), key)...)
		f.took = time.Since(start)
		return err
	})
	s.gaveUpReading(ctx, err, qFence, key)
	if err == nil {
		s.settle(ctx, owner, &f)
	}
	return f, err
}

// age may be negative, if the clock was put back. But a statement tells when it began, and reads what a
// revocation has left that began after it: that one was a moment ago.
func (f fence) age() time.Duration {
	if f.number == 0 {
		return 0
	}
	raised := f.raised
	if raised == 0 {
		raised = f.number * 1000
	}
	age := time.Duration(f.now-raised) * time.Microsecond
	if age < 0 && age >= -f.took-time.Microsecond {
		return 0
	}
	return age
}

// now is what a statement is given that writes or compares the time.
func (s *Store) now() []any {
	if s.d.nowValues == nil {
		return nil
	}
	return s.d.nowValues()
}

// errOvertaken says that another revocation has raised the fence first.
var errOvertaken = errors.New("each time another revocation of this owner came in between")

// raise replaces the fence by a larger one: compare-and-swap, each try a statement that commits by
// itself. Of an owner without a fence the row may be there, see makeRoom. Who loses has seen another revocation succeed, or under way. Whoever wins has read what he replaces
// before his statement began, so the times of revocations are in the order of their numbers.
func (s *Store) raise(ctx context.Context, owner string) (uint64, error) {
	var number int64
	err := s.repeat(ctx, lockPatience, func(err error) bool { return err == errOvertaken || s.passing(err) }, func() error {
		old, err := s.fence(ctx, owner)
		if err != nil {
			return err
		}
		number = max(old.number+1, old.now/1000)
		return s.raiseFrom(ctx, owner, old.number, number)
	})
	if err != nil {
		return 0, err
	}
	return uint64(number), nil
}

func (s *Store) raiseFrom(ctx context.Context, owner string, old, number int64) (err error) {
	key, n := s.d.bytesValue([]byte(owner)), 0
	if old == 0 {
		n, err = s.exec(ctx, qFirstFence, append([]any{key, number}, s.now()...)...)
		s.gaveUp(ctx, err, markOfFence(owner, number))
	}
	if old != 0 || err == nil && n == 0 || s.taken(err) {
		n, err = s.exec(ctx, qRaiseFence, append(append([]any{number}, s.now()...), key, old)...)
	}
	if err == nil && n == 0 || s.taken(err) {
		return errOvertaken
	}
	return err
}

// forget takes away fences that are older than any session. It reads their whole table, so it does that
// once a day.
func (s *Store) forget(ctx context.Context) error {
	last, now := s.forgot.Load(), time.Now().Unix()
	if last != 0 && now-last < 24*60*60 {
		return nil
	}
	there, err := s.indexed(ctx)
	if err != nil || !there {
		return err
	}
	clock, err := s.fence(ctx, "")
	if err != nil {
		return err
	}
	limit := clock.now - fenceKept.Microseconds()
	for {
		var owners [][]byte
		err = s.again(ctx, patience, func() error {
			owners = owners[:0]
			return s.each(ctx, qOldFences, []any{limit / 1000, limit}, func(r *sql.Rows) error {
				var owner []byte
				err := r.Scan(&owner)
				owners = append(owners, owner)
				return err
			})
		})
		gone := 0
		for _, owner := range owners {
			if err == nil {
				var n int
				n, err = s.forgetOne(ctx, s.d.bytesValue(owner), limit)
				gone += n
			}
		}
		if err != nil {
			return err
		}
		if len(owners) < batch || gone == 0 {
			s.forgot.Store(now)
			return nil
		}
	}
}

// forgetOne passes by a fence that somebody else has locked.
func (s *Store) forgetOne(ctx context.Context, key any, limit int64) (n int, err error) {
	beaten := func(err error) bool { k := s.d.kind(err); return k == lost || k == locked && s.d.inside }
	err = s.repeat(ctx, patience, beaten, func() error {
		n, err = s.exec(ctx, qForget, key, limit/1000, limit)
		return err
	})
	if s.d.kind(err) == locked && !s.d.inside {
		return 0, nil
	}
	return n, err
}
