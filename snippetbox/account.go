package main

import (
	"context"
	"database/sql"
	"errors"
	"net/http"

	"github.com/gosojourn/sojourn"
)

func (app *application) account(w http.ResponseWriter, r *http.Request) {
	app.show(w, r, http.StatusOK, "account", view{Admin: app.isAdmin(userOf(r))})
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
		flash(r.Context(), "Your password was changed. All your other sessions have ended.")
		http.Redirect(w, r, "/account", http.StatusSeeOther)
	}
}

// changePassword keeps this session, and what it holds; Renew takes its token from whoever has copied it.
func (app *application) changePassword(r *http.Request, u *user, password string) error {
	ctx := r.Context()
	hash, err := app.passwords.hash(ctx, password)
	if err != nil {
		return err
	}
	if err := app.replaceHash(ctx, u, hash); err != nil {
		return err
	}
	if err := app.sessionManager.Renew(ctx); err != nil {
		return err
	}
	return app.sessionManager.Commit(ctx)
}

// replaceHash stores the hash, and ends the other sessions. Where both are in one database, they are committed
// together. Else the hash comes first: a login that has checked the old password began before the fence which
// RevokeOthers then raises, so it fails; one that begins later finds the new hash. In the other order a login
// between the two would stay.
func (app *application) replaceHash(ctx context.Context, u *user, hash string) error {
	if app.table == nil {
		if err := app.users.setHash(ctx, app.users.db, u, hash); err != nil {
			return err
		}
		return app.sessionManager.RevokeOthers(ctx)
	}
	keep := app.sessionManager.Info(ctx).ID
	ctx, cancel := context.WithTimeout(ctx, queryTimeout)
	defer cancel()
	tx, err := app.users.db.BeginTx(ctx, &sql.TxOptions{Isolation: sql.LevelReadCommitted})
	if err != nil {
		return err
	}
	defer tx.Rollback()
	if err := app.users.setHash(ctx, tx, u, hash); err != nil {
		return err
	}
	if err := app.table.RevokeOthersTx(ctx, tx, u.owner(), keep); err != nil {
		return err
	}
	return tx.Commit()
}
