package sqlstore

import (
	"context"
	"database/sql"
	"iter"
	"sync/atomic"
	"time"

	"github.com/gosojourn/sojourn"
)

// Everybody's fence is a row of the table of fences, under a name that no owner has: it is not UTF-8. It is asked for at
// each load, so this process remembers it for a moment, and now and then a load brings it along.

const everyone = "\xff"

const (
	// believed is for how long what is remembered is: less than it might be, so that streams are told within a second.
	believed = sojourn.EveryoneLease / 2

	// ahead is how old it may be before a load brings it anew, so that it seldom has to be asked for.
	ahead = believed / 2
)

// A remembered is everybody's fence as it was when it was asked for.
type remembered struct {
	fence
	err             error // errors.ErrUnsupported
	asked, answered time.Time
}

type everyones struct {
	last  atomic.Pointer[remembered]
	ahead atomic.Int64 // when a load was last sent to bring it, microseconds since the store began
	asks  *group[*remembered]
}

// fresh is what is remembered, unless that is too old.
func (e *everyones) fresh() *remembered {
	if r := e.last.Load(); r != nil && time.Since(r.asked) < believed {
		return r
	}
	return nil
}

// remember keeps r, unless something newer is known.
func (e *everyones) remember(r *remembered) {
	for {
		last := e.last.Load()
		if last != nil && last.number >= r.number && last.asked.After(r.asked) {
			return
		}
		if e.last.CompareAndSwap(last, r) {
			return
		}
	}
}

// EveryoneFence returns everybody's fence, and how long ago it was raised by the database's clock, as of at most half a
// second ago. Before [Store.Migrate] it returns errors.ErrUnsupported. (promise 23)
func (s *Store) EveryoneFence(ctx context.Context) (uint64, time.Duration, error) {
	r := s.everyones.fresh()
	if r == nil {
		var err error
		if r, err = s.everyones.asks.do(ctx, nil); err == errAlone {
			r, err = s.askEveryone(ctx)
		}
		if err != nil {
			return 0, 0, s.failed(ctx, "fence of everybody", err)
		}
	}
	if r.err != nil || r.number == 0 {
		return 0, 0, r.err
	}
	return uint64(r.number), r.age() + time.Since(r.answered), nil
}

// askEveryone asks the database.
func (s *Store) askEveryone(ctx context.Context) (*remembered, error) {
	r := &remembered{asked: time.Now()}
	there, err := s.indexed(ctx)
	if err == nil && there {
		r.fence, err = s.fence(ctx, everyone)
	} else if err == nil {
		r.err = unindexed("fence of everybody")
	}
	if err != nil {
		return nil, err
	}
	r.answered = time.Now()
	s.everyones.remember(r)
	return r, nil
}

// askTogether asks once for all who wait.
func (s *Store) askTogether(ctx context.Context, calls []*call[*remembered]) {
	r, err := s.everyones.fresh(), error(nil)
	if r == nil {
		r, err = s.askEveryone(ctx)
	}
	for _, c := range calls {
		c.want, c.err = r, err
	}
}

// brings reports whether this load is to bring everybody's fence along: one in a while, where there is such a thing.
func (s *Store) brings() bool {
	if !s.owners.complete.Load() {
		return false
	}
	if r := s.everyones.last.Load(); r != nil && r.err == nil && time.Since(r.asked) < ahead {
		return false
	}
	now, sent := time.Since(s.since).Microseconds()+1, s.everyones.ahead.Load()
	if sent != 0 && now-sent < ahead.Microseconds() {
		return false
	}
	return s.everyones.ahead.CompareAndSwap(sent, now)
}

// fetchAndBring is fetchAlone that brings everybody's fence along.
func (s *Store) fetchAndBring(ctx context.Context, id string) (data []byte, err error) {
	passing := func(err error) bool { return s.passing(err) || ended(err) }
	r := &remembered{}
	err = s.repeat(ctx, patience, passing, func() error {
		r.asked = time.Now()
		err := s.only(ctx, qLoadFenced, []any{&r.now, &r.number, &r.raised, &data}, append(s.now(), id)...)
		r.answered = time.Now()
		r.took = r.answered.Sub(r.asked)
		return err
	})
	s.gaveUpReading(ctx, err, qLoadFenced, id)
	if err != nil {
		return nil, err
	}
	s.everyones.remember(r)
	if data == nil {
		return nil, sql.ErrNoRows
	}
	return data, nil
}

// RaiseEveryone raises everybody's fence and commits that. (promise 23)
func (s *Store) RaiseEveryone(ctx context.Context) (uint64, error) {
	const op = "raise everyone"
	if there, err := s.indexed(ctx); err != nil {
		return 0, s.failed(ctx, op, err)
	} else if !there {
		return 0, unindexed(op)
	}
	r := &remembered{}
	err := s.repeat(ctx, lockPatience, func(err error) bool { return err == errOvertaken || s.passing(err) }, func() error {
		old, err := s.fence(ctx, everyone)
		if err != nil {
			return err
		}
		r.number = max(old.number/sojourn.EveryoneStep+1, old.now/time.Hour.Microseconds()) * sojourn.EveryoneStep
		r.now, r.raised = old.now, old.now
		return s.raiseFrom(ctx, everyone, old.number, r.number)
	})
	if err != nil {
		return 0, s.failed(ctx, op, err)
	}
	r.asked = time.Now()
	r.answered = r.asked
	s.everyones.remember(r)
	return uint64(r.number), nil
}

// DeleteBelow deletes what is stamped lower than the fence, a hundred rows at a time. A row that somebody else has locked
// is passed by; it has ended all the same. Rows of other programs stay. (promise 24)
func (s *Store) DeleteBelow(ctx context.Context, fence uint64) iter.Seq2[int, error] {
	return func(yield func(int, error) bool) {
		limit := appendHex(nil, fence, lengthAt-fenceAt)
		for after := ""; ; {
			page, err := s.page(ctx, qHeads, after)
			var keys []string
			for _, x := range page {
				r, bad := decode(x.token, x.data)
				if bad == nil && r.Fence < fence {
					keys = append(keys, x.token)
				} else if bad == errFormat && err == nil {
					err = bad
				}
			}
			n := 0
			if err == nil {
				n, err = s.deleteFree(ctx, qDeleteBelow, keys, []byte{format}, limit)
			}
			if err != nil {
				yield(n, s.failed(ctx, "delete below", err))
				return
			}
			if !yield(n, nil) || len(page) < batch {
				return
			}
			after = page[len(page)-1].token
		}
	}
}
