package main

import (
	"net/http"

	"github.com/justinas/alice"
)

// routes is the whole site. What is under dynamic has a session, the rest has none.
func (app *application) routes() http.Handler {
	mux := http.NewServeMux()
	mux.Handle("GET /static/{file}", http.HandlerFunc(app.static))

	dynamic := alice.New(app.sessionManager.LoadAndSave)
	mux.Handle("GET /{$}", app.sessionManager.LoadAndSave(http.HandlerFunc(app.home)))
	mux.Handle("GET /snippet/view/{id}", dynamic.ThenFunc(app.snippetView))
	mux.Handle("GET /snippet/create", dynamic.ThenFunc(app.snippetCreate))
	mux.Handle("POST /snippet/create", dynamic.ThenFunc(app.snippetCreatePost))
	mux.Handle("GET /visits", dynamic.ThenFunc(app.visitCount))

	standard := alice.New(app.logRequest, app.recoverPanic, commonHeaders, app.sameOrigin)
	return standard.Then(app.orErrorPage(mux))
}
