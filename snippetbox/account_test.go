package main

import (
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"
)

func passwords3(current, chosen, again string) url.Values {
	return url.Values{"currentPassword": {current}, "newPassword": {chosen}, "newPasswordConfirmation": {again}}
}

func TestNewPasswordLogsOutEverywhereElse(t *testing.T) {
	everyDatabase(t, func(t *testing.T, database string) {
		s := newSiteOn(t, database)
		here, ben := member(t, s.url, "ann"), member(t, s.url, "ben")
		others := []*browser{as(t, s.url, "ann"), as(t, s.url, "ann")}
		cookie := here.cookie()
		r := here.post("/account/password", passwords3(pass, "a new password", "a new password"))
		r.want(t, 200, "Your password was changed", "Member since")
		if here.cookie() == cookie {
			t.Error("the token is the same as before")
		}
		for _, b := range others {
			if r := b.get("/account"); r.Request.URL.Path != "/user/login" {
				t.Error("another browser is still logged in")
			}
		}
		here.get("/account").want(t, 200, "ann@example.com", `<strong id="visits">4</strong>`)
		ben.get("/account").want(t, 200, "ben@example.com")
		others[0].post("/user/login", credentials("ann", pass)).want(t, 422)
		others[0].post("/user/login", credentials("ann", "a new password")).want(t, 200, "Log out")
	})
}

// Logins with the old password, while it is being changed, end up logged out.
func TestLoginInFlightDoesNotSurviveANewPassword(t *testing.T) {
	everyDatabase(t, func(t *testing.T, database string) {
		s := newSiteOn(t, database)
		s.guesses.accounts = newLimit(100, time.Minute)
		here := member(t, s.url, "ann")
		others := make([]*browser, 8)
		var all sync.WaitGroup
		for i := range others {
			others[i] = newBrowser(t, s.url)
			all.Go(func() { others[i].post("/user/login", credentials("ann", pass)) })
		}
		here.post("/account/password", passwords3(pass, "a new password", "a new password")).want(t, 200, "Your password was changed")
		all.Wait()
		for _, b := range others {
			if r := b.get("/account"); r.Request.URL.Path != "/user/login" {
				t.Error("a login with the old password survives")
			}
		}
		here.get("/account").want(t, 200, "Member since")
	})
}

func TestTwoChangesOfThePasswordAtOnce(t *testing.T) {
	s := newSite(t)
	member(t, s.url, "ann")
	u, err := s.users.byEmail(t.Context(), "ann@example.com")
	if err != nil {
		t.Fatal(err)
	}
	if err := s.users.setHash(t.Context(), s.db, u, "one"); err != nil {
		t.Error(err)
	}
	if err := s.users.setHash(t.Context(), s.db, u, "two"); err != errNoUser {
		t.Errorf("the second change: %v, want %v", err, errNoUser)
	}
}

func TestPasswordFormSaysWhatIsWrong(t *testing.T) {
	s := newSite(t)
	b := member(t, s.url, "ann")
	for _, c := range []struct {
		form url.Values
		say  string
	}{
		{nil, `id="newPassword-error"`},
		{passwords3("", "a new password", "a new password"), `id="currentPassword-error"`},
		{passwords3("wrong password", "a new password", "a new password"), "This is not your current password"},
		{passwords3(pass, "short", "short"), "at least 8"},
		{passwords3(pass, "a new password", "another"), `id="newPasswordConfirmation-error"`},
	} {
		r := b.post("/account/password", c.form)
		r.want(t, http.StatusUnprocessableEntity, c.say, "autofocus")
		if strings.Contains(r.body, "a new password") || strings.Contains(r.body, pass) {
			t.Error("the page shows a password")
		}
	}
	as(t, s.url, "ann").get("/account").want(t, 200)
}

var sessionRow = regexp.MustCompile(`data-session-id="([^"]+)"( data-current)?`)

// rows are the ids on b's page of sessions, its own first.
func rows(t *testing.T, b *browser) (ids []string) {
	t.Helper()
	r := b.get("/account/sessions")
	r.want(t, 200, "This device")
	for i, m := range sessionRow.FindAllStringSubmatch(r.body, -1) {
		if (i == 0) != (m[2] != "") {
			t.Errorf("row %d: current is %t", i, m[2] != "")
		}
		ids = append(ids, m[1])
	}
	return ids
}

func loggedIn(b *browser) bool { return b.get("/account").Request.URL.Path == "/account" }

func TestYourSessions(t *testing.T) {
	everyDatabase(t, func(t *testing.T, database string) {
		s := newSiteOn(t, database)
		here, ben := member(t, s.url, "ann"), member(t, s.url, "ben")
		there := newBrowser(t, s.url)
		there.do("POST", "/user/login", strings.NewReader(credentials("ann", pass).Encode()), "Content-Type", "application/x-www-form-urlencoded",
			"User-Agent", "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36")
		here.get("/account/sessions").want(t, 200, "Chromium on Linux", "Unknown device", "127.0.0.1", "just now", "End all other sessions")

		ids := rows(t, here)
		if len(ids) != 2 || rows(t, there)[1] != ids[0] || len(ids[0]) != 24 {
			t.Fatalf("sessions %q and %q", ids, rows(t, there))
		}
		stranger := rows(t, ben)[0]
		for _, id := range []string{stranger, "nonsense", strings.Repeat("A", 24), here.cookie()} {
			here.post("/account/sessions/"+id+"/end", nil).want(t, http.StatusNotFound)
		}
		if !loggedIn(ben) || !loggedIn(there) || !loggedIn(here) {
			t.Fatal("somebody was logged out")
		}
		here.post("/account/sessions/"+ids[1]+"/end", nil).want(t, 200, "That session has ended.")
		if loggedIn(there) || !loggedIn(here) || len(rows(t, here)) != 1 {
			t.Error("the wrong one was ended")
		}
		here.post("/account/sessions/"+ids[1]+"/end", nil).want(t, http.StatusNotFound)

		there, third := as(t, s.url, "ann"), as(t, s.url, "ann")
		here.post("/account/sessions/end-others", nil).want(t, 200, "All your other sessions have ended.")
		if loggedIn(there) || loggedIn(third) || !loggedIn(here) || !loggedIn(ben) {
			t.Error("not exactly the others were ended")
		}
		r := here.post("/account/sessions/"+ids[0]+"/end", nil)
		r.want(t, 200, "been logged out successfully!")
		if loggedIn(here) {
			t.Error("still logged in after ending this session")
		}
	})
}

func TestOnlyAFreshLoginEndsSessions(t *testing.T) {
	s := newSite(t)
	signUp(t, newBrowser(t, s.url), "ann")
	s.freshFor = time.Nanosecond
	stale := serve(t, s.routes())
	here, there := as(t, stale, "ann"), as(t, s.url, "ann")
	ids := rows(t, here)
	for _, path := range []string{"/account/sessions/" + ids[1] + "/end", "/account/sessions/end-others"} {
		r := here.do("POST", path, nil, "Referer", stale+"/account/sessions")
		r.want(t, 200, "Please log in and try again", "You are logged in as")
		r = here.post("/user/login", credentials("ann", pass))
		if r.Request.URL.Path != "/account/sessions" {
			t.Errorf("after %s the login leads to %s", path, r.Request.URL.Path)
		}
	}
	if !loggedIn(there) {
		t.Error("a login that is not fresh ended a session")
	}
	here.post("/account/sessions/"+ids[0]+"/end", nil).want(t, 200, "been logged out successfully!")
}

func TestAtMostTenSessions(t *testing.T) {
	s := newSite(t)
	oldest := member(t, s.url, "ann")
	var last *browser
	for range maxDevices {
		last = as(t, s.url, "ann")
	}
	if n := len(rows(t, last)); n != maxDevices || loggedIn(oldest) {
		t.Errorf("%d sessions, the oldest still there: %t", n, loggedIn(oldest))
	}
}

func TestDeletedAccountIsAnonymous(t *testing.T) {
	everyDatabase(t, func(t *testing.T, database string) {
		s := newSiteOn(t, database)
		b, other := member(t, s.url, "ann"), as(t, s.url, "ann")
		b.post("/snippet/create", snippetValues("Title", "Content", "1")).want(t, 200, "by <span")
		if _, err := s.db.Exec("DELETE FROM users"); err != nil {
			t.Fatal(err)
		}
		r := b.get("/snippet/view/4")
		r.want(t, 200, "Title", "Sign up")
		if strings.Contains(r.body, "ann") || strings.Contains(r.body, "Log out") {
			t.Errorf("the page is still for Ann:\n%s", r.body)
		}
		if loggedIn(b) || loggedIn(other) {
			t.Error("an account that is no more is logged in")
		}
		var n int
		if err := s.db.QueryRow("SELECT COUNT(*) FROM sessions").Scan(&n); err != nil || n != 2 {
			t.Errorf("%d sessions, %v, want the two new ones", n, err)
		}
	})
}

func TestCompliance(t *testing.T) {
	t.Run("O37 private pages are kept by no cache", func(t *testing.T) {
		b := member(t, newSite(t).url, "ann")
		for _, path := range []string{"/", "/snippet/view/1", "/snippet/create", "/account", "/account/password", "/account/sessions", "/user/login",
			"/user/signup", "/visits", "/session/status", "/account/nowhere"} {
			if got := b.get(path).Header.Get("Cache-Control"); got != "no-store" {
				t.Errorf("%s: Cache-Control: %q, want no-store", path, got)
			}
		}
	})
	t.Run("O38 logging out clears what the browser keeps", func(t *testing.T) {
		s := newSite(t)
		b := member(t, s.url, "ann").stay()
		if got := b.post("/user/logout", nil).Header.Get("Clear-Site-Data"); got != `"cache", "storage"` {
			t.Errorf("Clear-Site-Data: %s", got)
		}
		if b.cookie() == "" {
			t.Error("the cookie of the goodbye is gone")
		}
	})
	t.Run("O40 asking for the status extends nothing", func(t *testing.T) {
		s := newSite(t)
		b := member(t, s.url, "ann")
		id := rows(t, b)[0]
		read := func() (r struct{ expiry, seen time.Time }) {
			rec, err := s.faulty.Load(t.Context(), id)
			if err != nil {
				t.Fatal(err)
			}
			r.expiry, r.seen = rec.Expiry, rec.Seen
			return r
		}
		// As it would be half an hour later, when any use is written down.
		rec, err := s.faulty.Load(t.Context(), id)
		if err != nil {
			t.Fatal(err)
		}
		rec.Expiry, rec.Seen = rec.Expiry.Add(-30*time.Minute), rec.Seen.Add(-30*time.Minute)
		if err := s.faulty.Touch(t.Context(), rec); err != nil {
			t.Fatal(err)
		}
		before := read()
		r := b.get("/session/status")
		r.want(t, 200, `"live":true`, `"loggedIn":true`, `"expiresIn":17`)
		if after := read(); after != before || r.Header.Get("Set-Cookie") != "" {
			t.Errorf("from %v to %v", before, after)
		}
		b.post("/session/stay", nil).want(t, http.StatusNoContent)
		if after := read(); !after.expiry.After(before.expiry) {
			t.Error("staying extends nothing")
		}
	})
}
