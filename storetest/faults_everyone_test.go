package storetest

import (
	"context"
	"iter"
	"time"

	"github.com/gosojourn/sojourn"
)

// everyoneFaults are of ending everybody's sessions.
var everyoneFaults = []fault{
	{name: "forgets that everybody's fence was raised", harm: func(s *brokenStore) {
		s.everyone = func(context.Context) (uint64, time.Duration, error) { return 0, 0, nil }
	}, fails: []string{"23_the_fence_of_everybody_only_rises"}},

	{name: "raises everybody's fence once an hour", harm: func(s *brokenStore) {
		last := uint64(0)
		s.raise = func(ctx context.Context) (uint64, error) {
			if last == 0 {
				last, _ = s.Store.RaiseEveryone(ctx)
			}
			return last, nil
		}
	}, fails: []string{"23_the_fence_of_everybody_only_rises"}},

	{name: "counts everybody's fence from 1", harm: func(s *brokenStore) {
		fence := uint64(0)
		s.raise = func(context.Context) (uint64, error) { fence += sojourn.EveryoneStep; return fence, nil }
		s.everyone = func(context.Context) (uint64, time.Duration, error) { return fence, 0, nil }
	}, fails: []string{"23_the_fence_of_everybody_only_rises"}},

	{name: "says everybody's fence is an hour old", harm: func(s *brokenStore) {
		s.everyone = func(ctx context.Context) (uint64, time.Duration, error) {
			fence, _, err := s.Store.EveryoneFence(ctx)
			if fence == 0 {
				return 0, 0, err
			}
			return fence, time.Hour, err
		}
	}, fails: []string{"23_the_fence_of_everybody_only_rises"}},

	{name: "raises the owners' fences with everybody's", harm: func(s *brokenStore) {
		s.fence = func(ctx context.Context, owner string) (uint64, time.Duration, error) {
			all, age, err := s.Store.EveryoneFence(ctx)
			if all != 0 || err != nil {
				return all, age, err
			}
			return s.Store.Fence(ctx, owner)
		}
	}, fails: []string{"23_the_fence_of_everybody_only_rises"}},

	{name: "deletes up to the fence, and what has it", harm: func(s *brokenStore) {
		s.below = func(ctx context.Context, fence uint64) iter.Seq2[int, error] {
			return s.Store.DeleteBelow(ctx, fence+1)
		}
	}, fails: []string{"24_what_is_below_a_fence_is_deleted"}},

	{name: "deletes visitors whatever their fence", harm: func(s *brokenStore) {
		s.below = func(ctx context.Context, fence uint64) iter.Seq2[int, error] {
			for r := range s.Store.ListAll(ctx) {
				if r.Owner == "" {
					_ = s.Store.Delete(ctx, r.ID, 0)
				}
			}
			return s.Store.DeleteBelow(ctx, fence)
		}
	}, fails: []string{"24_what_is_below_a_fence_is_deleted"}},

	{name: "deletes one page below the fence", harm: func(s *brokenStore) {
		s.below = func(ctx context.Context, fence uint64) iter.Seq2[int, error] {
			return func(yield func(int, error) bool) {
				n := 0
				for r := range s.Store.ListAll(ctx) {
					if r.Fence < fence && n < 100 {
						_ = s.Store.Delete(ctx, r.ID, 0)
						n++
					}
				}
				yield(n, nil)
			}
		}
	}, fails: []string{"24_what_is_below_a_fence_is_deleted"}},
}
