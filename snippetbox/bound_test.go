package main

import (
	"io"
	"net/http"
	"net/url"
	"path/filepath"
	"strings"
	"testing"

	"github.com/gosojourn/sojourn/sojourntest"
	"github.com/gosojourn/sojourn/sojourntest/dbscclient"
)

// Over https a browser that can binds its session; the page of sessions says so, and a thief changes no password.
func TestSessionsAreBoundToTheirDevice(t *testing.T) {
	s := newSiteWith(t, "sqlite:"+filepath.Join(t.TempDir(), "test.db"), options{sessions: inDatabase, tls: true})
	open := func() (*sojourntest.Browser, func(path string) string) {
		b := sojourntest.NewBrowser(t, s.sessionManager, s.routes())
		return b, func(path string) string {
			res := b.Get(path)
			text, err := io.ReadAll(res.Body)
			if err != nil || res.StatusCode != http.StatusOK {
				t.Errorf("%s: %s, %v", path, res.Status, err)
			}
			return string(text)
		}
	}
	ann, page := open()
	device := dbscclient.On(ann.Client)
	ann.PostForm("/user/signup", url.Values{"name": {"ann"}, "email": {"ann@example.com"}, "password": {pass}})
	ann.PostForm("/user/login", credentials("ann", pass))
	if n := len(device.Sessions()); n != 1 {
		t.Fatalf("%d sessions are bound: %v", n, device.Failures())
	}
	elsewhere, _ := open()
	elsewhere.PostForm("/user/login", credentials("ann", pass))
	if text := page("/account/sessions"); strings.Count(text, "Bound to its device") != 1 {
		t.Errorf("of two sessions one is bound, and the page says: %s", text)
	}
	device.DropCookies()
	thief, stolen := open()
	for range 2 { // each takes another cookie's place
		page("/account")
		if thief.Cookies() == nil {
			thief.SetCookies(ann.Cookies())
		}
		device.DropCookies()
	}
	page("/account")
	if text := stolen("/account/password"); !strings.Contains(text, `action="/user/login"`) {
		t.Errorf("the thief is given %s", text)
	}
	if text := page("/account/password"); !strings.Contains(text, `action="/account/password"`) {
		t.Errorf("ann is given %s", text)
	}
	for _, e := range device.Log() {
		if e.Status != http.StatusOK {
			t.Errorf("%s was answered %d", e.Path, e.Status)
		}
	}
}
