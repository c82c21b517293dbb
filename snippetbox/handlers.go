package main

import (
	"errors"
	"fmt"
	"net/http"
	"strconv"
)

// maxForm is more than the longest snippet takes, percent-encoded.
const maxForm = 256 << 10

func (app *application) home(w http.ResponseWriter, r *http.Request) {
	latest, err := app.snippets.latest(r.Context())
	if err != nil {
		app.databaseFailed(w, r, err)
		return
	}
	app.show(w, r, http.StatusOK, "home", view{Snippets: latest})
}

func (app *application) snippetView(w http.ResponseWriter, r *http.Request) {
	// Ids have 31 bits, and one spelling each.
	id, err := strconv.ParseInt(r.PathValue("id"), 10, 32)
	if err != nil || id < 1 || strconv.FormatInt(id, 10) != r.PathValue("id") {
		app.errorPage(w, r, http.StatusNotFound)
		return
	}
	s, err := app.snippets.get(r.Context(), int(id))
	if errors.Is(err, errNoSnippet) {
		app.errorPage(w, r, http.StatusNotFound)
		return
	} else if err != nil {
		app.databaseFailed(w, r, err)
		return
	}
	app.show(w, r, http.StatusOK, "view", view{Snippet: s})
}

func (app *application) snippetCreate(w http.ResponseWriter, r *http.Request) {
	app.show(w, r, http.StatusOK, "create", view{Form: snippetForm{Expires: 365}})
}

func (app *application) snippetCreatePost(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, maxForm)
	if err := r.ParseForm(); err != nil {
		status := http.StatusBadRequest
		if _, tooLarge := errors.AsType[*http.MaxBytesError](err); tooLarge {
			status = http.StatusRequestEntityTooLarge
		}
		app.errorPage(w, r, status)
		return
	}
	form := parseSnippetForm(r.PostForm)
	if !form.valid() {
		app.show(w, r, http.StatusUnprocessableEntity, "create", view{Form: form})
		return
	}
	id, err := app.snippets.insert(r.Context(), form.Title, form.Content, form.Expires)
	if err != nil {
		app.databaseFailed(w, r, err)
		return
	}
	flash(r.Context(), "Snippet successfully created!")
	http.Redirect(w, r, fmt.Sprintf("/snippet/view/%d", id), http.StatusSeeOther)
}

// visitCount answers how many pages this session has looked at. It is not a page itself.
func (app *application) visitCount(w http.ResponseWriter, r *http.Request) {
	n := visits.Get(r.Context())
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	fmt.Fprint(w, n)
}
