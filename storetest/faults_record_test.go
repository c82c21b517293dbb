package storetest

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"sync"
	"time"

	"github.com/gosojourn/sojourn"
)

// recordFaults are of what a store makes of ids, data and times.
var recordFaults = []fault{
	{name: "says that it is unfit", harm: func(s *brokenStore) {
		s.check = func(context.Context) error { return errors.New("no table") }
	}, fails: []string{"00_a_fit_store_says_so", "19_everything_at_once"}},

	{name: "keeps whole seconds", harm: func(s *brokenStore) {
		load := s.load
		s.load = func(ctx context.Context, id string) (sojourn.Record, error) {
			r, err := load(ctx, id)
			r.Seen = r.Seen.Truncate(time.Second)
			return r, err
		}
	}, fails: []string{"01_load_returns_what_was_written", "07_touch_sets_expiry_and_seen"}},

	{name: "forgets the fence", harm: func(s *brokenStore) {
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

	{name: "trims data", harm: func(s *brokenStore) {
		create := s.create
		s.create = func(ctx context.Context, r sojourn.Record) error {
			r.Data = bytes.TrimRight(r.Data, " \n\x00")
			return create(ctx, r)
		}
	}, fails: []string{"01_load_returns_what_was_written"}},

	{name: "replaces what is no UTF-8 in data", harm: func(s *brokenStore) {
		update := s.update
		s.update = func(ctx context.Context, r sojourn.Record, version uint64) error {
			r.Data = bytes.ToValidUTF8(r.Data, []byte("\ufffd"))
			return update(ctx, r, version)
		}
	}, fails: []string{"01_load_returns_what_was_written"}},

	{name: "calls a malformed id an outage", harm: func(s *brokenStore) {
		load := s.load
		s.load = func(ctx context.Context, id string) (sojourn.Record, error) {
			if strings.Contains(id, "\x00") {
				return sojourn.Record{}, errors.New("invalid byte sequence for encoding")
			}
			return load(ctx, id)
		}
	}, fails: []string{"02_malformed_ids_are_not_found", "03_ids_are_compared_byte_by_byte"}},

	{name: "pastes ids into a pattern", harm: func(s *brokenStore) {
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

	{name: "ignores the case of ids", harm: func(s *brokenStore) {
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

	{name: "cuts ids to their column", harm: func(s *brokenStore) {
		load := s.load
		s.load = func(ctx context.Context, id string) (sojourn.Record, error) { return load(ctx, id[:min(24, len(id))]) }
	}, fails: []string{"03_ids_are_compared_byte_by_byte"}},

	{name: "lends its memory", harm: func(s *brokenStore) {
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

	{name: "appends to what it is given", harm: func(s *brokenStore) {
		create := s.create
		s.create = func(ctx context.Context, r sojourn.Record) error {
			if cap(r.Data) > len(r.Data) {
				_ = append(r.Data, "footer"...)
			}
			return create(ctx, r)
		}
	}, fails: []string{"11_memory_is_neither_changed_nor_lent"}},

	{name: "hands out a piece of what it read", harm: func(s *brokenStore) {
		var mu sync.Mutex
		arena := make([]byte, 0, 64<<10)
		at := map[string]int{}
		load, create := s.load, s.create
		s.create = func(ctx context.Context, r sojourn.Record) error {
			err := create(ctx, r)
			mu.Lock()
			defer mu.Unlock()
			if err == nil && len(r.Data) < 1000 && len(arena)+len(r.Data) <= cap(arena) {
				at[r.ID] = len(arena)
				arena = append(arena, r.Data...)
			}
			return err
		}
		s.load = func(ctx context.Context, id string) (sojourn.Record, error) {
			r, err := load(ctx, id)
			mu.Lock()
			defer mu.Unlock()
			if from, ok := at[id]; ok && err == nil {
				r.Data = arena[from : from+len(r.Data)]
			}
			return r, err
		}
	}, fails: []string{"11_what_is_appended_goes_elsewhere"}, only: true},

	{name: "truncates data", harm: func(s *brokenStore) {
		create := s.create
		s.create = func(ctx context.Context, r sojourn.Record) error {
			r.Data = r.Data[:min(len(r.Data), 65_535)]
			return create(ctx, r)
		}
	}, fails: []string{"13_large_data_fits_or_is_refused"}},

	{name: "has no room for 60,000 bytes", harm: func(s *brokenStore) {
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

	{name: "writes and then finds it too large", harm: func(s *brokenStore) {
		update := s.update
		s.update = func(ctx context.Context, r sojourn.Record, version uint64) error {
			err := update(ctx, r, version)
			if err == nil && len(r.Data) > 65_535 {
				return sojourn.ErrTooLarge
			}
			return err
		}
	}, fails: []string{"13_large_data_fits_or_is_refused"}},

	{name: "has nanoseconds in 64 bits", harm: func(s *brokenStore) {
		touch := s.touch
		s.touch = func(ctx context.Context, r sojourn.Record) error {
			r.Expiry = time.Unix(0, r.Expiry.UnixNano())
			return touch(ctx, r)
		}
	}, fails: []string{"13_times_fit_or_are_refused"}},
}
