package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// A visitor is who sends a request.
type visitor struct {
	known   bool          // whether anybody has found out who it is
	user    *user         // who is logged in, or nil
	warning time.Duration // how long before the end of the session to say so
}

type visitorKey struct{}

// rememberVisitor makes room for what identify finds out, outside of what may fail afterwards: the page
// about a failure is for the same visitor.
func rememberVisitor(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		next.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), visitorKey{}, &visitor{})))
	})
}

func visitorOf(r *http.Request) *visitor {
	if v, ok := r.Context().Value(visitorKey{}).(*visitor); ok {
		return v
	}
	return &visitor{}
}

func userOf(r *http.Request) *user { return visitorOf(r).user }

// errAccounts: who is logged in is known, but not what the account is.
var errAccounts = errors.New("the account could not be read")

// identify finds out who is logged in. Without an answer from the sessions or the accounts there is
// no page: that is not the same as nobody.
func (app *application) identify(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch err := app.findOut(r); {
		case errors.Is(err, errAccounts):
			app.databaseFailed(w, r, err)
		case err != nil:
			app.sessionFailed(w, r, err)
		default:
			next.ServeHTTP(w, r)
		}
	})
}

// findOut tells the request's visitor who it is. After an error nobody knows.
func (app *application) findOut(r *http.Request) error {
	ctx, v := r.Context(), visitorOf(r)
	if err := app.sessionManager.Load(ctx); err != nil {
		return err
	}
	info := app.sessionManager.Info(ctx)
	v.warning = warning(app.sessionLimit)
	if info.Remembered {
		v.warning = warning(rememberFor)
	}
	if info.Owner != "" {
		u, err := app.users.byOwner(ctx, info.Owner)
		if errors.Is(err, errNoUser) {
			// The account is no more. Its visitor goes on without a session.
			if err := app.sessionManager.RevokeAll(ctx, info.Owner); err != nil {
				return err
			}
		} else if err != nil {
			return fmt.Errorf("%w: %w", errAccounts, err)
		}
		v.user = u
	}
	v.known = true
	return nil
}

// requireLogin sends who is not logged in to the login page, and back here afterwards.
func (app *application) requireLogin(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if userOf(r) == nil {
			app.askLogin(w, r)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// reasons say why a page wants a login.
var reasons = map[string]string{
	"/snippet/create":   "Please log in to create a snippet.",
	"/account":          "Please log in to see your account.",
	"/account/password": "Please log in to change your password.",
	"/account/sessions": "Please log in to see your sessions.",
	adminPath + "/":     "Please log in as the administrator.",
}

// askLogin leads to the login page. A form is not sent again afterwards, so what is remembered then is
// the page that it was on.
func (app *application) askLogin(w http.ResponseWriter, r *http.Request) {
	page := ""
	switch r.Method {
	case http.MethodGet:
		page = r.URL.RequestURI()
		flash(r.Context(), cmp.Or(reasons[r.URL.Path], "Please log in to see that page."))
	case http.MethodPost:
		page = cameFrom(r)
		flash(r.Context(), "Please log in and try again: nothing was done yet.")
	}
	if local(page) {
		wanted.Put(r.Context(), page)
	}
	http.Redirect(w, r, "/user/login", http.StatusSeeOther)
}

// cameFrom is the page of this site that a form was on, or "".
func cameFrom(r *http.Request) string {
	if from, err := url.Parse(r.Referer()); err == nil && from.Host == r.Host {
		return from.RequestURI()
	}
	return ""
}

// local reports whether page is a path of this site. Browsers take \ for / and skip control
// characters, so that //evil.example has many spellings.
func local(page string) bool {
	if !strings.HasPrefix(page, "/") || strings.HasPrefix(page, "//") || len(page) > 1000 {
		return false
	}
	if strings.ContainsFunc(page, func(c rune) bool { return c <= ' ' || c == 0x7f || c == '\\' }) {
		return false
	}
	u, err := url.Parse(page)
	return err == nil && u.Scheme == "" && u.Host == "" && u.User == nil
}
