package sojourn_test

import (
	"cmp"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"log"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/gosojourn/sojourn"
	"github.com/gosojourn/sojourn/memstore"
	"github.com/gosojourn/sojourn/sojourntest"
)

// Log in with an OpenID provider: code flow with state, nonce and PKCE. The session keeps the three until
// the provider sends the person back. Take gives them to one callback only, so a copied link does nothing.
func Example_openIDConnect() {
	type flow struct{ State, Nonce, Verifier string }
	pending := sojourn.NewKey[flow]("openid flow")
	sessions, err := sojourn.New(memstore.New(), sojourn.Config{})
	if err != nil {
		log.Fatal(err)
	}

	start := func(w http.ResponseWriter, r *http.Request) {
		f := flow{State: rand.Text(), Nonce: rand.Text(), Verifier: rand.Text() + rand.Text()}
		pending.Put(r.Context(), f)
		challenge := sha256.Sum256([]byte(f.Verifier))
		http.Redirect(w, r, "https://provider.example/authorize?"+url.Values{
			"response_type": {"code"}, "scope": {"openid"}, "client_id": {"shop"},
			"redirect_uri": {"https://sojourn.test/callback"},
			"state":        {f.State}, "nonce": {f.Nonce}, "code_challenge_method": {"S256"},
			"code_challenge": {base64.RawURLEncoding.EncodeToString(challenge[:])},
		}.Encode(), http.StatusSeeOther)
	}

	// exchange sends code and verifier to the provider, and verifies the ID token that comes back: in your
	// program golang.org/x/oauth2 and github.com/coreos/go-oidc do this.
	var exchange func(ctx context.Context, code, verifier string) (subject, nonce string, err error)

	callback := func(w http.ResponseWriter, r *http.Request) {
		f, ok, err := pending.Take(r.Context())
		if err != nil {
			http.Error(w, "Please try again.", http.StatusServiceUnavailable)
			return
		}
		if !ok || subtle.ConstantTimeCompare([]byte(f.State), []byte(r.FormValue("state"))) == 0 {
			http.Error(w, "This login is over. Please start again.", http.StatusBadRequest)
			return
		}
		subject, nonce, err := exchange(r.Context(), r.FormValue("code"), f.Verifier)
		if err != nil || nonce != f.Nonce {
			http.Error(w, "The provider did not confirm the login.", http.StatusForbidden)
			return
		}
		if err := sessions.Login(r.Context(), subject); err != nil {
			http.Error(w, "The provider sent an unusable name.", http.StatusBadGateway)
			return
		}
		if err := sessions.Commit(r.Context()); err != nil {
			http.Error(w, "Please try again.", http.StatusServiceUnavailable)
			return
		}
		http.Redirect(w, r, "/account", http.StatusSeeOther)
	}

	mux := http.NewServeMux()
	mux.HandleFunc("GET /login", start)
	mux.HandleFunc("GET /callback", callback)

	// What follows plays the browser and the provider.
	var t testing.T
	b := sojourntest.NewBrowser(&t, sessions, mux)
	b.Client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	to, err := b.Get("/login").Location()
	if err != nil {
		log.Fatal(err)
	}
	asked := to.Query()
	exchange = func(_ context.Context, code, verifier string) (string, string, error) {
		sum := sha256.Sum256([]byte(verifier))
		if code != "a-code" || base64.RawURLEncoding.EncodeToString(sum[:]) != asked.Get("code_challenge") {
			return "", "", errors.New("invalid_grant")
		}
		return "ann", asked.Get("nonce"), nil
	}
	back := "/callback?code=a-code&state=" + asked.Get("state")
	fmt.Println(b.Get(back).StatusCode, "and the same link again:", b.Get(back).StatusCode)
	// Output: 303 and the same link again: 400
}

// A provider that answers with response_mode=form_post posts from its own site. The browser keeps a Lax
// cookie back from that POST, so the state would not be found. The POST passes on to the GET, which has the
// cookie. It touches no session.
func Example_openIDFormPost() {
	sessions, err := sojourn.New(memstore.New(), sojourn.Config{})
	if err != nil {
		log.Fatal(err)
	}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /callback", func(w http.ResponseWriter, r *http.Request) {
		q := url.Values{"state": {r.PostFormValue("state")}, "code": {r.PostFormValue("code")}}
		http.Redirect(w, r, "/callback?"+q.Encode(), http.StatusSeeOther)
	})

	r := httptest.NewRequest("POST", "https://sojourn.test/callback?", nil)
	r.PostForm = url.Values{"state": {"s"}, "code": {"c"}}
	r.Header.Set("Sec-Fetch-Site", "cross-site")
	w := httptest.NewRecorder()
	sessions.LoadAndSave(mux).ServeHTTP(w, r)
	fmt.Println(w.Code, w.Header().Get("Location"), "cookies:", len(w.Result().Cookies()))
	// Output: 303 /callback?code=c&state=s cookies: 0
}

// 'Remember me' gives a session a longer life and a cookie that outlives the browser. What must not be done
// on a borrowed computer asks for a fresh login all the same: see the recipe of RequireFresh.
func Example_rememberMe() {
	sessions, err := sojourn.New(memstore.New(), sojourn.Config{RememberFor: 14 * 24 * time.Hour})
	if err != nil {
		log.Fatal(err)
	}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /login", func(w http.ResponseWriter, r *http.Request) {
		if err := sessions.Login(r.Context(), "ann"); err != nil { // once the password has been checked
			http.Error(w, "Please try again.", http.StatusServiceUnavailable)
			return
		}
		sessions.Remember(r.Context(), r.PostFormValue("remember") == "on")
		if err := sessions.Commit(r.Context()); err != nil {
			http.Error(w, "Please try again.", http.StatusServiceUnavailable)
		}
	})

	var t testing.T
	for _, box := range []string{"", "on"} {
		b := sojourntest.NewBrowser(&t, sessions, mux)
		c := b.PostForm("/login", url.Values{"remember": {box}}).Cookies()[0]
		fmt.Printf("box %q: Max-Age %d\n", box, c.MaxAge)
	}
	// Output:
	// box "": Max-Age 0
	// box "on": Max-Age 1209600
}

// Several accounts in one browser: a manager for each place, with a cookie of its own, under a path of its
// own. Each is a whole session. To log out of one leaves the others alone.
func Example_severalAccounts() {
	store := memstore.New()
	account := http.NewServeMux()
	account.HandleFunc("POST /login", func(w http.ResponseWriter, r *http.Request) {
		sessions, _ := sojourn.FromContext(r.Context()) // that of the place
		if err := sessions.Login(r.Context(), r.PostFormValue("user")); err != nil {
			http.Error(w, "Who are you?", http.StatusBadRequest)
		}
	})
	account.HandleFunc("POST /logout", func(w http.ResponseWriter, r *http.Request) {
		sessions, _ := sojourn.FromContext(r.Context())
		if err := sessions.Logout(r.Context()); err != nil {
			http.Error(w, "Please try again.", http.StatusServiceUnavailable)
		}
	})
	account.HandleFunc("GET /{$}", func(w http.ResponseWriter, r *http.Request) {
		sessions, _ := sojourn.FromContext(r.Context())
		fmt.Printf("%q ", sessions.Info(r.Context()).Owner)
	})

	mux := http.NewServeMux()
	var first *sojourn.Manager
	for place := range 3 {
		sessions, err := sojourn.New(store, sojourn.Config{Cookie: sojourn.Cookie{Name: fmt.Sprint("__Host-Http-id-", place)}})
		if err != nil {
			log.Fatal(err)
		}
		if place == 0 {
			first = sessions
		}
		prefix := fmt.Sprint("/u/", place)
		mux.Handle(prefix+"/", http.StripPrefix(prefix, sessions.LoadAndSave(account)))
	}

	var t testing.T
	b := sojourntest.NewBrowser(&t, first, mux)
	b.PostForm("/u/0/login", url.Values{"user": {"ann"}})
	b.PostForm("/u/1/login", url.Values{"user": {"ann@work"}})
	b.Get("/u/0/")
	b.Get("/u/1/")
	b.PostForm("/u/0/logout", nil)
	b.Get("/u/0/")
	b.Get("/u/1/")
	// Output: "ann" "ann@work" "" "ann@work"
}

// 'Sudo mode': what is dangerous asks for the password again unless the last login is recent. To confirm is
// to log in again as the same owner: the data stays, the token is new.
func Example_sudoMode() {
	sessions, err := sojourn.New(memstore.New(), sojourn.Config{})
	if err != nil {
		log.Fatal(err)
	}
	next := sojourn.NewKey[string]("after confirmation")
	confirm := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodGet { // a POST is not done again by a redirect
			next.Put(r.Context(), "/"+strings.TrimLeft(r.URL.EscapedPath(), "/")) // "//elsewhere" is another site
		}
		http.Redirect(w, r, "/confirm", http.StatusSeeOther)
	})
	danger := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, "deleted") })

	mux := http.NewServeMux()
	mux.Handle("/delete", sessions.RequireFresh(15*time.Minute, confirm)(danger))
	mux.Handle("/later", sessions.RequireFresh(-1, confirm)(danger)) // as if a quarter of an hour had passed
	mux.HandleFunc("POST /confirm", func(w http.ResponseWriter, r *http.Request) {
		owner := sessions.Info(r.Context()).Owner
		if owner == "" { // the second of a double click, perhaps: the first has the new token
			http.Redirect(w, r, "/", http.StatusSeeOther)
			return
		}
		if r.PostFormValue("password") != "correct horse" { // compare hashes, and count the tries
			http.Error(w, "That was not right.", http.StatusForbidden)
			return
		}
		to := cmp.Or(next.Pop(r.Context()), "/") // kept for the next try if the login cannot be saved
		err := sessions.Login(r.Context(), owner)
		if err == nil {
			err = sessions.Commit(r.Context())
		}
		if err != nil {
			http.Error(w, "Please try again.", http.StatusServiceUnavailable)
			return
		}
		http.Redirect(w, r, to, http.StatusSeeOther)
	})

	var t testing.T
	b := sojourntest.NewBrowser(&t, sessions, mux)
	b.Client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	b.Session(func(ctx context.Context) { err = sessions.Login(ctx, "ann") })
	if err != nil {
		log.Fatal(err)
	}
	res := b.Get("/later")
	fmt.Println(res.StatusCode, res.Header.Get("Location"))
	fmt.Println(b.PostForm("/confirm", url.Values{"password": {"guess"}}).StatusCode)
	res = b.PostForm("/confirm", url.Values{"password": {"correct horse"}})
	fmt.Println(res.StatusCode, res.Header.Get("Location"))
	fmt.Println(b.PostForm("/delete", nil).StatusCode)
	// Output:
	// 303 /confirm
	// 403
	// 303 /later
	// 200
}

// A passkey confirms who is logged in. The challenge is good for one answer, so it is taken, not read; and
// the passkey has to be the owner's own, or somebody else would take the session over with the data in it.
func Example_passkey() {
	challenge := sojourn.NewKey[[]byte]("passkey challenge")
	sessions, err := sojourn.New(memstore.New(), sojourn.Config{})
	if err != nil {
		log.Fatal(err)
	}

	// verify checks the signature over the challenge, and says whose the passkey is: in your program
	// github.com/go-webauthn/webauthn does this.
	verify := func(challenge []byte, answer string) (owner string, err error) {
		if answer != "ann signs "+string(challenge) {
			return "", errors.New("bad signature")
		}
		return "ann", nil
	}

	mux := http.NewServeMux()
	mux.HandleFunc("POST /passkey/begin", func(w http.ResponseWriter, r *http.Request) {
		c := []byte(rand.Text())
		challenge.Put(r.Context(), c)
		if err := sessions.Commit(r.Context()); err != nil {
			http.Error(w, "Please try again.", http.StatusServiceUnavailable)
			return
		}
		fmt.Fprintf(w, "%s", c)
	})
	mux.HandleFunc("POST /passkey/finish", func(w http.ResponseWriter, r *http.Request) {
		c, ok, err := challenge.Take(r.Context())
		if err != nil {
			http.Error(w, "Please try again.", http.StatusServiceUnavailable)
			return
		}
		if !ok {
			http.Error(w, "Please start again.", http.StatusBadRequest)
			return
		}
		owner, err := verify(c, r.PostFormValue("answer"))
		if before := sessions.Info(r.Context()).Owner; err != nil || before != "" && before != owner {
			http.Error(w, "That was not your passkey.", http.StatusForbidden)
			return
		}
		err = sessions.Login(r.Context(), owner)
		if err == nil {
			err = sessions.Commit(r.Context())
		}
		if err != nil {
			http.Error(w, "Please try again.", http.StatusServiceUnavailable)
		}
	})

	var t testing.T
	b := sojourntest.NewBrowser(&t, sessions, mux)
	answer := url.Values{"answer": {"ann signs " + body(b.PostForm("/passkey/begin", nil))}}
	fmt.Println(b.PostForm("/passkey/finish", answer).StatusCode, "and the same answer again:", b.PostForm("/passkey/finish", answer).StatusCode)
	// Output: 200 and the same answer again: 400
}
