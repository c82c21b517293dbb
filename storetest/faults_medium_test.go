package storetest

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"sync/atomic"

	"github.com/gosojourn/sojourn"
)

// mediumFaults are of a medium that refuses or is silent, and of contexts that end meanwhile.
var mediumFaults = []fault{
	{name: "calls a refusal an outage", harm: func(s *brokenStore) {
		s.admit = func(ctx context.Context, write func() error) error {
			if err := s.medium.wait(ctx); errors.Is(err, sojourn.ErrRefused) {
				return errors.New("the disk is full")
			} else if err != nil {
				return err
			}
			return write()
		}
	}, fails: []string{"20_a_medium_that_refuses_is_quoted"}},

	{name: "refuses without a word of why", harm: func(s *brokenStore) {
		s.admit = func(ctx context.Context, write func() error) error {
			if err := s.medium.wait(ctx); errors.Is(err, sojourn.ErrRefused) {
				return fmt.Errorf("%w: ", sojourn.ErrRefused)
			} else if err != nil {
				return err
			}
			return write()
		}
	}, fails: []string{"20_a_medium_that_refuses_is_quoted"}},

	{name: "calls a refusal a conflict", harm: func(s *brokenStore) {
		s.admit = func(ctx context.Context, write func() error) error {
			if err := s.medium.wait(ctx); errors.Is(err, sojourn.ErrRefused) {
				return fmt.Errorf("%w: %w", sojourn.ErrConflict, err)
			} else if err != nil {
				return err
			}
			return write()
		}
	}, fails: []string{"20_a_medium_that_refuses_is_quoted"}},

	{name: "writes and then says that it was refused", harm: func(s *brokenStore) {
		s.admit = func(ctx context.Context, write func() error) error {
			err := s.medium.wait(ctx)
			if err == nil || errors.Is(err, sojourn.ErrRefused) {
				err = errors.Join(err, write())
			}
			return err
		}
	}, fails: []string{"20_a_medium_that_refuses_is_quoted"}},

	{name: "writes although it is told not to", harm: func(s *brokenStore) {
		s.admit = func(ctx context.Context, write func() error) error {
			if err := s.medium.wait(ctx); err != nil && !errors.Is(err, sojourn.ErrRefused) {
				return err
			}
			return write()
		}
	}, fails: []string{"20_a_medium_that_refuses_is_quoted"}},

	{name: "asks again until somebody makes room", harm: func(s *brokenStore) {
		s.admit = func(ctx context.Context, write func() error) error {
			for {
				if err := s.medium.wait(ctx); !errors.Is(err, sojourn.ErrRefused) {
					return errors.Join(err, write())
				}
				if err := ctx.Err(); err != nil {
					return err
				}
			}
		}
	}, fails: []string{"20_a_medium_that_refuses_is_quoted"}, only: true},

	{name: "says nothing definite of what does not fit", harm: func(s *brokenStore) {
		update := s.update
		s.update = func(ctx context.Context, r sojourn.Record, version uint64) error {
			if err := update(ctx, r, version); errors.Is(err, sojourn.ErrRefused) {
				return errors.New("out of range")
			} else {
				return err
			}
		}
	}, fails: []string{"20_what_does_not_fit_is_refused"}},

	{name: "waits whatever its context says", harm: func(s *brokenStore) {
		s.admit = func(_ context.Context, write func() error) error {
			if err := s.medium.wait(context.Background()); err != nil {
				return err
			}
			return write()
		}
	}, fails: []string{"21_a_stalled_call_ends_with_its_context"}, only: true},

	{name: "asks a silent medium under a done context", harm: func(s *brokenStore) {
		silent := make(chan struct{})
		load := s.load
		s.load = func(ctx context.Context, id string) (sojourn.Record, error) {
			if ctx.Err() != nil {
				<-silent
			}
			return load(ctx, id)
		}
	}, fails: []string{"21_a_done_context_ends_a_call_at_once"}, only: true},

	{name: "calls what it gave up refused", harm: func(s *brokenStore) {
		s.admit = func(ctx context.Context, write func() error) error {
			if err := s.medium.wait(ctx); err != nil {
				return fmt.Errorf("%w: %w", sojourn.ErrRefused, err)
			}
			return write()
		}
	}, fails: []string{"21_a_stalled_call_ends_with_its_context"}},

	{name: "loses a connection with each call that is given up", harm: func(s *brokenStore) {
		pool := make(chan struct{}, 50)
		load := s.load
		s.load = func(ctx context.Context, id string) (sojourn.Record, error) {
			select {
			case pool <- struct{}{}:
			case <-ctx.Done():
				return sojourn.Record{}, ctx.Err()
			}
			if err := ctx.Err(); err != nil {
				return sojourn.Record{}, err
			}
			defer func() { <-pool }()
			return load(ctx, id)
		}
	}, fails: []string{"21_a_done_context_ends_a_call_at_once"}, only: true},

	{name: "goes on waiting for what it gave up", harm: func(s *brokenStore) {
		s.admit = func(ctx context.Context, write func() error) error {
			done := make(chan error, 1)
			s.medium.held.Add(1)
			go func() {
				defer s.medium.held.Add(-1)
				done <- s.medium.wait(context.WithoutCancel(ctx))
			}()
			select {
			case <-ctx.Done():
				return ctx.Err()
			case err := <-done:
				if err != nil {
					return err
				}
				return write()
			}
		}
	}, fails: []string{"21_a_stalled_call_ends_with_its_context"}, only: true},

	{name: "applies half of what it gave up", harm: func(s *brokenStore) {
		var halves atomic.Int32
		admit, load := s.admit, s.load
		s.admit = func(ctx context.Context, write func() error) error {
			err := admit(ctx, write)
			if err != nil && ctx.Err() != nil {
				halves.Add(1)
			}
			return err
		}
		s.load = func(ctx context.Context, id string) (sojourn.Record, error) {
			r, err := load(ctx, id)
			if halves.Load() > 0 {
				r.Owner += "half"
			}
			return r, err
		}
	}, fails: []string{"21_a_stalled_call_ends_with_its_context"}, only: true},

	{name: "lists to the end whatever its context says", harm: func(s *brokenStore) {
		list := s.list
		s.list = func(ctx context.Context, owner string) iter.Seq2[sojourn.Record, error] {
			return list(context.WithoutCancel(ctx), owner)
		}
	}, fails: []string{"21_a_listing_ends_with_its_context"}},
}
