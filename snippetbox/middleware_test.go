package main

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/justinas/alice"
)

func TestPanicIsAnErrorPage(t *testing.T) {
	s := newSite(t)
	chain := alice.New(s.preferences.LoadAndSave, s.logRequest, s.recoverPanic, commonHeaders, s.sessionManager.LoadAndSave)
	mux := http.NewServeMux()
	mux.Handle("/early", chain.ThenFunc(func(w http.ResponseWriter, r *http.Request) {
		visits.Put(r.Context(), 7)
		panic("oh dear")
	}))
	mux.Handle("/late", chain.ThenFunc(func(w http.ResponseWriter, r *http.Request) {
		io.WriteString(w, "<p>half a pa")
		http.NewResponseController(w).Flush()
		panic("oh dear")
	}))
	srv := httptest.NewServer(mux)
	defer srv.Close()

	r := newBrowser(t, srv.URL).get("/early")
	r.want(t, http.StatusInternalServerError, "</html>")
	if strings.Contains(r.body, "oh dear") || r.Header.Get("Set-Cookie") != "" {
		t.Errorf("the page tells too much, or a session was saved: %v\n%s", r.Header, r.body)
	}
	if !strings.Contains(s.log.String(), "oh dear") {
		t.Error("the panic is not in the log")
	}

	resp, err := http.Get(srv.URL + "/late")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if _, err := io.ReadAll(resp.Body); err == nil {
		t.Error("half a page arrives as a whole one")
	}
}

func TestEveryAnswerHasTheHeaders(t *testing.T) {
	b := newBrowser(t, newSite(t).url)
	for _, path := range []string{"/", "/snippet/view/1", "/user/login", "/session/status", "/visits", "/nowhere", "/static/style.css"} {
		h := b.get(path).Header
		csp := h.Get("Content-Security-Policy")
		if !strings.Contains(csp, "default-src 'none'") || !strings.Contains(csp, "frame-ancestors 'none'") || strings.Contains(csp, "unsafe") {
			t.Errorf("%s: Content-Security-Policy: %q", path, csp)
		}
		for name, want := range map[string]string{"X-Content-Type-Options": "nosniff", "Referrer-Policy": "same-origin"} {
			if got := h.Get(name); got != want {
				t.Errorf("%s: %s: %q, want %q", path, name, got, want)
			}
		}
	}
}

func TestStaticFilesAreCached(t *testing.T) {
	b := newBrowser(t, newSite(t).url)
	assets, err := assetURLs()
	if err != nil {
		t.Fatal(err)
	}
	if len(assets) == 0 {
		t.Fatal("there are no static files")
	}
	for name, u := range assets {
		r := b.get(u)
		r.want(t, 200)
		if got := r.Header.Get("Cache-Control"); !strings.Contains(got, "immutable") {
			t.Errorf("%s: Cache-Control: %q", u, got)
		}
		if r.Header.Get("Vary") != "" || r.Header.Get("Set-Cookie") != "" {
			t.Errorf("%s depends on the session: %v", u, r.Header)
		}
		plain := b.get("/static/" + name)
		if got := plain.Header.Get("Cache-Control"); got != "no-cache" {
			t.Errorf("/static/%s: Cache-Control: %q, want no-cache", name, got)
		}
		b.do("GET", "/static/"+name, nil, "If-None-Match", plain.Header.Get("Etag")).want(t, http.StatusNotModified)
	}
	if got := b.get("/static/style.css").Header.Get("Content-Type"); got != "text/css; charset=utf-8" {
		t.Errorf("style.css is %q", got)
	}
	if got := b.get("/static/favicon.svg").Header.Get("Content-Type"); got != "image/svg+xml" {
		t.Errorf("favicon.svg is %q", got)
	}
}
