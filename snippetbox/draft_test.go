package main

import (
	"html"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"sync"
	"testing"
)

var hiddenInput = regexp.MustCompile(`(?s)<input type="hidden" name="([^"]*)" value="([^"]*)">`)

// hiddenFields is what the page's form sends without being asked.
func (r response) hiddenFields() url.Values {
	v := url.Values{}
	for _, m := range hiddenInput.FindAllStringSubmatch(r.body, -1) {
		v.Add(m[1], html.UnescapeString(m[2]))
	}
	return v
}

// with is v and more.
func with(v, more url.Values) url.Values {
	all := url.Values{}
	for _, m := range []url.Values{v, more} {
		for name, values := range m {
			all[name] = values
		}
	}
	return all
}

func TestDraftOutlivesTheSession(t *testing.T) {
	const content = "line 1\n\n  <b>\"&\" 水</b>\n"
	for _, kept := range []string{inDatabase, inCookies} {
		t.Run(kept, func(t *testing.T) {
			s := newSiteKept(t, "sqlite:"+t.TempDir()+"/test.db", kept)
			b := member(t, s.url, "ann")
			form := with(b.get("/snippet/create").hiddenFields(), snippetValues("A \"draft\" <i>", strings.ReplaceAll(content, "\n", "\r\n"), "7"))
			if err := s.sessionManager.RevokeAll(t.Context(), owner(t, s, "ann")); err != nil {
				t.Fatal(err)
			}

			r := b.post("/snippet/create", form)
			r.want(t, http.StatusForbidden, "What you wrote is kept here", "Log in</button>", `href="/user/login"`)
			if r.Header.Get("Set-Cookie") != "" && kept == inDatabase {
				t.Errorf("it costs a session: %s", r.Header.Get("Set-Cookie"))
			}
			if strings.Contains(r.body, `action="/theme"`) {
				t.Error("a button leads away from the page, and loses it")
			}
			// A mistake does not lose it, nor do too many.
			for range accountGuesses {
				r = b.post("/user/login", with(r.hiddenFields(), credentials("ann", "wrong password")))
				r.want(t, 422, "Email or password is incorrect", "What you wrote is kept here")
			}
			r = b.post("/user/login", with(r.hiddenFields(), credentials("ann", pass)))
			r.want(t, http.StatusTooManyRequests, "What you wrote is kept here")
			s.guesses = newGuesses()

			r = b.post("/user/login", with(r.hiddenFields(), credentials("ann", pass)))
			r.want(t, 200, "Log out", "not published yet", `value="A &#34;draft&#34; &lt;i&gt;"`, "line 1\n\n  &lt;b&gt;&#34;&amp;&#34; 水&lt;/b&gt;\n</textarea>", `value="7" checked`)
			if found, err := s.snippets.latest(t.Context()); err != nil || len(found) != seeds {
				t.Errorf("%d snippets, %v: the draft was published by itself", len(found), err)
			}
			b.post("/snippet/create", with(r.hiddenFields(), form)).want(t, 200, created, "in 7 days", "A &#34;draft&#34; &lt;i&gt;")
			b.get("/user/login")
			if r := b.post("/user/login", credentials("ann", pass)); strings.Contains(r.body, "not published") || r.Request.URL.Path != "/" {
				t.Error("the draft comes back")
			}
		})
	}
}

// owner is how sessions name the person of that name.
func owner(t *testing.T, s *site, name string) string {
	t.Helper()
	u, err := s.users.byEmail(t.Context(), name+"@example.com")
	if err != nil {
		t.Fatal(err)
	}
	return u.owner()
}

// As much as a form of its own can hold comes through beside email and password, too.
func TestDraftMayBeAsLargeAsAForm(t *testing.T) {
	s := newSite(t)
	b := newBrowser(t, s.url)
	signUp(t, b, "ann")
	form := snippetValues("Large", "", "7")
	form.Set("content", strings.Repeat("x", maxForm-len(form.Encode())))
	r := b.post("/snippet/create", form)
	r.want(t, http.StatusForbidden, "What you wrote is kept here")
	r = b.post("/user/login", with(r.hiddenFields(), credentials("ann", pass)))
	r.want(t, 200, "not published yet", form.Get("content"))
	form.Set("content", form.Get("content")+"x")
	newBrowser(t, s.url).post("/snippet/create", form).want(t, http.StatusRequestEntityTooLarge)
}

// Another site can neither have the draft of somebody shown nor plant one of its own.
func TestDraftOfAnotherSiteIsRefused(t *testing.T) {
	s := newSite(t)
	b := newBrowser(t, s.url)
	signUp(t, b, "ann")
	form := with(snippetValues("Planted", "by another", "7"), credentials("ann", pass))
	for _, path := range []string{"/snippet/create", "/user/login"} {
		r := b.do("POST", path, strings.NewReader(form.Encode()), "Content-Type", "application/x-www-form-urlencoded", "Sec-Fetch-Site", "cross-site")
		r.want(t, http.StatusForbidden, "This came from a page of another site")
		if strings.Contains(r.body, "Planted") {
			t.Error("it is shown")
		}
	}
}

// A form that is sent twice, at once or after a lost answer, is one snippet.
func TestFormSentTwicePublishesOnce(t *testing.T) {
	everyDatabase(t, func(t *testing.T, database string) {
		s := newSiteOn(t, database)
		b := member(t, s.url, "ann")
		form := with(b.get("/snippet/create").hiddenFields(), snippetValues("Once", "Content", "7"))
		var all sync.WaitGroup
		for range 8 {
			all.Go(func() {
				if r := b.post("/snippet/create", form); r.StatusCode != 200 || !strings.Contains(r.body, "Once") {
					t.Errorf("%d at %s", r.StatusCode, r.Request.URL)
				}
			})
		}
		all.Wait()
		if found, err := s.snippets.latest(t.Context()); err != nil || len(found) != seeds+1 {
			t.Errorf("%d snippets, %v, want one more than the %d of the start", len(found), err, seeds)
		}
		// The name of Ann's form is nothing to Ben.
		ben := member(t, s.url, "ben")
		for range 2 {
			ben.post("/snippet/create", form).want(t, 200, created, `<span class="author">ben</span>`)
		}
		// Each form has another, and one without is given one.
		for range 2 {
			b.post("/snippet/create", snippetValues("Without", "Content", "7")).want(t, 200, created)
		}
		if found, err := s.snippets.latest(t.Context()); err != nil || len(found) != seeds+4 {
			t.Errorf("%d snippets, %v, want %d", len(found), err, seeds+4)
		}
	})
}
