package browser

import (
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
)

func TestMessageIsShownOnce(t *testing.T) {
	onEach(t, func(t *testing.T, scheme string) {
		s := start(t, scheme)
		b := s.browser(t).member("ann")
		b.get("/snippet/create")
		b.fill(map[string]string{"title": "Written in a browser", "content": "Line 1\nLine 2"})
		b.press("Publish snippet")
		b.says("Snippet successfully created!")
		if !strings.HasPrefix(b.path(), "/snippet/view/") {
			t.Errorf("it leads to %s", b.path())
		}
		b.do(chromedp.Reload())
		b.says("Written in a browser")
		b.lacks("Snippet successfully created!")
		b.get("/")
		b.says("Written in a browser")
		b.lacks("Snippet successfully created!")
	})
}

// O36: what a browser keeps of pages shows nothing to whoever presses Back after the logout.
func TestBackAfterLogout(t *testing.T) {
	onEach(t, func(t *testing.T, scheme string) {
		s := start(t, scheme)
		b := s.browser(t).member("ann")
		for _, path := range []string{"/account", "/account/sessions", "/snippet/create"} {
			b.get(path)
		}
		b.press("Log out")
		b.says("logged out successfully")
		for i := range 4 {
			js[bool](b, `(window.here = true, history.back(), true)`)
			b.until(`!window.here`)
			b.says("Log in")
			for _, private := range []string{"ann@example.com", "Log out", "This device", "Publish"} {
				if text := b.text(); strings.Contains(text, private) {
					t.Errorf("%d steps back, at %s, %q is shown:\n%s", i+1, b.path(), private, text)
				}
			}
		}
	})
}

// V7.4.4: on every page of who is logged in, the way out is to be seen.
func TestLogOutIsOnEveryPage(t *testing.T) {
	s := start(t, "https")
	b := s.browser(t).member("ann")
	for _, path := range append(privatePages, "/", "/snippet/view/1", "/nowhere") {
		b.get(path)
		b.until(findButton("Log out"))
	}
}

// A page says that its session is about to end, and keeps it on demand; left alone, it says that it has.
func TestWarningBeforeTheEnd(t *testing.T) {
	onEach(t, func(t *testing.T, scheme string) {
		t.Parallel() // it mostly waits
		const idle = 5 * time.Second
		s := start(t, scheme, "-idle", idle.String())
		b := s.browser(t).member("ann")
		b.get("/account")
		shown := `!document.getElementById("session-warning").hidden`
		b.until(shown)
		b.says("You will be logged out at")
		b.press("Stay logged in")
		b.until(`document.getElementById("session-warning").hidden`)
		before := time.Now()
		b.until(shown)
		if since := time.Since(before); since < idle/2 {
			t.Errorf("it warns again %v after it was told to stay", since)
		}
		b.says("You have been logged out.")
		b.do(chromedp.Reload())
		b.until(`location.pathname === "/user/login"`)
		b.lacks("ann@example.com")
	})
}

func TestRestartKeepsTheSession(t *testing.T) {
	for name, args := range map[string][]string{"in the database": nil, "sealed": {"-sessions", "sealed"}} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			args := append(args, "-db", "sqlite:"+filepath.Join(dir, "kept.db"), "-keys", filepath.Join(dir, "keys"))
			first := start(t, "http", args...)
			b := first.browser(t).member("ann")
			first.stop()
			b.s = start(t, "http", args...)
			b.get("/account")
			b.says("ann@example.com")
		})
	}
}
