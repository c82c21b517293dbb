package main

import (
	"context"
	"errors"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/justinas/alice"
)

const (
	maxTitle   = 100    // characters, as in the table
	maxContent = 10_000 // characters; the table holds 65,535 bytes
	maxName    = 100    // characters
	maxEmail   = 254    // RFC 5321 4.5.3.1.3
	maxForm    = 256 << 10
)

// A form is what was sent, and what is wrong with it.
type form struct {
	values  map[string]string
	Faults  []fault // in the order of the page
	Problem string  // of the form as a whole
}

type fault struct{ Field, Text string }

type unreadKey struct{}

// takeForm reads the form that a request sends, of at most limit bytes, before anything else does: so
// whoever has to answer in place of its handler can still give people back what they wrote.
func takeForm(limit int64) alice.Constructor {
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.Method == http.MethodPost {
				r.Body = http.MaxBytesReader(w, r.Body, limit)
				if err := r.ParseForm(); err != nil {
					r = r.WithContext(context.WithValue(r.Context(), unreadKey{}, err))
				}
			}
			next.ServeHTTP(w, r)
		})
	}
}

// read returns the fields of the form that takeForm has read. Without ok an error page has been sent.
func (app *application) read(w http.ResponseWriter, r *http.Request, fields ...string) (f form, ok bool) {
	if err, unread := r.Context().Value(unreadKey{}).(error); unread {
		status := http.StatusBadRequest
		if _, tooLarge := errors.AsType[*http.MaxBytesError](err); tooLarge {
			status = http.StatusRequestEntityTooLarge
		}
		app.errorPage(w, r, status)
		return f, false
	}
	f.values = map[string]string{}
	for _, name := range fields {
		f.values[name] = r.PostForm.Get(name)
		if !secret(name) { // a password is checked as it was sent (ASVS 6.2.8)
			f.values[name] = clean(f.values[name])
		}
	}
	return f, true
}

// invalid shows the form again, with what was sent and what is wrong with it.
func (app *application) invalid(w http.ResponseWriter, r *http.Request, page string, f form) {
	app.show(w, r, http.StatusUnprocessableEntity, page, view{Form: f})
}

// Value is what was sent, as the page may show it.
func (f form) Value(field string) string {
	if secret(field) {
		return ""
	}
	return f.values[field]
}

// Fault is what is wrong with the field, or "".
func (f form) Fault(field string) string {
	if i := slices.IndexFunc(f.Faults, func(x fault) bool { return x.Field == field }); i >= 0 {
		return f.Faults[i].Text
	}
	return ""
}

// First reports whether field is where to go on: the first that is wrong.
func (f form) First(field string) bool { return len(f.Faults) > 0 && f.Faults[0].Field == field }

func (f form) Bad() bool { return len(f.Faults) > 0 || f.Problem != "" }

// A field is an input of one line, for the template of that name.
type field struct {
	Name, Label, Type, Autocomplete, Hint string
	Value, Fault                          string
	First                                 bool
}

func (f form) Field(name, label, kind, autocomplete, hint string) field {
	return field{name, label, kind, autocomplete, hint, f.Value(name), f.Fault(name), f.First(name)}
}

// check notes text for the field unless ok, or unless something is wrong with it already.
func (f *form) check(ok bool, field, text string) {
	if !ok && f.Fault(field) == "" {
		f.Faults = append(f.Faults, fault{field, text})
	}
}

func (f *form) filled(field, text string) {
	f.check(strings.TrimSpace(f.values[field]) != "", field, text)
}

func (f *form) atMost(field string, chars int, limit string) {
	n := utf8.RuneCountInString(f.values[field])
	f.check(n <= chars, field, "Please use at most "+limit+" characters, these are "+strconv.Itoa(n))
}

// emailPattern is that by which browsers check <input type=email> (HTML 4.10.5.1.5).
var emailPattern = regexp.MustCompile("^[a-zA-Z0-9.!#$%&'*+/=?^_`{|}~-]+@[a-zA-Z0-9](?:[a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?(?:\\.[a-zA-Z0-9](?:[a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?)*$")

func (f *form) email(field string) {
	f.filled(field, "Please enter your email address")
	f.atMost(field, maxEmail, strconv.Itoa(maxEmail))
	f.check(emailPattern.MatchString(strings.TrimSpace(f.values[field])), field, "Please enter a whole email address, such as name@example.com")
}

func (f *form) newPassword(field string) {
	f.check(f.values[field] != "", field, "Please choose a password")
	f.check(utf8.RuneCountInString(f.values[field]) >= minPassword, field, "Please use at least 8 characters")
	f.atMost(field, maxPassword, strconv.Itoa(maxPassword))
}

func secret(field string) bool { return strings.Contains(strings.ToLower(field), "password") }

// clean makes text out of what a form brings: browsers send lines ending in CR LF, others send
// anything, and PostgreSQL takes neither broken UTF-8 nor NUL.
func clean(s string) string {
	s = strings.ToValidUTF8(s, "\uFFFD")
	return strings.NewReplacer("\r\n", "\n", "\r", "\n", "\x00", "\uFFFD").Replace(s)
}
