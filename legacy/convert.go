package legacy

import (
	"fmt"
	"reflect"
	"strconv"

	"github.com/gosojourn/sojourn"
)

// A Value says which old value goes under which key. Copy and Map make one.
type Value struct {
	old   string
	entry func(v any) (sojourn.Entry, error)
}

// Copy takes the old value under the key old as it is. Its type has to be T, or of T's kind: an int goes into
// a Key[int64], a string into a Key of a named string, if it fits.
func Copy[T any](old string, to sojourn.Key[T]) Value {
	return Value{old, func(v any) (e sojourn.Entry, err error) {
		t, ok := v.(T)
		if !ok {
			if t, err = like[T](v); err != nil {
				return e, err
			}
		}
		return to.Entry(t), nil
	}}
}

// Map takes what convert makes of the old value. An error, or an old value of another type than Old, leaves the
// key without a value, and an event says so.
func Map[Old, New any](old string, to sojourn.Key[New], convert func(Old) (New, error)) Value {
	return Value{old, func(v any) (e sojourn.Entry, err error) {
		from, ok := v.(Old)
		if !ok {
			if from, err = like[Old](v); err != nil {
				return e, err
			}
		}
		t, err := convert(from)
		if err != nil {
			return e, err
		}
		return to.Entry(t), nil
	}}
}

// like converts v to a T of the same kind, without loss.
func like[T any](v any) (t T, err error) {
	from, to := reflect.ValueOf(v), reflect.ValueOf(&t).Elem()
	if !from.IsValid() {
		return t, fmt.Errorf("the old value is nil, want a %s", to.Type())
	}
	if !fits(from, to) {
		return t, fmt.Errorf("the old value is a %s, want a %s", from.Type(), to.Type())
	}
	to.Set(from.Convert(to.Type()))
	return t, nil
}

// fits reports whether from can be converted to the type of to without loss.
func fits(from, to reflect.Value) bool {
	switch {
	case from.CanInt() && to.CanInt():
		return !to.OverflowInt(from.Int())
	case from.CanUint() && to.CanUint():
		return !to.OverflowUint(from.Uint())
	case from.CanInt() && to.CanUint():
		return from.Int() >= 0 && !to.OverflowUint(uint64(from.Int()))
	case from.CanUint() && to.CanInt():
		n := int64(from.Uint())
		return n >= 0 && !to.OverflowInt(n)
	case from.CanFloat() && to.CanFloat():
		return !to.OverflowFloat(from.Float())
	}
	return from.Kind() == to.Kind() && from.CanConvert(to.Type())
}

// ownerOf writes who was logged in as text. 0 and "" are nobody, as they are to what asks scs for an int or
// a string.
func ownerOf(v any) (string, error) {
	if s, ok := v.(fmt.Stringer); ok { // such as a UUID
		return s.String(), nil
	}
	switch r := reflect.ValueOf(v); {
	case !r.IsValid():
		return "", nil
	case r.CanInt() && r.Int() == 0, r.CanUint() && r.Uint() == 0:
		return "", nil
	case r.CanInt():
		return strconv.FormatInt(r.Int(), 10), nil
	case r.CanUint():
		return strconv.FormatUint(r.Uint(), 10), nil
	case r.Kind() == reflect.String:
		return r.String(), nil
	}
	return "", fmt.Errorf("the owner is a %T: give Convert a function that makes it a text", v)
}

// Convert is what a reader's Owner and Values stand for: it makes values a session. What does not fit is an event
// and no value; an owner that does not fit is an error, because nobody is not who was logged in.
func Convert(owner string, all []Value, values map[string]any) (s sojourn.LegacySession, err error) {
	if v, ok := values[owner]; ok && owner != "" {
		if s.Owner, err = ownerOf(v); err != nil {
			return s, fmt.Errorf("%w: key %q: %w", sojourn.ErrLegacyUnreadable, owner, err)
		}
	}
	for _, x := range all {
		v, ok := values[x.old]
		if !ok {
			continue
		}
		e, err := x.entry(v)
		if err != nil {
			e = sojourn.BadEntry(fmt.Errorf("the old key %q: %w", x.old, err))
		}
		s.Values = append(s.Values, e)
	}
	return s, nil
}
