package scscompat

import (
	"bytes"
	"context"
	"slices"
	"sync"

	"github.com/gosojourn/sojourn/internal/bridge"
)

// Put sets the value of key. It is encoded now, and what is done to val afterwards is not saved. One that does
// not encode, such as of a type that was not registered with gob, fails the save. Different keys that requests
// put at once are all kept; of one key the last one counts.
func (s *SessionManager) Put(ctx context.Context, key string, val interface{}) {
	x, e := s.of(ctx)
	name, fits := stored(key)
	if _, gobs := e.codec.(GobCodec); gobs && fits && putShort(ctx, x, name, val) {
		return
	}
	raw, err := encodeBy(e.codec, val)
	if err != nil {
		x.Fail(&keyError{key, err})
		return
	}
	if !fits {
		raw = naming(key, raw)
	}
	x.Put(ctx, name, raw)
	if !immutable(val) {
		besideOf(x).keep(name, raw, val)
	}
}

// putShort puts what is plain and short enough to cost no object.
func putShort(ctx context.Context, x bridge.Session, name string, val any) bool {
	var short [bridge.Short]byte
	switch v := val.(type) {
	case bool, int, float64:
	case string:
		if len(v) >= len(short) {
			return false
		}
	default:
		return false
	}
	out, _ := plain(short[:0], val)
	x.PutShort(ctx, name, short, len(out))
	return true
}

// Get returns the value of key, nil when there is none. It is what was put, or as gob decodes it: a type
// assertion gives it back its type, or one of the methods such as GetString.
func (s *SessionManager) Get(ctx context.Context, key string) interface{} {
	x, e := s.of(ctx)
	name, _ := stored(key)
	return read(x, e, key, name, x.Get(name))
}

// read decodes raw, once in a request if it is of a type that can be changed in place. What does not decode is
// nil, and an event tells of it.
func read(x bridge.Session, e *engine, key, name string, raw []byte) any {
	if raw == nil {
		return nil
	}
	if b, ok := x.Beside(nil).(*beside); ok {
		if v, ok := b.known(name, raw); ok {
			return v
		}
	}
	v, err := decode(e.codec, raw)
	if err != nil {
		x.Unreadable(key, err)
		return nil
	}
	if !immutable(v) {
		besideOf(x).keep(name, raw, v)
	}
	return v
}

// Pop is Get and Remove. When the save meets a newer value, that one stays.
func (s *SessionManager) Pop(ctx context.Context, key string) interface{} {
	x, e := s.of(ctx)
	name, _ := stored(key)
	return read(x, e, key, name, x.Pop(ctx, name))
}

// Remove removes the value of key; nothing changes if there is none.
func (s *SessionManager) Remove(ctx context.Context, key string) {
	x, _ := s.of(ctx)
	name, _ := stored(key)
	if x.Get(name) != nil {
		x.Delete(ctx, name)
	}
}

// Clear removes every value. Token and lifetime stay. The error is always nil: what goes wrong is told when the
// session is saved.
func (s *SessionManager) Clear(ctx context.Context) error {
	_, e := s.of(ctx)
	if len(e.m.Names(ctx)) > 0 {
		e.m.Clear(ctx)
	}
	return nil
}

// Exists reports whether there is a value of key.
func (s *SessionManager) Exists(ctx context.Context, key string) bool {
	x, _ := s.of(ctx)
	name, _ := stored(key)
	return x.Get(name) != nil
}

// Keys returns the keys of all values, in order.
func (s *SessionManager) Keys(ctx context.Context) []string {
	x, e := s.of(ctx)
	keys := make([]string, 0, 8)
	for _, name := range e.m.Names(ctx) {
		keys = append(keys, keyOf(name, x.Get(name)))
	}
	slices.Sort(keys)
	return keys
}

// keyOf is the key that raw is kept for under name.
func keyOf(name string, raw []byte) string {
	if kind, data, ok := kindOf(raw); ok && kind == kindNamed {
		if key, _, ok := unnamed(data); ok {
			return key
		}
	}
	return name
}

// immutable reports whether nobody can change v in place, so that each Get may decode it anew.
func immutable(v any) bool {
	switch v.(type) {
	case nil, bool, string, int, int32, int64, float64:
		return true
	}
	return false
}

// beside is what a request has put or read of types that can be changed in place: as with scs, each Get of
// one request returns the same map or pointer.
type beside struct {
	mu  sync.Mutex
	was map[string]known
}

type known struct {
	raw []byte
	v   any
}

func besideOf(x bridge.Session) *beside {
	return x.Beside(newBeside).(*beside)
}

func newBeside() any { return new(beside) }

func (b *beside) keep(name string, raw []byte, v any) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.was == nil {
		b.was = make(map[string]known)
	}
	b.was[name] = known{raw, v}
}

// known is the value that was kept, if raw is still its encoding.
func (b *beside) known(name string, raw []byte) (any, bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	k, ok := b.was[name]
	if !ok || !bytes.Equal(k.raw, raw) {
		return nil, false
	}
	return k.v, true
}
