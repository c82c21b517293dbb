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
		const idle = 15 * time.Second
		s := start(t, scheme, "-idle", idle.String())
		b := s.browser(t).member("ann")
		b.get("/account")
		b.until(`!document.getElementById("session-warning").hidden`)
		b.says("You will be logged out at")
		// The page writes down when the bar goes and comes: a busy machine may look too rarely to see it.
		js[bool](b, `(() => {
			const bar = document.getElementById("session-warning");
			window.bar = [];
			new MutationObserver(() => window.bar.push([bar.hidden, performance.now() / 1000])).observe(bar, { attributeFilter: ["hidden"] });
			return true;
		})()`)
		b.press("Stay logged in")
		b.until(`window.bar.length >= 2`)
		if went, came := js[bool](b, `window.bar[0][0]`), !js[bool](b, `window.bar[1][0]`); !went || !came {
			t.Errorf("told to stay, the bar went %v and came again %v", went, came)
		}
		if since := js[float64](b, `window.bar[1][1] - window.bar[0][1]`); since < idle.Seconds()/2 {
			t.Errorf("it warns again %.1f s after it was told to stay", since)
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
