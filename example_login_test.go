package sojourn_test

import (
	"errors"
	"fmt"
	"log"
	"net/http"
	"net/url"
	"strconv"
	"testing"

	"github.com/gosojourn/sojourn"
	"github.com/gosojourn/sojourn/memstore"
	"github.com/gosojourn/sojourn/sojourntest"
)

// An application keeps its manager beside its models.
type application struct {
	sessions *sojourn.Manager
	users    interface {
		Authenticate(email, password string) (id int, err error)
	}
}

var errInvalidCredentials = errors.New("no such user, or another password")

var flash = sojourn.NewKey[[]string]("flash") // the next page shows what flash.Pop returns

func (app *application) userLoginPost(w http.ResponseWriter, r *http.Request) {
	id, err := app.users.Authenticate(r.PostFormValue("email"), r.PostFormValue("password"))
	if errors.Is(err, errInvalidCredentials) {
		http.Error(w, "Email or password is incorrect.", http.StatusUnprocessableEntity)
		return
	}
	if err == nil {
		err = app.sessions.Login(r.Context(), strconv.Itoa(id)) // sets the owner, and a new token
	}
	if err == nil {
		err = app.sessions.Commit(r.Context()) // now it is done, or err says why not
	}
	if err != nil {
		http.Error(w, "Please try again.", http.StatusServiceUnavailable)
		return
	}
	http.Redirect(w, r, "/account", http.StatusSeeOther)
}

func (app *application) userLogoutPost(w http.ResponseWriter, r *http.Request) {
	err := app.sessions.Logout(r.Context())
	sojourn.Append(r.Context(), flash, "You have been logged out.") // into a new session
	if err == nil {
		err = app.sessions.Commit(r.Context())
	}
	if err != nil {
		http.Error(w, "Please try again.", http.StatusServiceUnavailable)
		return
	}
	http.Redirect(w, r, "/", http.StatusSeeOther)
}

func (app *application) requireAuthentication(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if app.sessions.Info(r.Context()).Owner == "" {
			http.Redirect(w, r, "/user/login", http.StatusSeeOther)
			return
		}
		w.Header().Set("Cache-Control", "no-store")
		next.ServeHTTP(w, r)
	})
}

// one is a table of users with one row.
type one struct{}

func (one) Authenticate(email, password string) (int, error) {
	if email != "ann@example.com" || password != "correct horse" {
		return 0, errInvalidCredentials
	}
	return 1, nil
}

// Log in, and out again: the handlers of an application, in an application.
func Example_loginAndLogout() {
	sessions, err := sojourn.New(memstore.New(), sojourn.Config{})
	if err != nil {
		log.Fatal(err)
	}
	app := &application{sessions: sessions, users: one{}}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, flash.Pop(r.Context())) })
	mux.HandleFunc("GET /user/login", func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, "Please log in.") })
	mux.HandleFunc("POST /user/login", app.userLoginPost)
	mux.Handle("POST /user/logout", app.requireAuthentication(http.HandlerFunc(app.userLogoutPost)))
	mux.Handle("GET /account", app.requireAuthentication(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintf(w, "You are user %s.", app.sessions.Info(r.Context()).Owner)
	})))

	var t testing.T
	b := sojourntest.NewBrowser(&t, sessions, mux)
	form := url.Values{"email": {"ann@example.com"}, "password": {"correct horse"}}
	fmt.Println(body(b.Get("/account")))
	fmt.Println(body(b.PostForm("/user/login", form)))
	fmt.Println(body(b.PostForm("/user/logout", nil)))
	fmt.Println(body(b.Get("/account")))
	// Output:
	// Please log in.
	// You are user 1.
	// [You have been logged out.]
	// Please log in.
}
