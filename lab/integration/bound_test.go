package integration

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/alexedwards/scs/v2"

	"github.com/gosojourn/sojourn"
	"github.com/gosojourn/sojourn/dbsc"
	"github.com/gosojourn/sojourn/sojourntest"
	"github.com/gosojourn/sojourn/sojourntest/dbscclient"
	"github.com/gosojourn/sojourn/sqlstore"
)

var boundCount = sojourn.NewKey[int]("count")

// A session that is bound, kept by store, through fifty saves and a refresh at once, and to its end.
func bound(t *testing.T, store sojourn.Store) {
	m, err := sojourn.New(store, sojourn.Config{StoreTimeout: 20 * time.Second})
	if err != nil {
		t.Fatal(err)
	}
	binder, err := dbsc.New(m, dbsc.Config{})
	if err != nil {
		t.Fatal(err)
	}
	held := make(chan struct{})
	var entered sync.WaitGroup
	mux := http.NewServeMux()
	mux.Handle("POST /dbsc/register", binder.RegisterHandler())
	mux.Handle("POST /dbsc/refresh", binder.RefreshHandler())
	mux.HandleFunc("POST /login", func(w http.ResponseWriter, r *http.Request) {
		if err := m.Login(r.Context(), "ann"); err != nil {
			t.Error(err)
		}
	})
	mux.HandleFunc("POST /count", func(_ http.ResponseWriter, r *http.Request) {
		entered.Done()
		<-held
		boundCount.Update(r.Context(), func(n int) int { return n + 1 })
	})
	mux.HandleFunc("POST /renew", func(_ http.ResponseWriter, r *http.Request) {
		if err := m.Renew(r.Context()); err != nil {
			t.Error(err)
		}
	})
	b := sojourntest.NewBrowser(t, m, mux)
	device := dbscclient.On(b.Client)
	b.PostForm("/login", nil)
	if len(device.Sessions()) != 1 {
		t.Fatalf("the session is not bound: %v", device.Failures())
	}
	const saves = 50
	entered.Add(saves)
	var all sync.WaitGroup
	for range saves {
		all.Go(func() {
			if res := b.PostForm("/count", nil); res.StatusCode != http.StatusOK {
				t.Errorf("a save: %s", res.Status)
			}
		})
	}
	entered.Wait()
	device.DropCookies()
	all.Go(func() { b.Get("/nothing") }) // which has the device refresh first
	close(held)
	all.Wait()
	b.PostForm("/renew", nil)
	device.DropCookies()
	b.Session(func(ctx context.Context) {
		if m.Info(ctx).Owner != "" {
			t.Error("a request without the bound cookie has the session")
		}
	})
	b.Get("/nothing")
	b.Session(func(ctx context.Context) {
		if i := m.Info(ctx); i.Owner != "ann" || !i.Bound || boundCount.Get(ctx) != saves {
			t.Errorf("%+v has counted to %d", i, boundCount.Get(ctx))
		}
	})
	if err := m.RevokeAll(t.Context(), "ann"); err != nil {
		t.Fatal(err)
	}
	device.DropCookies()
	b.Get("/nothing")
	if n := len(device.Sessions()); n != 0 {
		t.Errorf("after the revocation the browser has %d sessions", n)
	}
}

func TestBoundOnSQL(t *testing.T) {
	everywhere(t, func(t *testing.T, p place) {
		s := newStore(t, p.open(t), p.dialect, sqlstore.Options{})
		migrate(t, s)
		bound(t, s)
	})
}

func TestBoundOnRedis(t *testing.T) {
	for _, p := range redisPlaces {
		t.Run(p.name, func(t *testing.T) {
			c, o := p.open(t)
			o.Near = 2 * time.Second
			bound(t, redisStore(t, c, o))
		})
	}
}

// Why what binds a session is no blob that is read, changed and written: a session of scs that holds the challenge loses
// a refresh to a request that began before it and saves after it. Every browser would then be asked to sign a challenge
// that it has signed already.
func TestABlobLosesTheRefresh(t *testing.T) {
	m := scs.New()
	held, entered := make(chan struct{}), make(chan struct{})
	h := m.LoadAndSave(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/register":
			m.Put(r.Context(), "challenge", "first")
		case "/refresh":
			m.Put(r.Context(), "challenge", "second")
		case "/save":
			m.Put(r.Context(), "cart", "a book")
			close(entered)
			<-held
		default:
			_, _ = w.Write([]byte(m.GetString(r.Context(), "challenge")))
		}
	}))
	cookie := ""
	ask := func(path string) string {
		r := httptest.NewRequest(http.MethodGet, path, nil)
		if cookie != "" {
			r.Header.Set("Cookie", cookie)
		}
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		if set := w.Header().Get("Set-Cookie"); cookie == "" && set != "" {
			cookie, _, _ = strings.Cut(set, ";")
		}
		return w.Body.String()
	}
	ask("/register")
	var save sync.WaitGroup
	save.Go(func() { ask("/save") })
	<-entered
	ask("/refresh")
	if now := ask("/"); now != "second" {
		t.Fatalf("after the refresh the challenge is %q", now)
	}
	close(held)
	save.Wait()
	if now := ask("/"); now != "first" {
		t.Errorf("scs has kept the refresh (%q): then this test, and what docs/device-bound-sessions.md says of blobs, are out of date", now)
	}
}
