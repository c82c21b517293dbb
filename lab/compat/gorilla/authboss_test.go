package gorilla_test

import (
	"fmt"
	"io"
	"net/http"
	"testing"

	"github.com/aarondl/authboss/v3"
	_ "github.com/aarondl/authboss/v3/auth"
	"github.com/aarondl/authboss/v3/defaults"
	_ "github.com/aarondl/authboss/v3/logout"
	"github.com/aarondl/authboss/v3/mocks"
	"github.com/gorilla/sessions"

	"github.com/gosojourn/sojourn/gorillacompat"
)

// sessionState is authboss's session storage on a gorilla store: it has the session at the beginning of the
// request and writes it, without the request, when the header goes out.
type sessionState struct{ sessions.Store }

type readState struct{ *sessions.Session }

func (s readState) Get(key string) (string, bool) {
	v, ok := s.Values[key].(string)
	return v, ok
}

func (s sessionState) ReadState(r *http.Request) (authboss.ClientState, error) {
	session, err := s.Get(r, "ab_session")
	if err != nil {
		return nil, err
	}
	return readState{session}, nil
}

func (s sessionState) WriteState(w http.ResponseWriter, state authboss.ClientState, events []authboss.ClientStateEvent) error {
	session := state.(readState).Session
	for _, e := range events {
		switch e.Kind {
		case authboss.ClientStateEventPut:
			session.Values[e.Key] = e.Value
		case authboss.ClientStateEventDel:
			delete(session.Values, e.Key)
		case authboss.ClientStateEventDelAll:
			clear(session.Values)
		}
	}
	return s.Save(nil, w, session)
}

func authbossApp(t *testing.T, s sessions.Store, m *meeting) http.Handler {
	ab := authboss.New()
	users := mocks.NewServerStorer()
	ab.Config.Storage.Server, ab.Config.Storage.SessionState = users, sessionState{s}
	ab.Config.Paths.Mount, ab.Config.Paths.RootURL = "/", "https://example.com"
	ab.Config.Paths.AuthLoginOK, ab.Config.Paths.LogoutOK = "/", "/"
	ab.Config.Modules.LogoutMethod = "POST"
	ab.Config.Core.ViewRenderer = defaults.JSONRenderer{}
	defaults.SetCore(&ab.Config, true, false)
	ab.Config.Core.Logger = defaults.NewLogger(io.Discard)
	ab.Config.Core.Hasher = authboss.NewBCryptHasher(4) // the least there is: nobody waits for it here
	if err := ab.Init(); err != nil {
		t.Fatal(err)
	}
	hash, err := ab.Config.Core.Hasher.GenerateHash("secret")
	if err != nil {
		t.Fatal(err)
	}
	users.Users["ann@example.com"] = &mocks.User{Email: "ann@example.com", Password: hash}

	mux := http.NewServeMux()
	mux.Handle("/login", ab.Config.Core.Router)
	mux.Handle("/logout", ab.Config.Core.Router)
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, r *http.Request) {
		uid, _ := authboss.GetSession(r, authboss.SessionKey)
		data := authboss.FlashSuccess(w, r)
		_, _ = fmt.Fprintf(w, "%s %s", uid, data)
	})
	mux.HandleFunc("GET /flash", func(w http.ResponseWriter, _ *http.Request) {
		authboss.PutSession(w, authboss.FlashSuccessKey, "done")
		_, _ = io.WriteString(w, "ok")
	})
	mux.HandleFunc("GET /put/{key}", func(w http.ResponseWriter, r *http.Request) {
		m.arrive()
		authboss.PutSession(w, r.PathValue("key"), "yes")
		_, _ = io.WriteString(w, "ok")
	})
	mux.HandleFunc("GET /both", func(w http.ResponseWriter, r *http.Request) {
		a, _ := authboss.GetSession(r, "a")
		b, _ := authboss.GetSession(r, "b")
		_, _ = fmt.Fprint(w, a, " ", b)
	})
	return ab.LoadClientStateMiddleware(mux)
}

func TestAuthboss(t *testing.T) {
	kept(t, func(t *testing.T, s *gorillacompat.Store) {
		c := newClient(t, authbossApp(t, s, newMeeting()))
		c.want("GET", "/", "", 200, " ")
		c.want("POST", "/login", `{"email":"ann@example.com","password":"wrong"}`, 200, "")
		c.want("GET", "/", "", 200, " ")
		c.want("POST", "/login", `{"email":"ann@example.com","password":"secret"}`, http.StatusTemporaryRedirect, "")
		c.want("GET", "/", "", 200, "ann@example.com ")
		c.want("GET", "/flash", "", 200, "ok")
		c.want("GET", "/", "", 200, "ann@example.com done")
		c.want("GET", "/", "", 200, "ann@example.com ")
		if inAStore(t) {
			c.atOnce("/put/a", "/put/b")
			c.want("GET", "/both", "", 200, "yes yes")
		}
		c.want("POST", "/logout", "{}", http.StatusTemporaryRedirect, "")
		c.want("GET", "/", "", 200, " ")
		c.want("GET", "/both", "", 200, " ")
	})
}
