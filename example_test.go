package sojourn_test

import (
	"errors"
	"fmt"
	"log"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/gosojourn/sojourn"
	"github.com/gosojourn/sojourn/memstore"
	"github.com/gosojourn/sojourn/sojourntest"
)

var visits = sojourn.NewKey[int]("visits")

// A page that counts the visits of each browser.
func Example() {
	sessions, err := sojourn.New(memstore.New(), sojourn.Config{DangerouslyAllowHTTP: true}) // http: development only
	if err != nil {
		log.Fatal(err)
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, r *http.Request) {
		visits.Update(r.Context(), func(n int) int { return n + 1 })
		fmt.Fprintf(w, "Visit number %d\n", visits.Get(r.Context()))
	})
	log.Fatal(http.ListenAndServe("localhost:4000", sessions.LoadAndSave(mux)))
}

// A login gives the session an owner and a new token, and keeps what the visitor had.
func ExampleManager_Login() {
	sessions, _ := sojourn.New(memstore.New(), sojourn.Config{})
	_ = func(w http.ResponseWriter, r *http.Request) {
		user := r.PostFormValue("user") // once the password has been checked
		if err := sessions.Login(r.Context(), user); err != nil {
			http.Error(w, "Please try again.", http.StatusServiceUnavailable)
			return
		}
		sessions.Remember(r.Context(), r.PostFormValue("remember") == "on")
		http.Redirect(w, r, "/account", http.StatusSeeOther)
	}
}

// Who is logged in is in Info, not in a key beside it.
func ExampleManager_Info() {
	sessions, _ := sojourn.New(memstore.New(), sojourn.Config{})
	account := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		owner := sessions.Info(r.Context()).Owner
		if owner == "" {
			http.Redirect(w, r, "/login", http.StatusSeeOther)
			return
		}
		w.Header().Set("Cache-Control", "private, no-store")
		fmt.Fprintf(w, "Hello, %s", owner)
	})
	w := httptest.NewRecorder()
	sessions.LoadAndSave(account).ServeHTTP(w, httptest.NewRequest("GET", "/account", nil))
	fmt.Println(w.Code, w.Header().Get("Location"))
	// Output: 303 /login
}

// After Logout the context holds a fresh session, for a last message. Clear-Site-Data is the
// handler's to send; "cookies" would delete the cookie of that message as well.
func ExampleManager_Logout() {
	sessions, _ := sojourn.New(memstore.New(), sojourn.Config{})
	flash := sojourn.NewKey[[]string]("flash")
	_ = func(w http.ResponseWriter, r *http.Request) {
		if err := sessions.Logout(r.Context()); err != nil {
			http.Error(w, "Please try again.", http.StatusServiceUnavailable)
			return
		}
		sojourn.Append(r.Context(), flash, "You are logged out.")
		w.Header().Set("Clear-Site-Data", `"cache", "storage"`)
		http.Redirect(w, r, "/", http.StatusSeeOther)
	}
}

// Flash messages are a list: appended by one request, taken by the next page.
func ExampleAppend() {
	flash := sojourn.NewKey[[]string]("flash")
	sessions, _ := sojourn.New(memstore.New(), sojourn.Config{})
	var t testing.T // in a test this is its own t
	b := sojourntest.NewBrowser(&t, sessions, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPost {
			sojourn.Append(r.Context(), flash, "Saved.")
			return
		}
		fmt.Println(flash.Pop(r.Context()))
	}))
	b.PostForm("/", nil)
	b.Get("/")
	b.Get("/")
	// Output:
	// [Saved.]
	// []
}

// An OAuth state must be good for one callback. Pop would give it to two requests at once, and
// comparing an absent state with an absent parameter finds them equal: both mistakes are in the
// first handler.
func ExampleKey_Take() {
	state := sojourn.NewKey[string]("oauth state")

	wrong := func(w http.ResponseWriter, r *http.Request) {
		if state.Pop(r.Context()) == r.FormValue("state") { // "" == ""
			fmt.Println("let in")
		}
	}
	right := func(w http.ResponseWriter, r *http.Request) {
		s, ok, err := state.Take(r.Context())
		if err != nil {
			http.Error(w, "Please try again.", http.StatusServiceUnavailable)
			return
		}
		if !ok || s != r.FormValue("state") {
			fmt.Println("refused")
		}
	}

	sessions, _ := sojourn.New(memstore.New(), sojourn.Config{Load: sojourn.LoadEager})
	for _, callback := range []http.HandlerFunc{wrong, right} {
		sessions.LoadAndSave(callback).ServeHTTP(httptest.NewRecorder(), httptest.NewRequest("GET", "/callback", nil))
	}
	// Output:
	// let in
	// refused
}

// Commit is for who wants to answer by the error himself.
func ExampleManager_Commit() {
	cart := sojourn.NewKey[[]string]("cart")
	sessions, _ := sojourn.New(memstore.New(), sojourn.Config{})
	_ = func(w http.ResponseWriter, r *http.Request) {
		sojourn.Append(r.Context(), cart, r.PostFormValue("item"))
		switch err := sessions.Commit(r.Context()); {
		case errors.Is(err, sojourn.ErrEnded):
			http.Redirect(w, r, "/login", http.StatusSeeOther)
		case errors.Is(err, sojourn.ErrTooLarge):
			http.Error(w, "Your cart is full.", http.StatusInsufficientStorage)
		case err != nil:
			http.Error(w, "Please try again.", http.StatusServiceUnavailable)
		default:
			http.Redirect(w, r, "/cart", http.StatusSeeOther)
		}
	}
}

// A configuration reports all its mistakes at once.
func ExampleNew() {
	_, err := sojourn.New(memstore.New(), sojourn.Config{
		Lifetime:    time.Hour,
		IdleTimeout: 48 * time.Hour,
		Cookie:      sojourn.Cookie{Name: "__Host-id", Domain: "example.com"},
	})
	fmt.Println(err)
	// Output:
	// sojourn: IdleTimeout (48h) exceeds Lifetime (1h): shorten it, or use NoIdleTimeout
	// sojourn: Cookie.Name ("__Host-id") begins with __Host-, so browsers want no Domain and Path "/": remove Domain ("example.com") and Path ("/"), or use the prefix __Secure-
}

// A JSON API takes its token from the Authorization header and answers a new one in Session-Token.
// It may share its store with the web pages: a token of one is unknown to the other.
func ExampleConfig_header() {
	store := memstore.New()
	web, _ := sojourn.New(store, sojourn.Config{})
	api, _ := sojourn.New(store, sojourn.Config{Header: "Authorization"})

	mux := http.NewServeMux()
	mux.Handle("/api/", api.LoadAndSave(http.NotFoundHandler()))
	mux.Handle("/", web.LoadAndSave(http.NotFoundHandler()))
}

// A test looks at the session of a handler without a middleware or a server.
func ExampleKey_Get() {
	theme := sojourn.NewKey[string]("theme")
	TestTheme := func(t *testing.T) {
		sessions, err := sojourn.New(memstore.New(), sojourn.Config{})
		if err != nil {
			t.Fatal(err)
		}
		ctx := sojourntest.Context(t, sessions)
		theme.Put(ctx, "dark")
		if theme.Get(ctx) != "dark" {
			t.Error("want dark")
		}
	}
	_ = TestTheme
}
