package sojourn_test

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"net/url"
	"testing"

	"github.com/gosojourn/sojourn"
	"github.com/gosojourn/sojourn/memstore"
	"github.com/gosojourn/sojourn/sojourntest"
)

// body is what a response says.
func body(res *http.Response) string {
	b, err := io.ReadAll(res.Body)
	if err != nil {
		log.Fatal(err)
	}
	return string(b)
}

// A payment provider posts the person back to the shop. The browser keeps a Lax cookie back from that POST.
// So the POST checks the provider's signature and books the payment under its order, without a session, and
// sends the person on by a 303. The GET has the cookie. It believes only what was booked.
func Example_paymentReturn() {
	sessions, err := sojourn.New(memstore.New(), sojourn.Config{})
	if err != nil {
		log.Fatal(err)
	}
	secret := []byte("shared with the provider")
	sign := func(order string) string {
		h := hmac.New(sha256.New, secret)
		h.Write([]byte(order))
		return hex.EncodeToString(h.Sum(nil))
	}
	booked := map[string]bool{} // in your program, a table

	mux := http.NewServeMux()
	mux.HandleFunc("POST /paid", func(w http.ResponseWriter, r *http.Request) {
		order := r.PostFormValue("order")
		if !hmac.Equal([]byte(sign(order)), []byte(r.PostFormValue("signature"))) {
			http.Error(w, "Who says so?", http.StatusForbidden)
			return
		}
		booked[order] = true
		http.Redirect(w, r, "/order?id="+url.QueryEscape(order), http.StatusSeeOther)
	})
	mux.HandleFunc("GET /order", func(w http.ResponseWriter, r *http.Request) {
		owner := sessions.Info(r.Context()).Owner // show an order only to whose it is
		fmt.Fprintf(w, "%s, paid: %v", owner, booked[r.FormValue("id")])
	})
	h := sessions.LoadAndSave(mux)

	var t testing.T
	b := sojourntest.NewBrowser(&t, sessions, mux)
	b.Session(func(ctx context.Context) { err = sessions.Login(ctx, "ann") })
	if err != nil {
		log.Fatal(err)
	}
	r := httptest.NewRequest("POST", "https://sojourn.test/paid", nil) // without the cookie
	r.PostForm = url.Values{"order": {"7"}, "signature": {sign("7")}}
	r.Header.Set("Sec-Fetch-Site", "cross-site")
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	fmt.Println(w.Code, "cookies:", len(w.Result().Cookies()))
	fmt.Println(body(b.Get(w.Header().Get("Location"))))
	// Output:
	// 303 cookies: 0
	// ann, paid: true
}

// Tenants share a store and a cookie's name. Each has a manager with a Purpose of its own, so a token of one
// is unknown to the others. The store lists by owner whatever the tenant: put the tenant in front of the
// owner.
func Example_tenants() {
	store := memstore.New()
	hello := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		sessions, _ := sojourn.FromContext(r.Context()) // the tenant's
		if r.Method == http.MethodPost {
			if err := sessions.Login(r.Context(), r.Host+"/"+r.PostFormValue("user")); err != nil {
				http.Error(w, "Who are you?", http.StatusBadRequest)
			}
			return
		}
		fmt.Fprintf(w, "%s: %q", r.Host, sessions.Info(r.Context()).Owner)
	})
	tenants := map[string]http.Handler{}
	for _, host := range []string{"acme.test", "globex.test"} {
		sessions, err := sojourn.New(store, sojourn.Config{Purpose: "tenant " + host})
		if err != nil {
			log.Fatal(err)
		}
		tenants[host] = sessions.LoadAndSave(hello)
	}
	byHost := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if h := tenants[r.Host]; h != nil {
			h.ServeHTTP(w, r)
			return
		}
		http.NotFound(w, r)
	})

	r := httptest.NewRequest("POST", "https://acme.test/", nil)
	r.PostForm = url.Values{"user": {"ann"}}
	w := httptest.NewRecorder()
	byHost.ServeHTTP(w, r)
	cookie := w.Result().Cookies()[0]
	for host := range tenants {
		r := httptest.NewRequest("GET", "https://"+host+"/", nil)
		r.AddCookie(cookie)
		w := httptest.NewRecorder()
		byHost.ServeHTTP(w, r)
		fmt.Println(w.Body)
	}
	// Unordered output:
	// acme.test: "acme.test/ann"
	// globex.test: ""
}

// An API takes its token from the Authorization header, beside pages that use a cookie. A page of another
// origin may call it with CORS. No cookie is involved, so the API needs neither Allow-Credentials nor a
// defence against cross-site requests. In your program a CORS library answers the preflight.
func Example_apiWithCORS() {
	store := memstore.New()
	pages, err := sojourn.New(store, sojourn.Config{})
	if err != nil {
		log.Fatal(err)
	}
	api, err := sojourn.New(store, sojourn.Config{Header: "Authorization"})
	if err != nil {
		log.Fatal(err)
	}
	cors := func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			w.Header().Add("Vary", "Origin")
			if r.Header.Get("Origin") == "https://app.example" {
				w.Header().Set("Access-Control-Allow-Origin", "https://app.example")
				w.Header().Set("Access-Control-Expose-Headers", "Session-Token")
			}
			if r.Method == http.MethodOptions {
				w.Header().Set("Access-Control-Allow-Headers", "Authorization")
				w.Header().Set("Access-Control-Allow-Methods", "GET, POST")
				w.WriteHeader(http.StatusNoContent)
				return
			}
			next.ServeHTTP(w, r)
		})
	}
	v1 := http.NewServeMux()
	v1.HandleFunc("POST /api/login", func(w http.ResponseWriter, r *http.Request) {
		if err := api.Login(r.Context(), "ann"); err != nil { // once the password has been checked
			http.Error(w, "Please try again.", http.StatusServiceUnavailable)
		}
	})
	v1.HandleFunc("GET /api/me", func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintf(w, "%q", api.Info(r.Context()).Owner)
	})
	mux := http.NewServeMux()
	mux.Handle("/api/", cors(api.LoadAndSave(v1)))
	mux.Handle("/", pages.LoadAndSave(http.NotFoundHandler()))

	send := func(method, path, token string) *httptest.ResponseRecorder {
		r := httptest.NewRequest(method, "https://sojourn.test"+path, nil)
		r.Header.Set("Origin", "https://app.example")
		if token != "" {
			r.Header.Set("Authorization", "Bearer "+token)
		}
		w := httptest.NewRecorder()
		mux.ServeHTTP(w, r)
		return w
	}
	fmt.Println(send("OPTIONS", "/api/me", "").Header().Get("Access-Control-Allow-Headers"))
	login := send("POST", "/api/login", "")
	fmt.Println(login.Header().Get("Access-Control-Expose-Headers"), "cookies:", len(login.Result().Cookies()))
	fmt.Println(send("GET", "/api/me", login.Header().Get("Session-Token")).Body)
	// Output:
	// Authorization
	// Session-Token cookies: 0
	// "ann"
}

// Flash messages wait for the next page, whichever that is. Append and Pop keep what two requests at once
// add, and show each once.
func Example_flashMessages() {
	type flash struct{ Kind, Text string }
	flashes := sojourn.NewKey[[]flash]("flashes")
	sessions, err := sojourn.New(memstore.New(), sojourn.Config{})
	if err != nil {
		log.Fatal(err)
	}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /save", func(w http.ResponseWriter, r *http.Request) {
		sojourn.Append(r.Context(), flashes, flash{"success", "Saved."}, flash{"info", "It is public."})
		if err := sessions.Commit(r.Context()); err != nil { // LoadAndSave would answer 503 by itself
			http.Error(w, "Please try again.", http.StatusServiceUnavailable)
			return
		}
		http.Redirect(w, r, "/", http.StatusSeeOther)
	})
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, r *http.Request) {
		for _, f := range flashes.Pop(r.Context()) {
			fmt.Fprintf(w, "[%s] %s\n", f.Kind, f.Text)
		}
	})

	var t testing.T
	b := sojourntest.NewBrowser(&t, sessions, mux)
	fmt.Print(body(b.PostForm("/save", nil)))
	fmt.Printf("again: %q\n", body(b.Get("/")))
	// Output:
	// [success] Saved.
	// [info] It is public.
	// again: ""
}

// A test of a handler: sojourntest seeds a session, sends requests as a browser does, and makes the store
// fail. It needs no server and no network.
func Example_testing() {
	cart := sojourn.NewKey[int]("items in the cart")
	store := &sojourntest.FaultyStore{Store: memstore.New()}
	sessions, err := sojourn.New(store, sojourn.Config{})
	if err != nil {
		log.Fatal(err)
	}
	checkout := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintf(w, "%s buys %d", sessions.Info(r.Context()).Owner, cart.Get(r.Context()))
	})

	TestCheckout := func(t testing.TB) {
		b := sojourntest.NewBrowser(t, sessions, checkout)
		b.Session(func(ctx context.Context) {
			if err := sessions.Login(ctx, "ann"); err != nil {
				t.Fatal(err)
			}
			cart.Put(ctx, 3)
		})
		fmt.Println(body(b.Get("/checkout")))

		store.Fail(fmt.Errorf("the database is gone"))
		fmt.Println(b.Get("/checkout").StatusCode)
	}

	TestCheckout(new(testing.T)) // go test does this
	// Output:
	// ann buys 3
	// 503
}
