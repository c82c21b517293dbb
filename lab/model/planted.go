package model

import (
	"context"
	"time"

	"github.com/gosojourn/sojourn"
)

// NoFence is a planted bug: revocations are not seen by logins in flight.
func NoFence(s Store) Store { return noFence{s} }

type noFence struct{ Store }

func (noFence) Fence(context.Context, string) (uint64, time.Duration, error) { return 0, 0, nil }

// NoCompare is a planted bug: a save replaces whatever is there.
func NoCompare(s Store) Store { return noCompare{s} }

type noCompare struct{ Store }

func (s noCompare) Update(ctx context.Context, r sojourn.Record, version uint64) error {
	there, err := s.Store.Load(ctx, r.ID)
	if err != nil {
		return s.Store.Update(ctx, r, version)
	}
	return s.Store.Update(ctx, r, there.Version)
}
