package main

import (
	"errors"
	"net/http"
	"strings"
	"sync"
	"testing"
)

func TestVisitsAreExact(t *testing.T) {
	b := newBrowser(t, newSite(t).url).stay()
	b.get("/account") // which has something to remember: where to go after the login
	b.get("/").want(t, 200, `<strong id="visits">1</strong> page in`)

	pages := []string{"/", "/snippet/view/1", "/user/login"}
	seen := make([]response, 50)
	var all sync.WaitGroup
	for i := range seen {
		all.Go(func() { seen[i] = b.get(pages[i%len(pages)]) })
	}
	all.Wait()
	if n := b.visits(); n != 51 {
		t.Errorf("/visits says %d after 51 pages", n)
	}
	shown := map[string]bool{}
	for _, r := range seen {
		r.want(t, 200)
		_, rest, _ := strings.Cut(r.body, `id="visits">`)
		n, _, _ := strings.Cut(rest, "<")
		shown[n] = true
	}
	if !shown["51"] {
		t.Errorf("no page shows the last number: %v", shown)
	}
}

func TestOnlyPagesCount(t *testing.T) {
	b := member(t, newSite(t).url, "ann")
	for range 3 {
		if n := b.visits(); n != 2 {
			t.Errorf("/visits says %d, want 2", n)
		}
	}
	b.do(http.MethodHead, "/", nil).want(t, 200)
	b.get("/static/style.css").want(t, 200)
	b.get("/nowhere").want(t, 404)
	b.get("/snippet/view/99").want(t, 404)
	b.get("/session/status").want(t, 200)
	b.post("/session/stay", nil).want(t, 204)
	b.post("/snippet/create", nil).want(t, 422, `<strong id="visits">2</strong>`)
	if n := b.visits(); n != 2 {
		t.Errorf("/visits says %d, want 2", n)
	}
}

func TestHeadTakesNoFlash(t *testing.T) {
	b := member(t, newSite(t).url, "ann").stay()
	b.post("/snippet/create", snippetValues("Title", "Content", "1")).want(t, http.StatusSeeOther)
	b.do(http.MethodHead, "/", nil).want(t, 200)
	b.get("/").want(t, 200, created)
}

func TestNothingIsStoredWhereNothingIsCounted(t *testing.T) {
	s := newSite(t)
	b := newBrowser(t, s.url)
	for _, path := range []string{"/visits", "/session/status", "/static/style.css", "/static/favicon.svg", "/nowhere", "/snippet/view/99"} {
		if r := b.get(path); r.Header.Get("Set-Cookie") != "" {
			t.Errorf("%s sets a cookie", path)
		}
	}
	b.get("/visits").want(t, 200, "0")
	if n := s.sessions(t); n != 0 {
		t.Errorf("%d sessions are stored, want none", n)
	}
}

func TestOutageOfTheSessions(t *testing.T) {
	s := newSite(t)
	b := member(t, s.url, "ann")
	cookie := b.cookie()

	s.faulty.Fail(errors.New("the network is down"))
	for _, r := range []response{
		b.get("/"), b.get("/snippet/view/1"), b.get("/snippet/create"), b.get("/visits"),
		b.get("/account"), b.get("/account/sessions"), b.get("/session/status"), b.get("/user/login"), b.post("/user/logout", nil),
		b.post("/user/login", credentials("ann", pass)), b.post("/account/sessions/end-others", nil),
		b.post("/snippet/create", snippetValues("Title", "Content", "7")),
	} {
		r.want(t, http.StatusServiceUnavailable, "Service Unavailable", "Try again", "</html>")
		if r.Header.Get("Set-Cookie") != "" || r.Header.Get("Retry-After") == "" || r.Header.Get("Content-Security-Policy") == "" {
			t.Errorf("%s: headers %v", r.Request.URL.Path, r.Header)
		}
	}
	newBrowser(t, s.url).get("/").want(t, 200, "Log in") // who has no session needs nothing of theirs
	s.faulty.Fail(nil)

	if n := b.visits(); n != 2 || b.cookie() != cookie {
		t.Errorf("/visits says %d afterwards, want 2 and the same cookie", n)
	}
	b.get("/").want(t, 200, "Log out", `<strong id="visits">3</strong>`)
	if got, err := s.snippets.latest(t.Context()); err != nil || len(got) != seeds {
		t.Errorf("%d snippets, %v: one was saved during the outage", len(got), err)
	}
}

func TestOutageOfTheSnippets(t *testing.T) {
	s := newSite(t)
	b := newBrowser(t, s.url)
	s.db.Close()
	for _, path := range []string{"/", "/snippet/view/1"} {
		r := b.get(path)
		r.want(t, http.StatusServiceUnavailable, "</html>")
		if r.Header.Get("Set-Cookie") != "" {
			t.Errorf("%s sets a cookie", path)
		}
	}
	b.post("/user/login", credentials("ann", pass)).want(t, http.StatusServiceUnavailable)
}

func TestLogHasNoSecrets(t *testing.T) {
	s := newSite(t)
	b := member(t, s.url, "ann")
	b.get("/?word=hidden")
	b.post("/snippet/create", snippetValues("A private title", "A private content", "7"))
	s.faulty.Fail(errors.New("the network is down"))
	b.get("/")
	log := s.log.String()
	if !strings.Contains(log, "path=/snippet/create status=303") {
		t.Errorf("the request is not in the log:\n%s", log)
	}
	for _, secret := range []string{b.cookie()[24:], "hidden", "private", pass, "ann@example.com"} {
		if strings.Contains(log, secret) {
			t.Errorf("the log has %q:\n%s", secret, log)
		}
	}
}

func TestCookieOnPlainHTTP(t *testing.T) {
	r := newBrowser(t, newSite(t).url).stay().get("/account")
	line := r.Header.Get("Set-Cookie")
	name, rest, _ := strings.Cut(line, "=")
	_, attrs, _ := strings.Cut(rest, "; ")
	if name != "id" || attrs != "Path=/; HttpOnly; SameSite=Lax" {
		t.Errorf("Set-Cookie: %s", line)
	}
	if got := r.Header.Get("Cache-Control"); got != "no-store" {
		t.Errorf("Cache-Control is %q beside a cookie, want no-store", got)
	}
}
