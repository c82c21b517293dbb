package response

import (
	"net/http"
	"reflect"
	"sync"
)

// A teller is a writer that says whether the header has gone out.
type teller interface{ Written() bool }

// Past reports whether the header has gone out without w having been asked: somebody writes to the inner
// writer. Only writers that tell by a method are looked at, which costs next to nothing. The goroutine that
// writes the response may ask.
func (w *Writer) Past() bool {
	if k := knownKind(w.inner); k != nil && !k.tells {
		return false
	}
	out := false
	w.eachInner(func(in http.ResponseWriter) {
		if t, ok := in.(teller); ok && t.Written() {
			out = true
		}
	})
	return out
}

// PastUnasked is Past for a handler that has written nothing through w, where a closer look is worth its
// price: net/http, Echo and others tell by a field. One that they do not have is no sign of anything.
func (w *Writer) PastUnasked() bool {
	if w.Past() {
		return true
	}
	if k := knownKind(w.inner); k != nil {
		return k.fields.tellOf(w.inner)
	}
	out := false
	w.eachInner(func(in http.ResponseWriter) {
		out = out || fieldsOf(reflect.Indirect(reflect.ValueOf(in))).tellOf(in)
	})
	return out
}

// fields are those of a writer's type that matter, by the way to them.
type fields struct {
	inside []int   // what does the work
	tell   [][]int // bools: the header has gone out
}

// tellOf reports whether one of them, of in, says that the header has gone out.
func (f *fields) tellOf(in http.ResponseWriter) bool {
	if f.inside == nil && f.tell == nil {
		return false
	}
	v := reflect.Indirect(reflect.ValueOf(in))
	if f.inside != nil { // HTTP/2
		v = reflect.Indirect(at(v, f.inside))
		f = fieldsOf(v)
	}
	for _, path := range f.tell {
		if b := at(v, path); b.IsValid() && b.Bool() {
			return true
		}
	}
	return false
}

// looked has the fields of each type that was met: to look for them costs more than all else.
var looked sync.Map // of reflect.Type

var none fields

func fieldsOf(v reflect.Value) *fields {
	if v.Kind() != reflect.Struct {
		return &none
	}
	t := v.Type()
	if known, ok := looked.Load(t); ok {
		return known.(*fields)
	}
	f := new(fields)
	if x, ok := t.FieldByName("rws"); ok {
		f.inside = x.Index
	}
	for _, name := range []string{"wroteHeader", "Committed"} {
		if x, ok := t.FieldByName(name); ok && x.Type.Kind() == reflect.Bool {
			f.tell = append(f.tell, x.Index)
		}
	}
	looked.Store(t, f)
	return f
}

// at is the field at the end of path; not valid where the way to it is nil.
func at(v reflect.Value, path []int) reflect.Value {
	if !v.IsValid() {
		return v
	}
	f, _ := v.FieldByIndexErr(path)
	return f
}

// eachInner goes through the inner writer and what that wraps.
func (w *Writer) eachInner(look func(http.ResponseWriter)) {
	for in := w.inner; in != nil; {
		look(in)
		u, ok := in.(interface{ Unwrap() http.ResponseWriter })
		if !ok {
			return
		}
		in = u.Unwrap()
	}
}
