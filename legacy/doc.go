// Package legacy reads the sessions of alexedwards/scs v2, so that an application that moves to Sojourn logs
// nobody out. Give the reader to [sojourn.Config.Legacy]:
//
//	m, err := sojourn.New(store, sojourn.Config{
//		Legacy: &legacy.SCS{Rows: legacy.MySQL(db, ""), Owner: "authenticatedUserID"},
//	})
//
// A browser with an scs cookie is then logged in with its next request. The scs session is converted:
// the value under Owner becomes the owner, each of Values goes under a [sojourn.Key], and all else is left
// behind. docs/moving-in.md tells what happens when requests come at once, answers are lost, or servers
// of the old version run on.
//
// It imports no scs. gorilla/sessions is read by gorillacompat/legacy, which needs gorilla's own packages.
//
// # What it does not do
//
// It reads scs's GobCodec and no other codec; a JSON codec of your own needs a [sojourn.Legacy] of your
// own. It does not write scs sessions: what is changed on a server of the new version is not seen by the old
// ones. It moves nobody in who does not come by.
package legacy
