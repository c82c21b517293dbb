package main

import (
	"net/http"

	"github.com/justinas/alice"
)

// routes is the whole site. What is under dynamic has a session and knows who is logged in; what is
// under protected is for people who are.
func (app *application) routes() http.Handler {
	mux := http.NewServeMux()
	mux.Handle("GET /static/{file}", http.HandlerFunc(app.static))
	mux.Handle("GET /session/status", app.sessionManager.StatusHandler())
	mux.Handle("GET /visits", app.sessionManager.LoadAndSave(http.HandlerFunc(app.visitCount)))
	mux.Handle("POST /theme", http.HandlerFunc(app.themePost))
	mux.Handle("POST /session/stay", app.sessionManager.LoadAndSave(http.HandlerFunc(app.stay)))

	dynamic := alice.New(app.sessionManager.LoadAndSave, app.identify)
	mux.Handle("GET /{$}", dynamic.ThenFunc(app.home))
	mux.Handle("GET /snippet/view/{id}", dynamic.ThenFunc(app.snippetView))
	mux.Handle("GET /user/signup", dynamic.ThenFunc(app.signup))
	mux.Handle("POST /user/signup", dynamic.ThenFunc(app.signupPost))
	mux.Handle("GET /user/login", dynamic.ThenFunc(app.login))
	mux.Handle("POST /user/login", dynamic.ThenFunc(app.loginPost))
	mux.Handle("POST /user/logout", dynamic.ThenFunc(app.logout))

	protected := dynamic.Append(app.requireLogin)
	mux.Handle("GET /snippet/create", protected.ThenFunc(app.snippetCreate))
	mux.Handle("POST /snippet/create", protected.ThenFunc(app.snippetCreatePost))
	mux.Handle("GET /account", protected.ThenFunc(app.account))
	mux.Handle("GET /account/password", protected.ThenFunc(app.password))
	mux.Handle("POST /account/password", protected.ThenFunc(app.passwordPost))
	mux.Handle("GET /account/sessions", protected.ThenFunc(app.devices))
	mux.Handle("POST /account/sessions/{id}/end", protected.ThenFunc(app.endSession))
	mux.Handle("POST /account/sessions/end-others", protected.Then(app.fresh(app.endOthers)))

	standard := alice.New(app.preferences.LoadAndSave, app.logRequest, app.recoverPanic, commonHeaders, app.sameOrigin)
	return standard.Then(app.orErrorPage(mux))
}
