package storetest

import (
	"context"
	"errors"
	"iter"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/gosojourn/sojourn"
)

// listingFaults are of whose sessions are listed, and how.
var listingFaults = []fault{
	{name: "trims owners", harm: func(s *brokenStore) {
		create := s.create
		s.create = func(ctx context.Context, r sojourn.Record) error {
			r.Owner = strings.TrimRight(r.Owner, " ")
			return create(ctx, r)
		}
	}, fails: []string{"14_owners_come_back_as_they_were", "14_owners_are_compared_byte_by_byte"}},

	{name: "refuses owners with NUL", harm: func(s *brokenStore) {
		create := s.create
		s.create = func(ctx context.Context, r sojourn.Record) error {
			if strings.Contains(r.Owner, "\x00") {
				return errors.New("invalid byte sequence for encoding")
			}
			return create(ctx, r)
		}
	}, fails: []string{"14_owners_come_back_as_they_were", "14_owners_are_compared_byte_by_byte"}},

	{name: "ignores the case of owners", harm: func(s *brokenStore) {
		index := newLaxIndex(s)
		s.list = func(ctx context.Context, owner string) iter.Seq2[sojourn.Record, error] {
			return func(yield func(sojourn.Record, error) bool) {
				owners := index.like(owner, strings.EqualFold)
				if len(owners) == 0 {
					owners = []string{owner}
				}
				for _, other := range owners {
					for r, err := range s.Store.ListOwner(ctx, other) {
						if !yield(r, err) {
							return
						}
					}
				}
			}
		}
	}, fails: []string{"14_owners_are_compared_byte_by_byte"}},

	{name: "holds a lock while it lists", harm: func(s *brokenStore) {
		var mu sync.Mutex
		list, delete := s.list, s.delete
		s.list = func(ctx context.Context, owner string) iter.Seq2[sojourn.Record, error] {
			return func(yield func(sojourn.Record, error) bool) {
				mu.Lock()
				defer mu.Unlock()
				list(ctx, owner)(yield)
			}
		}
		s.delete = func(ctx context.Context, id string, version uint64) error {
			mu.Lock()
			defer mu.Unlock()
			return delete(ctx, id, version)
		}
	}, fails: []string{"15_the_body_may_call_the_store"}, only: true},

	{name: "holds its one connection while it lists", harm: func(s *brokenStore) {
		pool := make(chan struct{}, 1)
		list, load := s.list, s.load
		s.list = func(ctx context.Context, owner string) iter.Seq2[sojourn.Record, error] {
			return func(yield func(sojourn.Record, error) bool) {
				select {
				case pool <- struct{}{}:
					defer func() { <-pool }()
					list(ctx, owner)(yield)
				case <-ctx.Done():
					yield(sojourn.Record{}, ctx.Err())
				}
			}
		}
		s.load = func(ctx context.Context, id string) (sojourn.Record, error) {
			select {
			case pool <- struct{}{}:
				defer func() { <-pool }()
				return load(ctx, id)
			case <-ctx.Done():
				return sojourn.Record{}, ctx.Err()
			}
		}
	}, fails: []string{"15_the_body_may_call_the_store"}, only: true},

	{name: "loses a connection with each listing that is left", harm: func(s *brokenStore) {
		pool := make(chan struct{}, 10)
		list, delete := s.list, s.delete
		s.list = func(ctx context.Context, owner string) iter.Seq2[sojourn.Record, error] {
			return func(yield func(sojourn.Record, error) bool) {
				pool <- struct{}{}
				whole := true
				list(ctx, owner)(func(r sojourn.Record, err error) bool {
					whole = yield(r, err)
					return whole
				})
				if whole {
					<-pool
				}
			}
		}
		s.delete = func(ctx context.Context, id string, version uint64) error {
			pool <- struct{}{}
			defer func() { <-pool }()
			return delete(ctx, id, version)
		}
	}, fails: []string{"15_list_stops_when_the_body_stops"}, only: true},

	{name: "lists the dead", harm: func(s *brokenStore) {
		dead := new(sync.Map)
		create, list := s.create, s.list
		s.create = func(ctx context.Context, r sojourn.Record) error {
			if !r.Expiry.After(time.Now()) {
				dead.Store(r.Owner, r)
			}
			return create(ctx, r)
		}
		s.list = func(ctx context.Context, owner string) iter.Seq2[sojourn.Record, error] {
			return func(yield func(sojourn.Record, error) bool) {
				if r, ok := dead.Load(owner); ok && !yield(r.(sojourn.Record), nil) {
					return
				}
				list(ctx, owner)(yield)
			}
		}
	}, fails: []string{"09_expired_is_not_listed", "18_sweep_takes_what_has_expired"}},

	{name: "lists copies that are out of date", harm: func(s *brokenStore) {
		created := new(sync.Map)
		create, list := s.create, s.list
		s.create = func(ctx context.Context, r sojourn.Record) error {
			created.Store(r.ID, r)
			return create(ctx, r)
		}
		s.list = func(ctx context.Context, owner string) iter.Seq2[sojourn.Record, error] {
			return func(yield func(sojourn.Record, error) bool) {
				for r, err := range list(ctx, owner) {
					if copied, ok := created.Load(r.ID); ok && copied.(sojourn.Record).Owner == owner {
						r = copied.(sojourn.Record)
					}
					if !yield(r, err) {
						return
					}
				}
			}
		}
	}, fails: []string{"15_list_yields_the_records_of_one_owner"}, may: []string{"10_a_reader_sees_one_whole_record"}},

	{name: "lists on after an error", harm: func(s *brokenStore) {
		list := s.list
		s.list = func(ctx context.Context, owner string) iter.Seq2[sojourn.Record, error] {
			return func(yield func(sojourn.Record, error) bool) {
				if err := ctx.Err(); err == nil || yield(sojourn.Record{}, err) {
					list(context.WithoutCancel(ctx), owner)(yield)
				}
			}
		}
	}, fails: []string{"12_a_done_context_is_no_answer", "15_an_error_comes_last", "21_a_done_context_ends_a_call_at_once", "21_a_listing_ends_with_its_context"}},

	{name: "swallows the error of a listing", harm: func(s *brokenStore) {
		list := s.list
		s.list = func(ctx context.Context, owner string) iter.Seq2[sojourn.Record, error] {
			return func(yield func(sojourn.Record, error) bool) {
				for r, err := range list(ctx, owner) {
					if owner != "" && ctx.Err() != nil || !yield(r, err) {
						return
					}
				}
			}
		}
	}, fails: []string{"12_a_done_context_is_no_answer", "15_an_error_comes_last", "21_a_listing_ends_with_its_context"}},

	{name: "keeps an index entry for the old owner", harm: func(s *brokenStore) {
		index := newLaxIndex(s)
		s.list = func(ctx context.Context, owner string) iter.Seq2[sojourn.Record, error] {
			return func(yield func(sojourn.Record, error) bool) {
				if owner == "" {
					s.Store.ListOwner(ctx, owner)(yield)
					return
				}
				for _, id := range index.ids(owner) {
					if r, err := s.load(ctx, id); err == nil && !yield(r, nil) {
						return
					}
				}
			}
		}
	}, fails: []string{"15_a_record_is_listed_under_its_present_owner", "16_revoking_deletes_all_but_keep", "21_a_listing_ends_with_its_context"}, may: []string{"10_a_reader_sees_one_whole_record", "19_everything_at_once"}},

	{name: "goes on when the body stops", harm: func(s *brokenStore) {
		list := s.list
		s.list = func(ctx context.Context, owner string) iter.Seq2[sojourn.Record, error] {
			return func(yield func(sojourn.Record, error) bool) {
				list(ctx, owner)(func(r sojourn.Record, err error) bool {
					yield(r, err)
					return true
				})
			}
		}
	}, fails: []string{"15_list_stops_when_the_body_stops"}},

	{name: "lists one page", harm: func(s *brokenStore) {
		list := s.list
		s.list = func(ctx context.Context, owner string) iter.Seq2[sojourn.Record, error] {
			return func(yield func(sojourn.Record, error) bool) {
				n := 0
				for r, err := range list(ctx, owner) {
					if n++; n > 100 || !yield(r, err) {
						return
					}
				}
			}
		}
	}, fails: []string{"15_a_long_list_yields_each_record_once"}},

	{name: "pages by number while records go", harm: func(s *brokenStore) {
		list := s.list
		s.list = func(ctx context.Context, owner string) iter.Seq2[sojourn.Record, error] {
			return func(yield func(sojourn.Record, error) bool) {
				const page = 100
				for from := 0; ; from += page {
					n := 0
					var records []sojourn.Record
					for r, err := range list(ctx, owner) {
						if err != nil {
							yield(r, err)
							return
						}
						if n++; n > from && n <= from+page {
							records = append(records, r)
						}
					}
					for _, r := range records {
						if !yield(r, nil) {
							return
						}
					}
					if n <= from+page {
						return
					}
				}
			}
		}
	}, fails: []string{"15_a_long_list_yields_each_record_once"}},

	{name: "has nothing for nobody", harm: func(s *brokenStore) {
		list, fence := s.list, s.fence
		s.list = func(ctx context.Context, owner string) iter.Seq2[sojourn.Record, error] {
			if owner == "" {
				return func(func(sojourn.Record, error) bool) {}
			}
			return list(ctx, owner)
		}
		s.fence = func(ctx context.Context, owner string) (uint64, time.Duration, error) {
			if owner == "" {
				return 0, 0, nil
			}
			return fence(ctx, owner)
		}
	}, fails: []string{"17_no_owner_is_an_error"}},
}

// A laxIndex remembers every owner that a record ever had.
type laxIndex struct {
	mu  sync.Mutex
	had map[string][]string // ids
}

func newLaxIndex(s *brokenStore) *laxIndex {
	x := &laxIndex{had: map[string][]string{}}
	create, update := s.create, s.update
	s.create = func(ctx context.Context, r sojourn.Record) error {
		err := create(ctx, r)
		if err == nil {
			x.add(r)
		}
		return err
	}
	s.update = func(ctx context.Context, r sojourn.Record, version uint64) error {
		err := update(ctx, r, version)
		if err == nil {
			x.add(r)
		}
		return err
	}
	return x
}

func (x *laxIndex) add(r sojourn.Record) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if !slices.Contains(x.had[r.Owner], r.ID) {
		x.had[r.Owner] = append(x.had[r.Owner], r.ID)
	}
}

func (x *laxIndex) ids(owner string) []string {
	x.mu.Lock()
	defer x.mu.Unlock()
	return slices.Clone(x.had[owner])
}

// like returns the owners that match(theirs, owner).
func (x *laxIndex) like(owner string, match func(a, b string) bool) (owners []string) {
	x.mu.Lock()
	defer x.mu.Unlock()
	for other := range x.had {
		if other != "" && match(other, owner) {
			owners = append(owners, other)
		}
	}
	return owners
}
