package sojourn

import (
	"sync"
	"time"
)

// recent is a map that forgets: two maps that take turns, so that nothing has to be searched for what
// is old. An entry is found for at least age, and kept for less than two. Setting the host's clock
// does not matter.
type recent[V any] struct {
	age time.Duration

	mu          sync.Mutex
	now, before map[string]V
	turned      time.Time
}

func (x *recent[V]) turn() {
	now := time.Now()
	switch since := now.Sub(x.turned); {
	case since >= 2*x.age:
		x.now, x.before, x.turned = nil, nil, now
	case since >= x.age:
		x.now, x.before, x.turned = nil, x.now, now
	}
}

// put has choose, when given, decide between what is known and what is new.
func (x *recent[V]) put(key string, v V, choose func(known, v V) V) {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.turn()
	if known, ok := x.find(key); ok && choose != nil {
		v = choose(known, v)
	}
	if x.now == nil {
		x.now = make(map[string]V)
	}
	x.now[key] = v
}

func (x *recent[V]) get(key string) (V, bool) {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.turn()
	return x.find(key)
}

func (x *recent[V]) find(key string) (v V, ok bool) {
	if v, ok = x.now[key]; !ok {
		v, ok = x.before[key]
	}
	return v, ok
}
