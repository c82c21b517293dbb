package admin_test

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/gosojourn/sojourn"
	"github.com/gosojourn/sojourn/admin"
	"github.com/gosojourn/sojourn/memstore"
)

// Nobody mounts these pages without saying who may see them.
func TestNewRefuses(t *testing.T) {
	_, err := admin.New(nil, admin.Config{SearchLimit: -1})
	for _, word := range []string{"manager is nil", "Authorize is nil", "SearchLimit (-1)"} {
		if err == nil || !strings.Contains(err.Error(), word) {
			t.Errorf("New says %v, want %q in it", err, word)
		}
	}
	m, err := sojourn.New(memstore.New(), sojourn.Config{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := admin.New(m, admin.Config{}); err == nil || strings.Contains(err.Error(), "\n") {
		t.Errorf("without Authorize New says %v", err)
	}
}

// Who may not sees nothing of anybody, wherever they look, and does nothing.
func TestWhoMayNotSeesNothing(t *testing.T) {
	s := newSite(t)
	s.device = sojourn.Device{Label: "Firefox on Linux"}
	ann := s.as("ann")
	id := s.info(ann).ID
	for who, b := range map[string]interface {
		Get(string) *http.Response
		PostForm(string, url.Values) *http.Response
	}{"bob": s.as("bob"), "a visitor": s.as("")} {
		for _, path := range []string{"", "?by=owner&q=ann", "session?id=" + id, "figures", "nowhere"} {
			body := want(t, b.Get("/admin/"+path), 403, "administrators")
			lacks(t, body, "ann", "Firefox", id, "the words of the application", "event:")
		}
		for _, path := range []string{"end-session?id=" + id, "end-owner?owner=ann", "end-everyone"} {
			want(t, b.PostForm("/admin/"+path, url.Values{"confirm": {"everybody"}}), 403)
		}
		if s.info(ann).Owner != "ann" {
			t.Fatalf("%s has ended a session", who)
		}
	}
	if acts := s.told.acts(); len(acts) != 0 {
		t.Errorf("told of %v", acts)
	}
}

// An authorizer that cannot tell is no refusal, and one that names nobody is one.
func TestAuthorizersAnswer(t *testing.T) {
	s := newSite(t)
	answer := error(nil)
	who := ""
	s.mount(admin.Config{Authorize: func(*http.Request) (string, error) { return who, answer }})
	b := s.as("root")
	want(t, b.Get("/admin/"), 403)
	who = "root"
	want(t, b.Get("/admin/"), 200)
	s.store.Fail(errors.New("no route to host"))
	_, answer = s.Count(t.Context())
	s.store.Fail(nil)
	want(t, b.Get("/admin/"), 503, "does not answer")
}

// Every answer has the policy, also one that refuses; and there is nothing inline that would need an exception.
func TestPagesKeepTheirOwnPolicy(t *testing.T) {
	s := newSite(t)
	root, bob := s.as("root"), s.as("bob")
	id := s.info(root).ID
	for _, res := range []*http.Response{
		root.Get("/admin/"), root.Get("/admin/session?id=" + id), root.Get("/admin/nowhere"), bob.Get("/admin/"),
		root.Get("/admin/style.css"), root.Get("/admin/live.js"), root.PostForm("/admin/end-everyone", nil),
	} {
		body := page(t, res)
		csp := res.Header.Get("Content-Security-Policy")
		for _, rule := range []string{"default-src 'none'", "script-src 'self'", "style-src 'self'", "form-action 'self'", "frame-ancestors 'none'", "base-uri 'none'"} {
			if !strings.Contains(csp, rule) {
				t.Errorf("%s: the policy is %q, without %q", res.Request.URL, csp, rule)
			}
		}
		if strings.Contains(csp, "unsafe") || strings.Contains(csp, "*") {
			t.Errorf("%s: the policy is %q", res.Request.URL, csp)
		}
		if kind := res.Header.Get("Content-Type"); !strings.HasPrefix(kind, "text/html") {
			continue
		}
		if c := res.Header.Get("Cache-Control"); c != "no-store" {
			t.Errorf("%s may be kept: %q", res.Request.URL, c)
		}
		lacks(t, body, "<style", " style=", " onclick", "javascript:", "http://", "https://")
		for _, line := range strings.Split(body, "\n") {
			if strings.Contains(line, "<script") && !strings.Contains(line, `<script src="live.js?`) {
				t.Errorf("%s: %s", res.Request.URL, line)
			}
		}
	}
	if res := root.Get("/admin/style.css"); res.Header.Get("Content-Type") != "text/css; charset=utf-8" || res.Header.Get("X-Content-Type-Options") != "nosniff" {
		t.Errorf("the style sheet is %v", res.Header)
	}
}

// A form of another site does nothing, and neither does a link.
func TestOtherSitesEndNothing(t *testing.T) {
	s := newSite(t)
	root, ann := s.as("root"), s.as("ann")
	id := s.info(ann).ID
	for _, path := range []string{"/admin/end-session?id=" + id, "/admin/end-owner?owner=ann", "/admin/end-everyone?confirm=everybody"} {
		want(t, root.Get(path), 405)
		for name, value := range map[string]string{"Sec-Fetch-Site": "cross-site", "Origin": "https://evil.example"} {
			r := httptest.NewRequest("POST", root.Base+path, nil)
			r.Header.Set(name, value)
			want(t, root.Do(r), 403, "another site")
		}
	}
	if s.info(ann).Owner != "ann" || len(s.told.acts()) != 0 {
		t.Error("something has ended")
	}
}

// Each action does what it says, and is told with who asked for it.
func TestActions(t *testing.T) {
	s := newSite(t)
	root := s.as("root")
	first, second, visitor := s.as("ann"), s.as("ann"), s.as("")
	id := s.info(first).ID
	event := func(reason, owner string, failed bool) {
		t.Helper()
		acts := s.told.acts()
		if len(acts) != 1 || acts[0].Actor != "root@example.com" || acts[0].Reason != reason || acts[0].Owner != owner || (acts[0].Err != nil) != failed {
			t.Errorf("told of %+v", acts)
		}
	}
	s.told.acts()

	want(t, root.PostForm("/admin/end-session?id="+id, nil), 200, "The session has ended", "You act as <bdi>root@example.com</bdi>")
	event("revoke", "ann", false)
	if s.info(first).Owner != "" || s.info(second).Owner != "ann" {
		t.Error("another one has ended, or none")
	}
	want(t, root.PostForm("/admin/end-session?id="+id, nil), 404, "has ended already")
	event("revoke", "", true)

	want(t, root.PostForm("/admin/end-session?id="+s.info(visitor).ID, nil), 200, "The session has ended")
	event("revoke", "", false)
	if s.info(visitor).ID != "" {
		t.Error("the visitor's session goes on")
	}

	want(t, root.PostForm("/admin/end-owner?owner=ann", nil), 200, "All sessions of this owner have ended")
	event("revoke_all", "ann", false)
	if s.info(second).Owner != "" {
		t.Error("a session of ann goes on")
	}
	for path, words := range map[string]string{"end-session": "no id", "end-session?id=x": "no id", "end-owner": "whose"} {
		want(t, root.PostForm("/admin/"+path, nil), 400, "Nothing was done", words)
	}
	if acts := s.told.acts(); len(acts) != 0 {
		t.Errorf("told of %+v, and nothing was asked for", acts)
	}
}

// An administrator who ends his own session is told so, and is out.
func TestOwnSession(t *testing.T) {
	for _, end := range []string{"end-session?id=", "end-owner?owner=root&x="} {
		s := newSite(t)
		root := s.as("root")
		body := want(t, root.PostForm("/admin/"+end+s.info(root).ID, nil), 200, "Your own session was among them")
		lacks(t, body, "Back to", "You act as")
		want(t, root.Get("/admin/"), 403)
	}
}

// When the store does not answer, nothing is reported as done, and nobody as without a session.
func TestStoreIsAway(t *testing.T) {
	s := newSite(t)
	s.mount(admin.Config{Authorize: func(*http.Request) (string, error) { return "root", nil }}) // needs no session
	ann := s.as("ann")
	id := s.info(ann).ID
	root := s.as("")
	root.SetCookies(nil)
	s.store.Fail(errors.New("no route to <host>"))
	s.told.acts()
	want(t, root.Get("/admin/"), 503, "does not answer", "no route to &lt;host&gt;", "the store did not answer")
	want(t, root.Get(find("owner", "ann")), 503, "does not answer")
	want(t, root.Get(find("device", "ann")), 503, "does not answer")
	want(t, root.Get("/admin/session?id="+id), 503, "does not answer")
	want(t, root.PostForm("/admin/end-session?id="+id, nil), 503, "may not have been done", `<form action="end-session?id=`+id+`" method="post">`)
	want(t, root.PostForm("/admin/end-owner?owner=an%26n", nil), 503, "may not have been done", `<form action="end-owner?owner=an%26n" method="post">`)
	acts := s.told.acts()
	if len(acts) != 2 || acts[0].Err == nil || acts[1].Err == nil {
		t.Errorf("told of %+v", acts)
	}
	s.store.Fail(fmt.Errorf("%w: the disk is read-only", sojourn.ErrRefused))
	want(t, root.PostForm("/admin/end-owner?owner=ann", nil), 503, "Nothing was done", "The store refuses")
	s.store.Fail(nil)
	if s.info(ann).Owner != "ann" {
		t.Error("the session has ended")
	}
}

// Where the administrator's own session cannot be read either, the manager's error page answers.
func TestSessionOfTheAdministratorIsAway(t *testing.T) {
	s := newSite(t)
	root := s.as("root")
	s.store.Fail(errors.New("no route to host"))
	want(t, root.Get("/admin/"), 503)
	s.store.Fail(nil)
	want(t, root.Get("/admin/"), 200)
}

// bare is a store with nothing but the five methods.
type bare struct{ sojourn.Store }

// What a store cannot do is said on the page.
func TestStoreCannot(t *testing.T) {
	s := newSiteOn(t, bare{memstore.New()}, admin.Config{})
	root, ann := s.as("root"), s.as("ann")
	want(t, root.Get("/admin/"), 200, "cannot tell which there are", "does not count them")
	want(t, root.Get(find("owner", "ann")), 200, "cannot tell which there are", "End all sessions of")
	want(t, root.Get(find("device", "x")), 200, "cannot tell which there are")
	want(t, root.Get(find("id", s.info(ann).ID)), 200, "1 session with this id", "ann")
	want(t, root.PostForm("/admin/end-owner?owner=ann", nil), 501, "Nothing was done", "cannot do that")
	want(t, root.PostForm("/admin/end-session?id="+s.info(ann).ID, nil), 200, "The session has ended")
}

// The pages say how they are to be mounted where they are not.
func TestNotMounted(t *testing.T) {
	s := newSite(t)
	root := s.as("root")
	s.app = s.LoadAndSave(s.pages)
	lost := s.as("root")
	want(t, lost.Get("/admin/"), 404, "http.StripPrefix")
	want(t, root.Get("/admin/nowhere"), 404)
	s.app = s.LoadAndSave(http.StripPrefix("/admin/", s.pages)) // its slash, too
	lost = s.as("root")
	for _, path := range []string{"/admin/", "/admin/session"} {
		want(t, lost.Get(path), 404, "http.StripPrefix")
	}
}
