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
	sessions, err := sojourn.New(memstore.New(), sojourn.Config{})
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
	sessions, err := sojourn.New(memstore.New(), sojourn.Config{})
	if err != nil {
		log.Fatal(err)
	}
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

// Info says who is logged in. No key of your own is needed for that.
func ExampleManager_Info() {
	sessions, err := sojourn.New(memstore.New(), sojourn.Config{})
	if err != nil {
		log.Fatal(err)
	}
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

// After Logout the context holds a new session, for a last message. If you want Clear-Site-Data, send it from
// the handler; its "cookies" would delete the cookie of that message as well.
func ExampleManager_Logout() {
	sessions, err := sojourn.New(memstore.New(), sojourn.Config{})
	if err != nil {
		log.Fatal(err)
	}
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

// Flash messages are a list. One request appends to it, and the next page takes it.
func ExampleAppend() {
	flash := sojourn.NewKey[[]string]("flash")
	sessions, err := sojourn.New(memstore.New(), sojourn.Config{})
	if err != nil {
		log.Fatal(err)
	}
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

// An OAuth state must be good for one callback only. Pop would give it to two requests at once. An absent
// state and an absent parameter are both "", and compare as equal. The first handler makes both mistakes.
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

	sessions, err := sojourn.New(memstore.New(), sojourn.Config{Load: sojourn.LoadEager})
	if err != nil {
		log.Fatal(err)
	}
	for _, callback := range []http.HandlerFunc{wrong, right} {
		sessions.LoadAndSave(callback).ServeHTTP(httptest.NewRecorder(), httptest.NewRequest("GET", "/callback", nil))
	}
	// Output:
	// let in
	// refused
}

// Call Commit where the answer depends on the error.
func ExampleManager_Commit() {
	cart := sojourn.NewKey[[]string]("cart")
	sessions, err := sojourn.New(memstore.New(), sojourn.Config{})
	if err != nil {
		log.Fatal(err)
	}
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
		Cookie:      sojourn.Cookie{Name: "__Host-Http-id", Domain: "example.com"},
	})
	fmt.Println(err)
	// Output:
	// sojourn: IdleTimeout (48h) exceeds Lifetime (1h): shorten it, or use NoIdleTimeout
	// sojourn: Cookie.Name ("__Host-Http-id") begins with __Host-Http-, which browsers refuse beside Domain ("example.com") or any Path ("/") but "/": remove both, or use the prefix __Secure-
}

// A JSON API takes its token from the Authorization header and answers a new one in Session-Token.
// It may share its store with the web pages: a token of one is unknown to the other.
func ExampleConfig_header() {
	store := memstore.New()
	web, err := sojourn.New(store, sojourn.Config{})
	if err != nil {
		log.Fatal(err)
	}
	api, err := sojourn.New(store, sojourn.Config{Header: "Authorization"})
	if err != nil {
		log.Fatal(err)
	}

	mux := http.NewServeMux()
	mux.Handle("/api/", api.LoadAndSave(http.NotFoundHandler()))
	mux.Handle("/", web.LoadAndSave(http.NotFoundHandler()))
}

// In an any a value loses its type: numbers come back as float64, which has 53 bits for an integer, and
// structs as maps. A key that names the type gives back what was put.
func ExampleNewKey() {
	type account struct {
		ID   int64
		Name string
	}
	loose := sojourn.NewKey[any]("loose")
	exact := sojourn.NewKey[account]("exact")

	sessions, err := sojourn.New(memstore.New(), sojourn.Config{})
	if err != nil {
		log.Fatal(err)
	}
	h := sessions.LoadAndSave(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		ann := account{ID: 9007199254740993, Name: "Ann"}
		loose.Put(r.Context(), ann)
		exact.Put(r.Context(), ann)
		fmt.Printf("%T %.0f\n", loose.Get(r.Context()), loose.Get(r.Context()).(map[string]any)["ID"])
		fmt.Printf("%d\n", exact.Get(r.Context()).ID)
	}))
	h.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest("GET", "https://example.com/", nil))

	// A type of which nothing would be kept is refused at once.
	defer func() { fmt.Println(recover()) }()
	sojourn.NewKey[struct{ pin int }]("pin")
	// Output:
	// map[string]interface {} 9007199254740992
	// 9007199254740993
	// sojourn: NewKey("pin"): struct { pin int } has no exported field and no MarshalJSON with UnmarshalJSON, so JSON would keep nothing of it: use NewCodecKey
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
