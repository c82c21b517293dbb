package main

import (
	"cmp"
	"errors"
	"net/http"
	"slices"

	"github.com/gosojourn/sojourn"
)

// devices shows where its person is logged in: this browser first, then the latest used.
func (app *application) devices(w http.ResponseWriter, r *http.Request) {
	var all []sojourn.Info
	for i, err := range app.sessionManager.List(r.Context(), userOf(r).owner()) {
		if errors.Is(err, errors.ErrUnsupported) {
			app.show(w, r, http.StatusOK, "sessions", view{Unlisted: true})
			return
		} else if err != nil {
			app.sessionFailed(w, r, err)
			return
		}
		all = append(all, i)
	}
	slices.SortFunc(all, func(a, b sojourn.Info) int {
		if a.Current != b.Current {
			if a.Current {
				return -1
			}
			return 1
		}
		return cmp.Or(b.LastSeen.Compare(a.LastSeen), cmp.Compare(a.ID, b.ID))
	})
	app.show(w, r, http.StatusOK, "sessions", view{Sessions: all})
}

// endSession ends one session of who asks. To end this one is to log out, fresh login or not.
func (app *application) endSession(w http.ResponseWriter, r *http.Request) {
	if r.PathValue("id") == app.sessionManager.Info(r.Context()).ID {
		app.logout(w, r)
		return
	}
	app.fresh(app.endAnother).ServeHTTP(w, r)
}

func (app *application) endAnother(w http.ResponseWriter, r *http.Request) {
	// The owner is given, too: ids are no secret, and that of a stranger's session is unknown here.
	err := app.sessionManager.Revoke(r.Context(), userOf(r).owner(), r.PathValue("id"))
	if errors.Is(err, sojourn.ErrNotFound) {
		app.errorPage(w, r, http.StatusNotFound)
		return
	}
	app.ended(w, r, err, "That session has ended.")
}

func (app *application) endOthers(w http.ResponseWriter, r *http.Request) {
	app.ended(w, r, app.sessionManager.RevokeOthers(r.Context()), "All your other sessions have ended.")
}

func (app *application) ended(w http.ResponseWriter, r *http.Request, err error, message string) {
	switch {
	case errors.Is(err, sojourn.ErrEnded): // by somebody else at the same moment
		app.askLogin(w, r)
	case err != nil:
		app.sessionFailed(w, r, err)
	default:
		flash(r.Context(), message)
		http.Redirect(w, r, "/account/sessions", http.StatusSeeOther)
	}
}

// fresh sends who has logged in too long ago to the login page first.
func (app *application) fresh(next http.HandlerFunc) http.Handler {
	return app.sessionManager.RequireFresh(app.freshFor, http.HandlerFunc(app.askLogin))(next)
}

// stay is for the warning's button: it uses the session, which extends it, and does nothing else.
func (app *application) stay(w http.ResponseWriter, r *http.Request) {
	w.WriteHeader(http.StatusNoContent)
}
