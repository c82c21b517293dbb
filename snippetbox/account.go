package main

import (
	"errors"
	"net/http"

	"github.com/gosojourn/sojourn"
)

func (app *application) account(w http.ResponseWriter, r *http.Request) {
	app.show(w, r, http.StatusOK, "account", view{})
}

func (app *application) password(w http.ResponseWriter, r *http.Request) {
	app.show(w, r, http.StatusOK, "password", view{})
}

// passwordPost needs no fresh login: it asks for the current password anyway.
func (app *application) passwordPost(w http.ResponseWriter, r *http.Request) {
	f, ok := app.read(w, r, "currentPassword", "newPassword", "newPasswordConfirmation")
	if !ok {
		return
	}
	current, chosen := f.values["currentPassword"], f.values["newPassword"]
	f.check(current != "", "currentPassword", "Please enter your current password")
	f.newPassword("newPassword")
	f.check(f.values["newPasswordConfirmation"] == chosen, "newPasswordConfirmation", "This is not the same as the new password")
	if f.Bad() {
		app.invalid(w, r, "password", f)
		return
	}
	u := userOf(r)
	if wait := app.guesses.take(r, u.Email); wait > 0 {
		app.tooMany(w, r, "password", f, wait)
		return
	}
	right, err := app.passwords.match(r.Context(), current, u.Hash)
	if err != nil {
		app.databaseFailed(w, r, err)
		return
	}
	if right {
		app.guesses.giveBack(r, u.Email)
		err = app.changePassword(r, u, chosen)
	}
	switch {
	case !right || errors.Is(err, errNoUser):
		f.check(false, "currentPassword", "This is not your current password")
		app.invalid(w, r, "password", f)
	case errors.Is(err, sojourn.ErrEnded):
		app.askLogin(w, r)
	case sojourn.Unavailable(err):
		app.sessionFailed(w, r, err)
	case err != nil:
		app.databaseFailed(w, r, err)
	default:
		flash(r.Context(), "Your password was changed. All other browsers are logged out.")
		http.Redirect(w, r, "/account", http.StatusSeeOther)
	}
}

// changePassword stores the hash first: a login that has checked the old password began before the
// fence which RevokeOthers then raises, so it fails; one that begins later finds the new hash. In the
// other order a login between the two would stay. RevokeOthers keeps this session, and what it holds,
// where RevokeAll with a new Login would lose it; Renew takes its token from whoever has copied it.
func (app *application) changePassword(r *http.Request, u *user, password string) error {
	ctx := r.Context()
	hash, err := app.passwords.hash(ctx, password)
	if err != nil {
		return err
	}
	if err := app.users.setHash(ctx, u, hash); err != nil {
		return err
	}
	if err := app.sessionManager.RevokeOthers(ctx); err != nil {
		return err
	}
	if err := app.sessionManager.Renew(ctx); err != nil {
		return err
	}
	return app.sessionManager.Commit(ctx)
}
