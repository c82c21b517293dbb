// Package sojourn keeps state between HTTP requests. Middleware loads and saves a session for each request;
// typed keys read and write its values. It stays right when two requests run at once.
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
// A GET, HEAD, OPTIONS or TRACE request reads the session when the handler first asks for it. Other methods read
// it before the handler runs. Nothing is stored for a visitor for whom the handler stores nothing.
//
// What a handler changes is a change set. It takes effect as a whole or not at all, at [Manager.Commit].
// LoadAndSave calls Commit before the first byte of the response, and again when the handler returns. Call it
// yourself where you want the error.
//
// The cookie is added when the response's header goes out. A handler does not see it in the header before.
//
// Each call that asks the store ends within Config.StoreTimeout. It runs to its end when the client leaves, or
// when a deadline of the application passes.
//
// # Two requests at once
//
// A save is a compare-and-swap. When another request has saved first, the change set is applied again to the
// newer session. Changes of different keys both survive. Of two values for one key the last one stays.
// [Key.Update] runs its function again, [Key.Pop] removes only what it has returned, and [Key.Take] gives a
// value to exactly one request.
//
// # Login, logout, renewal
//
// [Manager.Login] gives the session an owner and a new token. The old token ends before the response begins.
// [Manager.Renew] replaces the token alone. [Manager.Logout] ends the session.
//
// A request that still runs under the old token cannot write into the new session. A request that runs during
// a logout cannot bring the session back.
//
// A login is not performed for a client who has left before the response could carry the new token, because
// nobody would receive it.
//
// # Where sessions are kept
//
// A [Store] keeps sessions on the server: packages memstore and sqlstore, and redisstore, which is a module of
// its own. [NewSealed] keeps them in the client's cookie, encrypted with the keys of package sealed. It gives
// the same Manager, without what needs shared state; docs/sealed-sessions.md has the list.
//
// # When the store is down
//
// The answer is 503. Nothing of the handler's response is sent, and no cookie is touched. A store that cannot
// answer is never taken for "nobody is logged in". See [Unavailable] and Config.ErrorHandler.
//
// # What it does not do
//
// It does not authenticate: passwords are the application's. It does not stop cross-site requests: use
// [net/http.CrossOriginProtection] beside the SameSite attribute, which is always set. It does not keep private
// pages out of caches: set Cache-Control on pages that only their owner may see. It does not lock a session for
// the length of a request, and it does not replace tokens by the clock.
//
// Hijack fails while a new token waits to be sent, because whoever takes the connection writes the header
// himself. Write status 101 through the ResponseWriter first, or log in before the upgrade. A sealed session
// waits to be sent after every change. [net/http/httputil.ReverseProxy] hijacks for a WebSocket: change the
// session in another request.
//
// [net/http.TimeoutHandler] belongs inside LoadAndSave. Outside, it has already answered when a late login
// creates a token, and that login is refused.
//
// docs/recipes.md has an Example for each of the things that people do with sessions.
package sojourn
