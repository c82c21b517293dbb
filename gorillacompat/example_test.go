package gorillacompat_test

import (
	"fmt"
	"log"
	"net/http"
	"net/http/httptest"
	"time"

	"github.com/gorilla/sessions"

	"github.com/gosojourn/sojourn"
	"github.com/gosojourn/sojourn/gorillacompat"
	"github.com/gosojourn/sojourn/gorillacompat/legacy"
	"github.com/gosojourn/sojourn/memstore"
	"github.com/gosojourn/sojourn/sealed"
)

// visit sends a request with the cookies of earlier ones, and returns those to send with the next.
func visit(h http.HandlerFunc, cookies []*http.Cookie) []*http.Cookie {
	r, w := httptest.NewRequest("GET", "https://example.com/", nil), httptest.NewRecorder()
	for _, c := range cookies {
		r.AddCookie(c)
	}
	h(w, r)
	if set := w.Result().Cookies(); len(set) > 0 {
		return set
	}
	return cookies
}

func ExampleNew() {
	store, err := gorillacompat.New(memstore.New(), sojourn.Config{})
	if err != nil {
		log.Fatal(err)
	}
	handler := func(w http.ResponseWriter, r *http.Request) {
		session, err := store.Get(r, "session-name")
		if err != nil {
			http.Error(w, "try again", http.StatusServiceUnavailable)
			return
		}
		fmt.Println(session.Values["foo"], session.Values[42])
		session.Values["foo"] = "bar"
		session.Values[42] = 43
		if err := session.Save(r, w); err != nil {
			http.Error(w, "try again", http.StatusServiceUnavailable)
		}
	}
	cookies := visit(handler, nil)
	visit(handler, cookies)
	// Output:
	// <nil> <nil>
	// bar 43
}

func ExampleNewSealed() {
	ring, err := sealed.New([]string{sealed.GenerateKey()}, sealed.Options{}) // keep the key: it opens the cookies
	if err != nil {
		log.Fatal(err)
	}
	store, err := gorillacompat.NewSealed(ring, sojourn.Config{})
	if err != nil {
		log.Fatal(err)
	}
	handler := func(w http.ResponseWriter, r *http.Request) {
		session, _ := store.Get(r, "session-name")
		fmt.Println(session.Values["foo"])
		session.Values["foo"] = "bar"
		if err := session.Save(r, w); err != nil {
			http.Error(w, "try again", http.StatusServiceUnavailable)
		}
	}
	visit(handler, visit(handler, nil))
	// Output:
	// <nil>
	// bar
}

func ExampleLogin() {
	store, err := gorillacompat.New(memstore.New(), sojourn.Config{})
	if err != nil {
		log.Fatal(err)
	}
	login := func(w http.ResponseWriter, r *http.Request) {
		// After the password was found right:
		session, err := store.Get(r, "session-name")
		if err == nil {
			session.Values["user"] = 7
			session.AddFlash("Welcome back.")
			err = gorillacompat.Login(r, w, session, "7") // in place of Save
		}
		if err != nil {
			http.Error(w, "try again", http.StatusServiceUnavailable)
		}
	}
	home := func(w http.ResponseWriter, r *http.Request) {
		session, _ := store.Get(r, "session-name")
		fmt.Println(session.Values["user"], session.Flashes())
		_ = session.Save(r, w)
	}
	visit(home, visit(login, nil))
	// Output: 7 [Welcome back.]
}

func ExampleRenew() {
	store, err := gorillacompat.New(memstore.New(), sojourn.Config{})
	if err != nil {
		log.Fatal(err)
	}
	admin := func(w http.ResponseWriter, r *http.Request) {
		session, err := store.Get(r, "session-name")
		if err == nil {
			session.Values["admin"] = true
			err = gorillacompat.Renew(r, w, session) // who has seen the old token is not an administrator
		}
		fmt.Println(err)
	}
	visit(admin, nil)
	// Output: <nil>
}

// Logging out ends the session in the store, and takes the cookie away.
func ExampleStore_Save_logout() {
	store, err := gorillacompat.New(memstore.New(), sojourn.Config{})
	if err != nil {
		log.Fatal(err)
	}
	put := func(w http.ResponseWriter, r *http.Request) {
		session, _ := store.Get(r, "session-name")
		session.Values["user"] = 7
		_ = session.Save(r, w)
	}
	logout := func(w http.ResponseWriter, r *http.Request) {
		session, err := store.Get(r, "session-name")
		if err == nil {
			session.Options.MaxAge = -1
			err = session.Save(r, w)
		}
		if err != nil {
			http.Error(w, "you are still logged in: try again", http.StatusServiceUnavailable)
		}
	}
	home := func(_ http.ResponseWriter, r *http.Request) {
		session, _ := store.Get(r, "session-name")
		fmt.Println(session.Values["user"])
	}
	copied := visit(put, nil)
	visit(home, copied)
	visit(logout, copied)
	visit(home, copied)
	// Output:
	// 7
	// <nil>
}

// Options for one session: "remember me".
func ExampleStore_Get_options() {
	store, err := gorillacompat.New(memstore.New(), sojourn.Config{})
	if err != nil {
		log.Fatal(err)
	}
	store.Options.MaxAge = 0 // until the browser closes
	remember := func(w http.ResponseWriter, r *http.Request) {
		session, _ := store.Get(r, "session-name")
		session.Options.MaxAge = 7 * 24 * 60 * 60
		session.Values["user"] = 7
		_ = session.Save(r, w)
	}
	fmt.Println(visit(remember, nil)[0].MaxAge)
	// Output: 604800
}

// Handlers move on to keys one by one, in one session with those that have not.
func ExampleStore_Manager() {
	store, err := gorillacompat.New(memstore.New(), sojourn.Config{})
	if err != nil {
		log.Fatal(err)
	}
	m, err := store.Manager("session-name")
	if err != nil {
		log.Fatal(err)
	}
	theme := sojourn.NewKey[string]("theme")

	old := func(w http.ResponseWriter, r *http.Request) {
		session, _ := store.Get(r, "session-name")
		session.Values["user"] = 7
		_ = session.Save(r, w)
	}
	moved := func(w http.ResponseWriter, r *http.Request) {
		user, _, err := gorillacompat.Value(r.Context(), m, "user")
		if err != nil {
			http.Error(w, "try again", http.StatusServiceUnavailable)
			return
		}
		fmt.Printf("%v %q\n", user, theme.Get(r.Context()))
		theme.Put(r.Context(), "dark")
	}
	around := func(h http.HandlerFunc) http.HandlerFunc { return m.LoadAndSave(h).ServeHTTP }
	cookies := visit(around(old), nil)
	visit(around(moved), cookies)
	visit(around(moved), cookies)
	// Output:
	// 7 ""
	// 7 "dark"
}

// The mistake: an error of Get that is not looked at. The session is empty because the store did not answer, and
// Save says so, too; a program that looks at neither greets its user as a stranger.
func ExampleStore_Get_mistake() {
	store, err := gorillacompat.New(memstore.New(), sojourn.Config{})
	if err != nil {
		log.Fatal(err)
	}
	handler := func(w http.ResponseWriter, r *http.Request) {
		session, _ := store.Get(r, "session-name") // wrong: answer 503 when there is an error
		session.Values["seen"] = true
		if err := sessions.Save(r, w); err != nil {
			http.Error(w, "try again", http.StatusServiceUnavailable)
		}
	}
	visit(handler, nil)
}

// An application leaves gorilla's CookieStore, and whoever is logged in stays so, under the same cookie name.
func ExampleNew_legacy() {
	keys := [][]byte{[]byte("an authentication key of 32 byte")}

	before := sessions.NewCookieStore(keys...)
	after, err := gorillacompat.New(memstore.New(), sojourn.Config{
		Legacy: &legacy.Cookies{
			Keys:    keys,
			KeepFor: time.Hour, // longer than a deployment takes
		},
	})
	if err != nil {
		log.Fatal(err)
	}
	login := func(w http.ResponseWriter, r *http.Request) {
		session, _ := before.Get(r, "session-name")
		session.Values["user"] = 7
		_ = session.Save(r, w)
	}
	page := func(w http.ResponseWriter, r *http.Request) {
		session, err := after.Get(r, "session-name")
		if err != nil {
			http.Error(w, "try again", http.StatusServiceUnavailable)
			return
		}
		fmt.Println("user", session.Values["user"])
	}
	visit(page, visit(login, nil))
	// Output: user 7
}
