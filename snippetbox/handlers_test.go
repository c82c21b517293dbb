package main

import (
	"net/http"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
)

const created = "Snippet successfully created!"

func TestSnippetIsCreatedAndItsFlashShownOnce(t *testing.T) {
	s := newSite(t)
	b := member(t, s.url, "ann")

	b.get("/snippet/create").want(t, 200, "Publish snippet")
	r := b.post("/snippet/create", snippetValues("Tea & <b>toast</b>", "one\r\n  two", "7"))
	r.want(t, 200, created, "Tea &amp; &lt;b&gt;toast&lt;/b&gt;", "one\n  two", "in 7 days", `by <span class="author">ann</span>`)
	if r.Request.URL.Path != "/snippet/view/4" {
		t.Errorf("led to %s, want the snippet's page", r.Request.URL.Path)
	}
	if again := b.get("/snippet/view/4"); strings.Contains(again.body, created) {
		t.Error("the flash is shown a second time")
	}
	b.get("/").want(t, 200, `href="/snippet/view/4"`)
	newBrowser(t, s.url).get("/snippet/view/4").want(t, 200, "Tea &amp;")
}

func TestFlashGoesToOneOfManyRequests(t *testing.T) {
	b := member(t, newSite(t).url, "ann").stay()
	b.post("/snippet/create", snippetValues("Title", "Content", "1")).want(t, http.StatusSeeOther)

	var shown atomic.Int32
	var all sync.WaitGroup
	for range 20 {
		all.Go(func() {
			if strings.Contains(b.get("/").body, created) {
				shown.Add(1)
			}
		})
	}
	all.Wait()
	if n := shown.Load(); n != 1 {
		t.Errorf("%d of 20 pages show the flash, want 1", n)
	}
}

func TestFormSaysWhatIsWrongAndKeepsTheRest(t *testing.T) {
	s := newSite(t)
	b := member(t, s.url, "ann")
	for _, c := range []struct {
		name                    string
		title, content, expires string
		say                     []string
		not                     string
	}{
		{name: "blank title", title: " \t", content: "kept content", expires: "7",
			say: []string{`id="title-error"`, "kept content", `value="7" checked`}, not: "content-error"},
		{name: "long title", title: strings.Repeat("é", 101), content: "kept", expires: "1",
			say: []string{`id="title-error"`, "these are 101", strings.Repeat("é", 101), `value="1" checked`}},
		{name: "blank content", title: "kept title", content: "\r\n \r\n", expires: "365",
			say: []string{`id="content-error"`, `value="kept title"`, `value="365" checked`}, not: "title-error"},
		{name: "long content", title: "kept title", content: strings.Repeat("x", 10_001), expires: "365",
			say: []string{`id="content-error"`, "these are 10001"}},
		{name: "other expiry", title: "kept title", content: "kept", expires: "30",
			say: []string{`id="expires-error"`, `value="kept title"`}, not: "checked"},
		{name: "no number", title: "kept title", content: "kept", expires: "7 days", say: []string{`id="expires-error"`}},
		{name: "nothing", say: []string{`id="title-error"`, `id="content-error"`, `id="expires-error"`, `role="alert"`}},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := b.post("/snippet/create", snippetValues(c.title, c.content, c.expires))
			r.want(t, http.StatusUnprocessableEntity, append(c.say, `aria-invalid="true"`)...)
			if c.not != "" && strings.Contains(r.body, c.not) {
				t.Errorf("the page says %q", c.not)
			}
		})
	}
	if got, err := s.snippets.latest(t.Context()); err != nil || len(got) != seeds {
		t.Errorf("%d snippets, %v: something was saved", len(got), err)
	}
	signUp(t, newBrowser(t, s.url), "bob")
	cookie := b.cookie()
	for _, path := range []string{"/user/login", "/user/logout"} { // nor does it log in somebody else, or out
		b.do("POST", path, strings.NewReader(credentials("bob", pass).Encode()), "Sec-Fetch-Site", "cross-site", "Content-Type", "application/x-www-form-urlencoded").
			want(t, http.StatusForbidden, "This came from a page of another site")
	}
	b.get("/account").want(t, 200, "ann@example.com")
	if b.cookie() != cookie {
		t.Error("the cookie is another one")
	}
}

func TestFormTakesWhatJustFits(t *testing.T) {
	b := member(t, newSite(t).url, "ann")
	title, content := strings.Repeat("é", 100), strings.Repeat("水\r\n", 5_000)
	b.post("/snippet/create", snippetValues(title, content, "365")).want(t, 200, created, title)
	b.post("/snippet/create", snippetValues("a\x00\xff", "b\x00\xff", "1")).want(t, 200, "a\uFFFD\uFFFD", "b\uFFFD\uFFFD")
}

func TestErrorPages(t *testing.T) {
	s := newSite(t)
	b := newBrowser(t, s.url)
	for _, c := range []struct {
		method, path string
		status       int
		allow        string
	}{
		{"GET", "/nowhere", 404, ""},
		{"GET", "/snippet/view/99", 404, ""},
		{"GET", "/snippet/view/0", 404, ""},
		{"GET", "/snippet/view/-1", 404, ""},
		{"GET", "/snippet/view/+1", 404, ""},
		{"GET", "/snippet/view/01", 404, ""},
		{"GET", "/snippet/view/1.5", 404, ""},
		{"GET", "/snippet/view/one", 404, ""},
		{"GET", "/snippet/view/2147483648", 404, ""},
		{"GET", "/snippet/view/99999999999999999999", 404, ""},
		{"GET", "/snippet/view/", 404, ""},
		{"GET", "/static/", 404, ""},
		{"GET", "/static/nothing.css", 404, ""},
		{"GET", "/static/..%2Fhtml%2Fbase.tmpl", 404, ""},
		{"POST", "/", 405, "GET, HEAD"},
		{"POST", "/visits", 405, "GET, HEAD"},
		{"DELETE", "/snippet/view/1", 405, "GET, HEAD"},
		{"PUT", "/snippet/create", 405, "GET, HEAD, POST"},
	} {
		r := b.do(c.method, c.path, nil)
		r.want(t, c.status, "</html>", http.StatusText(c.status))
		if got := r.Header.Get("Allow"); got != c.allow {
			t.Errorf("%s %s: Allow %q, want %q", c.method, c.path, got, c.allow)
		}
		if r.Header.Get("Set-Cookie") != "" {
			t.Errorf("%s %s begins a session", c.method, c.path)
		}
	}
	b = member(t, s.url, "ann")
	huge := url.Values{"content": {strings.Repeat("x", maxForm)}}
	b.post("/snippet/create", huge).want(t, http.StatusRequestEntityTooLarge, "</html>")
	b.do("POST", "/snippet/create", strings.NewReader("title=%zz"), "Content-Type", "application/x-www-form-urlencoded").
		want(t, http.StatusBadRequest, "</html>")
}

func TestFormOfAnotherSiteIsRefused(t *testing.T) {
	s := newSite(t)
	b := member(t, s.url, "ann")
	form := snippetValues("Title", "Content", "7").Encode()
	for _, header := range [][]string{
		{"Sec-Fetch-Site", "cross-site"},
		{"Sec-Fetch-Site", "same-site"},
		{"Origin", "https://evil.example"},
	} {
		header = append(header, "Content-Type", "application/x-www-form-urlencoded")
		b.do("POST", "/snippet/create", strings.NewReader(form), header...).want(t, http.StatusForbidden, "</html>")
	}
	if got, err := s.snippets.latest(t.Context()); err != nil || len(got) != seeds {
		t.Errorf("%d snippets, %v: something was saved", len(got), err)
	}
	b.do("POST", "/snippet/create", strings.NewReader(form), "Sec-Fetch-Site", "same-origin", "Content-Type", "application/x-www-form-urlencoded").
		want(t, 200, created)
}
