package sojourn

import (
	"context"
	"sync"
	"time"
)

// fenceAge is for how long, in milliseconds, a fence that was read is believed of a request that
// changes nothing: by so much may a revoked session still read. Whatever writes asks.
const fenceAge = 2000

// fences are the owners' fences as they were read of late.
type fences struct{ recent[uint64] }

// add never lowers one: an answer may come in later than that of a revocation.
func (x *fences) add(owner string, fence uint64, now int64) {
	if known, ok := x.of(owner, now); !ok || known <= fence {
		x.put(owner, fence, now, fenceAge/2)
	}
}

func (x *fences) of(owner string, now int64) (uint64, bool) { return x.get(owner, now, fenceAge/2) }

// recently are ids, each remembered for a minute or two: as long as requests are under way.
type recently struct{ recent[struct{}] }

const endedAge = 60_000

func (x *recently) add(id string, now int64)      { x.put(id, struct{}{}, now, endedAge) }
func (x *recently) has(id string, now int64) bool { _, ok := x.get(id, now, endedAge); return ok }

// recent is a map that forgets: two maps that take turns, so that nothing has to be searched for what
// is old. An entry is found for at least age, and kept for less than two.
type recent[V any] struct {
	mu          sync.Mutex
	now, before map[string]V
	turned      int64
}

func (x *recent[V]) turn(now, age int64) {
	switch since := now - x.turned; {
	case since >= 2*age || since < 0: // or the clock was set back
		x.now, x.before, x.turned = nil, nil, now
	case since >= age:
		x.now, x.before, x.turned = nil, x.now, now
	}
}

func (x *recent[V]) put(key string, v V, now, age int64) {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.turn(now, age)
	if x.now == nil {
		x.now = make(map[string]V)
	}
	x.now[key] = v
}

func (x *recent[V]) get(key string, now, age int64) (v V, ok bool) {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.turn(now, age)
	if v, ok = x.now[key]; !ok {
		v, ok = x.before[key]
	}
	return v, ok
}

// fenceOf asks Config.Revocations; cached allows an answer of the last seconds.
func (m *Manager) fenceOf(ctx context.Context, owner string, cached bool) (uint64, error) {
	now := millis(time.Now())
	if cached {
		if fence, ok := m.seal.fences.of(owner, now); ok {
			return fence, nil
		}
	}
	c, cancel := m.exchange(ctx)
	defer cancel()
	fence, err := m.fence.Fence(c, owner)
	if err == nil {
		m.seal.fences.add(owner, fence, now)
	}
	return fence, err
}
