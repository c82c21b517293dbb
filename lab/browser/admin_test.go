package browser

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
)

const adminPages = "/admin/sessions/"

// administered is a snippetbox in which root is the administrator, whose browser it answers.
func administered(t *testing.T, args ...string) (*site, *tab) {
	t.Helper()
	dir := t.TempDir()
	args = append([]string{"-db", "sqlite:" + filepath.Join(dir, "snippets.db"), "-keys", filepath.Join(dir, "keys")}, args...)
	before := start(t, "https", args...)
	before.browser(t).signUp("root")
	before.stop()
	s := start(t, "https", append(args, "-admin", "root@example.com")...)
	root := s.browser(t)
	root.logIn("root")
	return s, root
}

// choose searches as people do.
func (b *tab) choose(by, what string) {
	b.t.Helper()
	b.until(`document.querySelector("form[role=search]")`)
	js[bool](b, `(() => { const f = document.querySelector("form[role=search]"); f.elements.by.value = `+quote(by)+`; f.elements.q.value = `+quote(what)+`; return true })()`)
	b.press("Find")
	b.until(`document.querySelector("caption, #q-wrong, section p") && new URLSearchParams(location.search).get("q") === ` + quote(what))
}

// The administrator finds somebody by address, ends the session, and the other browser is out by its next request.
func TestAdministratorLogsSomebodyOut(t *testing.T) {
	s, root := administered(t)
	ann, other := s.browser(t).member("ann"), s.browser(t)
	other.logIn("ann")
	bob := s.browser(t).member("bob")

	root.get("/account")
	root.press("Sessions of everybody")
	root.says("You act as root@example.com")
	root.until(`document.querySelectorAll("tbody tr").length === 5`)
	root.choose("owner", "ann@example.com")
	root.says("2 sessions of ann@example.com")
	ids := js[[]string](root, `[...document.querySelectorAll("tbody tr")].map(x => x.dataset.session)`)

	// Each browser has its own, and only one of them goes.
	root.do(chromedp.Click(chromedp.CSS(`tr[data-session="` + ids[0] + `"] button`)))
	root.says("The session has ended")
	out := 0
	for _, b := range []*tab{ann, other} {
		b.get("/account")
		b.until(`location.pathname === "/account" || location.pathname === "/user/login"`)
		if b.path() == "/user/login" {
			out++
		}
	}
	if out != 1 {
		t.Errorf("%d browsers of ann are out, want 1", out)
	}

	root.press("Back to the sessions")
	root.choose("device", "chrom")
	root.until(`document.querySelectorAll("tbody tr").length === 3`)
	root.choose("owner", "ann@example.com")
	root.press("End all sessions of ann@example.com")
	root.says("All sessions of this owner have ended")
	for _, b := range []*tab{ann, other} {
		b.get("/account")
		b.until(`location.pathname === "/user/login"`)
	}
	bob.get("/account")
	bob.says("bob@example.com")
	bob.get(adminPages)
	bob.says("for administrators")

	root.get(adminPages)
	root.do(chromedp.Click(chromedp.CSS(`tr:has(.badge) a[href^="session"]`)))
	root.says("your own session")
	root.press("End this session")
	root.says("Your own session was among them")
	root.get("/account")
	root.until(`location.pathname === "/user/login"`)
	if !strings.Contains(s.log.String(), "actor=root@example.com") {
		t.Error("the log does not say who it was")
	}
}

// The figures change while the page is open, stop when they are told to, and end with the session.
func TestFiguresAreLive(t *testing.T) {
	s, root := administered(t)
	root.get(adminPages)
	root.until(`document.getElementById("figures-state").textContent === "Live"`)
	logins := `Number(document.querySelector("#figure-logins .value").textContent)`
	before := js[int](root, logins)
	s.browser(t).member("ann")
	root.until(logins + ` === ` + fmt.Sprint(before+1))
	if d := js[string](root, `document.querySelector("#figure-logins path").getAttribute("d")`); d == "" {
		t.Error("the chart is empty")
	}

	root.press("Pause")
	root.until(`document.getElementById("figures-state").textContent === "Paused"`)
	root.press("Go on")
	root.until(`document.getElementById("figures-state").textContent === "Live"`)

	// Another tab logs out. This one says so by itself.
	tab := root.another()
	tab.get("/account")
	tab.press("Log out")
	tab.says("logged out successfully")
	root.until(`document.getElementById("figures-state").textContent === "Your session has ended."`)
}

// Without scripts everything works but the figures' being live. Without a mouse everything works, and one sees where the
// focus is.
func TestAdministratorWithoutScriptsOrMouse(t *testing.T) {
	s, root := administered(t)
	ann := s.browser(t).member("ann")
	root.get(adminPages)
	tabTo := func(what string) {
		t.Helper()
		for range 60 {
			root.do(chromedp.KeyEvent("\t"))
			if outline := js[string](root, `getComputedStyle(document.activeElement).outlineStyle`); outline == "none" {
				t.Errorf("one cannot see the focus on %s", js[string](root, `document.activeElement.outerHTML.slice(0, 80)`))
			}
			if js[bool](root, `document.activeElement.matches(`+quote(what)+`)`) {
				return
			}
		}
		t.Fatalf("the keyboard does not get to %s", what)
	}
	tabTo("#q")
	root.do(chromedp.KeyEvent("ann@example.com\r"))
	root.says("1 session of ann@example.com")
	tabTo(".todo button")
	root.do(chromedp.KeyEvent("\r"))
	root.says("The session has ended")
	ann.get("/account")
	ann.until(`location.pathname === "/user/login"`)

	ann.logIn("ann")
	call(root, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: true})
	root.get(adminPages + "?by=owner&q=ann@example.com")
	if state := js[string](root, `document.getElementById("figures-state").textContent`); state != "" {
		t.Fatalf("scripts run: %s", state)
	}
	root.do(chromedp.Click(chromedp.CSS("tbody tr button")))
	root.says("The session has ended")
	ann.get("/account")
	ann.until(`location.pathname === "/user/login"`)
}

// The pages in light, in dark and on a phone. The pictures are for people to look at.
func TestAdministratorsPagesAreFitForPeople(t *testing.T) {
	s, root := administered(t)
	for _, name := range []string{"ann", "bob", "an-address-that-is-rather-long-for-a-telephone"} {
		s.browser(t).member(name)
	}
	root.get(adminPages)
	root.until(`document.getElementById("figures-state").textContent === "Live"`)
	id := js[string](root, `document.querySelector("tbody tr").dataset.session`)
	for _, l := range looks {
		root.look(l.scheme, l.width, 800)
		for name, path := range map[string]string{
			"everybody": "", "owner": "?by=owner&q=ann@example.com", "wrong": "?by=id&q=short", "one": "session?id=" + id,
		} {
			root.get(adminPages + path)
			root.until(`true`)
			where := name + " " + l.name
			if n := js[int](root, `document.documentElement.scrollWidth - innerWidth`); n > 0 {
				t.Errorf("%s: %d pixels stick out", where, n)
			}
			for _, x := range append(js[[]string](root, faintText), js[[]string](root, namelessFields)...) {
				t.Errorf("%s: %s", where, x)
			}
			if small := js[[]string](root, smallTargets); len(small) > 0 {
				t.Errorf("%s: hard to touch: %v", where, small)
			}
			root.picture("admin-" + name + "-" + l.name)
		}
	}
}

// smallTargets lists what is smaller than 24 pixels and stands in no line of text (WCAG 2.2, 2.5.8).
const smallTargets = `[...document.querySelectorAll("button, input, select, .todo a")].filter(e => e.checkVisibility())
	.filter(e => { const r = e.getBoundingClientRect(); return r.height < 24 || r.width < 24 }).map(e => e.outerHTML.slice(0, 80))`
