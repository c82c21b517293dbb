package value

import (
	"encoding"
	"encoding/json"
	"fmt"
	"reflect"
)

// A walk looks at every type that encoding/json would meet in a value, for those that it would lose
// without an error, or could never write or read.
type walk struct {
	seen map[visit]bool
	lent bool // met a type that decodes itself
}

// A visit is a type as JSON meets it: a method on a pointer receiver is only called where the value
// has an address, and it has none in a map.
type visit struct {
	t         reflect.Type
	addressed bool
	flat      bool // its fields are the outer's
}

var (
	jsonMarshaler   = reflect.TypeFor[json.Marshaler]()
	textMarshaler   = reflect.TypeFor[encoding.TextMarshaler]()
	jsonUnmarshaler = reflect.TypeFor[json.Unmarshaler]()
	textUnmarshaler = reflect.TypeFor[encoding.TextUnmarshaler]()
)

// marshals reports whether t has a say in its own JSON.
func marshals(t reflect.Type, addressed bool) bool {
	if t.Implements(jsonMarshaler) || t.Implements(textMarshaler) {
		return true
	}
	p := reflect.PointerTo(t)
	return addressed && (p.Implements(jsonMarshaler) || p.Implements(textMarshaler))
}

// unmarshals reports whether t reads its own JSON. What is decoded always has an address.
func unmarshals(t reflect.Type) bool {
	p := reflect.PointerTo(t)
	return p.Implements(jsonUnmarshaler) || p.Implements(textUnmarshaler)
}

// kept returns why a value of type t, found at path, would not be kept.
func (w *walk) kept(t reflect.Type, path string, addressed bool) error {
	if !w.first(visit{t, addressed, false}) {
		return nil
	}
	w.lent = w.lent || unmarshals(t) && t != timeType
	// A nil interface or pointer is null and shows nothing of the method.
	if k := t.Kind(); k != reflect.Interface && k != reflect.Pointer && marshals(t, addressed) {
		return comesBack(t, path)
	}
	switch t.Kind() {
	case reflect.Pointer:
		return w.kept(t.Elem(), path, true)
	case reflect.Slice:
		return w.kept(t.Elem(), path+"[]", true)
	case reflect.Array:
		return w.kept(t.Elem(), path+"[]", addressed)
	case reflect.Map:
		if !keyComesBack(t.Key()) {
			return fmt.Errorf("%s has keys of type %s, which JSON cannot write and read", path, t.Key())
		}
		w.lent = w.lent || unmarshals(t.Key())
		return w.kept(t.Elem(), path+"[]", false)
	case reflect.Struct:
		return w.fields(t, path, addressed)
	}
	return hasForm(t, path)
}

// hasForm refuses the kinds that JSON has no form for, and interfaces that it could not fill.
func hasForm(t reflect.Type, path string) error {
	switch t.Kind() {
	case reflect.Func, reflect.Chan, reflect.Complex64, reflect.Complex128, reflect.UnsafePointer:
		return fmt.Errorf("%s is of a kind that JSON cannot write", place(path, t))
	case reflect.Interface:
		if t.NumMethod() > 0 {
			return fmt.Errorf("%s is an interface with methods, and JSON cannot tell which type to read back: name the type itself", place(path, t))
		}
	}
	return nil
}

func (w *walk) first(v visit) bool {
	seen := w.seen[v]
	w.seen[v] = true
	return !seen
}

// fields looks at a struct without a marshaler. What an embedded one has counts as the outer's own.
func (w *walk) fields(t reflect.Type, path string, addressed bool) error {
	if t.Size() > 0 && !visible(t, map[reflect.Type]bool{}) {
		return fmt.Errorf("%s has no exported field and no MarshalJSON with UnmarshalJSON, so JSON would keep nothing of it", place(path, t))
	}
	for i := range t.NumField() {
		f := t.Field(i)
		inner, flat := flattened(f)
		var err error
		switch {
		case f.Tag.Get("json") == "-":
		case f.Type.PkgPath() == "sync": // a lock holds nothing
		case flat:
			// Its own MarshalJSON, if it has one, is not called, so only its fields are looked at.
			a := addressed || f.Type.Kind() == reflect.Pointer
			if w.first(visit{inner, a, true}) {
				err = w.fields(inner, path+"."+f.Name, a)
			}
		case f.IsExported():
			err = w.kept(f.Type, path+"."+f.Name, addressed)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// place says where a type is, and what it is unless that is the same.
func place(path string, t reflect.Type) string {
	if path == t.String() {
		return path
	}
	return fmt.Sprintf("%s (%s)", path, t)
}

// flattened returns the struct whose fields JSON takes for the outer's own: an embedded one that no
// tag names, or what an embedded pointer points to.
func flattened(f reflect.StructField) (reflect.Type, bool) {
	inner := f.Type
	if inner.Kind() == reflect.Pointer {
		inner = inner.Elem()
	}
	return inner, f.Anonymous && inner.Kind() == reflect.Struct && !named(f)
}

func named(f reflect.StructField) bool {
	tag := f.Tag.Get("json")
	return tag != "" && tag[0] != ','
}

// visible reports whether t has a field that JSON could see, of its own or embedded.
func visible(t reflect.Type, seen map[reflect.Type]bool) bool {
	if seen[t] {
		return false
	}
	seen[t] = true
	for i := range t.NumField() {
		f := t.Field(i)
		if inner, flat := flattened(f); flat {
			if visible(inner, seen) {
				return true
			}
		} else if f.IsExported() && f.Tag.Get("json") != "-" {
			return true
		}
	}
	return false
}

func keyComesBack(k reflect.Type) bool {
	if k.Kind() == reflect.String {
		return true
	}
	if k.Implements(textMarshaler) {
		return reflect.PointerTo(k).Implements(textUnmarshaler)
	}
	return k.Kind() >= reflect.Int && k.Kind() <= reflect.Uintptr
}

// comesBack tries the zero value of t, which is refused when it encodes and does not decode: a
// MarshalJSON without its UnmarshalJSON. A type that does not encode its zero value, or panics on it,
// cannot be judged by it.
func comesBack(t reflect.Type, path string) (err error) {
	defer func() {
		if recover() != nil {
			err = nil
		}
	}()
	text, err := json.Marshal(reflect.New(t).Interface())
	if err != nil {
		return nil
	}
	if err := json.Unmarshal(text, reflect.New(t).Interface()); err != nil {
		return fmt.Errorf("%s does not come back: its zero value is written as %.40q, and reading that fails: %w", path, text, err)
	}
	return nil
}
