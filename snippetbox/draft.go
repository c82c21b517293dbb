package main

import (
	"crypto/rand"
	"net/http"
)

// When a session ends while somebody writes, what was written must not be lost: the login page carries
// it along, and gives it back after the login. It needs no session, so it is as large as a form may be
// wherever sessions are kept. Only this site's own pages can send it (sameOrigin).

// keepDraft answers a form of whoever is not logged in.
func (app *application) keepDraft(w http.ResponseWriter, r *http.Request, f form) {
	app.show(w, r, http.StatusForbidden, "login", view{Form: f})
}

// draft is the part of a form that is a snippet, or nil.
func (f form) draft() (d []hidden) {
	if f.values["title"] == "" && f.values["content"] == "" {
		return nil
	}
	for _, name := range draftFields {
		d = append(d, hidden{name, f.values[name]})
	}
	return d
}

// showDraft gives the draft back. It is not published yet, as somebody else may have logged in meanwhile.
func (app *application) showDraft(w http.ResponseWriter, r *http.Request, f form, u *user) {
	if len(f.values["form"]) != len(rand.Text()) {
		f.values["form"] = rand.Text()
	}
	f.Problem, f.Faults = "", nil
	v := visitorOf(r)
	v.user = u
	if f.values["remember"] != "" {
		v.warning = warning(rememberFor)
	}
	app.show(w, r, http.StatusOK, "create", view{Form: f,
		Flashes: []string{"You are logged in. Your snippet is not published yet: please look it over and publish it."}})
}
