package main

import (
	"crypto/rand"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
)

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
	app.show(w, r, http.StatusOK, "create", view{Form: form{values: map[string]string{"expires": "365", "form": rand.Text()}}})
}

// draftFields are what a form of a snippet sends. By the name of the form the same one is recognised
// when it comes a second time: after a double click, or when the answer to the first has got lost.
var draftFields = []string{"title", "content", "expires", "form"}

func (app *application) snippetCreatePost(w http.ResponseWriter, r *http.Request) {
	f, ok := app.read(w, r, draftFields...)
	if !ok {
		return
	}
	if len(f.values["form"]) != len(rand.Text()) {
		f.values["form"] = rand.Text()
	}
	if userOf(r) == nil {
		app.keepDraft(w, r, f)
		return
	}
	f.values["title"] = strings.TrimSpace(f.values["title"])
	f.filled("title", "Please give it a title")
	f.atMost("title", maxTitle, "100")
	f.filled("content", "Please write or paste something here")
	f.atMost("content", maxContent, "10,000")
	f.check(slices.Contains([]string{"1", "7", "365"}, f.values["expires"]), "expires", "Please choose a day, a week or a year")
	if f.Bad() {
		app.invalid(w, r, "create", f)
		return
	}
	days, _ := strconv.Atoi(f.values["expires"])
	id, err := app.snippets.insert(r.Context(), userOf(r), f.values["form"], f.values["title"], f.values["content"], days)
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
