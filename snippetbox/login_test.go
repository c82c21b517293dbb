package main

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"
)

func TestSignUpLogInLogOut(t *testing.T) {
	everyDatabase(t, func(t *testing.T, database string) {
		s := newSiteOn(t, database)
		b := newBrowser(t, s.url)
		b.get("/").want(t, 200, "Sign up", "Log in")
		r := b.post("/user/signup", url.Values{"name": {" Ann \t Other\n"}, "email": {" Ann@Example.COM "}, "password": {pass}})
		r.want(t, 200, "Your signup was successful. Please log in.", "Log in</button>")
		if r.Request.URL.Path != "/user/login" || strings.Contains(r.body, "Log out") {
			t.Errorf("signing up led to %s, want the login page, not logged in", r.Request.URL.Path)
		}
		b.post("/user/signup", url.Values{"name": {"Eve"}, "email": {"aNN@example.com"}, "password": {pass}}).want(t, 422, "already in use")
		before := b.cookie()
		r = b.post("/user/login", url.Values{"email": {"ANN@example.com"}, "password": {pass}})
		r.want(t, 200, "Log out", "Create snippet", `id="session-warning"`)
		if b.cookie() == before || r.Request.URL.Path != "/" {
			t.Errorf("the login leads to %s, with the same cookie: %t", r.Request.URL.Path, b.cookie() == before)
		}
		during := b.cookie()
		b.get("/account").want(t, 200, "Ann Other", "ann@example.com", time.Now().UTC().Format("2 January 2006"))
		r = b.post("/user/logout", nil)
		r.want(t, 200, "You&#39;ve been logged out successfully!", "Log in")

		for name, token := range map[string]string{"before the login": before, "before the logout": during} {
			old := newBrowser(t, s.url).stay()
			r := old.do("GET", "/account", nil, "Cookie", "id="+token)
			if r.StatusCode != http.StatusSeeOther || r.Header.Get("Location") != "/user/login" {
				t.Errorf("the cookie of %s still gets %d", name, r.StatusCode)
			}
			r = old.do("GET", "/visits", nil, "Cookie", "id="+token)
			if r.body != "0" {
				t.Errorf("the cookie of %s still reads %q visits", name, r.body)
			}
		}
	})
}

func TestPasswordIsNeverShownAgain(t *testing.T) {
	b := newBrowser(t, newSite(t).url)
	signUp(t, b, "ann")
	for _, c := range []struct {
		path   string
		form   url.Values
		status int
		say    []string
	}{
		{"/user/signup", nil, 422, []string{`id="name-error"`, `id="email-error"`, `id="password-error"`, `aria-describedby="name-error name-hint" autofocus`}},
		{"/user/signup", url.Values{"name": {"Kept Name"}, "email": {"kept@address"}, "password": {"s3cret!"}}, 422,
			[]string{`value="Kept Name"`, `value="kept@address"`, `id="password-error"`, "at least 8", `aria-describedby="password-error password-hint" autofocus`}},
		{"/user/signup", url.Values{"name": {strings.Repeat("n", 101)}, "email": {"no address"}, "password": {"s3cret!-s3cret!"}}, 422,
			[]string{"these are 101", `id="email-error"`, `value="no address"`}},
		{"/user/signup", url.Values{"name": {"Kept Name"}, "email": {strings.Repeat("e", 250) + "@example.com"}, "password": {strings.Repeat("s3cret!", 40)}}, 422,
			[]string{`id="email-error"`, "at most 254", "at most 256"}},
		{"/user/signup", url.Values{"name": {"Kept Name"}, "email": {"ANN@EXAMPLE.com"}, "password": {"s3cret!-s3cret!"}}, 422,
			[]string{"already in use", `value="Kept Name"`}},
		{"/user/login", nil, 422, []string{`id="email-error"`, `id="password-error"`}},
		{"/user/login", url.Values{"email": {"kept@example.com"}, "password": {"s3cret!"}, "remember": {"on"}}, 422,
			[]string{"Email or password is incorrect", `value="kept@example.com"`, `value="on" checked`, `aria-describedby="password-error" autofocus`}},
	} {
		r := b.post(c.path, c.form)
		r.want(t, c.status, append(c.say, `role="alert"`, "<title>Please check")...)
		if strings.Contains(r.body, "s3cret!") {
			t.Errorf("%s shows the password", c.path)
		}
	}
}

func TestPasswordMayBeLong(t *testing.T) {
	s := newSite(t)
	b := newBrowser(t, s.url)
	long := strings.Repeat("水 \x00", 64)
	b.post("/user/signup", url.Values{"name": {"ann"}, "email": {"ann@example.com"}, "password": {long}}).want(t, 200)
	b.post("/user/login", credentials("ann", long[:len(long)-1])).want(t, 422)
	b.post("/user/login", credentials("ann", strings.TrimSpace(long))).want(t, 200, "Log out")
}

// Two sites, of which one knows the address: their answers are the same, byte for byte.
func TestLoginTellsNotWhoHasAnAccount(t *testing.T) {
	known, unknown := newSite(t), newSite(t)
	signUp(t, newBrowser(t, known.url), "ann")
	a, b := newBrowser(t, known.url), newBrowser(t, unknown.url)
	for i := range accountGuesses + 1 {
		x, y := a.post("/user/login", credentials("ann", "wrong password")), b.post("/user/login", credentials("ann", "wrong password"))
		for _, h := range []http.Header{x.Header, y.Header} {
			h.Del("Date")
		}
		if x.StatusCode != y.StatusCode || x.body != y.body || len(x.Header) != len(y.Header) {
			t.Errorf("attempt %d: %d %v and %d %v\n%s\n%s", i, x.StatusCode, x.Header, y.StatusCode, y.Header, x.body, y.body)
		}
	}
}

func TestLoginLeadsToThePageThatWasAskedFor(t *testing.T) {
	s := newSite(t)
	signUp(t, newBrowser(t, s.url), "ann")
	b := newBrowser(t, s.url)
	r := b.get("/account/sessions?from=mail")
	if r.want(t, 200, "Log in</button>"); r.Request.URL.Path != "/user/login" {
		t.Errorf("led to %s", r.Request.URL.Path)
	}
	b.post("/user/login", credentials("ann", "wrong password")).want(t, 422)
	if r = b.post("/user/login", credentials("ann", pass)); r.Request.URL.RequestURI() != "/account/sessions?from=mail" {
		t.Errorf("led to %s", r.Request.URL)
	}
	if r = b.post("/user/login", credentials("ann", pass)); r.Request.URL.Path != "/" {
		t.Errorf("the second login leads to %s as well", r.Request.URL)
	}

	b = newBrowser(t, s.url)
	for _, from := range []string{"https://evil.example/account", "nonsense:%zz"} {
		b.do("POST", "/account/password", nil, "Referer", from).want(t, 200, "nothing was done yet")
		if r = b.post("/user/login", credentials("ann", pass)); r.Request.URL.String() != s.url+"/" {
			t.Errorf("a form from %s leads to %s", from, r.Request.URL)
		}
		b.post("/user/logout", nil)
	}
	b.do("POST", "/account/password", nil, "Referer", s.url+"/account/password").want(t, 200)
	b.post("/user/login", credentials("ann", pass)).want(t, 200, "Current password")
}

func TestOnlyPagesOfThisSiteAreLedTo(t *testing.T) {
	for _, page := range []string{"//evil", "https://evil.example", `/\evil`, `\\evil`, "/\t/evil", "/\n//evil", "///evil", "javascript:alert(1)", "",
		"evil", "/a\\..\\b", "/ /evil", "/%zz", "/" + strings.Repeat("x", 1000)} {
		if local(page) {
			t.Errorf("%q is taken for a page of this site", page)
		}
	}
	for _, page := range []string{"/", "/account", "/snippet/view/1?a=https://b", "/%2F/evil"} {
		if !local(page) {
			t.Errorf("%q is not taken for a page of this site", page)
		}
	}
	// Not even one that has got into the session.
	s := newSite(t)
	signUp(t, newBrowser(t, s.url), "ann")
	mux := http.NewServeMux()
	mux.Handle("/plant", s.sessionManager.LoadAndSave(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		wanted.Put(r.Context(), "//evil.example")
	})))
	mux.Handle("/", s.routes())
	b := newBrowser(t, serve(t, mux)).stay()
	b.get("/plant")
	if r := b.post("/user/login", credentials("ann", pass)); r.Header.Get("Location") != "/" {
		t.Errorf("led to %s", r.Header.Get("Location"))
	}
}

func TestAnotherPersonSeesNothingOfTheFirst(t *testing.T) {
	s := newSite(t)
	signUp(t, newBrowser(t, s.url), "ben")
	b := member(t, s.url, "ann").stay()
	b.get("/")
	b.post("/snippet/create", snippetValues("Title", "Content", "1")).want(t, 303) // a flash for Ann
	b.get("/account/password")
	b.post("/user/login", credentials("ben", pass)).want(t, 303)
	r := b.get("/account")
	r.want(t, 200, "ben@example.com", `<strong id="visits">1</strong>`)
	for _, word := range []string{"ann", created} {
		if strings.Contains(r.body, word) {
			t.Errorf("Ben sees %q", word)
		}
	}
}

func TestLoggingInAgainKeepsTheSession(t *testing.T) {
	b := member(t, newSite(t).url, "ann")
	cookie := b.cookie()
	b.get("/user/login").want(t, 200, "You are logged in as <strong>ann</strong>", "Log in</button>")
	b.post("/user/login", credentials("ann", pass)).want(t, 200, `<strong id="visits">4</strong>`)
	if b.cookie() == cookie {
		t.Error("the cookie is the same")
	}
}

func TestRememberMe(t *testing.T) {
	s := newSite(t)
	signUp(t, newBrowser(t, s.url), "ann")
	b := newBrowser(t, s.url).stay()
	form := credentials("ann", pass)
	if line := b.post("/user/login", form).Header.Get("Set-Cookie"); strings.Contains(line, "Max-Age") {
		t.Errorf("not remembered: %s", line)
	}
	form.Set("remember", "on")
	if line := b.post("/user/login", form).Header.Get("Set-Cookie"); !strings.Contains(line, "Max-Age=2592000;") {
		t.Errorf("remembered: %s", line)
	}
	b.get("/account/sessions").want(t, 200, "Remembered", time.Now().UTC().AddDate(0, 0, 30).Format("2 January 2006"))
	form.Del("remember")
	if line := b.post("/user/login", form).Header.Get("Set-Cookie"); strings.Contains(line, "Max-Age") {
		t.Errorf("not remembered any more: %s", line)
	}
}
