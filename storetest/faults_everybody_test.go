package storetest

import (
	"context"
	"iter"
	"sync"

	"github.com/gosojourn/sojourn"
)

// everybodyFaults are of listing and counting all there is.
var everybodyFaults = []fault{
	{name: "lists everybody but visitors", harm: func(s *brokenStore) {
		s.all = func(ctx context.Context) iter.Seq2[sojourn.Record, error] {
			return func(yield func(sojourn.Record, error) bool) {
				for r, err := range s.Store.ListAll(ctx) {
					if r.Owner != "" && !yield(r, err) {
						return
					}
				}
			}
		}
	}, fails: []string{"22_everybody_is_listed_and_counted"}},

	{name: "lists one page of everybody", harm: func(s *brokenStore) {
		s.all = func(ctx context.Context) iter.Seq2[sojourn.Record, error] {
			return func(yield func(sojourn.Record, error) bool) {
				n := 0
				for r, err := range s.Store.ListAll(ctx) {
					if n++; n > 100 || !yield(r, err) {
						return
					}
				}
			}
		}
	}, fails: []string{"22_everybody_is_listed_and_counted"}},

	{name: "counts those who are logged in", harm: func(s *brokenStore) {
		s.count = func(ctx context.Context) (n int, err error) {
			for r, err := range s.Store.ListAll(ctx) {
				if err != nil {
					return 0, err
				}
				if r.Owner != "" {
					n++
				}
			}
			return n, nil
		}
	}, fails: []string{"22_everybody_is_listed_and_counted"}},

	{name: "holds a lock while it lists everybody", harm: func(s *brokenStore) {
		var mu sync.Mutex
		delete := s.delete
		s.all = func(ctx context.Context) iter.Seq2[sojourn.Record, error] {
			return func(yield func(sojourn.Record, error) bool) {
				mu.Lock()
				defer mu.Unlock()
				s.Store.ListAll(ctx)(yield)
			}
		}
		s.delete = func(ctx context.Context, id string, version uint64) error {
			mu.Lock()
			defer mu.Unlock()
			return delete(ctx, id, version)
		}
	}, fails: []string{"22_the_body_of_a_listing_may_end_what_it_lists"}, only: true},
}
