package main

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	mathrand "math/rand/v2"
	"slices"
	"sync"
	"time"

	"github.com/gosojourn/sojourn"
	"github.com/gosojourn/sojourn/sqlstore"
)

// A user has one session, and one request at a time.
type user struct {
	mu sync.Mutex
	r  sojourn.Record
}

func newUsers(ctx context.Context, s *sqlstore.Store, n int) ([]*user, error) {
	all := make([]*user, n)
	for i := range all {
		var id [18]byte
		rand.Read(id[:])
		now := time.Now().Truncate(time.Millisecond)
		all[i] = &user{r: sojourn.Record{ID: base64.RawURLEncoding.EncodeToString(id[:]), Version: version(), Seen: now, Expiry: now.Add(24 * time.Hour), Data: make([]byte, 200)}}
		if err := s.Create(ctx, all[i].r); err != nil {
			return nil, err
		}
	}
	return all, nil
}

func version() uint64 { return 1 + mathrand.Uint64N(1<<48-1) }

// request loads the session and, if it writes, saves it.
func (u *user) request(ctx context.Context, s *sqlstore.Store, writes bool) error {
	u.mu.Lock()
	defer u.mu.Unlock()
	r, err := s.Load(ctx, u.r.ID)
	if err == nil && writes {
		err = u.save(ctx, s, r)
	}
	return err
}

func (u *user) save(ctx context.Context, s *sqlstore.Store, r sojourn.Record) error {
	was := r.Version
	r.Version = version()
	err := s.Update(ctx, r, was)
	if err == nil {
		u.r = r
	}
	return err
}

// A tally is how requests went.
type tally struct {
	mu     sync.Mutex
	took   []time.Duration
	failed []error
}

func (t *tally) add(took time.Duration, err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.took = append(t.took, took)
	if err != nil {
		t.failed = append(t.failed, err)
	}
}

// at answers how long the requests took of which so many parts were faster.
func (t *tally) at(part float64) time.Duration {
	if len(t.took) == 0 {
		return 0
	}
	slices.Sort(t.took)
	return t.took[min(int(part*float64(len(t.took))), len(t.took)-1)]
}
