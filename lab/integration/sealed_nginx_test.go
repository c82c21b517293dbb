package integration

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"

	"github.com/gosojourn/sojourn"
	"github.com/gosojourn/sojourn/lab/harness"
	"github.com/gosojourn/sojourn/sealed"
)

var letter = sojourn.NewKey[string]("letter")

// F68: sealed sessions behind nginx as it comes, which takes a response's header of one page of memory. With the limit that
// the documentation names, nginx never has to refuse: what is too large is told to the handler, the session stays
// as it was, and logging out works. Without it nginx answers 502.
func TestF68_SealedSessionsBehindNginx(t *testing.T) {
	for _, limit := range []int{3000, 0} {
		ring, err := sealed.New([]string{sealed.GenerateKey()}, sealed.Options{})
		if err != nil {
			t.Fatal(err)
		}
		m, err := sojourn.NewSealed(ring, sojourn.Config{MaxSealed: limit, DangerouslyAllowHTTP: true})
		if err != nil {
			t.Fatal(err)
		}
		mux := http.NewServeMux()
		mux.HandleFunc("POST /put", func(w http.ResponseWriter, r *http.Request) {
			n, _ := strconv.Atoi(r.FormValue("n"))
			letter.Put(r.Context(), strings.Repeat("x", n))
			if err := m.Commit(r.Context()); errors.Is(err, sojourn.ErrTooLarge) {
				http.Error(w, err.Error(), http.StatusRequestEntityTooLarge)
			} else if err != nil {
				t.Error(err)
			}
		})
		mux.HandleFunc("GET /get", func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, len(letter.Get(r.Context()))) })
		mux.HandleFunc("POST /logout", func(w http.ResponseWriter, r *http.Request) { m.Logout(r.Context()) })
		app := httptest.NewServer(m.LoadAndSave(mux))
		defer app.Close()
		url := "http://" + harness.Nginx(t, strings.TrimPrefix(app.URL, "http://"))
		jar, _ := cookiejar.New(nil)
		client := &http.Client{Jar: jar}
		do := func(method, path string) (int, string) {
			t.Helper()
			r, err := http.NewRequest(method, url+path, nil)
			if err != nil {
				t.Fatal(err)
			}
			w, err := client.Do(r)
			if err != nil {
				t.Fatal(err)
			}
			defer w.Body.Close()
			body, _ := io.ReadAll(w.Body)
			return w.StatusCode, string(body)
		}
		if limit == 0 {
			if code, _ := do("POST", "/put?n=5000"); code != http.StatusBadGateway {
				t.Errorf("without a limit nginx answers %d, want 502: what is it that this test shows?", code)
			}
			continue
		}
		if code, _ := do("POST", "/put?n=1900"); code != http.StatusOK {
			t.Errorf("1,900 bytes: %d", code)
		}
		for _, n := range []int{2500, 3000, 5000, 20_000, 100_000} {
			if code, body := do("POST", "/put?n="+strconv.Itoa(n)); code != http.StatusRequestEntityTooLarge || n < 9000 && !strings.Contains(body, "Config.MaxSealed is 3000") {
				t.Errorf("%d bytes: %d %s, want 413 and the limit", n, code, body)
			}
			if _, body := do("GET", "/get"); body != "1900" {
				t.Errorf("afterwards there are %s bytes, want 1900", body)
			}
		}
		if code, _ := do("POST", "/logout"); code != http.StatusOK {
			t.Errorf("logout: %d", code)
		}
		if _, body := do("GET", "/get"); body != "0" {
			t.Errorf("after logout there are %s bytes", body)
		}
	}
}
