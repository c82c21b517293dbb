package main

import (
	"errors"
	"net/http"

	"github.com/gosojourn/sojourn"
)

func (app *application) signup(w http.ResponseWriter, r *http.Request) {
	app.show(w, r, http.StatusOK, "signup", view{})
}

func (app *application) signupPost(w http.ResponseWriter, r *http.Request) {
	f, ok := app.read(w, r, "name", "email", "password")
	if !ok {
		return
	}
	f.filled("name", "Please tell us your name")
	f.atMost("name", maxName, "100")
	f.email("email")
	f.newPassword("password")
	if f.Bad() {
		app.invalid(w, r, "signup", f)
		return
	}
	if wait := app.signups.take(r.Context(), network(r)); wait > 0 {
		app.tooMany(w, r, "signup", f, wait)
		return
	}
	hash, err := app.passwords.hash(r.Context(), f.values["password"])
	if err == nil {
		err = app.users.insert(r.Context(), oneLine(f.values["name"]), f.values["email"], hash)
	}
	if errors.Is(err, errEmailTaken) {
		f.check(false, "email", "This email address is already in use")
		app.invalid(w, r, "signup", f)
		return
	} else if err != nil {
		app.databaseFailed(w, r, err)
		return
	}
	flash(r.Context(), "Your signup was successful. Please log in.")
	http.Redirect(w, r, "/user/login", http.StatusSeeOther)
}

func (app *application) login(w http.ResponseWriter, r *http.Request) {
	app.show(w, r, http.StatusOK, "login", view{})
}

func (app *application) loginPost(w http.ResponseWriter, r *http.Request) {
	f, ok := app.read(w, r, append([]string{"email", "password", "remember"}, draftFields...)...)
	if !ok {
		return
	}
	f.email("email")
	f.check(f.values["password"] != "", "password", "Please enter your password")
	if f.Bad() {
		app.invalid(w, r, "login", f)
		return
	}
	if wait := app.guesses.take(r, f.values["email"]); wait > 0 {
		app.tooMany(w, r, "login", f, wait)
		return
	}
	u, err := app.authenticate(r, f.values["email"], f.values["password"])
	if errors.Is(err, errNoUser) {
		f.check(false, "password", "Email or password is incorrect")
		app.invalid(w, r, "login", f)
		return
	} else if err != nil {
		app.databaseFailed(w, r, err)
		return
	}
	app.guesses.giveBack(r, f.values["email"])
	app.enter(w, r, f, u)
}

// enter logs u in and leads on. It commits by itself, because a login may fail even now: when the
// password was changed, or all sessions ended, while this one was being checked.
func (app *application) enter(w http.ResponseWriter, r *http.Request, f form, u *user) {
	ctx, m := r.Context(), app.sessionManager
	err := m.Login(ctx, u.owner())
	m.Remember(ctx, f.values["remember"] != "")
	// After Login, because where another person wanted to go is nothing to this one.
	page := wanted.Pop(ctx)
	if err == nil {
		err = m.Commit(ctx)
	}
	switch {
	case errors.Is(err, sojourn.ErrEnded):
		f.Problem = "Something about this account changed just now. Please log in again."
		app.invalid(w, r, "login", f)
	case err != nil:
		app.sessionFailed(w, r, err)
	case f.draft() != nil:
		app.showDraft(w, r, f, u)
	default:
		if !local(page) {
			page = "/"
		}
		http.Redirect(w, r, page, http.StatusSeeOther)
	}
}

// authenticate returns whose email and password these are, or errNoUser, with the same work
// whether there is such an account or not.
func (app *application) authenticate(r *http.Request, email, password string) (*user, error) {
	u, err := app.users.byEmail(r.Context(), email)
	if errors.Is(err, errNoUser) {
		u = &user{}
	} else if err != nil {
		return nil, err
	}
	ok, err := app.passwords.match(r.Context(), password, u.Hash)
	if err != nil {
		return nil, err
	} else if !ok {
		return nil, errNoUser
	}
	return u, nil
}

// logout ends the session. The browser is told to drop the pages it keeps, but not "cookies": that
// would take the fresh one of this answer, too.
func (app *application) logout(w http.ResponseWriter, r *http.Request) {
	if err := app.sessionManager.Logout(r.Context()); err != nil {
		app.sessionFailed(w, r, err)
		return
	}
	flash(r.Context(), "You've been logged out successfully!")
	w.Header().Set("Clear-Site-Data", `"cache", "storage"`)
	http.Redirect(w, r, "/", http.StatusSeeOther)
}
