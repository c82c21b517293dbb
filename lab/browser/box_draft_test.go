package browser

import "testing"

// Somebody writes while the session is ended elsewhere. What was written outlives it, a wrong password and
// the login, and is published when its writer says so.
func TestDraftOutlivesTheSession(t *testing.T) {
	onEach(t, func(t *testing.T, scheme string) {
		s := start(t, scheme)
		b, elsewhere := s.browser(t).member("ann"), s.browser(t)
		elsewhere.logIn("ann")
		b.get("/snippet/create")
		b.fill(map[string]string{"title": "Half a \"thought\" <b>", "content": "\nline 1\n  line 2 & more\n", "expires": "7"})
		elsewhere.get("/account/sessions")
		elsewhere.press("End all other sessions")
		elsewhere.says("All your other sessions have ended.")

		b.press("Publish snippet")
		b.says("What you wrote is kept here, and is not published yet")
		b.lacks("Log out")
		b.fill(map[string]string{"email": "ann@example.com", "password": "wrong password"})
		b.press("Log in")
		b.says("Email or password is incorrect")
		b.fill(map[string]string{"password": pass})
		b.press("Log in")
		b.says("Your snippet is not published yet")
		b.says("Log out")
		want := `JSON.stringify(["Half a \"thought\" <b>", "\nline 1\n  line 2 & more\n", "7"])`
		b.until(`JSON.stringify(["title", "content", "expires"].map(n => document.querySelector("main form").elements[n].value)) === ` + want)
		b.press("Publish snippet")
		b.says("Snippet successfully created!")
		b.says("line 2 & more")
		b.says("in 7 days")
	})
}

// A visitor's home page plants nothing, and tells how to begin. From there it leads to the form, by way of
// a login that says what it is for.
func TestFromTheHomePageToASnippet(t *testing.T) {
	onEach(t, func(t *testing.T, scheme string) {
		s := start(t, scheme)
		s.browser(t).signUp("ann")
		b := s.browser(t)
		b.get("/")
		b.says("You need an account for that")
		if jar := b.jar(); len(jar) != 0 {
			t.Errorf("the home page sets %d cookies", len(jar))
		}
		b.press("Create snippet")
		b.says("Please log in to create a snippet.")
		b.fill(map[string]string{"email": "ann@example.com", "password": pass})
		b.press("Log in")
		b.says("Publish snippet")
	})
}

// The database is away when somebody looks at a page, and when somebody sends a form. Either way one
// button does it again, and nothing is lost or done twice.
func TestTryAgain(t *testing.T) {
	s, db := broken(t)
	b := s.browser(t).member("ann")
	neutral := func() {
		t.Helper()
		b.says("Service Unavailable")
		for _, claim := range []string{"Log in", "Sign up", "Log out"} {
			b.lacks(claim)
		}
	}
	db.Refuse()
	b.get("/account")
	neutral()
	db.Heal()
	b.press("Try again")
	b.says("ann@example.com")

	b.get("/snippet/create")
	b.fill(map[string]string{"title": "Patience", "content": "one\n  two"})
	db.Refuse()
	b.press("Publish snippet")
	neutral()
	js[bool](b, `window.before = true`)
	b.press("Try again")
	b.until(`!window.before`)
	neutral()
	db.Heal()
	b.press("Try again")
	b.says("Snippet successfully created!")
	b.says("  two")
	b.get("/")
	b.until(`document.body.innerText.split("Patience").length === 2`)
}
