package main

import (
	"net/http"

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
	http.StatusServiceUnavailable:    "Our database is not answering just now. Nothing of yours is lost: please reload this page in a few seconds.",
}

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
	app.render(w, r, status, "error", view{Status: status, StatusText: http.StatusText(status), Message: text})
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
	if sojourn.Unavailable(err) {
		app.errorPage(w, r, http.StatusServiceUnavailable)
	} else {
		app.errorPage(w, r, http.StatusInternalServerError)
	}
}
