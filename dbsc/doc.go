// Package dbsc binds sessions to a key of the browser's device, so that cookies which somebody has copied are worth
// nothing soon (Device Bound Session Credentials, w3c/webappsec-dbsc).
//
//	sessions, err := sojourn.New(store, sojourn.Config{})
//	...
//	bound, err := dbsc.New(sessions, dbsc.Config{})
//	...
//	mux.Handle("POST /dbsc/register", bound.RegisterHandler())
//	mux.Handle("POST /dbsc/refresh", bound.RefreshHandler())
//
// From then on the response of each Login invites the browser to make a key. A browser that can do it signs a
// challenge and gets a second cookie, which lives for ten minutes. The session is from then on given to no request
// without that cookie. When it is over the browser signs the next challenge, which nobody can who has only the
// cookies. A browser that cannot do it sees none of this.
//
// A session that is withheld reads as if there were none: the visitor is asked to log in, and a Login or Logout ends
// what was shown. Events tell of it: EventBound, EventProved, EventUnproven, EventTheft.
//
// A new login is a new registration. Renew and Remember keep the binding: the device is the same. Logout, revocation and every
// limit of the session end it, and the browser learns of that at its next refresh.
//
// docs/device-bound-sessions.md says what it protects from and what not, and how to roll it out.
package dbsc
