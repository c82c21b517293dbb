// Package admin has pages for who looks after an application: an [http.Handler] that finds sessions by owner, id or
// device, shows what is known of one, ends one, an owner's or everybody's, and draws what goes on as small charts.
//
// It shows what [sojourn.Info] has, and nothing else: no value of a session, no key of a value, no token.
//
// Mount it inside the LoadAndSave of the administrators' sessions, under a path that ends in a slash:
//
//	h, err := admin.New(sessions, admin.Config{Authorize: onlyAdministrators, Figures: figures})
//	// …
//	mux.Handle("/admin/sessions/", http.StripPrefix("/admin/sessions", sessions.LoadAndSave(h)))
//
// There is no page without [Config.Authorize], which every request is put to. Each action is a [sojourn.EventAdmin] with
// who asked for it, and what came of it. Forms of other sites are refused. docs/admin.md has the rest.
package admin
