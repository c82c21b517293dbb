package storetest

import (
	"context"
	"errors"
	"runtime"
	"strings"
	"sync"
	"time"

	"github.com/gosojourn/sojourn"
)

// revokingFaults are of what ends sessions from outside: revocations and sweeps; and of doing much at once.
var revokingFaults = []fault{
	{name: "has a clock for a fence", harm: func(s *brokenStore) {
		fences := new(sync.Map)
		revoke := s.revoke
		s.revoke = func(ctx context.Context, owner, keep string) (uint64, error) {
			if _, err := revoke(ctx, owner, keep); err != nil {
				return 0, err
			}
			now := uint64(time.Now().UnixMilli())
			fences.Store(owner, now)
			return now, nil
		}
		s.fence = func(ctx context.Context, owner string) (uint64, time.Duration, error) {
			if f, ok := fences.Load(owner); ok {
				return f.(uint64), time.Since(time.UnixMilli(int64(f.(uint64)))), nil
			}
			return s.Store.Fence(ctx, owner)
		}
	}, fails: []string{"16_a_fence_rises_with_each_revocation"}, may: []string{
		"16_revoking_deletes_all_but_keep", "16_a_login_midway_of_a_revocation", "16_no_login_outlives_a_revocation",
	}},

	{name: "has a counter for a fence", harm: func(s *brokenStore) {
		const start = 1 << 32
		fence, revoke := s.fence, s.revoke
		s.fence = func(ctx context.Context, owner string) (uint64, time.Duration, error) {
			f, age, err := fence(ctx, owner)
			return f / start, age, err
		}
		s.revoke = func(ctx context.Context, owner, keep string) (uint64, error) {
			f, err := revoke(ctx, owner, keep)
			return f / start, err
		}
	}, fails: []string{"16_a_fence_rises_with_each_revocation", "16_revoking_deletes_all_but_keep"}},

	{name: "never says how old a fence is", harm: func(s *brokenStore) {
		fence := s.fence
		s.fence = func(ctx context.Context, owner string) (uint64, time.Duration, error) {
			number, _, err := fence(ctx, owner)
			return number, 0, err
		}
	}, fails: []string{"16_a_fence_tells_its_age"}, may: []string{"16_a_young_fence_outlives_a_sweep"}},

	{name: "tells a fence's age by its number", harm: func(s *brokenStore) {
		fence := s.fence
		s.fence = func(ctx context.Context, owner string) (uint64, time.Duration, error) {
			number, age, err := fence(ctx, owner)
			if number > 0 {
				age = time.Since(time.UnixMilli(int64(number)))
			}
			return number, age, err
		}
	}, fails: []string{"16_a_fence_tells_its_age"}},

	{name: "compares the caller's clock with its own", harm: func(s *brokenStore) {
		fence := s.fence
		s.fence = func(ctx context.Context, owner string) (uint64, time.Duration, error) {
			number, age, err := fence(ctx, owner)
			if number > 0 {
				age -= 10 * time.Minute // the caller's is behind
			}
			return number, age, err
		}
	}, fails: []string{"16_a_fence_tells_its_age", "16_a_young_fence_outlives_a_sweep"}},

	{name: "says how long ago the first revocation was", harm: func(s *brokenStore) {
		first := new(sync.Map)
		fence, revoke := s.fence, s.revoke
		s.revoke = func(ctx context.Context, owner, keep string) (uint64, error) {
			first.LoadOrStore(owner, time.Now())
			return revoke(ctx, owner, keep)
		}
		s.fence = func(ctx context.Context, owner string) (uint64, time.Duration, error) {
			number, age, err := fence(ctx, owner)
			if at, ok := first.Load(owner); ok && number > 0 {
				age = time.Since(at.(time.Time))
			}
			return number, age, err
		}
	}, fails: []string{"16_a_fence_tells_its_age"}},

	{name: "has an age for who was never revoked", harm: func(s *brokenStore) {
		fence := s.fence
		s.fence = func(ctx context.Context, owner string) (uint64, time.Duration, error) {
			number, age, err := fence(ctx, owner)
			if number == 0 {
				age = time.Since(time.Unix(0, 0))
			}
			return number, age, err
		}
	}, fails: []string{"16_a_fence_tells_its_age"}},

	{name: "sweeps fences that are young", harm: func(s *brokenStore) {
		swept := new(sync.Map)
		sweep, fence, revoke := s.sweep, s.fence, s.revoke
		var revoked sync.Map
		s.revoke = func(ctx context.Context, owner, keep string) (uint64, error) {
			revoked.Store(owner, nil)
			swept.Delete(owner)
			return revoke(ctx, owner, keep)
		}
		s.sweep = func(ctx context.Context, before time.Time, limit int) (int, error) {
			revoked.Range(func(owner, _ any) bool { swept.Store(owner, nil); return true })
			return sweep(ctx, before, limit)
		}
		s.fence = func(ctx context.Context, owner string) (uint64, time.Duration, error) {
			if _, gone := swept.Load(owner); gone {
				return 0, 0, nil
			}
			return fence(ctx, owner)
		}
	}, fails: []string{"16_a_young_fence_outlives_a_sweep"}},

	{name: "deletes before it raises the fence", harm: func(s *brokenStore) {
		revoke := s.revoke
		s.revoke = func(ctx context.Context, owner, keep string) (uint64, error) {
			for r, err := range s.list(ctx, owner) {
				if err == nil && r.ID != keep {
					s.delete(ctx, r.ID, 0)
				}
			}
			return revoke(ctx, owner, keep)
		}
	}, fails: []string{"16_a_revocation_cut_short_leaves_a_fence"}, may: []string{
		"16_the_fence_rises_before_anything_is_deleted", "16_revoking_leaves_what_has_become_anothers",
	}},

	{name: "deletes long before it raises the fence", harm: func(s *brokenStore) {
		revoke := s.revoke
		s.revoke = func(ctx context.Context, owner, keep string) (uint64, error) {
			ctx = context.WithoutCancel(ctx)
			for r, err := range s.list(ctx, owner) {
				if err == nil && r.ID != keep {
					s.delete(ctx, r.ID, 0)
				}
			}
			time.Sleep(5 * time.Millisecond)
			return revoke(ctx, owner, keep)
		}
	}, fails: []string{"16_the_fence_rises_before_anything_is_deleted"}},

	{name: "deletes what has become another's", harm: func(s *brokenStore) {
		revoke := s.revoke
		s.revoke = func(ctx context.Context, owner, keep string) (uint64, error) {
			var ids []string
			for r, err := range s.list(context.WithoutCancel(ctx), owner) {
				if err == nil && r.ID != keep {
					ids = append(ids, r.ID)
				}
			}
			fence, err := revoke(ctx, owner, keep)
			if err == nil {
				for _, id := range ids {
					s.delete(ctx, id, 0)
				}
			}
			return fence, err
		}
	}, fails: []string{"16_revoking_leaves_what_has_become_anothers"}, may: []string{"16_no_login_outlives_a_revocation", "19_everything_at_once"}},

	{name: "deletes what it saw before it raised the fence", harm: func(s *brokenStore) {
		fences := new(sync.Map)
		s.revoke = func(ctx context.Context, owner, keep string) (uint64, error) {
			if owner == "" {
				return s.Store.RevokeOwner(ctx, owner, keep)
			}
			var ids []string
			for r := range s.list(context.WithoutCancel(ctx), owner) {
				ids = append(ids, r.ID)
			}
			if ctx.Err() != nil {
				return 0, ctx.Err()
			}
			ctx = context.WithoutCancel(ctx)
			time.Sleep(time.Millisecond)
			f, err := s.Store.RevokeOwner(ctx, owner+" elsewhere", "")
			fences.Store(owner, f)
			for _, id := range ids {
				if id != keep {
					s.delete(ctx, id, 0)
				}
			}
			return f, err
		}
		s.fence = func(ctx context.Context, owner string) (uint64, time.Duration, error) {
			if f, ok := fences.Load(owner); ok {
				_, age, err := s.Store.Fence(ctx, owner+" elsewhere")
				return f.(uint64), age, err
			}
			return s.Store.Fence(ctx, owner)
		}
	}, fails: []string{
		"16_revoking_leaves_what_has_become_anothers", "16_a_login_midway_of_a_revocation", "16_no_login_outlives_a_revocation",
	}, may: []string{"16_a_fence_rises_with_each_revocation"}},

	{name: "keeps nothing", harm: func(s *brokenStore) {
		revoke := s.revoke
		s.revoke = func(ctx context.Context, owner, _ string) (uint64, error) { return revoke(ctx, owner, "") }
	}, fails: []string{"16_revoking_deletes_all_but_keep"}},

	{name: "revokes whoever begins like that", harm: func(s *brokenStore) {
		index := newLaxIndex(s)
		revoke := s.revoke
		s.revoke = func(ctx context.Context, owner, keep string) (uint64, error) {
			for _, other := range index.like(owner, strings.HasPrefix) {
				if _, err := revoke(ctx, other, keep); err != nil {
					return 0, err
				}
			}
			return revoke(ctx, owner, keep)
		}
	}, fails: []string{"14_owners_are_compared_byte_by_byte", "16_revoking_deletes_all_but_keep"}},

	{name: "sweeps without limit", harm: func(s *brokenStore) {
		sweep := s.sweep
		s.sweep = func(ctx context.Context, before time.Time, _ int) (int, error) { return sweep(ctx, before, 1<<30) }
	}, fails: []string{"18_sweep_takes_what_has_expired", "18_sweep_heeds_its_limit", "18_sweep_counts_what_it_takes"}},

	{name: "sweeps one more than its limit", harm: func(s *brokenStore) {
		sweep := s.sweep
		s.sweep = func(ctx context.Context, before time.Time, limit int) (int, error) {
			n, err := sweep(ctx, before, limit+1)
			return min(n, limit), err
		}
	}, fails: []string{"18_sweep_counts_what_it_takes"}},

	{name: "answers too few", harm: func(s *brokenStore) {
		sweep := s.sweep
		s.sweep = func(ctx context.Context, before time.Time, limit int) (int, error) {
			n, err := sweep(ctx, before, limit)
			return (n + 1) / 2, err
		}
	}, fails: []string{"18_sweep_counts_what_it_takes"}},

	{name: "answers what it was asked for", harm: func(s *brokenStore) {
		sweep := s.sweep
		s.sweep = func(ctx context.Context, before time.Time, limit int) (int, error) {
			n, err := sweep(ctx, before, limit)
			if n > 0 {
				n = limit
			}
			return n, err
		}
	}, fails: []string{"18_sweep_counts_what_it_takes"}},

	{name: "takes the living with the dead when it creates", harm: func(s *brokenStore) {
		ending := new(sync.Map)
		create := s.create
		s.create = func(ctx context.Context, r sojourn.Record) error {
			ending.Range(func(id, _ any) bool {
				ending.Delete(id)
				s.delete(ctx, id.(string), 0)
				return false
			})
			err := create(ctx, r)
			if left := time.Until(r.Expiry); err == nil && left > 0 && left < time.Minute {
				ending.Store(r.ID, nil)
			}
			return err
		}
	}, fails: []string{"01_a_record_is_there_until_its_expiry"}},

	{name: "sweeps the living", harm: func(s *brokenStore) {
		sweep := s.sweep
		s.sweep = func(ctx context.Context, _ time.Time, limit int) (int, error) {
			return sweep(ctx, time.Now().Add(2*time.Hour), limit)
		}
	}, fails: []string{"18_sweep_takes_what_has_expired"}},

	{name: "sweeps by a clock that is fast", harm: func(s *brokenStore) {
		sweep := s.sweep
		s.sweep = func(ctx context.Context, before time.Time, limit int) (int, error) {
			return sweep(ctx, before.Add(time.Hour), limit)
		}
	}, fails: []string{"18_sweep_takes_what_has_expired"}},

	{name: "never sweeps", harm: func(s *brokenStore) {
		taken := new(sync.Map)
		create := s.create
		s.create = func(ctx context.Context, r sojourn.Record) error {
			if !r.Expiry.After(time.Now()) {
				taken.Store(r.ID, nil)
			} else if _, ok := taken.Load(r.ID); ok {
				return sojourn.ErrConflict
			}
			return create(ctx, r)
		}
		s.sweep = func(context.Context, time.Time, int) (int, error) { return 0, nil }
	}, fails: []string{"18_sweep_takes_what_has_expired", "18_sweep_counts_what_it_takes"}},

	{name: "is busy when two call", harm: func(s *brokenStore) {
		var mu sync.Mutex
		touch, load := s.touch, s.load
		busy := func(f func() error) error {
			if !mu.TryLock() {
				return errors.New("database is locked")
			}
			defer mu.Unlock()
			runtime.Gosched()
			return f()
		}
		s.touch = func(ctx context.Context, r sojourn.Record) error {
			return busy(func() error { return touch(ctx, r) })
		}
		s.load = func(ctx context.Context, id string) (r sojourn.Record, err error) {
			err = busy(func() error { r, err = load(ctx, id); return err })
			return r, err
		}
	}, fails: []string{"19_everything_at_once"}, may: []string{
		"06_contention_is_no_outage",
		"07_touch_gives_way_to_an_update",
		"10_a_reader_sees_one_whole_record",
		"16_the_fence_rises_before_anything_is_deleted",
	}},
}
