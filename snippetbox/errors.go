package main

import (
	"context"
	"errors"
	"maps"
	"net/http"
	"slices"

	"github.com/gosojourn/sojourn"
)

// errorTexts say, to people, what happened and what they can do.
var errorTexts = map[int]string{
	http.StatusBadRequest:            "Your browser sent something that we could not read. Please go back and try again.",
	http.StatusForbidden:             "This came from a page of another site, so nothing was done.",
	http.StatusNotFound:              "There is nothing at this address. If it was a snippet, it may have expired.",
	http.StatusMethodNotAllowed:      "This address does not take that kind of request.",
	http.StatusRequestEntityTooLarge: "That is more than a snippet can hold. Please go back and shorten it.",
	http.StatusInternalServerError:   "Something went wrong on our side. Please try again later.",
	http.StatusServiceUnavailable:    "Our database is not answering just now. Please try again in a few seconds.",
}

// clientLeft is for a login whose browser seems to have gone before it was done.
const clientLeft = "The connection was closed before this was done, so nothing was. Please try again."

// errorPage answers with status and a page about it. The page needs no session, so that it can be
// shown when there is none to be had.
func (app *application) errorPage(w http.ResponseWriter, r *http.Request, status int) {
	text, ok := errorTexts[status]
	if !ok {
		text = errorTexts[http.StatusInternalServerError]
	}
	if status == http.StatusServiceUnavailable {
		w.Header().Set("Retry-After", "5")
	}
	app.errorText(w, r, status, text)
}

func (app *application) errorText(w http.ResponseWriter, r *http.Request, status int, text string) {
	v := view{Status: status, StatusText: http.StatusText(status), Message: text}
	if status == http.StatusServiceUnavailable {
		v.Again = tryAgain(r)
	}
	app.render(w, r, status, "error", v)
}

// again is what a person's 'Try again' sends: the same page, or the same form with all that was written
// but the passwords, which the form then asks for.
type again struct {
	Page   string
	Post   bool
	Fields []hidden
}

// A hidden field carries on what was written.
type hidden struct{ Name, Value string }

// tryAgain is nil where there is nothing to be sent again.
func tryAgain(r *http.Request) *again {
	a := &again{Page: r.URL.RequestURI(), Post: r.Method == http.MethodPost}
	if _, unread := r.Context().Value(unreadKey{}).(error); unread || !local(a.Page) {
		return nil
	}
	for _, name := range slices.Sorted(maps.Keys(r.PostForm)) {
		for _, value := range r.PostForm[name] {
			if !secret(name) {
				a.Fields = append(a.Fields, hidden{name, clean(value)})
			}
		}
	}
	return a
}

// errorPageForVisitor is errorPage for what is outside of the pages that have a session: whoever is logged in
// still sees it. If that cannot be found out, the page goes without.
func (app *application) errorPageForVisitor(w http.ResponseWriter, r *http.Request, status int) {
	find := app.sessionManager.LoadAndSave(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		if err := app.findOut(r); errors.Is(err, errAccounts) {
			app.logger.Warn("an error page goes without its visitor", "path", r.URL.Path, "error", err)
		}
	}))
	find.ServeHTTP(&probe{header: http.Header{}}, r)
	app.errorPage(w, r, status)
}

// databaseFailed answers for a query that failed. Only an outage is to be expected here, which is
// over when the database is back: 503.
func (app *application) databaseFailed(w http.ResponseWriter, r *http.Request, err error) {
	if r.Context().Err() == nil { // who has left is nobody's fault
		app.logger.Error("database failed", "method", r.Method, "path", r.URL.Path, "error", err)
	}
	app.errorPage(w, r, http.StatusServiceUnavailable)
}

// sessionFailed answers for a session that could not be loaded or saved; the manager has logged
// why. The cookie is left alone, so that whoever has a session finds it again afterwards.
func (app *application) sessionFailed(w http.ResponseWriter, r *http.Request, err error) {
	switch {
	case sojourn.Unavailable(err):
		app.errorPage(w, r, http.StatusServiceUnavailable)
	case errors.Is(err, context.Canceled): // if only half of the connection is closed, somebody reads this
		app.errorText(w, r, http.StatusServiceUnavailable, clientLeft)
	default:
		app.errorPage(w, r, http.StatusInternalServerError)
	}
}
