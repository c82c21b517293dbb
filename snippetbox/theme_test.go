package main

import (
	"net/url"
	"path/filepath"
	"strings"
	"testing"
)

func TestThemeIsKeptByTheBrowser(t *testing.T) {
	s := newSite(t)
	b := newBrowser(t, s.url)
	b.get("/").want(t, 200, `<html lang="en">`, `value="auto" aria-pressed="true"`)
	b.get("/user/login")
	stored := s.sessions(t)
	r := b.do("POST", "/theme", strings.NewReader("theme=dark"), "Content-Type", "application/x-www-form-urlencoded", "Referer", s.url+"/user/login?a=b")
	r.want(t, 200, `<html lang="en" data-theme="dark">`, `value="dark" aria-pressed="true"`, `value="auto" aria-pressed="false"`)
	if got := r.Request.URL.RequestURI(); got != "/user/login?a=b" {
		t.Errorf("it leads to %s, not back to the page", got)
	}
	if n := s.sessions(t); n != stored {
		t.Errorf("%d sessions are stored, before there were %d", n, stored)
	}

	// It outlives the login, the logout, and the browser.
	signUp(t, b, "ann")
	b.post("/user/login", credentials("ann", pass)).want(t, 200, `data-theme="dark"`)
	b.post("/user/logout", nil).want(t, 200, `data-theme="dark"`)
	b.get("/nowhere").want(t, 404, `data-theme="dark"`)
	line := b.stay().post("/theme", url.Values{"theme": {"light"}}).Header.Get("Set-Cookie")
	if !strings.HasPrefix(line, "preferences=") || !strings.Contains(line, "Max-Age=31536000;") || !strings.Contains(line, "HttpOnly") {
		t.Errorf("Set-Cookie: %s", line)
	}
	b.get("/").want(t, 200, `data-theme="light"`)
	b.post("/theme", url.Values{"theme": {"auto"}})
	b.get("/").want(t, 200, `<html lang="en">`)
	for _, wrong := range []string{"", "pink", "dark\" onload=\"alert(1)"} {
		b.post("/theme", url.Values{"theme": {wrong}}).want(t, 400)
	}
}

func TestThemeOutlivesARestart(t *testing.T) {
	args := []string{"-addr", "127.0.0.1:0", "-db", "sqlite:" + filepath.Join(t.TempDir(), "t.db"), "-keys", filepath.Join(t.TempDir(), "keys")}
	base, stop := start(t, args...)
	b := newBrowser(t, base)
	b.post("/theme", url.Values{"theme": {"dark"}}).want(t, 200)
	stop()
	b.base, _ = start(t, args...)
	b.get("/").want(t, 200, `data-theme="dark"`)
}
