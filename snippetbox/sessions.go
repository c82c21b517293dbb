package main

import (
	"time"

	"github.com/gosojourn/sojourn"
)

// What a session holds.
var (
	visits  = sojourn.NewKey[int]("visits")     // pages looked at
	flashes = sojourn.NewKey[[]string]("flash") // messages for the next page
)

// sessionConfig: a session ends twelve hours after it began, a working day, and an hour after its
// last use: long enough for a lunch break, short enough for a machine that somebody walks away from.
// The cookie outlives the browser, so that closing a window by accident loses nothing; the two
// limits are the server's and end the session all the same.
func (app *application) sessionConfig(plainHTTP bool) sojourn.Config {
	return sojourn.Config{
		Lifetime:             12 * time.Hour,
		IdleTimeout:          time.Hour,
		Cookie:               sojourn.Cookie{Persistent: true},
		ErrorHandler:         app.sessionFailed,
		Logger:               app.logger,
		DangerouslyAllowHTTP: plainHTTP,
	}
}
