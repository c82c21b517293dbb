package gorillacompat

import (
	"net/http"
	"reflect"
)

// begun reports whether w's header is out. A writer that says so is believed; of those that do not, net/http's
// own and those of the frameworks in use keep it in a field. One that hides what it wraps tells nothing.
func begun(w http.ResponseWriter) bool {
	for w != nil {
		if x, ok := w.(interface{ Written() bool }); ok && x.Written() {
			return true
		}
		if v := reflect.ValueOf(w); v.Kind() == reflect.Pointer && marked(v.Elem()) {
			return true
		}
		u, ok := w.(interface{ Unwrap() http.ResponseWriter })
		if !ok {
			return false
		}
		w = u.Unwrap()
	}
	return false
}

// marked looks for the mark in v's own fields, not in those of what it embeds. An HTTP/2 writer has it one step
// further in.
func marked(v reflect.Value) bool {
	if v.Kind() != reflect.Struct {
		return false
	}
	for _, name := range [...]string{"wroteHeader", "Committed"} {
		if f, ok := v.Type().FieldByName(name); ok && len(f.Index) == 1 && f.Type.Kind() == reflect.Bool && v.FieldByIndex(f.Index).Bool() {
			return true
		}
	}
	f, ok := v.Type().FieldByName("rws")
	if !ok || len(f.Index) != 1 || f.Type.Kind() != reflect.Pointer {
		return false
	}
	return marked(v.FieldByIndex(f.Index).Elem())
}
