package main

import (
	"time"

	"github.com/gosojourn/sojourn"
	"github.com/gosojourn/sojourn/dbsc"
)

// What a session holds. Who is logged in is not among it: that is Info(ctx).Owner.
var (
	visits  = sojourn.NewKey[int]("visits")     // pages looked at
	flashes = sojourn.NewKey[[]string]("flash") // messages for the next page
	wanted  = sojourn.NewKey[string]("wanted")  // the page to go to after the login
)

const (
	rememberFor = 30 * 24 * time.Hour
	maxDevices  = 10               // of one person; one more login ends the oldest
	freshFor    = 30 * time.Minute // for what must not be done at a computer left alone (ASVS 7.5)
	provenFor   = 5 * time.Minute  // for what must not be done with copied cookies
)

// sessionConfig: unless -lifetime and -idle say otherwise, a session ends twelve hours after it
// began, a working day, and an hour after its last use: long enough for a lunch break, short enough
// for a machine that somebody walks away from. It is gone with the browser, too, unless its person
// has asked to be remembered.
func (app *application) sessionConfig(o options) sojourn.Config {
	return sojourn.Config{
		Lifetime:             o.lifetime,
		IdleTimeout:          o.idle,
		RememberFor:          max(rememberFor, o.lifetime),
		MaxPerOwner:          maxDevices,
		Device:               device,
		ErrorHandler:         app.sessionFailed,
		Logger:               app.logger,
		DangerouslyAllowHTTP: !o.tls,
	}
}

// bindingPolicy binds sessions to the browser's device where that can be: browsers do it over https only, and a session
// that the browser keeps itself has nothing to compare a cookie with.
func bindingPolicy(o options) dbsc.Policy {
	if !o.tls || o.sessions == inCookies {
		return dbsc.Off
	}
	return dbsc.Opportunistic
}

// warning is how long before its end a session's page says so: two minutes, or less for a session
// that is short anyway.
func warning(limit time.Duration) time.Duration {
	if limit < 10*time.Minute {
		return limit / 5
	}
	return 2 * time.Minute
}
