package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"reflect"
	"strings"
	"testing"

	"github.com/justinas/alice"

	"github.com/gosojourn/sojourn"
)

// A browser that seems to have gone, but has only closed its own half of the connection, is told that
// nothing was done, and not that the database is to blame.
func TestLoginOfABrowserThatSeemsGone(t *testing.T) {
	s := newSite(t)
	h := s.preferences.LoadAndSave(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.sessionFailed(w, r, fmt.Errorf("the client has gone: %w", context.Canceled))
	}))
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequest(http.MethodPost, "/user/login", nil))
	if body := w.Body.String(); w.Code != http.StatusServiceUnavailable || !strings.Contains(body, clientLeft) || strings.Contains(body, "database") {
		t.Errorf("%d\n%s", w.Code, body)
	}
}

var names = url.Values{"name": {"Ann"}, "email": {"ann@example.com"}, "password": {pass}}

func TestTryAgain(t *testing.T) {
	s := newSite(t)
	b := member(t, s.url, "ann")
	page := b.get("/snippet/create")
	form := with(page.hiddenFields(), snippetValues("A <title>", "one\n two", "7"))
	down := errors.New("the network is down")

	s.faulty.Fail(down)
	b.get("/account?a=b").want(t, 503, `<a class="button" href="/account?a=b">Try again</a>`)
	r := b.post("/snippet/create", form)
	r.want(t, 503, `<form action="/snippet/create" method="post">`, "Try again</button>", "What you wrote is kept on this page")
	if got := r.hiddenFields(); !reflect.DeepEqual(got, form) {
		t.Errorf("again it sends %v, want %v", got, form)
	}
	s.faulty.Fail(nil)
	b.post("/snippet/create", r.hiddenFields()).want(t, 200, created, "A &lt;title&gt;")

	for path, form := range map[string]url.Values{
		"/user/login": with(credentials("ann", pass), url.Values{"remember": {"on"}}), "/user/signup": names,
		"/account/password": passwords3(pass, pass+"!", pass+"!"), "/user/logout": {}, "/account/sessions/end-others": {},
	} {
		s.faulty.Fail(down)
		r := b.post(path, form)
		r.want(t, 503, `<form action="`+path+`" method="post">`)
		if strings.Contains(r.body, pass) {
			t.Errorf("%s: the page has the password", path)
		}
		for name := range form {
			if got := r.hiddenFields().Get(name); !secret(name) && got != form.Get(name) {
				t.Errorf("%s: %s is %q", path, name, got)
			}
		}
		s.faulty.Fail(nil)
		if r := b.post(path, r.hiddenFields()); r.StatusCode != 200 && r.StatusCode != 422 {
			t.Errorf("%s again: %d", path, r.StatusCode)
		}
		b.post("/user/login", credentials("ann", pass))
	}
}

// readOnly writes nothing.
type readOnly struct{ sojourn.Store }

func (readOnly) Update(context.Context, sojourn.Record, uint64) error {
	return fmt.Errorf("the disk is full: %w", sojourn.ErrRefused)
}

// The page says that something failed, when the snippet is published: who tries again publishes once.
func TestTryAgainPublishesOnce(t *testing.T) {
	s := newSite(t)
	b := member(t, s.url, "ann")
	form := with(b.get("/snippet/create").hiddenFields(), snippetValues("Once", "Content", "7"))
	store := s.faulty.Store
	s.faulty.Store = readOnly{store} // so the message to be shown cannot be saved
	r := b.post("/snippet/create", form)
	r.want(t, 503, "Try again")
	s.faulty.Store = store
	b.post("/snippet/create", r.hiddenFields()).want(t, 200, "Once")
	if found, err := s.snippets.latest(t.Context()); err != nil || len(found) != seeds+1 {
		t.Errorf("%d snippets, %v, want %d", len(found), err, seeds+1)
	}
}

// The menu tells who somebody is where that is known, and keeps quiet where it is not.
func TestErrorPagesKnowTheirVisitor(t *testing.T) {
	s := newSite(t)
	mux := http.NewServeMux()
	inner := alice.New(s.sessionManager.LoadAndSave, s.identify)
	mux.Handle("/panic", alice.New(s.preferences.LoadAndSave, rememberVisitor, s.recoverPanic).Extend(inner).
		ThenFunc(func(http.ResponseWriter, *http.Request) { panic("oh dear") }))
	mux.Handle("/", s.routes())
	base := serve(t, mux)
	ann, anybody := member(t, base, "ann"), newBrowser(t, base)
	for path, status := range map[string]int{"/nowhere": 404, "/snippet/view/99": 404, "/account/sessions/x/y": 404, "/panic": 500} {
		ann.get(path).want(t, status, "Log out", `id="session-warning"`)
		anybody.get(path).want(t, status, "Log in", "Sign up")
	}
	ann.do("DELETE", "/account", nil).want(t, 405, "Log out")

	neutral := func(what string, r response, status int) {
		t.Helper()
		r.want(t, status, "Home")
		for _, word := range []string{"Log out", "Log in", "Sign up"} {
			if strings.Contains(r.body, word) {
				t.Errorf("%s claims to know who it is: %q", what, word)
			}
		}
	}
	neutral("a page for another site's form", ann.do("POST", "/user/logout", nil, "Sec-Fetch-Site", "cross-site"), 403)
	s.faulty.Fail(errors.New("the network is down"))
	neutral("an outage of the sessions", ann.get("/"), 503)
	neutral("a missing page in an outage", ann.get("/nowhere"), 404)
	s.faulty.Fail(nil)
	s.db.Close()
	neutral("an outage of the database", ann.get("/"), 503)
	neutral("an outage of the database", anybody.get("/"), 503)
}
