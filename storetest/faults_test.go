package storetest

import (
	"bytes"
	"context"
	"errors"
	"iter"
	"runtime"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/gosojourn/sojourn"
)

type fault struct {
	name   string
	break_ func(s *brokenStore)
	fails  []string // always
	may    []string // when a race goes that way
	only   bool     // try the cases that it fails and no other: it hangs, or is a data race
}

// faults are what stores get wrong, each with the cases that it must fail. Most were seen in real
// stores; the name says what the store does.
var faults = []fault{
	{name: "says that it is unfit", break_: func(s *brokenStore) {
		s.check = func(context.Context) error { return errors.New("no table") }
	}, fails: []string{"00_a_fit_store_says_so", "19_everything_at_once"}},

	{name: "keeps whole seconds", break_: func(s *brokenStore) {
		load := s.load
		s.load = func(ctx context.Context, id string) (sojourn.Record, error) {
			r, err := load(ctx, id)
			r.Seen = r.Seen.Truncate(time.Second)
			return r, err
		}
	}, fails: []string{"01_load_returns_what_was_written", "07_touch_sets_expiry_and_seen"}},

	{name: "forgets the fence", break_: func(s *brokenStore) {
		update := s.update
		s.update = func(ctx context.Context, r sojourn.Record, version uint64) error {
			r.Fence = 0
			return update(ctx, r, version)
		}
	}, fails: []string{
		"01_load_returns_what_was_written",
		"10_a_reader_sees_one_whole_record",
		"19_everything_at_once",
	}},

	{name: "trims data", break_: func(s *brokenStore) {
		create := s.create
		s.create = func(ctx context.Context, r sojourn.Record) error {
			r.Data = bytes.TrimRight(r.Data, " \n\x00")
			return create(ctx, r)
		}
	}, fails: []string{"01_load_returns_what_was_written"}},

	{name: "replaces what is no UTF-8 in data", break_: func(s *brokenStore) {
		update := s.update
		s.update = func(ctx context.Context, r sojourn.Record, version uint64) error {
			r.Data = bytes.ToValidUTF8(r.Data, []byte("\ufffd"))
			return update(ctx, r, version)
		}
	}, fails: []string{"01_load_returns_what_was_written"}},

	{name: "calls a malformed id an outage", break_: func(s *brokenStore) {
		load := s.load
		s.load = func(ctx context.Context, id string) (sojourn.Record, error) {
			if strings.Contains(id, "\x00") {
				return sojourn.Record{}, errors.New("invalid byte sequence for encoding")
			}
			return load(ctx, id)
		}
	}, fails: []string{"02_malformed_ids_are_not_found", "03_ids_are_compared_byte_by_byte"}},

	{name: "pastes ids into a pattern", break_: func(s *brokenStore) {
		ids := new(sync.Map)
		create, delete := s.create, s.delete
		s.create = func(ctx context.Context, r sojourn.Record) error {
			ids.Store(r.ID, nil)
			return create(ctx, r)
		}
		s.delete = func(ctx context.Context, id string, version uint64) error {
			if strings.Trim(id, "%") == "" {
				ids.Range(func(id, _ any) bool { delete(ctx, id.(string), 0); return true })
			}
			return delete(ctx, id, version)
		}
	}, fails: []string{"02_malformed_ids_are_not_found"}},

	{name: "ignores the case of ids", break_: func(s *brokenStore) {
		ids := new(sync.Map)
		create, load := s.create, s.load
		s.create = func(ctx context.Context, r sojourn.Record) error {
			if other, taken := ids.LoadOrStore(strings.ToLower(r.ID), r.ID); taken && other != r.ID {
				return sojourn.ErrConflict
			}
			return create(ctx, r)
		}
		s.load = func(ctx context.Context, id string) (sojourn.Record, error) {
			if there, ok := ids.Load(strings.ToLower(id)); ok {
				id = there.(string)
			}
			return load(ctx, id)
		}
	}, fails: []string{"03_ids_are_compared_byte_by_byte"}},

	{name: "cuts ids to their column", break_: func(s *brokenStore) {
		load := s.load
		s.load = func(ctx context.Context, id string) (sojourn.Record, error) { return load(ctx, id[:min(24, len(id))]) }
	}, fails: []string{"03_ids_are_compared_byte_by_byte"}},

	{name: "overwrites with Create", break_: func(s *brokenStore) {
		create := s.create
		s.create = func(ctx context.Context, r sojourn.Record) error {
			err := create(ctx, r)
			if errors.Is(err, sojourn.ErrConflict) {
				s.Store.Delete(ctx, r.ID, 0)
				err = create(ctx, r)
			}
			return err
		}
	}, fails: []string{"04_create_never_overwrites", "04_one_of_many_creates_wins"}},

	{name: "looks before it creates", break_: func(s *brokenStore) {
		create := s.create
		s.create = func(ctx context.Context, r sojourn.Record) error {
			if _, err := s.load(ctx, r.ID); err == nil {
				return sojourn.ErrConflict
			}
			time.Sleep(time.Millisecond)
			err := create(ctx, r)
			if errors.Is(err, sojourn.ErrConflict) {
				s.Store.Delete(ctx, r.ID, 0)
				err = create(ctx, r)
			}
			return err
		}
	}, fails: []string{"04_one_of_many_creates_wins"}},

	{name: "ignores the version in Update", break_: func(s *brokenStore) {
		update := s.update
		s.update = func(ctx context.Context, r sojourn.Record, _ uint64) error {
			for {
				there, err := s.load(ctx, r.ID)
				if err != nil {
					return sojourn.ErrConflict
				}
				if err := update(ctx, r, there.Version); !errors.Is(err, sojourn.ErrConflict) {
					return err
				}
			}
		}
	}, fails: []string{"05_update_is_compare_and_swap", "06_one_of_many_updates_wins"}, may: []string{"06_contention_is_no_outage"}},

	{name: "keeps 32 bits of the version", break_: func(s *brokenStore) {
		update := s.update
		s.update = func(ctx context.Context, r sojourn.Record, version uint64) error {
			if there, err := s.load(ctx, r.ID); err == nil && uint32(there.Version) == uint32(version) {
				version = there.Version
			}
			return update(ctx, r, version)
		}
	}, fails: []string{"05_update_is_compare_and_swap"}},

	{name: "creates with Update", break_: func(s *brokenStore) {
		update := s.update
		s.update = func(ctx context.Context, r sojourn.Record, version uint64) error {
			if _, err := s.load(ctx, r.ID); errors.Is(err, sojourn.ErrNotFound) {
				return s.create(ctx, r)
			}
			return update(ctx, r, version)
		}
	}, fails: []string{
		"02_unknown_ids_are_not_found",
		"02_malformed_ids_are_not_found",
		"03_ids_are_compared_byte_by_byte",
		"05_update_never_creates",
		"09_expired_is_not_there",
	}, may: []string{"08_delete_or_update_wins"}},

	{name: "looks before it updates", break_: func(s *brokenStore) {
		update := s.update
		s.update = func(ctx context.Context, r sojourn.Record, version uint64) error {
			there, err := s.load(ctx, r.ID)
			if err != nil || there.Version != version {
				return sojourn.ErrConflict
			}
			time.Sleep(time.Millisecond)
			for {
				if err := update(ctx, r, there.Version); !errors.Is(err, sojourn.ErrConflict) {
					return err
				}
				if there, err = s.load(ctx, r.ID); err != nil {
					return sojourn.ErrConflict
				}
			}
		}
	}, fails: []string{"06_one_of_many_updates_wins", "06_contention_is_no_outage"}},

	{name: "calls a lost race an outage", break_: func(s *brokenStore) {
		var writing sync.Mutex
		update := s.update
		s.update = func(ctx context.Context, r sojourn.Record, version uint64) error {
			if !writing.TryLock() {
				return errors.New("Error 1213 (40001): Deadlock found when trying to get lock")
			}
			defer writing.Unlock()
			time.Sleep(time.Millisecond)
			return update(ctx, r, version)
		}
	}, fails: []string{"06_one_of_many_updates_wins", "06_contention_is_no_outage"}, may: []string{
		"07_touch_gives_way_to_an_update",
		"10_a_reader_sees_one_whole_record",
		"16_no_login_outlives_a_revocation",
		"19_everything_at_once",
	}},

	{name: "writes everything with Touch", break_: func(s *brokenStore) {
		update := s.update
		s.touch = func(ctx context.Context, r sojourn.Record) error { return update(ctx, r, r.Version) }
	}, fails: []string{"07_touch_sets_expiry_and_seen", "07_touch_needs_the_version"}},

	{name: "ignores the version in Touch", break_: func(s *brokenStore) {
		touch := s.touch
		s.touch = func(ctx context.Context, r sojourn.Record) error {
			if there, err := s.load(ctx, r.ID); err == nil {
				r.Version = there.Version
			}
			return touch(ctx, r)
		}
	}, fails: []string{"07_touch_needs_the_version"}, may: []string{
		"07_touch_gives_way_to_an_update",
		"10_a_reader_sees_one_whole_record",
		"19_everything_at_once",
	}},

	{name: "reads and writes back with Touch", break_: func(s *brokenStore) {
		update, create := s.update, s.create
		s.touch = func(ctx context.Context, r sojourn.Record) error {
			there, err := s.load(ctx, r.ID)
			if err != nil || there.Version != r.Version {
				return sojourn.ErrConflict
			}
			time.Sleep(time.Millisecond)
			there.Expiry, there.Seen = r.Expiry, r.Seen
			if err := update(ctx, there, there.Version); !errors.Is(err, sojourn.ErrConflict) {
				return err
			}
			s.Store.Delete(ctx, r.ID, 0)
			return create(ctx, there)
		}
	}, fails: []string{"07_touch_gives_way_to_an_update"}},

	{name: "deletes at any version", break_: func(s *brokenStore) {
		delete := s.delete
		s.delete = func(ctx context.Context, id string, _ uint64) error { return delete(ctx, id, 0) }
	}, fails: []string{"08_delete_needs_the_version"}, may: []string{"08_delete_or_update_wins"}},

	{name: "looks before it deletes", break_: func(s *brokenStore) {
		delete := s.delete
		s.delete = func(ctx context.Context, id string, version uint64) error {
			if there, err := s.load(ctx, id); err != nil || version != 0 && there.Version != version {
				return delete(ctx, id, version)
			}
			time.Sleep(time.Millisecond)
			return delete(ctx, id, 0)
		}
	}, fails: []string{"08_delete_or_update_wins"}},

	{name: "calls Delete of the dead a conflict", break_: func(s *brokenStore) {
		versions := new(sync.Map)
		create, delete := s.create, s.delete
		s.create = func(ctx context.Context, r sojourn.Record) error {
			if !r.Expiry.After(time.Now()) {
				versions.Store(r.ID, r.Version)
			}
			return create(ctx, r)
		}
		s.delete = func(ctx context.Context, id string, version uint64) error {
			if v, ok := versions.Load(id); ok && version != 0 && v != version {
				return sojourn.ErrConflict
			}
			return delete(ctx, id, version)
		}
	}, fails: []string{"09_expired_is_not_there"}},

	{name: "calls Delete of nothing an error", break_: func(s *brokenStore) {
		delete := s.delete
		s.delete = func(ctx context.Context, id string, version uint64) error {
			if _, err := s.load(ctx, id); err != nil {
				return err
			}
			return delete(ctx, id, version)
		}
	}, fails: []string{
		"02_unknown_ids_are_not_found",
		"08_delete_needs_the_version",
		"09_expired_is_not_there",
	}, may: []string{
		"16_no_login_outlives_a_revocation", "19_everything_at_once",
	}},

	{name: "judges expiry when it sweeps", break_: func(s *brokenStore) {
		alive := func(t time.Time) time.Time {
			if t.Before(time.Now()) {
				return dayAhead
			}
			return t
		}
		create, update, touch := s.create, s.update, s.touch
		s.create = func(ctx context.Context, r sojourn.Record) error {
			r.Expiry = alive(r.Expiry)
			return create(ctx, r)
		}
		s.update = func(ctx context.Context, r sojourn.Record, version uint64) error {
			r.Expiry = alive(r.Expiry)
			return update(ctx, r, version)
		}
		s.touch = func(ctx context.Context, r sojourn.Record) error {
			r.Expiry = alive(r.Expiry)
			return touch(ctx, r)
		}
	}, fails: []string{"09_expired_is_not_there", "09_expired_is_not_listed", "18_sweep_takes_what_has_expired"}},

	{name: "revives with Touch", break_: func(s *brokenStore) {
		dead := new(sync.Map)
		create, touch := s.create, s.touch
		s.create = func(ctx context.Context, r sojourn.Record) error {
			if !r.Expiry.After(time.Now()) {
				dead.Store(r.ID, r)
			}
			return create(ctx, r)
		}
		s.touch = func(ctx context.Context, r sojourn.Record) error {
			if was, ok := dead.Load(r.ID); ok && was.(sojourn.Record).Version == r.Version {
				revived := was.(sojourn.Record)
				revived.Expiry, revived.Seen = r.Expiry, r.Seen
				return create(ctx, revived)
			}
			return touch(ctx, r)
		}
	}, fails: []string{"09_expired_is_not_there"}},

	{name: "reads in two steps", break_: func(s *brokenStore) {
		load := s.load
		s.load = func(ctx context.Context, id string) (sojourn.Record, error) {
			r, err := load(ctx, id)
			if err != nil {
				return r, err
			}
			time.Sleep(time.Millisecond)
			if again, err := load(ctx, id); err == nil {
				r.Data = again.Data
			}
			return r, err
		}
	}, fails: []string{"10_a_reader_sees_one_whole_record"}, may: []string{"06_contention_is_no_outage", "19_everything_at_once"}},

	{name: "lends its memory", break_: func(s *brokenStore) {
		var mu sync.Mutex
		lent := map[string][]byte{}
		load, create, update := s.load, s.create, s.update
		s.create = func(ctx context.Context, r sojourn.Record) error {
			err := create(ctx, r)
			mu.Lock()
			defer mu.Unlock()
			if err == nil {
				delete(lent, r.ID)
			}
			return err
		}
		s.load = func(ctx context.Context, id string) (sojourn.Record, error) {
			r, err := load(ctx, id)
			mu.Lock()
			defer mu.Unlock()
			if lent[id] == nil && err == nil {
				lent[id] = bytes.Clone(r.Data)
			}
			if err == nil && len(lent[id]) == len(r.Data) {
				r.Data = lent[id]
			}
			return r, err
		}
		s.update = func(ctx context.Context, r sojourn.Record, version uint64) error {
			err := update(ctx, r, version)
			mu.Lock()
			defer mu.Unlock()
			if err == nil && len(lent[r.ID]) == len(r.Data) {
				copy(lent[r.ID], r.Data)
			} else if err == nil {
				delete(lent, r.ID)
			}
			return err
		}
	}, fails: []string{"11_memory_is_neither_changed_nor_lent"}, only: true},

	{name: "appends to what it is given", break_: func(s *brokenStore) {
		create := s.create
		s.create = func(ctx context.Context, r sojourn.Record) error {
			if cap(r.Data) > len(r.Data) {
				_ = append(r.Data, "footer"...)
			}
			return create(ctx, r)
		}
	}, fails: []string{"11_memory_is_neither_changed_nor_lent"}},

	{name: "calls a done context not found", break_: func(s *brokenStore) {
		load := s.load
		s.load = func(ctx context.Context, id string) (sojourn.Record, error) {
			if ctx.Err() != nil {
				return sojourn.Record{}, sojourn.ErrNotFound
			}
			return load(ctx, id)
		}
	}, fails: []string{"12_a_done_context_is_no_answer"}},

	{name: "calls a done context a conflict", break_: func(s *brokenStore) {
		update := s.update
		s.update = func(ctx context.Context, r sojourn.Record, version uint64) error {
			if ctx.Err() != nil {
				return sojourn.ErrConflict
			}
			return update(ctx, r, version)
		}
	}, fails: []string{"12_a_done_context_is_no_answer"}, may: []string{"12_a_write_cut_short_is_whole_or_not_at_all"}},

	{name: "stops half way when the context is done", break_: func(s *brokenStore) {
		update := s.update
		s.update = func(ctx context.Context, r sojourn.Record, version uint64) error {
			half := r
			half.Owner, half.Fence, half.Expiry = "", 0, dayAhead
			if err := update(ctx, half, version); err != nil {
				return err
			}
			runtime.Gosched()
			if err := ctx.Err(); err != nil {
				return err
			}
			return update(ctx, r, r.Version)
		}
	}, fails: []string{
		"12_a_done_context_is_no_answer", "13_large_data_fits_or_is_refused", "13_times_fit_or_are_refused",
	}, may: []string{
		"06_one_of_many_updates_wins",
		"06_contention_is_no_outage",
		"10_a_reader_sees_one_whole_record",
		"12_a_write_cut_short_is_whole_or_not_at_all",
		"19_everything_at_once",
	}},

	{name: "stops half way when the context ends", break_: func(s *brokenStore) {
		update := s.update
		s.update = func(ctx context.Context, r sojourn.Record, version uint64) error {
			if r.Owner == "" || ctx.Err() != nil {
				return update(ctx, r, version)
			}
			half := r
			half.Owner, half.Fence, half.Expiry = "", 0, dayAhead
			if err := update(ctx, half, version); err != nil {
				return err
			}
			select {
			case <-ctx.Done():
				return ctx.Err()
			case <-time.After(2 * time.Millisecond):
				return update(ctx, r, r.Version)
			}
		}
	}, fails: []string{"12_a_write_cut_short_is_whole_or_not_at_all", "13_large_data_fits_or_is_refused"}, may: []string{
		"06_one_of_many_updates_wins",
		"06_contention_is_no_outage",
		"10_a_reader_sees_one_whole_record",
		"19_everything_at_once",
	}},

	{name: "drops the write when the context is done", break_: func(s *brokenStore) {
		create := s.create
		s.create = func(ctx context.Context, r sojourn.Record) error {
			if ctx.Err() != nil {
				return nil
			}
			return create(ctx, r)
		}
	}, fails: []string{"12_a_done_context_is_no_answer"}, may: []string{"12_a_write_cut_short_is_whole_or_not_at_all"}},

	{name: "truncates data", break_: func(s *brokenStore) {
		create := s.create
		s.create = func(ctx context.Context, r sojourn.Record) error {
			r.Data = r.Data[:min(len(r.Data), 65_535)]
			return create(ctx, r)
		}
	}, fails: []string{"13_large_data_fits_or_is_refused"}},

	{name: "has no room for 60,000 bytes", break_: func(s *brokenStore) {
		create, update := s.create, s.update
		s.create = func(ctx context.Context, r sojourn.Record) error {
			if len(r.Data) > 50_000 {
				return sojourn.ErrTooLarge
			}
			return create(ctx, r)
		}
		s.update = func(ctx context.Context, r sojourn.Record, version uint64) error {
			if len(r.Data) > 50_000 {
				return sojourn.ErrTooLarge
			}
			return update(ctx, r, version)
		}
	}, fails: []string{"01_load_returns_what_was_written", "13_large_data_fits_or_is_refused"}},

	{name: "writes and then finds it too large", break_: func(s *brokenStore) {
		update := s.update
		s.update = func(ctx context.Context, r sojourn.Record, version uint64) error {
			err := update(ctx, r, version)
			if err == nil && len(r.Data) > 65_535 {
				return sojourn.ErrTooLarge
			}
			return err
		}
	}, fails: []string{"13_large_data_fits_or_is_refused"}},

	{name: "has nanoseconds in 64 bits", break_: func(s *brokenStore) {
		touch := s.touch
		s.touch = func(ctx context.Context, r sojourn.Record) error {
			r.Expiry = time.Unix(0, r.Expiry.UnixNano())
			return touch(ctx, r)
		}
	}, fails: []string{"13_times_fit_or_are_refused"}},

	{name: "trims owners", break_: func(s *brokenStore) {
		create := s.create
		s.create = func(ctx context.Context, r sojourn.Record) error {
			r.Owner = strings.TrimRight(r.Owner, " ")
			return create(ctx, r)
		}
	}, fails: []string{"14_owners_come_back_as_they_were", "14_owners_are_compared_byte_by_byte"}},

	{name: "refuses owners with NUL", break_: func(s *brokenStore) {
		create := s.create
		s.create = func(ctx context.Context, r sojourn.Record) error {
			if strings.Contains(r.Owner, "\x00") {
				return errors.New("invalid byte sequence for encoding")
			}
			return create(ctx, r)
		}
	}, fails: []string{"14_owners_come_back_as_they_were", "14_owners_are_compared_byte_by_byte"}},

	{name: "ignores the case of owners", break_: func(s *brokenStore) {
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

	{name: "holds a lock while it lists", break_: func(s *brokenStore) {
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

	{name: "holds its one connection while it lists", break_: func(s *brokenStore) {
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

	{name: "loses a connection with each listing that is left", break_: func(s *brokenStore) {
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

	{name: "lists the dead", break_: func(s *brokenStore) {
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

	{name: "lists copies that are out of date", break_: func(s *brokenStore) {
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

	{name: "lists on after an error", break_: func(s *brokenStore) {
		list := s.list
		s.list = func(ctx context.Context, owner string) iter.Seq2[sojourn.Record, error] {
			return func(yield func(sojourn.Record, error) bool) {
				if err := ctx.Err(); err == nil || yield(sojourn.Record{}, err) {
					list(context.WithoutCancel(ctx), owner)(yield)
				}
			}
		}
	}, fails: []string{"12_a_done_context_is_no_answer", "15_an_error_comes_last"}},

	{name: "swallows the error of a listing", break_: func(s *brokenStore) {
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
	}, fails: []string{"12_a_done_context_is_no_answer", "15_an_error_comes_last"}},

	{name: "keeps an index entry for the old owner", break_: func(s *brokenStore) {
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
	}, fails: []string{"15_a_record_is_listed_under_its_present_owner", "16_revoking_deletes_all_but_keep"}, may: []string{"10_a_reader_sees_one_whole_record", "19_everything_at_once"}},

	{name: "goes on when the body stops", break_: func(s *brokenStore) {
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

	{name: "lists one page", break_: func(s *brokenStore) {
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

	{name: "pages by number while records go", break_: func(s *brokenStore) {
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

	{name: "has a clock for a fence", break_: func(s *brokenStore) {
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
		s.fence = func(ctx context.Context, owner string) (uint64, error) {
			if f, ok := fences.Load(owner); ok {
				return f.(uint64), nil
			}
			return s.Store.Fence(ctx, owner)
		}
	}, fails: []string{"16_a_fence_rises_with_each_revocation"}, may: []string{"16_revoking_deletes_all_but_keep", "16_no_login_outlives_a_revocation"}},

	{name: "has a counter for a fence", break_: func(s *brokenStore) {
		const start = 1 << 32
		fence, revoke := s.fence, s.revoke
		s.fence = func(ctx context.Context, owner string) (uint64, error) {
			f, err := fence(ctx, owner)
			return f / start, err
		}
		s.revoke = func(ctx context.Context, owner, keep string) (uint64, error) {
			f, err := revoke(ctx, owner, keep)
			return f / start, err
		}
	}, fails: []string{"16_a_fence_rises_with_each_revocation", "16_revoking_deletes_all_but_keep"}},

	{name: "deletes before it raises the fence", break_: func(s *brokenStore) {
		revoke := s.revoke
		s.revoke = func(ctx context.Context, owner, keep string) (uint64, error) {
			for r, err := range s.list(ctx, owner) {
				if err == nil && r.ID != keep {
					s.delete(ctx, r.ID, 0)
				}
			}
			time.Sleep(5 * time.Millisecond)
			return revoke(ctx, owner, keep)
		}
	}, fails: []string{"16_the_fence_rises_before_anything_is_deleted"}},

	{name: "deletes what it saw before it raised the fence", break_: func(s *brokenStore) {
		fences := new(sync.Map)
		s.revoke = func(ctx context.Context, owner, keep string) (uint64, error) {
			if owner == "" {
				return s.Store.RevokeOwner(ctx, owner, keep)
			}
			var ids []string
			ctx = context.WithoutCancel(ctx)
			for r := range s.list(ctx, owner) {
				ids = append(ids, r.ID)
			}
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
		s.fence = func(ctx context.Context, owner string) (uint64, error) {
			if f, ok := fences.Load(owner); ok {
				return f.(uint64), nil
			}
			return s.Store.Fence(ctx, owner)
		}
	}, fails: []string{"16_no_login_outlives_a_revocation"}, may: []string{"16_a_fence_rises_with_each_revocation"}},

	{name: "keeps nothing", break_: func(s *brokenStore) {
		revoke := s.revoke
		s.revoke = func(ctx context.Context, owner, _ string) (uint64, error) { return revoke(ctx, owner, "") }
	}, fails: []string{"16_revoking_deletes_all_but_keep"}},

	{name: "revokes whoever begins like that", break_: func(s *brokenStore) {
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

	{name: "has nothing for nobody", break_: func(s *brokenStore) {
		list, fence := s.list, s.fence
		s.list = func(ctx context.Context, owner string) iter.Seq2[sojourn.Record, error] {
			if owner == "" {
				return func(func(sojourn.Record, error) bool) {}
			}
			return list(ctx, owner)
		}
		s.fence = func(ctx context.Context, owner string) (uint64, error) {
			if owner == "" {
				return 0, nil
			}
			return fence(ctx, owner)
		}
	}, fails: []string{"17_no_owner_is_an_error"}},

	{name: "sweeps without limit", break_: func(s *brokenStore) {
		sweep := s.sweep
		s.sweep = func(ctx context.Context, before time.Time, _ int) (int, error) { return sweep(ctx, before, 1<<30) }
	}, fails: []string{"18_sweep_takes_what_has_expired", "18_sweep_heeds_its_limit"}},

	{name: "sweeps the living", break_: func(s *brokenStore) {
		sweep := s.sweep
		s.sweep = func(ctx context.Context, _ time.Time, limit int) (int, error) {
			return sweep(ctx, time.Now().Add(2*time.Hour), limit)
		}
	}, fails: []string{"18_sweep_takes_what_has_expired"}},

	{name: "sweeps by a clock that is fast", break_: func(s *brokenStore) {
		sweep := s.sweep
		s.sweep = func(ctx context.Context, before time.Time, limit int) (int, error) {
			return sweep(ctx, before.Add(time.Hour), limit)
		}
	}, fails: []string{"18_sweep_takes_what_has_expired"}},

	{name: "never sweeps", break_: func(s *brokenStore) {
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
	}, fails: []string{"18_sweep_takes_what_has_expired"}},

	{name: "is busy when two call", break_: func(s *brokenStore) {
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
