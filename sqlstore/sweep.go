package sqlstore

import (
	"context"
	"time"
)

// foreignAge is how long ago a row must have expired that is not ours before it is swept: what uses
// it still, scs say, has a sweeper of its own; what was left behind would stand in the way of the
// index for ever. Two days are more than any two time zones are apart.
const foreignAge = 48 * time.Hour

// Sweep deletes at most limit sessions that expired before the given time, a hundred at a time, and returns
// how many it has deleted. It leaves those of the last three hours for later. It deletes rows of other
// programs when their column expiry has been past for two days, and fences after 400 days. What somebody else has locked is
// passed by, and goes with a later sweep. (promise 18)
func (s *Store) Sweep(ctx context.Context, before time.Time, limit int) (int, error) {
	const op = "sweep"
	deleted := 0
	for deleted < limit {
		want := min(batch, limit-deleted)
		goneOn := s.swept.Load() > 0
		found, n, err := s.sweep(ctx, before, want)
		deleted += n
		if err != nil {
			return deleted, s.failed(ctx, op, err)
		}
		if n == 0 || found < want {
			s.swept.Store(0)
			if !goneOn {
				break
			}
		}
	}
	if err := s.forget(ctx); err != nil {
		return deleted, s.failed(ctx, op, err)
	}
	return deleted, nil
}

// backwards is how far before the last session that was found the next batch begins, in seconds: where a zone puts
// its clock back, what lies an hour apart may not be in the order of its times.
const backwards = int64(3 * time.Hour / time.Second)

// expired answers a page of what can be deleted. What cannot (keys that something else made) lies before it in the
// index, and would be read again for each page: so one that was full is gone on from, and whatever was passed over
// meanwhile is met when the sweep begins anew.
func (s *Store) expired(ctx context.Context, limit int, args ...any) ([]row, error) {
	q := qExpired
	if from := s.swept.Load(); from > 0 {
		q, args = qExpiredFrom, append([]any{s.d.expiryValue(from)}, args...)
	}
	page, err := s.page(ctx, q, append(args, limit)...)
	next := int64(0)
	if err == nil && len(page) == limit {
		for _, x := range page {
			if r, err := decode(x.token, x.data); err == nil {
				next = max(next, r.Expiry.Unix()+columnLag-backwards)
			}
		}
	}
	s.swept.Store(next)
	return page, err
}

// sweep deletes one batch: it lists keys, which locks nothing, and deletes those, looking again at
// what makes them expired. A page is of what can be deleted: other keys, which something else made, would fill
// it for ever. One DELETE with a LIMIT would deadlock more and lock more.
func (s *Store) sweep(ctx context.Context, before time.Time, limit int) (found, n int, err error) {
	ms := min(max(before.UnixMilli(), 0), maxMillis)
	foreign := max(ms-foreignAge.Milliseconds(), 0)
	mark := []byte{format}
	col, colForeign := s.d.expiryValue(ms/1000), s.d.expiryValue(foreign/1000)
	page, err := s.expired(ctx, limit, col, mark, stamp(ms), mark, colForeign)
	if err != nil {
		return 0, 0, err
	}
	var ours, others []string
	for _, x := range page {
		r, err := decode(x.token, x.data)
		if err != nil && isBase64url(x.token) {
			others = append(others, x.token)
		} else if err == nil && r.Expiry.UnixMilli() < ms {
			ours = append(ours, x.token)
		}
	}
	n, err = s.deleteFree(ctx, qSweep, ours, col, stamp(ms))
	if err == nil {
		var m int
		m, err = s.deleteFree(ctx, qSweepForeign, others, colForeign)
		n += m
	}
	return len(page), n, err
}

// rowLock is how soon it is told that a row is locked. A lock of the whole table is waited for, and told later.
const rowLock = time.Second

// deleteFree is deleteAll for a sweep, which need not have everything: what somebody else has locked, perhaps
// for hours, is passed by, and goes with a later one. A statement that meets a lock has deleted nothing, so each
// half of its keys is tried alone. SQLite has one lock for all.
func (s *Store) deleteFree(ctx context.Context, q query, keys []string, args ...any) (n int, err error) {
	if len(keys) == 0 || s.d.inside {
		return s.deleteAll(ctx, q, keys, args...)
	}
	all, start := batched(keys, args), time.Now()
	err = s.repeat(ctx, patience, func(err error) bool { return s.d.kind(err) == lost }, func() error {
		n, err = s.exec(ctx, q, all...)
		return err
	})
	switch {
	case s.d.kind(err) != locked:
		return n, err
	case time.Since(start) > rowLock:
		return s.deleteAll(ctx, q, keys, args...)
	case len(keys) == 1:
		return 0, nil
	}
	for _, half := range [][]string{keys[:len(keys)/2], keys[len(keys)/2:]} {
		m, err := s.deleteFree(ctx, q, half, args...)
		if n += m; err != nil {
			return n, err
		}
	}
	return n, nil
}
