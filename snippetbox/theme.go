package main

import (
	"net/http"
	"time"

	"github.com/gosojourn/sojourn"
	"github.com/gosojourn/sojourn/sealed"
)

// What the browser keeps by itself, logged in or not, in a cookie of its own.
var theme = sojourn.NewKey[string]("theme")

const keepTheme = 365 * 24 * time.Hour

// newPreferences makes the manager beside the one of the sessions: sealed, because a preference is worth
// no row in the database, and because nobody's login hangs on it.
func (app *application) newPreferences(ring *sealed.Ring, o options) (*sojourn.Manager, error) {
	name := "__Host-Http-preferences"
	if !o.tls {
		name = "preferences"
	}
	return sojourn.NewSealed(ring, sojourn.Config{
		Lifetime:             keepTheme,
		IdleTimeout:          sojourn.NoIdleTimeout,
		Cookie:               sojourn.Cookie{Name: name, Persistent: true},
		Purpose:              "preferences",
		ErrorHandler:         app.sessionFailed,
		Logger:               app.logger,
		DangerouslyAllowHTTP: !o.tls,
	})
}

// themePost goes back to the page that the choice was made on. "auto" is no choice: what the system says.
func (app *application) themePost(w http.ResponseWriter, r *http.Request) {
	f, ok := app.read(w, r, "theme")
	if !ok {
		return
	}
	switch chosen := theme.In(app.preferences); f.values["theme"] {
	case "auto":
		chosen.Delete(r.Context())
	case "light", "dark":
		chosen.Put(r.Context(), f.values["theme"])
	default:
		app.errorPage(w, r, http.StatusBadRequest)
		return
	}
	page := cameFrom(r)
	if !local(page) {
		page = "/"
	}
	http.Redirect(w, r, page, http.StatusSeeOther)
}
