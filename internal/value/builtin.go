package value

import (
	"encoding/binary"
	"encoding/json"
	"reflect"
	"slices"
	"time"
)

// A form is how values of a type are encoded.
type form uint8

const (
	asJSON form = iota
	asBool
	asInt
	asUint
	asFloat
	asString
	asBytes
	asTime
)

// Builtin encodes values of T: compact where its kind allows, else as JSON. For makes one.
type Builtin[T any] struct {
	form form
	lent bool // some method of the application's will be handed the bytes to decode
}

// For chooses how T is encoded. Its error says, in words for a programmer, why a T would not come
// back as it was put.
func For[T any]() (Builtin[T], error) {
	t := reflect.TypeFor[T]()
	if f := formOf(t); f != asJSON {
		return Builtin[T]{form: f}, nil
	}
	w := walk{seen: map[visit]bool{}}
	if err := w.kept(t, t.String(), true); err != nil {
		return Builtin[T]{}, err
	}
	if err := comesBack(t, t.String()); err != nil {
		return Builtin[T]{}, err
	}
	return Builtin[T]{form: asJSON, lent: w.lent}, nil
}

func formOf(t reflect.Type) form {
	switch k := t.Kind(); {
	case k == reflect.Bool:
		return asBool
	case k == reflect.String:
		return asString
	case k == reflect.Float32 || k == reflect.Float64:
		return asFloat
	case k >= reflect.Int && k <= reflect.Int64:
		return asInt
	case k >= reflect.Uint && k <= reflect.Uintptr:
		return asUint
	case k == reflect.Slice && t.ConvertibleTo(bytesType):
		return asBytes
	case k == reflect.Struct && t.ConvertibleTo(timeType) && (t == timeType || !marshals(t, true)):
		return asTime
	}
	return asJSON
}

var (
	bytesType = reflect.TypeFor[[]byte]()
	timeType  = reflect.TypeFor[time.Time]()
	timePtr   = reflect.TypeFor[*time.Time]()
)

// Compact reports that T is not kept as JSON: encoding cannot fail and is short for all but strings
// and bytes, so Append may be given a small buffer on the stack.
func (b Builtin[T]) Compact() bool { return b.form != asJSON }

// Encode returns bytes without spare capacity, see AppendList.
func (b Builtin[T]) Encode(v T) ([]byte, error) {
	size := 1 + binary.MaxVarintLen64
	switch p := any(&v).(type) {
	case *string:
		size = 1 + len(*p)
	case *[]byte:
		size = 1 + len(*p)
	}
	out, err := b.Append(make([]byte, 0, size), v)
	return slices.Clip(out), err
}

// Append appends the encoding of v. The common types are told apart without reflection, so that
// nothing of theirs escapes to the heap.
func (b Builtin[T]) Append(dst []byte, v T) ([]byte, error) {
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
		return appendTime(dst, *p), nil
	}
	return appendReflect(dst, v, b.form)
}

// appendReflect serves named types and the rarer widths.
func appendReflect[T any](dst []byte, v T, f form) ([]byte, error) {
	r := reflect.ValueOf(&v).Elem()
	switch f {
	case asBool:
		return appendBool(dst, r.Bool()), nil
	case asString:
		return append(append(dst, tagString), r.String()...), nil
	case asBytes:
		return append(append(dst, tagBytes), r.Bytes()...), nil
	case asFloat:
		return appendFloat(dst, r.Float()), nil
	case asInt:
		return appendInt(dst, r.Int()), nil
	case asUint:
		return appendUint(dst, r.Uint()), nil
	case asTime:
		return appendTime(dst, *r.Addr().Convert(timePtr).Interface().(*time.Time)), nil
	}
	text, err := json.Marshal(&v)
	if err != nil {
		return nil, err
	}
	return append(append(slices.Grow(dst, 1+len(text)), tagJSON), text...), nil
}
