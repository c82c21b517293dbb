package gorilla_test

import (
	"crypto/tls"
	"io"
	"log/slog"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"

	"github.com/gosojourn/sojourn"
	"github.com/gosojourn/sojourn/gorillacompat"
	"github.com/gosojourn/sojourn/memstore"
	"github.com/gosojourn/sojourn/sealed"
)

var quiet = slog.New(slog.NewTextHandler(io.Discard, nil))

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// kept are the ways to keep sessions that each library is run on.
func kept(t *testing.T, do func(t *testing.T, s *gorillacompat.Store)) {
	t.Run("memory", func(t *testing.T) {
		do(t, must(gorillacompat.New(memstore.New(), sojourn.Config{Logger: quiet})))
	})
	t.Run("sealed", func(t *testing.T) {
		ring := must(sealed.New([]string{sealed.GenerateKey()}, sealed.Options{}))
		do(t, must(gorillacompat.NewSealed(ring, sojourn.Config{Logger: quiet})))
	})
}

func inAStore(t *testing.T) bool { return strings.Contains(t.Name(), "/memory") }

// A client is a browser before h, over https, in the test's process. It follows no redirects.
type client struct {
	t   *testing.T
	h   http.Handler
	jar http.CookieJar
}

func newClient(t *testing.T, h http.Handler) *client {
	return &client{t, h, must(cookiejar.New(nil))}
}

var site = &url.URL{Scheme: "https", Host: "example.com", Path: "/"}

func (c *client) request(method, path, body string) *http.Request {
	r := httptest.NewRequest(method, "https://example.com"+path, strings.NewReader(body))
	r.TLS = &tls.ConnectionState{}
	if body != "" {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		if strings.HasPrefix(body, "{") {
			r.Header.Set("Content-Type", "application/json")
		}
	}
	for _, k := range c.jar.Cookies(site) {
		r.AddCookie(k)
	}
	return r
}

func (c *client) do(method, path, body string) (status int, text string) {
	c.t.Helper()
	w := httptest.NewRecorder()
	c.h.ServeHTTP(w, c.request(method, path, body))
	res := w.Result()
	c.jar.SetCookies(site, res.Cookies())
	return res.StatusCode, w.Body.String()
}

// want does it and compares the body.
func (c *client) want(method, path, body string, status int, text string) {
	c.t.Helper()
	if got, page := c.do(method, path, body); got != status || text != "" && page != text {
		c.t.Errorf("%s %s: %d %q, want %d %q", method, path, got, page, status, text)
	}
}

// A meeting lets two requests go on only when both have come: each has read its session before the other saves.
type meeting struct {
	mu   sync.Mutex
	come int
	both chan struct{}
}

func newMeeting() *meeting { return &meeting{both: make(chan struct{})} }

func (m *meeting) arrive() {
	m.mu.Lock()
	if m.come++; m.come == 2 {
		close(m.both)
	}
	m.mu.Unlock()
	<-m.both
}

// atOnce sends two requests with the cookies of now.
func (c *client) atOnce(first, second string) {
	c.t.Helper()
	var wg sync.WaitGroup
	var all [2]*http.Response
	for i, path := range []string{first, second} {
		r := c.request(http.MethodGet, path, "")
		wg.Go(func() {
			w := httptest.NewRecorder()
			c.h.ServeHTTP(w, r)
			all[i] = w.Result()
		})
	}
	wg.Wait()
	for i, res := range all {
		if res.StatusCode != http.StatusOK {
			c.t.Errorf("request %d of two at once: %s", i+1, res.Status)
		}
		c.jar.SetCookies(site, res.Cookies())
	}
}
