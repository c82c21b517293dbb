package sqlstore

import (
	"context"
	"time"
)

// foreignAge is how long ago a row must have expired that is not ours before it is swept: what uses
// it still, scs say, has a sweeper of its own; what was left behind would stand in the way of the
// index for ever. Two days are more than any two time zones are apart.
const foreignAge = 48 * time.Hour

// Sweep deletes at most limit sessions that expired before the given time, a hundred at a time, and
// leaves for later those that did so in the last three hours. Rows that something else keeps in
// the table go when their column expiry has been past for two days.
func (s *Store) Sweep(ctx context.Context, before time.Time, limit int) (int, error) {
	deleted := 0
	for deleted < limit {
		want := min(batch, limit-deleted)
		found, n, err := s.sweep(ctx, before, want)
		deleted += n
		if err != nil {
			return deleted, s.failed(ctx, "sweep", err)
		}
		if n == 0 || found < want {
			break
		}
	}
	return deleted, nil
}

// sweep deletes one batch: it lists keys, which locks nothing, and deletes those, looking again at
// what makes them expired. One DELETE with a LIMIT would deadlock more and lock more.
func (s *Store) sweep(ctx context.Context, before time.Time, limit int) (found, n int, err error) {
	ms := min(max(before.UnixMilli(), 0), maxMillis)
	foreign := max(ms-foreignAge.Milliseconds(), 0)
	mark := []byte{format}
	col, colForeign := s.d.expiryValue(ms/1000), s.d.expiryValue(foreign/1000)
	page, err := s.page(ctx, qExpired, col, mark, stamp(ms), mark, colForeign, limit)
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
	n, err = s.deleteAll(ctx, qSweep, ours, col, stamp(ms))
	if err == nil {
		var m int
		m, err = s.deleteAll(ctx, qSweepForeign, others, colForeign)
		n += m
	}
	return len(page), n, err
}
