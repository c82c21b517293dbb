package response

import (
	"net/http"
	"reflect"
	"sync"
)

// Past reports whether the header has gone out without w having been asked: somebody writes to the inner
// writer. Only writers that tell by a method are looked at, which costs next to nothing. The goroutine that
// writes the response may ask.
func (w *Writer) Past() bool {
	out := false
	w.eachInner(func(in http.ResponseWriter) {
		if t, ok := in.(interface{ Written() bool }); ok && t.Written() {
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
	out := false
	w.eachInner(func(in http.ResponseWriter) {
		v := reflect.Indirect(reflect.ValueOf(in))
		f := fieldsOf(v)
		if f.inside != nil { // HTTP/2
			v = reflect.Indirect(at(v, f.inside))
			f = fieldsOf(v)
		}
		for _, path := range f.tell {
			if b := at(v, path); b.IsValid() && b.Bool() {
				out = true
			}
		}
	})
	return out
}

// fields are those of a writer's type that matter, by the way to them.
type fields struct {
	inside []int   // what does the work
	tell   [][]int // bools: the header has gone out
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
