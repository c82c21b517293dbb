package scscompat

import (
	"context"
	"time"

	"github.com/gosojourn/sojourn/internal/value"
)

// Each of the methods below answers the zero value when there is no value of key, or it is of another type.

// GetString returns the value of key if it is a string, "" when there is none.
func (s *SessionManager) GetString(ctx context.Context, key string) string {
	return quick(s, ctx, key, texts)
}

// GetBool returns the value of key if it is a bool, false when there is none.
func (s *SessionManager) GetBool(ctx context.Context, key string) bool {
	return quick(s, ctx, key, bools)
}

// GetInt returns the value of key if it is a int, 0 when there is none.
func (s *SessionManager) GetInt(ctx context.Context, key string) int {
	return quick(s, ctx, key, ints)
}

// GetInt64 returns the value of key if it is a int64, 0 when there is none; an int is none.
func (s *SessionManager) GetInt64(ctx context.Context, key string) int64 {
	return typed[int64](s.Get(ctx, key))
}

// GetInt32 returns the value of key if it is a int32, 0 when there is none; an int is none.
func (s *SessionManager) GetInt32(ctx context.Context, key string) int32 {
	return typed[int32](s.Get(ctx, key))
}

// GetFloat returns the value of key if it is a float64, 0 when there is none.
func (s *SessionManager) GetFloat(ctx context.Context, key string) float64 {
	return quick(s, ctx, key, floats)
}

// GetBytes returns the value of key if it is a []byte, nil when there is none.
func (s *SessionManager) GetBytes(ctx context.Context, key string) []byte {
	return typed[[]byte](s.Get(ctx, key))
}

// GetTime returns the value of key if it is a time.Time, zero when there is none.
func (s *SessionManager) GetTime(ctx context.Context, key string) time.Time {
	return typed[time.Time](s.Get(ctx, key))
}

// PopString is GetString and Remove: a value of another type is removed too.
func (s *SessionManager) PopString(ctx context.Context, key string) string {
	return typed[string](s.Pop(ctx, key))
}

// PopBool is GetBool and Remove: a value of another type is removed too.
func (s *SessionManager) PopBool(ctx context.Context, key string) bool {
	return typed[bool](s.Pop(ctx, key))
}

// PopInt is GetInt and Remove: a value of another type is removed too.
func (s *SessionManager) PopInt(ctx context.Context, key string) int {
	return typed[int](s.Pop(ctx, key))
}

// PopFloat is GetFloat and Remove: a value of another type is removed too.
func (s *SessionManager) PopFloat(ctx context.Context, key string) float64 {
	return typed[float64](s.Pop(ctx, key))
}

// PopBytes is GetBytes and Remove: a value of another type is removed too.
func (s *SessionManager) PopBytes(ctx context.Context, key string) []byte {
	return typed[[]byte](s.Pop(ctx, key))
}

// PopTime is GetTime and Remove: a value of another type is removed too.
func (s *SessionManager) PopTime(ctx context.Context, key string) time.Time {
	return typed[time.Time](s.Pop(ctx, key))
}

func typed[T any](v any) T {
	t, _ := v.(T)
	return t
}

// quick is Get of a type that Sojourn keeps as it is: nothing is boxed.
func quick[T any](s *SessionManager, ctx context.Context, key string, b value.Builtin[T]) T {
	x, e := s.of(ctx)
	name, _ := stored(key)
	raw := x.Get(name)
	if raw == nil {
		return *new(T)
	}
	if v, err := b.Decode(raw); err == nil {
		return v
	}
	return typed[T](read(x, e, key, name, raw))
}
