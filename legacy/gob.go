package legacy

import (
	"bytes"
	"encoding/gob"
	"fmt"
	"reflect"
	"strings"
	"time"

	"github.com/gosojourn/sojourn"
)

// Types are the types of values, beside those that gob knows by itself, that an old session may hold.
type Types struct {
	allowed map[reflect.Type]bool
}

// Registered, among the Types of a reader, stands for all types that the program has given to gob.Register.
var Registered any = registered{}

type registered struct{}

// DefaultMaxBytes is how large an old session may be.
const DefaultMaxBytes = 64 << 10

func init() {
	// What most sessions hold. To register a type twice under its own name is nothing.
	gob.Register(time.Time{})
	gob.Register(time.Duration(0))
	gob.Register([]any(nil)) // gorilla's flashes
}

// Register has gob know values' types, each under the name that gob gives it in this program. An old program
// whose type had another name ("main.Cart") needs gob.RegisterName in this one. The error names a type that is
// registered under another name already; it is usable all the same.
func Register(values ...any) (t Types, err error) {
	t.allowed = map[reflect.Type]bool{}
	for _, v := range values {
		t.allowed[reflect.TypeOf(v)] = true
		if v == Registered {
			continue
		}
		if problem := register(v); problem != nil && err == nil {
			err = problem
		}
	}
	return t, err
}

func register(v any) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("legacy: type %T: %v", v, r)
		}
	}()
	gob.Register(v)
	return nil
}

// DecodeGob decodes data of at most most bytes into the pointer into. Whatever the bytes are, it is an error that
// wraps sojourn.ErrLegacyUnreadable, and no panic.
func DecodeGob(data []byte, most int, into any) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("%w: gob: %v", sojourn.ErrLegacyUnreadable, r)
		}
	}()
	if most == 0 {
		most = DefaultMaxBytes
	}
	if len(data) > most {
		return tooManyBytes(len(data), most)
	}
	err = gob.NewDecoder(bytes.NewReader(data)).Decode(into)
	switch {
	case err == nil:
		return nil
	case strings.Contains(err.Error(), "not registered"):
		return fmt.Errorf("%w: %w: list it in Types", sojourn.ErrLegacyUnreadable, err)
	}
	return fmt.Errorf("%w: gob: %w", sojourn.ErrLegacyUnreadable, err)
}

func tooManyBytes(n, most int) error {
	return fmt.Errorf("%w: it has %d bytes, and may have %d: raise MaxBytes", sojourn.ErrLegacyUnreadable, n, most)
}

// Check refuses a value whose type gob knows, because some package of the program has registered it, but that the
// reader was not given. A []any is what is in it: each of a gorilla session's flashes is looked at.
func (t Types) Check(name string, v any) error {
	if v == nil {
		return nil
	}
	if list, ok := v.([]any); ok {
		for _, e := range list {
			if err := t.Check(name, e); err != nil {
				return err
			}
		}
		return nil
	}
	typ := reflect.TypeOf(v)
	if t.allowed[typ] || t.allowed[reflect.TypeOf(Registered)] || plain(typ) {
		return nil
	}
	return fmt.Errorf("%w: key %q holds a %s: list it in Types", sojourn.ErrLegacyUnreadable, name, typ)
}

var timeTypes = map[reflect.Type]bool{reflect.TypeFor[time.Time](): true, reflect.TypeFor[time.Duration](): true}

// plain: bools, numbers, texts, bytes, times, and lists of them.
func plain(t reflect.Type) bool {
	if timeTypes[t] {
		return true
	}
	if t.PkgPath() != "" {
		return false
	}
	switch k := t.Kind(); {
	case k >= reflect.Bool && k <= reflect.Complex128, k == reflect.String:
		return true
	case k == reflect.Slice:
		return plain(t.Elem())
	}
	return false
}
