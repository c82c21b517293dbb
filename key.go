package sojourn

import (
	"context"
	"fmt"

	"github.com/gosojourn/sojourn/internal/value"
)

// A Codec turns values of one type into bytes and back. Encode may not keep the bytes that it returns, nor
// Decode those that it is given.
type Codec[T any] interface {
	Encode(T) ([]byte, error)
	Decode([]byte) (T, error)
}

// A Key names one value of a session and knows its type. Make keys once, with NewKey, as package variables.
// Two keys of one name mean the same value.
//
// Methods act on the session of the innermost LoadAndSave, or of the manager given to In. They panic when ctx
// has none. Several goroutines of a request may call them at once.
//
// What a method changes takes effect at [Manager.Commit]. When the session cannot be loaded, methods read the
// zero value and change nothing, and LoadAndSave answers 503.
type Key[T any] struct {
	name  string
	codec Codec[T]
	m     *Manager
}

// NewKey makes a key from a name of 1 to 64 bytes. It panics on any other name.
//
// Bools, integers, floats, strings, []byte, time.Time (in UTC) and time.Duration have a compact encoding,
// and so have named types of those kinds. Every other type is stored as JSON. All integer widths share one
// encoding, so an int key reads what an int64 key wrote. A stored value that does not fit the key's type is
// absent, and EventUnreadable says so.
//
// NewKey panics on a type that would not come back as it was put, also where such a type is deep inside T:
// a struct without exported fields and without a marshaler, a func, a channel, a complex number, an
// interface with methods, a MarshalJSON without its UnmarshalJSON. Give such a type a codec, with
// NewCodecKey, or exclude the field with the tag json:"-".
//
// Some losses of JSON remain. It skips unexported fields beside exported ones. It replaces bytes that are not
// UTF-8 in strings inside lists and structs. In an any, such as Key[any] or Key[map[string]any], a struct comes
// back as a map[string]any and every number as a float64, so an integer above 2^53 changes. Name the type:
// Key[int64], or a struct of your own.
func NewKey[T any](name string) Key[T] {
	b, err := value.For[T]()
	if err != nil {
		panic(fmt.Sprintf("sojourn: NewKey(%q): %v: use NewCodecKey", name, err))
	}
	return newKey(name, Codec[T](b))
}

// NewCodecKey makes a key whose values c encodes. It panics on a name that NewKey refuses, and on a nil c.
func NewCodecKey[T any](name string, c Codec[T]) Key[T] {
	if c == nil {
		panic(fmt.Sprintf("sojourn: NewCodecKey(%q): the codec is nil", name))
	}
	return newKey(name, Codec[T](custom[T]{c}))
}

// custom marks what an application's own codec made, so that no other key takes it for its own.
type custom[T any] struct{ c Codec[T] }

func (c custom[T]) Encode(v T) ([]byte, error) {
	b, err := c.c.Encode(v)
	if err != nil {
		return nil, err
	}
	return value.WrapCustom(b), nil
}

// Decode gives the codec a copy: it may decrypt in place.
func (c custom[T]) Decode(data []byte) (v T, err error) {
	b, ok := value.UnwrapCustom(data)
	if !ok {
		return v, value.ErrMismatch
	}
	return c.c.Decode(b)
}

func newKey[T any](name string, c Codec[T]) Key[T] {
	if name == "" || len(name) > value.MaxName {
		panic(fmt.Sprintf("sojourn: a key's name has 1 to %d bytes, this one has %d: %q", value.MaxName, len(name), name))
	}
	return Key[T]{name: name, codec: c}
}

// Name returns the name given to NewKey.
func (k Key[T]) Name() string { return k.name }

// In returns the key bound to m's session: for a request with several managers.
func (k Key[T]) In(m *Manager) Key[T] {
	k.m = m
	return k
}

// Get returns the value, or the zero value when it is absent.
func (k Key[T]) Get(ctx context.Context) T {
	v, _ := k.Lookup(ctx)
	return v
}

// Lookup returns the value and whether it was there.
func (k Key[T]) Lookup(ctx context.Context) (T, bool) {
	s := k.session(ctx)
	return k.decode(s, s.get(k.name))
}

// Pop returns the value and deletes it. If another request saves first, Pop removes only what it has returned:
// a value put meanwhile stays, even an equal one, and so do elements appended to a list. Two requests at once
// may both get the value, and leave there what was appended between them. With Take only one gets it.
func (k Key[T]) Pop(ctx context.Context) T {
	s := k.session(ctx)
	v, _ := k.decode(s, s.pop(ctx, k.name))
	return v
}

// Take deletes the value, commits, and then returns it and whether it was there. Of any number of requests
// exactly one gets it. Use it for what must not happen twice, such as an OAuth state. It also commits what else
// the request has changed so far. An error means that nothing was taken, or that this cannot be told. A sealed
// session answers [errors.ErrUnsupported], but for a visitor's of Config.Anonymous: that goes into the store, so it needs a
// token sent, and who comes late gets ErrEnded.
func (k Key[T]) Take(ctx context.Context) (T, bool, error) {
	s := k.session(ctx)
	raw, err := s.take(ctx, k.name)
	if err != nil {
		return *new(T), false, err
	}
	v, ok := k.decode(s, raw)
	return v, ok, nil
}

// Put sets the value. If it does not encode, Commit returns the error and saves nothing.
func (k Key[T]) Put(ctx context.Context, v T) {
	s := k.session(ctx)
	if b, ok := k.codec.(value.Builtin[T]); ok && b.Compact() {
		var short [shortValue]byte
		raw, _ := b.Append(short[:0], v)
		s.put(ctx, k.name, raw)
		return
	}
	raw, err := k.encode(v)
	if err != nil {
		s.fail(err)
		return
	}
	s.do(ctx, op{kind: opPut, name: k.name, value: raw})
}

// Update sets the value to what fn makes of the present one, which is zero when absent. Use it to count. fn runs
// again, on the newer value, when another request has saved first, so it may have no other effect. It may
// read the session, but neither change nor commit it.
func (k Key[T]) Update(ctx context.Context, fn func(T) T) {
	s := k.session(ctx)
	s.update(ctx, k.name, func(old []byte) ([]byte, error) {
		v, _ := k.decode(s, old)
		return k.encode(fn(v))
	})
}

// Delete removes the value.
func (k Key[T]) Delete(ctx context.Context) {
	k.session(ctx).do(ctx, op{kind: opDelete, name: k.name})
}

// Append adds elements to a list, such as flash messages. Appends of requests at once all stay. Pop takes the
// whole list.
func Append[E any](ctx context.Context, list Key[[]E], v ...E) {
	s := list.session(ctx)
	if len(v) == 0 {
		return
	}
	more, err := list.encode(v)
	if err != nil {
		s.fail(err)
		return
	}
	if value.IsList(more) {
		if !s.append(ctx, list.name, more) {
			s.unreadable(list.name, value.ErrMismatch)
		}
		return
	}
	list.Update(ctx, func(old []E) []E { return append(old[:len(old):len(old)], v...) })
}

// session is the one that k's methods act on.
func (k Key[T]) session(ctx context.Context) *session {
	if k.codec == nil {
		panic(zeroKey)
	}
	return sessionOf(ctx, k.m)
}

const zeroKey = "sojourn: this Key is its zero value: make it with NewKey, once, as a package variable"

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

func (s *session) unreadable(key string, err error) {
	s.mu.Lock()
	id := s.base.ID
	s.mu.Unlock()
	e := Event{Name: EventUnreadable, ID: id, Reason: "value", Err: &keyError{key, err}}
	if s.running.Load() > 0 {
		s.tell(e) // a Commit may be running the function that reads this
		return
	}
	s.m.emit(s.st, e)
}

type keyError struct {
	key string
	err error
}

func (e *keyError) Error() string { return "sojourn: key \"" + e.key + "\": " + e.err.Error() }
func (e *keyError) Unwrap() error { return e.err }
