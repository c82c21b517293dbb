package main

import (
	"context"
	"io"
	"net/url"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// The administrator finds people by the address that they log in with, and logs them out. Nobody else gets there.
func TestAdministrator(t *testing.T) {
	s := newSite(t)
	root, bob := member(t, s.url, "root"), member(t, s.url, "bob")
	if r := root.get("/account"); strings.Contains(r.body, adminPath) {
		t.Error("there is a link to the pages, and no administrator")
	}
	root.get(adminPath+"/").want(t, 403, "for administrators")
	s.adminEmail = "root@example.com"
	root.get("/account").want(t, 200, `href="`+adminPath+`/"`)
	bob.get(adminPath+"/").want(t, 403, "for administrators")
	if r := bob.post(adminPath+"/end-owner?owner=1", nil); r.StatusCode != 403 {
		t.Errorf("bob's form is answered %d", r.StatusCode)
	}
	if r := newBrowser(t, s.url).get(adminPath + "/"); r.Request.URL.Path != "/user/login" || !strings.Contains(r.body, "Please log in as the administrator.") {
		t.Errorf("a visitor comes to %s", r.Request.URL)
	}

	page := root.get(adminPath + "/?by=owner&q=" + url.QueryEscape("Bob@Example.com"))
	page.want(t, 200, "1 session of <bdi>bob@example.com</bdi>", "You act as <bdi>root@example.com</bdi>")
	_, action, _ := strings.Cut(page.body, `<form action="end-session`)
	action, _, _ = strings.Cut(action, `"`)
	s.freshFor = time.Nanosecond
	root.base = serve(t, s.routes())
	if r := root.post(adminPath+"/end-session"+action, nil); r.Request.URL.Path != "/user/login" {
		t.Errorf("without a fresh login it is answered %s", r.Request.URL)
	}
	if bob.get("/account").Request.URL.Path != "/account" {
		t.Error("bob is logged out, without a fresh login of who did it")
	}
	root.base = s.url
	root.post(adminPath+"/end-session"+action, nil).want(t, 200, "The session has ended")
	if bob.get("/account").Request.URL.Path != "/user/login" {
		t.Error("bob is still logged in")
	}
	if log := s.log.String(); !strings.Contains(log, "authz_admin") || !strings.Contains(log, "actor=root@example.com") {
		t.Error("the log does not say who it was")
	}
}

// Whoever signed up first under the address of -admin would be the administrator.
func TestAdministratorHasAnAccount(t *testing.T) {
	database := "sqlite:" + filepath.Join(t.TempDir(), "test.db")
	args := []string{"-addr", "127.0.0.1:0", "-keys", filepath.Join(t.TempDir(), "keys"), "-db", database, "-admin", "Root@example.com"}
	err := run(t.Context(), args, io.Discard, io.Discard)
	if err == nil || !strings.Contains(err.Error(), "sign up") {
		t.Errorf("it starts: %v", err)
	}
	db, err := openDatabase(database, quiet)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if err := (&userModel{db}).insert(t.Context(), "root", "root@example.com", "hash"); err != nil {
		t.Fatal(err)
	}
	var out buffer
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	if err := run(ctx, args, &untilLines{buffer: &out, n: 2, then: cancel}, io.Discard); err != nil {
		t.Error(err)
	}
}
