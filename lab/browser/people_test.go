package browser

import (
	"net/url"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/go-sql-driver/mysql"

	"github.com/gosojourn/sojourn/lab/harness"
)

// Two browsers of one person: each sees the other, and can log it out.
func TestTwoBrowsersOfOnePerson(t *testing.T) {
	onEach(t, func(t *testing.T, scheme string) {
		s := start(t, scheme)
		here, there := s.browser(t).member("ann"), s.browser(t)
		there.logIn("ann")

		here.get("/account/sessions")
		here.until(`document.querySelectorAll(".device").length === 2`)
		here.until(`document.querySelectorAll(".device[data-current] .badge").length === 1`)
		js[bool](here, `(document.querySelector(".device:not([data-current]) button").setAttribute("data-press", ""), true)`)
		here.do(chromedp.Click(chromedp.CSS("[data-press]")))
		here.says("That session has ended.")
		there.get("/account")
		there.until(`location.pathname === "/user/login"`)

		there.logIn("ann")
		third := s.browser(t)
		third.logIn("ann")
		there.get("/account/sessions")
		there.press("End all other sessions")
		there.says("All your other sessions have ended.")
		there.until(`document.querySelectorAll(".device").length === 1`)
		for _, b := range []*tab{here, third} {
			b.get("/account")
			b.until(`location.pathname === "/user/login"`)
		}
	})
}

// V7.4.3: a changed password logs out every other browser by its next request.
func TestPasswordChangeLogsOutOthers(t *testing.T) {
	for name, args := range map[string]func(t *testing.T) []string{
		"SQLite":          func(*testing.T) []string { return nil },
		"SQLite, sealed":  func(*testing.T) []string { return []string{"-sessions", "sealed"} },
		"MariaDB":         func(t *testing.T) []string { return []string{"-db", mysqlURL(t)} },
		"PostgreSQL":      func(t *testing.T) []string { return []string{"-db", harness.Postgres(t)} },
		"MariaDB, sealed": func(t *testing.T) []string { return []string{"-db", mysqlURL(t), "-sessions", "sealed"} },
	} {
		t.Run(name, func(t *testing.T) {
			needChromium(t)
			s := start(t, "https", args(t)...)
			here, there := s.browser(t).member("ann"), s.browser(t)
			there.logIn("ann")
			there.get("/account")
			there.says("ann@example.com")
			here.get("/account/password")
			here.fill(map[string]string{"currentPassword": pass, "newPassword": pass + "!", "newPasswordConfirmation": pass + "!"})
			here.press("Change password")
			here.says("All your other sessions have ended.")
			there.get("/snippet/create")
			there.until(`location.pathname === "/user/login"`)
			here.get("/account")
			here.says("ann@example.com")
			there.fillLogin("ann", pass)
			there.do(chromedp.Click(chromedp.CSS("main form button")))
			there.says("Email or password is incorrect")
		})
	}
}

// What is done in one tab holds in the others.
func TestTabsAreOneBrowser(t *testing.T) {
	onEach(t, func(t *testing.T, scheme string) {
		s := start(t, scheme)
		first := s.browser(t)
		first.signUp("ann")
		second := first.another()
		second.get("/")
		second.says("Log in")
		first.logIn("ann")
		second.get("/account")
		second.says("ann@example.com")
		second.press("Log out")
		second.says("logged out successfully")
		first.get("/account")
		first.until(`location.pathname === "/user/login"`)
	})
}

// [seen]: a double-click on 'Log in' left its person logged out, because the second login found the
// session under its feet gone.
func TestDoubleClickLogsIn(t *testing.T) {
	onEach(t, func(t *testing.T, scheme string) {
		s := start(t, scheme)
		b := s.browser(t)
		b.signUp("ann")
		for name, submit := range map[string]func(){
			"two clicks": func() { b.do(chromedp.DoubleClick(chromedp.CSS("main form button"))) },
			"two submits": func() {
				js[bool](b, `(() => { const f = document.querySelector("main form"); f.requestSubmit(); f.requestSubmit(); return true })()`)
			},
			"two requests, the first answer not read": func() {
				js[bool](b, `(() => {
					const f = document.querySelector("main form");
					fetch(f.action, { method: "POST", body: new URLSearchParams(new FormData(f)) });
					f.requestSubmit();
					return true;
				})()`)
			},
		} {
			before := s.requests("POST", "/user/login")
			b.fillLogin("ann", pass)
			submit()
			b.until(`location.pathname !== "/user/login"`)
			b.says("Log out")
			b.get("/account")
			b.says("ann@example.com")
			t.Logf("%s: %d requests", name, s.requests("POST", "/user/login")-before)
			b.press("Log out")
			b.says("logged out successfully")
		}
	})
}

// [seen]: a tab that polls while another logs in overwrote the login's cookie.
func TestPollingTabDoesNotUndoALogin(t *testing.T) {
	onEach(t, func(t *testing.T, scheme string) {
		s := start(t, scheme)
		b := s.browser(t)
		b.signUp("ann")
		poll := b.another()
		poll.get("/")
		js[bool](poll, `(() => {
			window.polls = 0;
			for (let i = 0; i < 4; i++) (async () => { while (!window.enough) { await (await fetch("/visits")).text(); await (await fetch("/")).text(); polls++ } })();
			return true;
		})()`)
		for range 3 {
			b.logIn("ann")
			poll.until(`(window.since ??= polls, polls > since + 20)`)
			js[bool](poll, `(delete window.since, true)`)
			b.get("/account")
			b.says("ann@example.com")
			b.press("Log out")
			b.until(findButton("Log in")) // the other tab may have shown the message
		}
		js[bool](poll, `(window.enough = true)`)
	})
}

// Pages that load in parallel, in several tabs, are counted, each once.
func TestParallelTabsCountExactly(t *testing.T) {
	onEach(t, func(t *testing.T, scheme string) {
		s := start(t, scheme)
		first := s.browser(t)
		first.get("/account") // where to go after the login begins a session
		tabs := []*tab{first, first.another(), first.another()}
		for _, b := range tabs {
			b.get("/static/favicon.svg")
		}
		visits := func() int { return js[int](first, `fetch("/visits").then(r => r.text()).then(Number)`) }
		before := visits()
		const each = 20
		for _, b := range tabs {
			js[bool](b, `(() => { window.all = Promise.all([...Array(20).keys()].map(() => fetch("/").then(r => r.text()))); return true })()`)
		}
		for _, b := range tabs {
			js[bool](b, `window.all.then(() => true)`)
		}
		if got, want := visits(), before+each*len(tabs); got != want {
			t.Errorf("%d visits, want %d", got, want)
		}
	})
}

// mysqlURL is a database of MariaDB as flag -db has it.
func mysqlURL(t *testing.T) string {
	t.Helper()
	cfg, err := mysql.ParseDSN(harness.MySQL(t))
	if err != nil {
		t.Fatal(err)
	}
	u := url.URL{Scheme: "mysql", User: url.UserPassword(cfg.User, cfg.Passwd), Host: cfg.Addr, Path: cfg.DBName}
	return u.String()
}
