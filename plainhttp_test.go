package sojourn_test

import (
	"bytes"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/gosojourn/sojourn"
	"github.com/gosojourn/sojourn/memstore"
)

// A Secure cookie that goes out over plain http is dropped by the browser, without a word. The log has
// one, and says what to do.
func TestSecureCookieOverPlainHTTP(t *testing.T) {
	header := func(name, value string) func(*http.Request) {
		return func(r *http.Request) { r.Header.Set(name, value) }
	}
	for _, c := range []struct {
		name string
		url  string
		also func(*http.Request)
		cfg  sojourn.Config
		want int
	}{
		{name: "a host of the network", url: "http://10.0.0.7:4000/", want: 1},
		{name: "a name", url: "http://shop.example/", want: 1},
		{name: "a name that begins like this machine's", url: "http://localhost.example/", want: 1},
		{name: "a proxy that says http", url: "http://shop.example/", also: header("X-Forwarded-Proto", "http"), want: 1},
		{name: "https", url: "https://shop.example/"},
		{name: "localhost", url: "http://localhost:4000/"},
		{name: "a name below localhost", url: "http://shop.LOCALHOST:4000/"},
		{name: "127.0.0.1", url: "http://127.0.0.1:4000/"},
		{name: "::1", url: "http://[::1]:4000/"},
		{name: "a proxy", url: "http://shop.example/", also: header("X-Forwarded-Proto", "https")},
		{name: "two proxies", url: "http://shop.example/", also: header("X-Forwarded-Proto", "HTTPS, http")},
		{name: "a proxy by RFC 7239", url: "http://shop.example/", also: header("Forwarded", `for=192.0.2.1;proto=https`)},
		{name: "a silent proxy and a browser", url: "http://shop.example/", also: header("Sec-Fetch-Site", "same-origin")},
		{name: "no Secure", url: "http://shop.example/", cfg: sojourn.Config{DangerouslyAllowHTTP: true}},
		{name: "no cookie", url: "http://shop.example/", cfg: sojourn.Config{Header: "X-Session"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			var log bytes.Buffer
			c.cfg.Logger = slog.New(slog.NewTextHandler(&log, nil))
			m, err := sojourn.New(memstore.New(), c.cfg)
			if err != nil {
				t.Fatal(err)
			}
			serve := func(h http.HandlerFunc) {
				r := httptest.NewRequest("GET", c.url, nil)
				if c.also != nil {
					c.also(r)
				}
				m.LoadAndSave(h).ServeHTTP(httptest.NewRecorder(), r)
			}
			serve(func(_ http.ResponseWriter, r *http.Request) { name.Get(r.Context()) })
			if log.Len() > 0 {
				t.Fatalf("no cookie was sent, and the log has %s", &log)
			}
			serve(putName)
			serve(putName)
			lines := strings.Count(log.String(), "\n")
			if lines != c.want {
				t.Fatalf("%d lines for two logins, want %d:\n%s", lines, c.want, &log)
			}
			for _, word := range []string{"level=WARN", "https", "X-Forwarded-Proto", "http://localhost", "DangerouslyAllowHTTP"} {
				if c.want > 0 && !strings.Contains(log.String(), word) {
					t.Errorf("the line does not say %s: %s", word, &log)
				}
			}
		})
	}
}
