// Package sojourn keeps state between HTTP requests: sessions on the server, loaded and saved by
// middleware, typed, right when two requests run at once.
//
//	m, err := sojourn.New(memstore.New(), sojourn.Config{})
//	...
//	http.ListenAndServe("localhost:4000", m.LoadAndSave(mux))
//
// A handler reads and writes through keys, which know their type:
//
//	var visits = sojourn.NewKey[int]("visits")
//
//	visits.Update(r.Context(), func(n int) int { return n + 1 })
//
// # What a request does
//
// Nothing is read until a handler asks (for GET, HEAD, OPTIONS and TRACE; other methods load first),
// and nothing is stored for a visitor who stores nothing. What a handler changes is a change set: it
// takes effect together, at [Manager.Commit], which LoadAndSave calls before the first byte of the
// response and when the handler returns. Explicit calls are for who wants the error.
//
// # Two requests at once
//
// A save is a compare-and-swap. When another request saved first, the change set is made again on the
// newer record: different keys both survive, one key is last-writer-wins, [Key.Update] runs its
// function again, [Key.Pop] removes only what it returned, [Key.Take] gives a value to exactly one.
//
// # Login, logout, renewal
//
// [Manager.Login] gives the session an owner and a new token; the old token ends before the response
// begins. [Manager.Renew] replaces the token alone; [Manager.Logout] ends the session. A request that
// was under way under the old token can write nothing into the new session, and one that was under
// way during a logout cannot bring the session back.
//
// # Where sessions are kept
//
// In a [Store]: packages memstore and sqlstore, and redisstore, a module of its own. Or in the client's
// cookie, encrypted: [NewSealed] with a ring of keys of package sealed gives the same Manager, without
// what needs shared state; docs/sealed-sessions.md has the list.
//
// # When the store is down
//
// The answer is 503, nothing of the handler's response is sent, and no cookie is touched: a store
// that cannot answer is never taken for "nobody is logged in". See [Unavailable] and
// Config.ErrorHandler.
//
// # What it does not do
//
// It does not authenticate, protect against cross-site requests (use [net/http.CrossOriginProtection];
// the SameSite attribute is always set), or keep private pages from caches: say Cache-Control on
// pages that show what only their owner may see. It does not lock a session for the length of a
// request. Timed rotation of tokens and encryption at rest are not in this version; New refuses
// their options.
package sojourn
