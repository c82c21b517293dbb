package value

import (
	"bytes"
	"encoding/json"
	"fmt"
	"reflect"
	"time"
)

// Decode reads what Encode or Append made. What is not a T is ErrMismatch, wrapped when there is more
// to say. It neither keeps data nor lets anybody write to it: data is the store's.
func (b Builtin[T]) Decode(data []byte) (v T, err error) {
	if len(data) == 0 {
		return v, ErrMismatch
	}
	switch p := any(&v).(type) {
	case *bool:
		*p, err = decodeBool(data)
	case *string:
		var text []byte
		text, err = decodeText(data, tagString)
		*p = string(text)
	case *[]byte:
		var text []byte
		if text, err = decodeText(data, tagBytes); err == nil {
			*p = append([]byte{}, text...)
		}
	case *int:
		*p, err = decodeNarrow[int](data)
	case *int32:
		*p, err = decodeNarrow[int32](data)
	case *int64:
		*p, err = decodeInt(data)
	case *uint64:
		*p, err = decodeUint(data)
	case *float64:
		*p, err = decodeFloat(data)
	case *time.Duration:
		*p, err = decodeNarrow[time.Duration](data)
	case *time.Time:
		*p, err = decodeTime(data)
	default:
		if b.form == asJSON {
			return decodeJSON[T](data, b.lent)
		}
		return decodeReflect[T](data, b.form)
	}
	return v, err
}

// decodeJSON hands out a copy when an UnmarshalJSON or UnmarshalText of the application's will get to
// see it: encoding/json gives those the bytes themselves.
func decodeJSON[T any](data []byte, lent bool) (v T, err error) {
	text, err := decodeText(data, tagJSON)
	if err != nil {
		return v, err
	}
	if lent {
		text = bytes.Clone(text)
	}
	if err := json.Unmarshal(text, &v); err != nil {
		return *new(T), fmt.Errorf("%w: %T into %T", ErrMismatch, err, v) // and not what err says, which quotes the value
	}
	return v, nil
}

func decodeReflect[T any](data []byte, f form) (v T, err error) {
	if err = decodeInto(reflect.ValueOf(&v).Elem(), data, f); err != nil {
		return *new(T), err
	}
	return v, nil
}

// decodeInto sets r, whose type has the form f; a number that does not fit is no number of that type.
func decodeInto(r reflect.Value, data []byte, f form) (err error) {
	var text []byte
	switch f {
	case asBool:
		var x bool
		x, err = decodeBool(data)
		r.SetBool(x)
	case asString:
		text, err = decodeText(data, tagString)
		r.SetString(string(text))
	case asBytes:
		text, err = decodeText(data, tagBytes)
		r.SetBytes(append([]byte{}, text...))
	case asTime:
		*r.Addr().Convert(timePtr).Interface().(*time.Time), err = decodeTime(data)
	case asFloat:
		var x float64
		if x, err = decodeFloat(data); err == nil && r.OverflowFloat(x) {
			return ErrMismatch
		}
		r.SetFloat(x)
	case asInt:
		var n int64
		if n, err = decodeInt(data); err == nil && r.OverflowInt(n) {
			return ErrMismatch
		}
		r.SetInt(n)
	default:
		var n uint64
		if n, err = decodeUint(data); err == nil && r.OverflowUint(n) {
			return ErrMismatch
		}
		r.SetUint(n)
	}
	return err
}
