package redisstore

import (
	"context"
	"sync"
	"time"

	"github.com/gosojourn/sojourn"
)

// LoadNear is Load, but may return a copy that was read at most Options.Near ago; copied says that it has.
// It returns no copy of what this process has changed since.
func (s *Store) LoadNear(ctx context.Context, id string) (r sojourn.Record, copied bool, err error) {
	if s.o.Near == 0 || !wellFormed(id) || s.written.has(id) || s.doubtful.has(id) {
		r, err = s.Load(ctx, id)
		return r, false, err
	}
	if done := s.asksBeside(ctx); done != nil {
		defer done()
	}
	// The client forgets by its own clock, so a connection that is dead without telling makes nothing older.
	answer := s.guard.doCache(ctx, s.client.B().Get().Key(s.key(id)).Cache(), s.o.Near)
	r, err = s.read(id, answer)
	return r, answer.IsCacheHit(), err
}

// changing keeps copies of id from being believed, while it is changed and as long as there may be any.
func (s *Store) changing(id string) {
	if s.o.Near > 0 {
		s.written.add(id)
	}
}

// recently is a set whose members stay for age.
type recently struct {
	age time.Duration

	mu          sync.RWMutex
	now, before map[string]time.Time // when they came; the younger ones, and those of up to twice age
	turned      time.Time
}

func (x *recently) add(id string) {
	now := time.Now()
	x.mu.Lock()
	defer x.mu.Unlock()
	switch since := now.Sub(x.turned); {
	case since >= 2*x.age:
		x.now, x.before, x.turned = nil, nil, now
	case since >= x.age:
		x.now, x.before, x.turned = nil, x.now, now
	}
	if x.now == nil {
		x.now = make(map[string]time.Time)
	}
	x.now[id] = now
}

func (x *recently) has(id string) bool {
	x.mu.RLock()
	defer x.mu.RUnlock()
	came, ok := x.now[id]
	if !ok {
		came, ok = x.before[id]
	}
	return ok && time.Since(came) < x.age
}
