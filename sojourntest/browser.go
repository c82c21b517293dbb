package sojourntest

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/gosojourn/sojourn"
)

// A Browser is one person's browser in front of the application. It keeps cookies and follows redirects. It
// calls the handler in the test's process, as if over https, because a cookie jar drops Secure cookies on
// http. Several goroutines may call its methods, like several tabs.
type Browser struct {
	Client *http.Client // set CheckRedirect to look at a redirect itself
	Base   string       // "https://sojourn.test"; paths given to Get and PostForm are below it

	t testing.TB
	m *sojourn.Manager
}

// NewBrowser returns a browser without cookies. h is the application's handler, with or without
// m.LoadAndSave around it.
func NewBrowser(t testing.TB, m *sojourn.Manager, h http.Handler) *Browser {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	return &Browser{
		Client: &http.Client{Jar: jar, Transport: inProcess{m.LoadAndSave(h)}},
		Base:   "https://sojourn.test", t: t, m: m,
	}
}

// Do sends r and returns the response, with its body read into memory. The URL of r may be a path. If the
// handler aborts the connection, the test fails; to look at that, use Client.Do.
func (b *Browser) Do(r *http.Request) *http.Response {
	b.t.Helper()
	if r.URL.Host == "" {
		base, err := url.Parse(b.Base)
		if err != nil {
			b.t.Fatalf("sojourntest: Base: %v", err)
		}
		r.URL = base.ResolveReference(r.URL)
		r.Host = ""
	}
	r.RequestURI = ""
	res, err := b.Client.Do(r)
	if err != nil {
		b.t.Fatalf("sojourntest: %s %s: %v", r.Method, r.URL.Path, err)
	}
	return res
}

// Get fetches path.
func (b *Browser) Get(path string) *http.Response {
	b.t.Helper()
	return b.Do(b.request(http.MethodGet, path, nil))
}

// PostForm posts form to path, as a page of the application itself would do.
func (b *Browser) PostForm(path string, form url.Values) *http.Response {
	b.t.Helper()
	r := b.request(http.MethodPost, path, strings.NewReader(form.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("Sec-Fetch-Site", "same-origin")
	return b.Do(r)
}

func (b *Browser) request(method, path string, body io.Reader) *http.Request {
	b.t.Helper()
	r, err := http.NewRequest(method, b.Base+path, body)
	if err != nil {
		b.t.Fatalf("sojourntest: %v", err)
	}
	return r
}

// Session runs fn in a request of this browser: to seed its session, or to look at it. What fn changes is
// saved, and the browser keeps the cookie.
func (b *Browser) Session(fn func(ctx context.Context)) {
	b.t.Helper()
	client := *b.Client
	ran := false
	client.Transport = inProcess{b.m.LoadAndSave(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		ran = true
		fn(r.Context())
	}))}
	res, err := client.Do(b.request(http.MethodGet, "/", nil))
	if err != nil {
		b.t.Fatalf("sojourntest: Session: %v", err)
	}
	if !ran || res.StatusCode != http.StatusOK {
		b.t.Fatalf("sojourntest: Session: the manager answered %s", res.Status)
	}
}

// Cookies returns what the browser would send.
func (b *Browser) Cookies() []*http.Cookie {
	u, err := url.Parse(b.Base + "/")
	if err != nil {
		b.t.Fatalf("sojourntest: Base: %v", err)
	}
	return b.Client.Jar.Cookies(u)
}

// SetCookies replaces the browser's cookies, for example by a thief's copy of another browser's.
func (b *Browser) SetCookies(cookies []*http.Cookie) {
	jar, err := cookiejar.New(nil)
	if err != nil {
		b.t.Fatal(err)
	}
	u, err := url.Parse(b.Base + "/")
	if err != nil {
		b.t.Fatalf("sojourntest: Base: %v", err)
	}
	jar.SetCookies(u, cookies)
	b.Client.Jar = jar
}

// inProcess is an http.RoundTripper that calls a handler.
type inProcess struct{ h http.Handler }

func (p inProcess) RoundTrip(r *http.Request) (res *http.Response, err error) {
	in := r.Clone(r.Context())
	in.RequestURI, in.RemoteAddr = r.URL.RequestURI(), "192.0.2.1:1234"
	in.Proto, in.ProtoMajor, in.ProtoMinor = "HTTP/1.1", 1, 1
	in.TLS = &tls.ConnectionState{HandshakeComplete: true, ServerName: r.URL.Hostname()}
	if in.Host == "" {
		in.Host = r.URL.Host
	}
	if in.Body == nil {
		in.Body = http.NoBody
	}
	w := httptest.NewRecorder()
	defer func() {
		if v := recover(); v == http.ErrAbortHandler {
			res, err = nil, errAborted
		} else if v != nil {
			panic(v)
		}
	}()
	p.h.ServeHTTP(w, in)
	res = w.Result()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		return nil, fmt.Errorf("sojourntest: %w", err)
	}
	res.Body, res.Request = io.NopCloser(bytes.NewReader(body)), r
	return res, nil
}

var errAborted = errors.New("the handler aborted the connection")
