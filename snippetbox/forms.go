package main

import (
	"net/url"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

const (
	maxTitle   = 100    // characters, as in the table
	maxContent = 10_000 // characters; the table holds 65,535 bytes
)

// snippetForm is what was sent, and what is wrong with it, by field.
type snippetForm struct {
	Title, Content string
	Expires        int // days
	Errors         map[string]string
}

func parseSnippetForm(v url.Values) snippetForm {
	f := snippetForm{Title: strings.TrimSpace(clean(v.Get("title"))), Content: clean(v.Get("content"))}
	f.Expires, _ = strconv.Atoi(v.Get("expires"))
	return f
}

// valid checks every field, so that all that is wrong is said at once.
func (f *snippetForm) valid() bool {
	f.Errors = map[string]string{}
	if f.Title == "" {
		f.Errors["title"] = "Please give it a title"
	} else if n := utf8.RuneCountInString(f.Title); n > maxTitle {
		f.Errors["title"] = "Please use at most 100 characters, these are " + strconv.Itoa(n)
	}
	if strings.TrimSpace(f.Content) == "" {
		f.Errors["content"] = "Please write or paste something here"
	} else if n := utf8.RuneCountInString(f.Content); n > maxContent {
		f.Errors["content"] = "Please use at most 10,000 characters, these are " + strconv.Itoa(n)
	}
	if !slices.Contains([]int{1, 7, 365}, f.Expires) {
		f.Errors["expires"] = "Please choose a day, a week or a year"
	}
	return len(f.Errors) == 0
}

// clean makes text out of what a form brings: browsers send lines ending in CR LF, others send
// anything, and PostgreSQL takes neither broken UTF-8 nor NUL.
func clean(s string) string {
	s = strings.ToValidUTF8(s, "\uFFFD")
	return strings.NewReplacer("\r\n", "\n", "\r", "\n", "\x00", "\uFFFD").Replace(s)
}
