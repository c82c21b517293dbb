package sojourn

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"reflect"
	"time"
)

// A Codec turns values of one type into bytes and back. Decode must not keep the bytes it is given.
type Codec[T any] interface {
	Encode(T) ([]byte, error)
	Decode([]byte) (T, error)
}

// The first byte of a stored value says what the rest is. Numbers are never reused.
const (
	tagFalse  = 1
	tagTrue   = 2
	tagUint   = 3 // integer of any width, not negative: uvarint
	tagNeg    = 4 // negative integer n: uvarint of -(n+1)
	tagFloat  = 5 // IEEE 754, 8 bytes, big-endian
	tagString = 6
	tagBytes  = 7
	tagTime   = 8 // seconds since 1970: varint; nanoseconds: uvarint; UTC
	tagJSON   = 9
	tagCustom = 10
)

var errMismatch = errors.New("the stored value does not fit the key's type")

// builtin encodes by T: compact where the kind allows, else JSON.
type builtin[T any] struct{ kind reflect.Kind }

func newBuiltin[T any]() builtin[T] {
	t := reflect.TypeFor[T]()
	switch k := t.Kind(); k {
	case reflect.Bool, reflect.String, reflect.Float32, reflect.Float64,
		reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64,
		reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64, reflect.Uintptr:
		return builtin[T]{k}
	}
	return builtin[T]{reflect.Invalid}
}

func (b builtin[T]) Encode(v T) ([]byte, error) {
	size := 1 + binary.MaxVarintLen64
	switch p := any(&v).(type) {
	case *string:
		size = 1 + len(*p)
	case *[]byte:
		size = 1 + len(*p)
	}
	return b.append(make([]byte, 0, size), v)
}

func (b builtin[T]) append(dst []byte, v T) ([]byte, error) {
	// The common types without reflection, so that nothing escapes to the heap.
	switch p := any(&v).(type) {
	case *bool:
		return appendBool(dst, *p), nil
	case *string:
		return append(append(dst, tagString), *p...), nil
	case *[]byte:
		return append(append(dst, tagBytes), *p...), nil
	case *int:
		return appendInt(dst, int64(*p)), nil
	case *int64:
		return appendInt(dst, *p), nil
	case *int32:
		return appendInt(dst, int64(*p)), nil
	case *uint64:
		return appendUint(dst, *p), nil
	case *float64:
		return appendFloat(dst, *p), nil
	case *time.Duration:
		return appendInt(dst, int64(*p)), nil
	case *time.Time:
		dst = binary.AppendVarint(append(dst, tagTime), p.Unix())
		return binary.AppendUvarint(dst, uint64(p.Nanosecond())), nil
	}
	return appendReflect(dst, v, b.kind)
}

// appendReflect serves named types and the rarer widths.
func appendReflect[T any](dst []byte, v T, kind reflect.Kind) ([]byte, error) {
	r := reflect.ValueOf(&v).Elem()
	switch {
	case kind == reflect.Bool:
		return appendBool(dst, r.Bool()), nil
	case kind == reflect.String:
		return append(append(dst, tagString), r.String()...), nil
	case kind == reflect.Float32 || kind == reflect.Float64:
		return appendFloat(dst, r.Float()), nil
	case r.CanInt() && kind != reflect.Invalid:
		return appendInt(dst, r.Int()), nil
	case r.CanUint() && kind != reflect.Invalid:
		return appendUint(dst, r.Uint()), nil
	}
	text, err := json.Marshal(&v)
	if err != nil {
		return nil, err
	}
	return append(append(dst, tagJSON), text...), nil
}

func (b builtin[T]) Decode(data []byte) (v T, err error) {
	if len(data) == 0 {
		return v, errMismatch
	}
	tag, body := data[0], data[1:]
	switch p := any(&v).(type) {
	case *bool:
		*p, err = decodeBool(data)
	case *string:
		if tag != tagString {
			return v, errMismatch
		}
		*p = string(body)
	case *[]byte:
		if tag != tagBytes {
			return v, errMismatch
		}
		*p = append([]byte{}, body...)
	case *int:
		var n int64
		if n, err = decodeInt(data); err == nil {
			if *p = int(n); int64(*p) != n {
				return *new(T), errMismatch
			}
		}
	case *int64:
		*p, err = decodeInt(data)
	case *int32:
		var n int64
		if n, err = decodeInt(data); err == nil {
			if *p = int32(n); int64(*p) != n {
				return *new(T), errMismatch
			}
		}
	case *uint64:
		*p, err = decodeUint(data)
	case *float64:
		*p, err = decodeFloat(data)
	case *time.Duration:
		var n int64
		n, err = decodeInt(data)
		*p = time.Duration(n)
	case *time.Time:
		*p, err = decodeTime(data)
	default:
		return decodeReflect[T](data, b.kind)
	}
	return v, err
}

func decodeReflect[T any](data []byte, kind reflect.Kind) (v T, err error) {
	tag, body := data[0], data[1:]
	if kind == reflect.Invalid {
		if tag != tagJSON {
			return v, errMismatch
		}
		if err := json.Unmarshal(body, &v); err != nil {
			return *new(T), fmt.Errorf("%w: %w", errMismatch, err)
		}
		return v, nil
	}
	r := reflect.ValueOf(&v).Elem()
	switch {
	case kind == reflect.Bool:
		var x bool
		x, err = decodeBool(data)
		r.SetBool(x)
	case kind == reflect.String:
		if tag != tagString {
			return v, errMismatch
		}
		r.SetString(string(body))
	case r.CanFloat():
		var x float64
		if x, err = decodeFloat(data); err == nil && r.OverflowFloat(x) {
			return v, errMismatch
		}
		r.SetFloat(x)
	case r.CanInt():
		var n int64
		if n, err = decodeInt(data); err == nil && r.OverflowInt(n) {
			return v, errMismatch
		}
		r.SetInt(n)
	default:
		var n uint64
		if n, err = decodeUint(data); err == nil && r.OverflowUint(n) {
			return v, errMismatch
		}
		r.SetUint(n)
	}
	return v, err
}

func appendBool(dst []byte, v bool) []byte {
	if v {
		return append(dst, tagTrue)
	}
	return append(dst, tagFalse)
}

func appendInt(dst []byte, n int64) []byte {
	if n < 0 {
		return binary.AppendUvarint(append(dst, tagNeg), uint64(-(n + 1)))
	}
	return appendUint(dst, uint64(n))
}

func appendUint(dst []byte, n uint64) []byte {
	return binary.AppendUvarint(append(dst, tagUint), n)
}

func appendFloat(dst []byte, x float64) []byte {
	return binary.BigEndian.AppendUint64(append(dst, tagFloat), math.Float64bits(x))
}

func decodeBool(data []byte) (bool, error) {
	if len(data) != 1 || (data[0] != tagTrue && data[0] != tagFalse) {
		return false, errMismatch
	}
	return data[0] == tagTrue, nil
}

func decodeUint(data []byte) (uint64, error) {
	n, w := binary.Uvarint(data[1:])
	if data[0] != tagUint || w <= 0 || w != len(data)-1 {
		return 0, errMismatch
	}
	return n, nil
}

func decodeInt(data []byte) (int64, error) {
	n, w := binary.Uvarint(data[1:])
	if (data[0] != tagUint && data[0] != tagNeg) || w <= 0 || w != len(data)-1 || n > math.MaxInt64 {
		return 0, errMismatch
	}
	if data[0] == tagNeg {
		return -int64(n) - 1, nil
	}
	return int64(n), nil
}

func decodeFloat(data []byte) (float64, error) {
	if data[0] != tagFloat || len(data) != 9 {
		return 0, errMismatch
	}
	return math.Float64frombits(binary.BigEndian.Uint64(data[1:])), nil
}

func decodeTime(data []byte) (time.Time, error) {
	sec, w := binary.Varint(data[1:])
	if data[0] != tagTime || w <= 0 {
		return time.Time{}, errMismatch
	}
	nsec, x := binary.Uvarint(data[1+w:])
	if x <= 0 || 1+w+x != len(data) || nsec >= 1e9 {
		return time.Time{}, errMismatch
	}
	return time.Unix(sec, int64(nsec)).UTC(), nil
}

// custom marks what an application's own codec made, so that no other key takes it for its own.
type custom[T any] struct{ c Codec[T] }

func (c custom[T]) Encode(v T) ([]byte, error) {
	b, err := c.c.Encode(v)
	if err != nil {
		return nil, err
	}
	return append(append(make([]byte, 0, 1+len(b)), tagCustom), b...), nil
}

func (c custom[T]) Decode(data []byte) (v T, err error) {
	if len(data) == 0 || data[0] != tagCustom {
		return v, errMismatch
	}
	return c.c.Decode(data[1:])
}
