package legacy

import (
	"context"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gosojourn/sojourn"
)

const (
	kept   = 20 * time.Second // the old session beside the new one
	bounce = kept / 4         // for so long after its first request a browser is sent to old servers, too
	wait   = 2 * time.Minute  // for what has to come true in the end
)

// A scene is an application whose servers are being replaced.
type scene struct {
	name   string // of the old cookie
	old    http.Handler
	legacy func(keep time.Duration) sojourn.Legacy
	store  func() sojourn.Store // as a process of its own opens it
	copies bool                 // the old session is in the cookie, so nobody can end a copy there
}

// newServer is one of the new version. Both versions answer who is logged in, as text.
func newServer(t *testing.T, store sojourn.Store, l sojourn.Legacy) (*sojourn.Manager, http.Handler) {
	t.Helper()
	m, err := sojourn.New(store, sojourn.Config{Legacy: l, StoreTimeout: time.Minute, IdleTimeout: sojourn.NoIdleTimeout})
	if err != nil {
		t.Fatal(err)
	}
	hits := sojourn.NewKey[int]("hits")
	return m, m.LoadAndSave(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if owner := m.Info(r.Context()).Owner; owner != "" {
			hits.Update(r.Context(), func(n int) int { return n + 1 })
			_, _ = io.WriteString(w, owner)
		}
	}))
}

// A browser keeps cookies, and is sent to whatever server it meets.
type browser struct {
	jar   http.CookieJar
	owner string
	first string // the old cookie it came with
}

var site = &url.URL{Scheme: "https", Host: "app.test", Path: "/"}

func (b *browser) visit(h http.Handler, path string, lose bool) (string, int) {
	r := httptest.NewRequest("GET", "https://app.test"+path, nil)
	for _, c := range b.jar.Cookies(site) {
		r.AddCookie(c)
	}
	r.Header.Set("Sec-Fetch-Site", "same-origin")
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	if !lose {
		b.jar.SetCookies(site, w.Result().Cookies())
	}
	return w.Body.String(), w.Code
}

// alone shows one cookie, of a browser that has no other.
func alone(h http.Handler, name, value string) (string, int) {
	jar, _ := cookiejar.New(nil)
	jar.SetCookies(site, []*http.Cookie{{Name: name, Value: value, Path: "/"}})
	return (&browser{jar: jar}).visit(h, "/", false)
}

var people = flag.Int("people", 100, "how many browsers move in; with 1000 it takes some minutes")

// run moves everybody in, during a rolling change of versions and then without one.
func (s *scene) run(t *testing.T) {
	t.Parallel()
	count := *people
	if testing.Short() {
		count = min(count, 50)
	}
	t.Run("rolling", func(t *testing.T) { s.roll(t, count, kept) })
	t.Run("at once", func(t *testing.T) { s.roll(t, count, -1) })
}

func (s *scene) roll(t *testing.T, count int, keep time.Duration) {
	run := fmt.Sprint(rand.Uint32())
	var managers [2]*sojourn.Manager
	var servers [2]http.Handler
	for i := range servers {
		managers[i], servers[i] = newServer(t, s.store(), s.legacy(keep))
	}
	browsers := make([]*browser, count)
	each(count, func(i int) {
		jar, _ := cookiejar.New(nil)
		b := &browser{jar: jar, owner: fmt.Sprintf("%s-%d", run, i)}
		browsers[i] = b
		if _, code := b.visit(s.old, "/login?as="+b.owner, false); code != 200 {
			t.Errorf("the login of %s answers %d", b.owner, code)
		}
		b.first = b.cookie(s.name)
	})
	if t.Failed() {
		return
	}
	var requests, onOld atomic.Int64
	each(count, func(i int) {
		b, begun := browsers[i], time.Now()
		var tabs sync.WaitGroup
		for range 2 {
			tabs.Go(func() {
				for range 4 {
					h := servers[rand.N(2)]
					if keep > 0 && rand.N(2) == 0 && time.Since(begun) < bounce {
						h = s.old
						onOld.Add(1)
					}
					requests.Add(1)
					// Without a time in which the old one is kept, a request that was under way may see nobody.
					if who, code := b.visit(h, "/", rand.N(5) == 0); code != 200 || who != b.owner && (keep > 0 || who != "") {
						t.Errorf("%s is %q, status %d", b.owner, who, code)
					}
				}
			})
		}
		tabs.Wait()
	})
	if t.Failed() {
		return
	}
	t.Logf("%d browsers, %d requests, %d of them to servers of the old version", count, requests.Load(), onOld.Load())
	each(count, func(i int) { s.settle(t, managers[0], servers, browsers[i]) })
}

// settle comes by until the move is over, and looks at what is left.
func (s *scene) settle(t *testing.T, m *sojourn.Manager, servers [2]http.Handler, b *browser) {
	for end := time.Now().Add(wait); ; time.Sleep(100 * time.Millisecond) {
		who, code := b.visit(servers[rand.N(2)], "/", false)
		if who != b.owner || code != 200 {
			t.Errorf("%s is %q, status %d", b.owner, who, code)
			return
		}
		if b.cookie(s.name) == "" {
			break
		}
		if time.Now().After(end) {
			t.Errorf("%s still has the old cookie", b.owner)
			return
		}
	}
	if who, _ := b.visit(servers[0], "/", false); who != b.owner {
		t.Errorf("%s is %q after the move", b.owner, who)
	}
	if who, _ := alone(servers[1], s.name, b.first); who != "" {
		t.Errorf("the old token of %s is good for %q on a new server", b.owner, who)
	}
	if who, _ := alone(s.old, s.name, b.first); who != "" && !s.copies {
		t.Errorf("the old token of %s is good for %q on an old server", b.owner, who)
	}
	n := 0
	for _, err := range m.List(context.Background(), b.owner) {
		if err != nil {
			t.Errorf("%s: %v", b.owner, err)
			return
		}
		n++
	}
	if n != 1 {
		t.Errorf("%s has %d sessions", b.owner, n)
	}
}

func (b *browser) cookie(name string) string {
	for _, c := range b.jar.Cookies(site) {
		if c.Name == name {
			return c.Value
		}
	}
	return ""
}

// each does f for 0 to n-1, sixteen at a time.
func each(n int, f func(i int)) {
	var all sync.WaitGroup
	var next atomic.Int64
	for range 16 {
		all.Go(func() {
			for i := int(next.Add(1)) - 1; i < n; i = int(next.Add(1)) - 1 {
				f(i)
			}
		})
	}
	all.Wait()
}

// oldHandler is a server of the old version: it logs in at /login and says who is logged in elsewhere.
func oldHandler(who func(r *http.Request, w http.ResponseWriter) (string, error), login func(r *http.Request, w http.ResponseWriter, owner string) error) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasPrefix(r.URL.Path, "/login") {
			if err := login(r, w, r.FormValue("as")); err != nil {
				http.Error(w, err.Error(), 500)
			}
			return
		}
		owner, err := who(r, w)
		if err != nil {
			http.Error(w, err.Error(), 500)
			return
		}
		_, _ = io.WriteString(w, owner)
	})
}
