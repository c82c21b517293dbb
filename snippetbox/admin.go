package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"github.com/gosojourn/sojourn/admin"
)

// adminPath is where the pages about everybody's sessions are.
const adminPath = "/admin/sessions"

// newAdminPages makes them, for the person of flag -admin.
func (app *application) newAdminPages(figures *admin.Figures) (*admin.Handler, error) {
	return admin.New(app.sessionManager, admin.Config{
		Authorize: func(r *http.Request) (string, error) {
			if u := userOf(r); app.isAdmin(u) {
				return u.Email, nil
			}
			return "", errors.New("not the person of -admin")
		},
		OwnerOf: app.ownerOf,
		NameOf:  app.nameOf,
		Figures: figures,
	})
}

// isAdmin reports whether u is the person of flag -admin.
func (app *application) isAdmin(u *user) bool {
	return u != nil && app.adminEmail != "" && u.Email == app.adminEmail
}

// checkAdmin wants the account to be there before anybody else can make one with this address.
func (app *application) checkAdmin(ctx context.Context) error {
	if app.adminEmail == "" {
		return nil
	}
	_, err := app.users.byEmail(ctx, app.adminEmail)
	if errors.Is(err, errNoUser) {
		return fmt.Errorf("-admin %s: there is no such account, and whoever makes it would be the administrator: start without -admin, sign up, and start again", app.adminEmail)
	}
	return err
}

// ownerOf finds the owner of sessions by the address of the account.
func (app *application) ownerOf(ctx context.Context, typed string) (string, error) {
	u, err := app.users.byEmail(ctx, typed)
	if errors.Is(err, errNoUser) {
		return "", nil
	} else if err != nil {
		return "", err
	}
	return u.owner(), nil
}

// nameOf is the address; "" if the account is no more, or the database does not answer.
func (app *application) nameOf(ctx context.Context, owner string) string {
	u, err := app.users.byOwner(ctx, owner)
	if err != nil {
		return ""
	}
	return u.Email
}

// freshForms wants a fresh login for a form, and none for a page: to end sessions is more than to look at them.
func (app *application) freshForms(next http.Handler) http.Handler {
	fresh := app.fresh(next.ServeHTTP)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPost {
			fresh.ServeHTTP(w, r)
			return
		}
		next.ServeHTTP(w, r)
	})
}
