package gorilla_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"testing"

	"github.com/markbates/goth"
	"github.com/markbates/goth/gothic"
	"github.com/markbates/goth/providers/faux"

	"github.com/gosojourn/sojourn/gorillacompat"
)

// gothApp has goth keep its state in the store, and logs people in, in a session of its own, as its example does.
func gothApp(s *gorillacompat.Store) http.Handler {
	gothic.Store = s
	goth.UseProviders(&faux.Provider{})
	mux := http.NewServeMux()
	mux.HandleFunc("GET /auth", gothic.BeginAuthHandler)
	mux.HandleFunc("GET /auth/callback", func(w http.ResponseWriter, r *http.Request) {
		user, err := gothic.CompleteUserAuth(w, r)
		if err != nil {
			http.Error(w, err.Error(), http.StatusUnauthorized)
			return
		}
		session, err := s.Get(r, "app")
		if err == nil {
			session.Values["user"] = user.UserID
			session.AddFlash("welcome")
			err = gorillacompat.Login(r, w, session, user.UserID)
		}
		if err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		http.Redirect(w, r, "/", http.StatusSeeOther)
	})
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, r *http.Request) {
		session, _ := s.Get(r, "app")
		user, flashes := session.Values["user"], session.Flashes()
		_ = session.Save(r, w)
		_, _ = fmt.Fprint(w, user, flashes)
	})
	mux.HandleFunc("POST /logout", func(w http.ResponseWriter, r *http.Request) {
		session, _ := s.Get(r, "app")
		session.Options.MaxAge = -1
		if err := session.Save(r, w); err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
		}
	})
	return mux
}

func TestGoth(t *testing.T) {
	kept(t, func(t *testing.T, s *gorillacompat.Store) {
		c := newClient(t, gothApp(s))
		begin := func() (state string) {
			w := httptest.NewRecorder()
			c.h.ServeHTTP(w, c.request("GET", "/auth?provider=faux", ""))
			c.jar.SetCookies(site, w.Result().Cookies())
			to, err := url.Parse(w.Result().Header.Get("Location"))
			if err != nil || w.Code != http.StatusTemporaryRedirect {
				t.Fatalf("begin: %d, %q", w.Code, w.Body)
			}
			return to.Query().Get("state")
		}
		state := begin()
		before := c.jar.Cookies(site)
		c.want("GET", "/auth/callback?provider=faux&state=another", "", http.StatusUnauthorized, "state token mismatch\n")
		// goth ends its session whatever comes of the callback: what was begun is over for a copy of the cookie too.
		c.jar.SetCookies(site, before)
		c.want("GET", "/auth/callback?provider=faux&state="+url.QueryEscape(state), "", http.StatusUnauthorized, "")
		c = newClient(t, c.h)
		state = begin()
		c.want("GET", "/auth/callback?provider=faux&state="+url.QueryEscape(state), "", http.StatusSeeOther, "")
		c.want("GET", "/", "", 200, "id[welcome]")
		c.want("GET", "/", "", 200, "id[]")
		c.want("POST", "/logout", "", 200, "")
		c.want("GET", "/", "", 200, "<nil> []")
	})
}
