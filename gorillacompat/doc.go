// Package gorillacompat is a gorilla/sessions Store on Sojourn: an application, or a library such as goth or
// authboss, that was written against [sessions.Store] keeps its code, and its sessions are kept by any
// Sojourn store or sealed into cookies.
//
//	store, err := gorillacompat.New(memstore.New(), sojourn.Config{})
//	...
//	session, err := store.Get(r, "session-name")
//	session.Values["foo"] = "bar"
//	err = session.Save(r, w)
//
// # What Save does
//
// Save compares Values with what Get has found, and saves the keys that differ. Of two requests at once that
// change different keys both survive; one key is last-writer-wins. Lists of type []any, which AddFlash makes,
// are merged: flashes that two requests add both stay, and Flashes takes away only what it returned. A Save
// that changes nothing writes nothing and sends nothing.
//
// Values and keys are encoded as gorilla's are, so a type that is not a basic one has to be registered with
// [encoding/gob.Register].
//
// Options belong to the session: what a Save has set is what the next Get finds. A Save with other Options than
// Get has found gives the session a new token and cookie. A negative MaxAge ends the session in the store.
//
// A Save that cannot send the cookie it needs is [sojourn.ErrHeaderSent], and nothing is saved.
//
// # When the store is down
//
// Get answers an error that is [sojourn.Unavailable], with an empty session that cannot be saved. A program
// that ignores Get's error gets it from Save: the session in the store stays as it is.
//
// # Logging in
//
// [Login] saves a session under an owner and a new token, so that [sojourn.Manager.List] and
// [sojourn.Manager.RevokeAll] know it; [Renew] saves it under a new token alone. A program that only puts a user's
// number into Values keeps its token at login, as with gorilla: call one of the two there.
//
// # Moving on
//
// [Store.Manager] is the Sojourn manager of the sessions of one name. With its LoadAndSave around the handlers,
// keys and Values live in one session, and handlers can move one by one: docs/moving-from-gorilla.md has the table.
//
// # People who are logged in
//
// With a reader of package gorillacompat/legacy in [sojourn.Config].Legacy, who shows a cookie of gorilla's CookieStore or
// FilesystemStore has the same Values here, under the same cookie name. docs/moving-from-gorilla.md tells
// what holds while servers of both versions run.
//
// # What it does not do
//
// It reads no sessions of gorilla's without that reader, and it does not make a map safe for two goroutines: Get and Save
// may be called at once, Values is the program's to guard.
package gorillacompat
