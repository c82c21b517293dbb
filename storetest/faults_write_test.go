package storetest

import (
	"context"
	"errors"
	"runtime"
	"sync"
	"time"

	"github.com/gosojourn/sojourn"
)

// writeFaults are of who wins, who loses, and what is left behind.
var writeFaults = []fault{
	{name: "overwrites with Create", harm: func(s *brokenStore) {
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

	{name: "looks before it creates", harm: func(s *brokenStore) {
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

	{name: "ignores the version in Update", harm: func(s *brokenStore) {
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

	{name: "keeps 32 bits of the version", harm: func(s *brokenStore) {
		update := s.update
		s.update = func(ctx context.Context, r sojourn.Record, version uint64) error {
			if there, err := s.load(ctx, r.ID); err == nil && uint32(there.Version) == uint32(version) {
				version = there.Version
			}
			return update(ctx, r, version)
		}
	}, fails: []string{"05_update_is_compare_and_swap"}},

	{name: "creates with Update", harm: func(s *brokenStore) {
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

	{name: "looks before it updates", harm: func(s *brokenStore) {
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

	{name: "calls a lost race an outage", harm: func(s *brokenStore) {
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

	{name: "writes everything with Touch", harm: func(s *brokenStore) {
		update := s.update
		s.touch = func(ctx context.Context, r sojourn.Record) error { return update(ctx, r, r.Version) }
	}, fails: []string{"07_touch_sets_expiry_and_seen", "07_touch_needs_the_version"}},

	{name: "ignores the version in Touch", harm: func(s *brokenStore) {
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

	{name: "reads and writes back with Touch", harm: func(s *brokenStore) {
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

	{name: "deletes at any version", harm: func(s *brokenStore) {
		delete := s.delete
		s.delete = func(ctx context.Context, id string, _ uint64) error { return delete(ctx, id, 0) }
	}, fails: []string{"08_delete_needs_the_version"}, may: []string{"08_delete_or_update_wins"}},

	{name: "looks before it deletes", harm: func(s *brokenStore) {
		delete := s.delete
		s.delete = func(ctx context.Context, id string, version uint64) error {
			if there, err := s.load(ctx, id); err != nil || version != 0 && there.Version != version {
				return delete(ctx, id, version)
			}
			time.Sleep(time.Millisecond)
			return delete(ctx, id, 0)
		}
	}, fails: []string{"08_delete_or_update_wins"}},

	{name: "calls Delete of the dead a conflict", harm: func(s *brokenStore) {
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

	{name: "calls Delete of nothing an error", harm: func(s *brokenStore) {
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

	{name: "judges expiry when it sweeps", harm: func(s *brokenStore) {
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
	}, fails: []string{"09_expired_is_not_there", "09_expired_is_not_listed", "18_sweep_takes_what_has_expired", "18_sweep_counts_what_it_takes", "22_everybody_is_listed_and_counted"}},

	{name: "revives with Touch", harm: func(s *brokenStore) {
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

	{name: "reads in two steps", harm: func(s *brokenStore) {
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

	{name: "calls a done context not found", harm: func(s *brokenStore) {
		load := s.load
		s.load = func(ctx context.Context, id string) (sojourn.Record, error) {
			if ctx.Err() != nil {
				return sojourn.Record{}, sojourn.ErrNotFound
			}
			return load(ctx, id)
		}
	}, fails: []string{"12_a_done_context_is_no_answer"}},

	{name: "calls a done context a conflict", harm: func(s *brokenStore) {
		update := s.update
		s.update = func(ctx context.Context, r sojourn.Record, version uint64) error {
			if ctx.Err() != nil {
				return sojourn.ErrConflict
			}
			return update(ctx, r, version)
		}
	}, fails: []string{"12_a_done_context_is_no_answer"}, may: []string{"12_a_write_cut_short_is_whole_or_not_at_all"}},

	{name: "stops half way when the context is done", harm: func(s *brokenStore) {
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

	{name: "stops half way when the context ends", harm: func(s *brokenStore) {
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

	{name: "drops the write when the context is done", harm: func(s *brokenStore) {
		create := s.create
		s.create = func(ctx context.Context, r sojourn.Record) error {
			if ctx.Err() != nil {
				return nil
			}
			return create(ctx, r)
		}
	}, fails: []string{"12_a_done_context_is_no_answer"}, may: []string{"12_a_write_cut_short_is_whole_or_not_at_all"}},
}
