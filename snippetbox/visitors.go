package main

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// A visitor is whom identify has found.
type visitor struct {
	user    *user         // who is logged in, or nil
	warning time.Duration // how long before the end of the session to say so
}

type visitorKey struct{}

// visitorOf returns nil outside identify: then nobody has looked.
func visitorOf(r *http.Request) *visitor {
	v, _ := r.Context().Value(visitorKey{}).(*visitor)
	return v
}

func userOf(r *http.Request) *user { return visitorOf(r).user }

// identify finds out who is logged in. Without an answer from the sessions or the accounts there is
// no page: that is not the same as nobody.
func (app *application) identify(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ctx := r.Context()
		if err := app.sessionManager.Load(ctx); err != nil {
			app.sessionFailed(w, r, err)
			return
		}
		info := app.sessionManager.Info(ctx)
		v := &visitor{warning: warning(app.sessionLimit)}
		if info.Remembered {
			v.warning = warning(rememberFor)
		}
		if info.Owner != "" {
			var err error
			v.user, err = app.users.byOwner(ctx, info.Owner)
			if errors.Is(err, errNoUser) {
				// The account is no more. Its visitor goes on with an anonymous session.
				if err := app.sessionManager.RevokeAll(ctx, info.Owner); err != nil {
					app.sessionFailed(w, r, err)
					return
				}
			} else if err != nil {
				app.databaseFailed(w, r, err)
				return
			}
		}
		next.ServeHTTP(w, r.WithContext(context.WithValue(ctx, visitorKey{}, v)))
	})
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

// askLogin leads to the login page. A form cannot be sent again afterwards, so what is remembered
// then is the page that it was on.
func (app *application) askLogin(w http.ResponseWriter, r *http.Request) {
	page := ""
	switch r.Method {
	case http.MethodGet:
		page = r.URL.RequestURI()
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
