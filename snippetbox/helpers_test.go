package main

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gosojourn/sojourn/sealed"
	"github.com/gosojourn/sojourn/sojourntest"
)

// site is the application on a database of its own, behind a real server.
type site struct {
	*application
	db     *database
	faulty *sojourntest.FaultyStore
	log    *buffer
	url    string
}

func newSite(t *testing.T) *site {
	t.Helper()
	return newSiteOn(t, "sqlite:"+filepath.Join(t.TempDir(), "test.db"))
}

func newSiteOn(t *testing.T, database string) *site { return newSiteKept(t, database, inDatabase) }

// newSiteKept has sessions kept as flag -sessions says.
func newSiteKept(t *testing.T, database, kept string) *site {
	t.Helper()
	return newSiteWith(t, database, options{sessions: kept})
}

func newSiteWith(t *testing.T, database string, o options) *site {
	t.Helper()
	s := &site{log: &buffer{}}
	logger := slog.New(slog.NewTextHandler(s.log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	var err error
	if s.db, err = openDatabase(database, logger); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.db.Close() })
	store, err := migrate(t.Context(), s.db)
	if err != nil {
		t.Fatal(err)
	}
	s.faulty = &sojourntest.FaultyStore{Store: store}
	ring, err := sealed.New([]string{sealed.GenerateKey()}, sealed.Options{})
	if err != nil {
		t.Fatal(err)
	}
	o.idle, o.lifetime = time.Hour, 12*time.Hour
	if s.application, err = newApplication(s.db, store, s.faulty, ring, o, logger); err != nil {
		t.Fatal(err)
	}
	// The windows of the program could begin anew in the middle of a test.
	s.guesses = guesses{newLimit(accountGuesses, 1000*time.Hour), newLimit(addressGuesses, 1000*time.Hour)}
	s.url = serve(t, s.routes())
	return s
}

func serve(t *testing.T, h http.Handler) string {
	srv := httptest.NewServer(h)
	t.Cleanup(srv.Close)
	return srv.URL
}

// sessions counts what is stored.
func (s *site) sessions(t *testing.T) (n int) {
	t.Helper()
	if err := s.db.QueryRow("SELECT COUNT(*) FROM sessions").Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}

var quiet = slog.New(slog.DiscardHandler)

const seeds = 3 // snippets that are there from the start

const pass = "correct horse battery" // everybody's password

// signUp makes an account by way of the form.
func signUp(t *testing.T, b *browser, name string) {
	t.Helper()
	b.post("/user/signup", url.Values{"name": {name}, "email": {name + "@example.com"}, "password": {pass}}).
		want(t, 200, "Your signup was successful. Please log in.")
}

func credentials(name, password string) url.Values {
	return url.Values{"email": {name + "@example.com"}, "password": {password}}
}

// as returns a browser in which the person of that name, who has an account, is logged in.
func as(t *testing.T, base, name string) *browser {
	t.Helper()
	b := newBrowser(t, base)
	b.post("/user/login", credentials(name, pass)).want(t, 200, "Log out")
	return b
}

// member returns a browser in which a new person is logged in. It has seen two pages.
func member(t *testing.T, base, name string) *browser {
	t.Helper()
	b := newBrowser(t, base)
	signUp(t, b, name)
	b.post("/user/login", credentials(name, pass)).want(t, 200, "Log out")
	return b
}

// stay makes b follow no redirects.
func (b *browser) stay() *browser {
	b.client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return b
}

// A browser keeps cookies and follows redirects.
type browser struct {
	t      *testing.T
	client *http.Client
	base   string
}

func newBrowser(t *testing.T, base string) *browser {
	jar, _ := cookiejar.New(nil)
	transport := &http.Transport{
		TLSClientConfig:     &tls.Config{InsecureSkipVerify: true}, // the certificate is self-signed
		MaxIdleConnsPerHost: 64,
	}
	t.Cleanup(transport.CloseIdleConnections)
	return &browser{t, &http.Client{Jar: jar, Transport: transport}, strings.TrimSuffix(base, "/")}
}

type response struct {
	*http.Response
	body string
}

func (b *browser) get(path string) response {
	return b.do(http.MethodGet, path, nil)
}

func (b *browser) post(path string, form url.Values) response {
	return b.do(http.MethodPost, path, strings.NewReader(form.Encode()), "Content-Type", "application/x-www-form-urlencoded")
}

func (b *browser) do(method, path string, body io.Reader, header ...string) response {
	b.t.Helper()
	req, err := http.NewRequest(method, b.base+path, body)
	if err != nil {
		b.t.Fatal(err)
	}
	for i := 0; i < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	resp, err := b.client.Do(req)
	if err != nil {
		b.t.Error(err)
		return response{&http.Response{Request: req, Header: http.Header{}}, ""}
	}
	defer resp.Body.Close()
	data, err := io.ReadAll(resp.Body)
	if err != nil {
		b.t.Error(err)
	}
	return response{resp, string(data)}
}

func (b *browser) visits() int {
	b.t.Helper()
	n, err := strconv.Atoi(b.get("/visits").body)
	if err != nil {
		b.t.Errorf("/visits is no number: %v", err)
	}
	return n
}

// cookie is the session's, as the browser keeps it; "" when there is none.
func (b *browser) cookie() string {
	u, _ := url.Parse(b.base)
	for _, c := range b.client.Jar.Cookies(u) {
		if c.Name == "id" || c.Name == "__Host-Http-id" {
			return c.Value
		}
	}
	return ""
}

// want checks the status and that the page says all of texts.
func (r response) want(t *testing.T, status int, texts ...string) {
	t.Helper()
	if r.StatusCode != status {
		t.Errorf("%s %s: status %d, want %d", r.Request.Method, r.Request.URL.Path, r.StatusCode, status)
	}
	for _, text := range texts {
		if !strings.Contains(r.body, text) {
			t.Errorf("%s %s does not say %q:\n%s", r.Request.Method, r.Request.URL.Path, text, r.body)
		}
	}
}

func snippetValues(title, content, expires string) url.Values {
	return url.Values{"title": {title}, "content": {content}, "expires": {expires}}
}

// start runs the program. Stop ends it the way a signal does, and waits.
func start(t *testing.T, args ...string) (base string, stop func()) {
	t.Helper()
	args = append([]string{"-keys", filepath.Join(t.TempDir(), "keys")}, args...)
	ctx, cancel := context.WithCancel(t.Context())
	out, stdout := io.Pipe()
	stderr := &buffer{}
	done := make(chan error, 1)
	go func() {
		err := run(ctx, args, stdout, stderr)
		stdout.CloseWithError(fmt.Errorf("the program ended: %v", err))
		done <- err
	}()
	stop = sync.OnceFunc(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("run: %v\n%s", err, stderr)
		}
	})
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		cancel()
		t.Fatal(err)
	}
	t.Cleanup(stop)
	base, ok := strings.CutPrefix(strings.TrimSuffix(line, "/\n"), "snippetbox: ")
	if !ok {
		t.Fatalf("the first line is %q, want the URL", line)
	}
	return base, stop
}

// buffer is a bytes.Buffer for several goroutines.
type buffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (b *buffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *buffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}
