// Package legacy reads the sessions of gorilla/sessions, so that an application that moves to Sojourn logs
// nobody out. Give a reader to [sojourn.Config.Legacy]: Cookies for a CookieStore, Files for a FilesystemStore.
//
//	m, err := sojourn.New(store, sojourn.Config{
//		Legacy: &legacy.Cookies{Keys: keys, SessionCookie: http.Cookie{Name: "session-name"}, Owner: "user_id"},
//	})
//
// The guide is docs/moving-in.md. Owner, Values and Map are those of package
// [github.com/gosojourn/sojourn/legacy].
//
// # What it does not do
//
// A cookie of a CookieStore is kept by nobody but its client, so nobody can end it. Sojourn remembers, in its
// store, which cookies have been moved in, and refuses them afterwards; but gorilla writes a new cookie with every
// Save, and a copy of an earlier one is another cookie, which is good until its date: set Until, shorten MaxAge, or
// change the keys when the move is over. With sealed sessions nothing is remembered at all.
//
// Only gorilla's own serializer, gob, is read. Stores of other makers need a [sojourn.Legacy] of your own.
package legacy
