package sojourn

import (
	"context"
	"fmt"
	"reflect"
)

// A Key names one value of a session and knows its type. Keys are small values; make them package
// variables. Two keys of one name are one value. Methods act on the session of the innermost
// LoadAndSave, or of the manager given to In, and panic when ctx has none. They may be called at
// once from several goroutines of a request.
type Key[T any] struct {
	name  string
	codec Codec[T]
	m     *Manager
}

// NewKey makes a key of 1 to 64 bytes; it panics on any other name. Bools, integers, floats, strings,
// []byte, time.Time (in UTC) and time.Duration are compact, named types of those kinds too;
// everything else is JSON. All integer widths share one encoding, so an int key reads what an int64
// key wrote. What does not fit the key's type is absent, and EventUnreadable says so.
func NewKey[T any](name string) Key[T] { return newKey(name, Codec[T](newBuiltin[T]())) }

// NewCodecKey makes a key whose values c encodes.
func NewCodecKey[T any](name string, c Codec[T]) Key[T] {
	if c == nil {
		panic(fmt.Sprintf("sojourn: NewCodecKey(%q): the codec is nil", name))
	}
	return newKey(name, Codec[T](custom[T]{c}))
}

func newKey[T any](name string, c Codec[T]) Key[T] {
	if name == "" || len(name) > maxNameLen {
		panic(fmt.Sprintf("sojourn: a key's name has 1 to %d bytes, this one has %d: %q", maxNameLen, len(name), name))
	}
	return Key[T]{name: name, codec: c}
}

// Name returns the name given to NewKey.
func (k Key[T]) Name() string { return k.name }

// In returns the key bound to m's session, not the innermost.
func (k Key[T]) In(m *Manager) Key[T] {
	k.m = m
	return k
}

// Get returns the value, the zero value when absent.
func (k Key[T]) Get(ctx context.Context) T {
	v, _ := k.Lookup(ctx)
	return v
}

// Lookup returns the value and whether it was there.
func (k Key[T]) Lookup(ctx context.Context) (T, bool) {
	s := sessionOf(ctx, k.m)
	return k.decode(s, s.get(k.name))
}

// Pop is Get and Delete. When the save meets a newer value, Pop removes only what it returned: a
// value put meanwhile stays, and so do elements appended to a list meanwhile. Two requests at once
// may both get the value; with Take, only one does.
func (k Key[T]) Pop(ctx context.Context) T {
	s := sessionOf(ctx, k.m)
	v, _ := k.decode(s, s.pop(k.name))
	return v
}

// Take removes the value, commits, and then returns it: of any number of requests exactly one gets
// it. Use it for what must not happen twice, such as an OAuth state. It commits what else the
// request has changed so far. An error means that nothing was taken, or that it is not known.
func (k Key[T]) Take(ctx context.Context) (T, bool, error) {
	s := sessionOf(ctx, k.m)
	raw, err := s.take(k.name)
	if err != nil {
		return *new(T), false, err
	}
	v, ok := k.decode(s, raw)
	return v, ok, nil
}

// Put sets the value. One that does not encode fails the Commit, and nothing is saved.
func (k Key[T]) Put(ctx context.Context, v T) {
	s := sessionOf(ctx, k.m)
	if b, ok := k.codec.(builtin[T]); ok && b.kind != reflect.Invalid {
		var short [shortValue]byte
		raw, _ := b.append(short[:0], v)
		s.put(k.name, raw)
		return
	}
	raw, err := k.encode(v)
	if err != nil {
		s.fail(err)
		return
	}
	s.do(op{kind: opPut, name: k.name, value: raw})
}

// Update sets the value to fn of the present one, zero when absent. It is how to count: fn runs
// again, on the newer value, when another request saved first, so it may have no other effect.
func (k Key[T]) Update(ctx context.Context, fn func(T) T) {
	s := sessionOf(ctx, k.m)
	s.update(k.name, func(old []byte) ([]byte, error) {
		v, _ := k.decode(s, old)
		return k.encode(fn(v))
	})
}

// Delete removes the value.
func (k Key[T]) Delete(ctx context.Context) {
	sessionOf(ctx, k.m).do(op{kind: opDelete, name: k.name})
}

// Append adds to a list, such as flash messages; Pop takes it. Appends of parallel requests all stay.
func Append[E any](ctx context.Context, list Key[[]E], v ...E) {
	s := sessionOf(ctx, list.m)
	if len(v) == 0 {
		return
	}
	more, err := list.encode(v)
	if err != nil {
		s.fail(err)
		return
	}
	if isList(more) || more[0] == tagBytes {
		s.update(list.name, func(old []byte) ([]byte, error) {
			out, err := appendList(old, more)
			if err != nil {
				s.unreadable(list.name, err)
				return more, nil
			}
			return out, nil
		})
		return
	}
	list.Update(ctx, func(old []E) []E { return append(old[:len(old):len(old)], v...) })
}

func (k Key[T]) encode(v T) ([]byte, error) {
	raw, err := k.codec.Encode(v)
	if err != nil {
		return nil, fmt.Errorf("sojourn: key %q: the value does not encode: %w", k.name, err)
	}
	return raw, nil
}

func (k Key[T]) decode(s *session, raw []byte) (T, bool) {
	if raw == nil {
		return *new(T), false
	}
	v, err := k.codec.Decode(raw)
	if err != nil {
		s.unreadable(k.name, err)
		return *new(T), false
	}
	return v, true
}
