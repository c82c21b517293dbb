package model

import (
	"context"
	"slices"
	"strings"
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

// NoTaken is a planted bug: a session that begins replaces one that is there under its id.
func NoTaken(s Store) Store { return noTaken{s} }

type noTaken struct{ Store }

func (s noTaken) Create(ctx context.Context, r sojourn.Record) error {
	if err := s.Store.Delete(ctx, r.ID, 0); err != nil {
		return err
	}
	return s.Store.Create(ctx, r)
}

// A between is a planted bug that stands between browsers and managers.
type between interface {
	shows(pairs []string) []string // what is left of the cookies of a request
	sets(lines []string) []string  // and of what a response sets
}

// NotHidden is a planted bug: a visitor's seal counts, and not the token beside it.
func NotHidden(s Store) Store { return notHidden{s} }

type notHidden struct{ Store }

func (notHidden) shows(pairs []string) []string {
	if slices.ContainsFunc(pairs, isSeal) {
		pairs = slices.DeleteFunc(slices.Clone(pairs), func(p string) bool { return !isSeal(p) })
	}
	return pairs
}

func (notHidden) sets(lines []string) []string { return lines }

// NotForgotten is a planted bug: no visitor's seal is ever expired.
func NotForgotten(s Store) Store { return notForgotten{s} }

type notForgotten struct{ Store }

func (notForgotten) shows(pairs []string) []string { return pairs }

func (notForgotten) sets(lines []string) []string {
	return slices.DeleteFunc(slices.Clone(lines), func(l string) bool { return isSeal(l) && strings.Contains(l, "Max-Age=0") })
}
