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
	mux.Handle("POST /theme", takeForm(maxForm)(http.HandlerFunc(app.themePost)))
	mux.Handle("POST /session/stay", app.sessionManager.LoadAndSave(http.HandlerFunc(app.stay)))
	// Browsers come here by themselves, without a login: a wall in front would end every bound session.
	mux.Handle("POST /dbsc/register", app.bound.RegisterHandler())
	mux.Handle("POST /dbsc/refresh", app.bound.RefreshHandler())

	dynamic := alice.New(takeForm(maxForm), app.sessionManager.LoadAndSave, app.identify)
	mux.Handle("GET /{$}", dynamic.ThenFunc(app.home))
	mux.Handle("GET /snippet/view/{id}", dynamic.ThenFunc(app.snippetView))
	mux.Handle("GET /user/signup", dynamic.ThenFunc(app.signup))
	mux.Handle("POST /user/signup", dynamic.ThenFunc(app.signupPost))
	mux.Handle("GET /user/login", dynamic.ThenFunc(app.login))
	// It may bring along a draft that came in a form of its own.
	mux.Handle("POST /user/login", alice.New(takeForm(2*maxForm)).Extend(dynamic).ThenFunc(app.loginPost))
	mux.Handle("POST /user/logout", dynamic.ThenFunc(app.logout))
	mux.Handle("POST /snippet/create", dynamic.ThenFunc(app.snippetCreatePost)) // which keeps what a visitor has written

	protected := dynamic.Append(app.requireLogin)
	mux.Handle("GET /snippet/create", protected.ThenFunc(app.snippetCreate))
	mux.Handle("GET /account", protected.ThenFunc(app.account))
	proven := protected.Append(app.bound.RequireBound(provenFor, http.HandlerFunc(app.askLogin)))
	mux.Handle("GET /account/password", proven.ThenFunc(app.password))
	mux.Handle("POST /account/password", proven.ThenFunc(app.passwordPost))
	mux.Handle("GET /account/sessions", protected.ThenFunc(app.devices))
	mux.Handle("POST /account/sessions/{id}/end", protected.ThenFunc(app.endSession))
	mux.Handle("POST /account/sessions/end-others", protected.Then(app.fresh(app.endOthers)))
	mux.Handle(adminPath+"/", protected.Append(app.freshForms).Then(http.StripPrefix(adminPath, app.adminPages)))

	standard := alice.New(app.preferences.LoadAndSave, app.logRequest, rememberVisitor, app.recoverPanic, commonHeaders, app.sameOrigin)
	return standard.Then(app.orErrorPage(mux))
}
