package main

import (
	"bytes"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/gosojourn/sojourn"
)

func TestPagesRender(t *testing.T) {
	all, err := parsePages()
	if err != nil {
		t.Fatal(err)
	}
	long := snippet{ID: 7, Title: "<i>", Content: "\n<script>", Created: time.Now(), Expires: time.Now().AddDate(1, 0, 0)}
	ann := &user{Name: "Ann <3", Email: "ann@example.com", Created: time.Now()}
	for _, c := range []struct {
		page string
		view view
		say  []string
	}{
		{"home", view{Path: "/"}, []string{"<title>Home", "nothing in the box", `href="/" aria-current="page"`}},
		{"home", view{Snippets: []snippet{long}}, []string{"/snippet/view/7", "&lt;script&gt;", "just now"}},
		{"view", view{Snippet: long}, []string{"<title>&lt;i&gt;", "<code>\n&lt;script&gt;</code>", "<time datetime="}},
		{"view", view{Snippet: long, Flashes: []string{"one", "<two>"}}, []string{`role="status">one<`, "&lt;two&gt;"}},
		{"view", view{Visits: 1}, []string{`<strong id="visits">1</strong> page in`}},
		{"view", view{Visits: 2}, []string{`<strong id="visits">2</strong> pages in`}},
		{"create", view{Form: form{values: map[string]string{"expires": "7"}}}, []string{`value="7" checked`, `aria-describedby="title-hint"`}},
		{"create", view{Form: form{values: map[string]string{"content": "\n x"}, Faults: []fault{{"title", "no"}}}},
			[]string{"<title>Please check", `aria-describedby="title-error title-hint" autofocus`, ">\n\n x</textarea>", `<a href="#title">`}},
		{"signup", view{Known: true, Path: "/user/signup"}, []string{`autocomplete="username"`, `autocomplete="new-password"`, `href="/user/signup" aria-current="page"`}},
		{"login", view{Known: true, Path: "/user/login"}, []string{`autocomplete="current-password"`, "Sign up</a>"}},
		{"login", view{Known: true, User: ann}, []string{"logged in as <strong>Ann &lt;3</strong>", "Log out"}},
		{"login", view{Form: form{Problem: "Too many"}}, []string{`role="alert"`, "Too many"}},
		{"account", view{Known: true, User: ann, Warning: 1.6}, []string{"Ann &lt;3", "ann@example.com", `data-warn="1.6"`, "/static/session.js"}},
		{"password", view{Known: true, User: ann}, []string{`autocomplete="new-password"`, `autocomplete="current-password"`}},
		{"sessions", view{Known: true, User: ann, Sessions: []sojourn.Info{{ID: "one", Current: true}, {ID: "two", Device: sojourn.Device{Label: "<b>"}}}},
			[]string{`data-session-id="one" data-current`, "This device", "Unknown device", `data-session-id="two"`, "&lt;b&gt;", "/account/sessions/end-others"}},
		{"error", view{Status: 404, StatusText: "Not Found", Message: "Gone."}, []string{"<title>Not Found", "404", "Gone."}},
	} {
		var b bytes.Buffer
		if err := all.execute(&b, c.page, c.view); err != nil {
			t.Errorf("%s: %v", c.page, err)
			continue
		}
		for _, say := range append(c.say, "</html>", `lang="en"`, `href="#main"`, `<main id="main"`, "<nav ") {
			if !strings.Contains(b.String(), say) {
				t.Errorf("%s does not say %q:\n%s", c.page, say, &b)
			}
		}
	}
	if len(all) != 9 {
		t.Errorf("%d pages: add the new one to this table", len(all))
	}
	if err := all.execute(new(bytes.Buffer), "nothing", view{}); err == nil {
		t.Error("a page that is not there renders")
	}
}

// A page with all that it loads is light, and loads from nowhere else.
func TestPagesAreLight(t *testing.T) {
	s := newSite(t)
	b := member(t, s.url, "ann")
	check := func(b *browser, path string) {
		r := b.get(path)
		total := len(r.body)
		loads := map[string]bool{}
		for _, m := range linked.FindAllStringSubmatch(r.body, -1) {
			if !loads[m[1]] {
				loads[m[1]] = true
				file := b.get(m[1])
				file.want(t, 200)
				total += len(file.body)
			}
		}
		if len(loads) < 2 || total >= 30_000 {
			t.Errorf("%s takes %d bytes with %v, want less than 30,000 with a stylesheet and an icon", path, total, loads)
		}
		for _, word := range []string{"http://", "https://", `"//`, "<script>", "style=", " onclick"} {
			if strings.Contains(r.body, word) {
				t.Errorf("%s has %q", path, word)
			}
		}
	}
	public := []string{"/", "/snippet/view/1", "/nowhere", "/user/signup", "/user/login"}
	for _, path := range public {
		check(newBrowser(t, s.url), path)
		check(b, path)
	}
	for _, path := range []string{"/snippet/create", "/account", "/account/password", "/account/sessions"} {
		check(b, path)
	}
	for _, name := range []string{"style.css", "session.js"} {
		text := b.get("/static/" + name).body
		for _, word := range []string{"url(", "@import", "http:", "https:", "eval("} {
			if strings.Contains(text, word) {
				t.Errorf("%s has %q", name, word)
			}
		}
	}
}

var linked = regexp.MustCompile(`(?:src|href)="(/static/[^"]+)"`)

func TestHumane(t *testing.T) {
	now := time.Date(2026, 3, 31, 12, 0, 0, 0, time.UTC)
	for _, c := range []struct {
		d    time.Duration
		want string
	}{
		{0, "just now"},
		{-59 * time.Second, "just now"},
		{-time.Minute, "1 minute ago"},
		{-59 * time.Minute, "59 minutes ago"},
		{-59*time.Minute - 45*time.Second, "1 hour ago"},
		{-23 * time.Hour, "23 hours ago"},
		{-24 * time.Hour, "1 day ago"},
		{-13 * 24 * time.Hour, "13 days ago"},
		{-14 * 24 * time.Hour, "on 17 March 2026"},
		{20 * time.Second, "in less than a minute"},
		{time.Minute, "in 1 minute"},
		{24*time.Hour - time.Second, "in 1 day"},
		{7*24*time.Hour - time.Second, "in 7 days"},
		{365 * 24 * time.Hour, "on 31 March 2027"},
	} {
		if got := humane(now, now.Add(c.d)); got != c.want {
			t.Errorf("humane(%s) = %q, want %q", c.d, got, c.want)
		}
	}
}

func TestExcerpt(t *testing.T) {
	for _, c := range []struct{ in, want string }{
		{"", ""},
		{"one\ntwo\nthree", "one\ntwo\nthree"},
		{"\n one \n", "one"},
		{"one\ntwo\nthree\nfour", "one\ntwo\nthree\n…"},
		{strings.Repeat("é", 161), strings.Repeat("é", 160) + "…"},
	} {
		if got := excerpt(c.in); got != c.want {
			t.Errorf("excerpt(%q) = %q, want %q", c.in, got, c.want)
		}
	}
}
