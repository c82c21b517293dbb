package browser

import (
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"testing"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"

	"github.com/gosojourn/sojourn/lab/harness"
)

// looks are how people see a page.
var looks = []struct {
	name, scheme string
	width        int64
}{{"light", "light", 900}, {"dark", "dark", 900}, {"phone", "light", 375}, {"phone-dark", "dark", 375}}

// look makes the tab light or dark, wide or narrow.
func (b *tab) look(scheme string, width, height int64) {
	b.t.Helper()
	call(b, emulation.SetDeviceMetricsOverride, emulation.SetDeviceMetricsOverrideParams{Width: width, Height: height, DeviceScaleFactor: 1, Mobile: width < 500})
	call(b, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}}})
}

// picture is for people to look at, in lab/out/browser.
func (b *tab) picture(name string) {
	b.t.Helper()
	out := filepath.Join("..", "out", "browser")
	if err := os.MkdirAll(out, 0o777); err != nil {
		b.t.Fatal(err)
	}
	data, err := chromedp.Run(b.ctx, chromedp.FullScreenshot(100))
	if err == nil {
		err = os.WriteFile(filepath.Join(out, name+".png"), data, 0o666)
	}
	if err != nil {
		b.t.Fatal(err)
	}
}

const menuRows = `new Set([...document.querySelectorAll("nav a, nav button")].map(e => e.getBoundingClientRect().top)).size`

// broken is a snippetbox whose database can be taken away.
func broken(t *testing.T) (*site, *harness.Proxy) {
	t.Helper()
	needChromium(t)
	u, err := url.Parse(mysqlURL(t))
	if err != nil {
		t.Fatal(err)
	}
	p := harness.NewProxy(t, u.Host)
	u.Host = p.Addr()
	return start(t, "https", "-db", u.String()), p
}

// The pages that people see in trouble are as fit for them as the others: the error pages, the draft that
// waits for a login, and the bar of the warning.
func TestPagesOfTroubleAreFitForPeople(t *testing.T) {
	s, db := broken(t)
	b := s.browser(t).member("ann")
	for _, l := range looks {
		b.look(l.scheme, l.width, 800)
		check := func(name string) {
			t.Helper()
			if n := js[int](b, `document.documentElement.scrollWidth - innerWidth`); n > 0 {
				t.Errorf("%s %s: %d pixels stick out", name, l.name, n)
			}
			if n := js[int](b, menuRows); n > 1 {
				t.Errorf("%s %s: the menu takes %d rows", name, l.name, n)
			}
			for _, x := range append(js[[]string](b, faintText), js[[]string](b, namelessFields)...) {
				t.Errorf("%s %s: %s", name, l.name, x)
			}
			b.picture("trouble-" + name + "-" + l.name)
		}
		b.get("/nowhere")
		b.until(findButton("Log out"))
		check("nowhere")
		b.get("/snippet/create")
		b.warn(60)
		check("warning")
		db.Refuse()
		b.get("/account")
		b.says("Service Unavailable")
		check("unavailable")
		db.Heal()
		b.get("/snippet/create")
		b.fill(map[string]string{"title": "Half a thought", "content": "and then"})
		js[bool](b, `fetch("/user/logout", { method: "POST" }).then(() => true)`)
		b.press("Publish snippet")
		b.says("What you wrote is kept here")
		check("draft")
		b.fill(map[string]string{"email": "ann@example.com", "password": pass})
		b.press("Log in")
		b.says("Your snippet is not published yet")
		check("draft-back")
		js[bool](b, `fetch("/user/logout", { method: "POST" }).then(() => true)`)
		b.get("/account/sessions")
		b.says("Please log in to see your sessions.")
		check("why")
		b.logIn("ann")
	}
}

// warn shows the bar that a page has for the end of its session, as it is so many seconds before.
func (b *tab) warn(seconds int) {
	b.t.Helper()
	js[bool](b, fmt.Sprintf(`(() => {
		window.fetch = async () => new Response(JSON.stringify({ live: true, loggedIn: true, expiresIn: %d, deadlineIn: 36000 }));
		return true;
	})()`, seconds))
	// An answer to the real question may still come.
	b.until(`(document.dispatchEvent(new Event("visibilitychange")), !document.getElementById("session-warning").hidden)`)
}

// Whatever has the focus can be seen while the bar of the warning is shown, and before.
func TestFocusIsNotUnderTheWarning(t *testing.T) {
	s := start(t, "https")
	b := s.browser(t).member("ann")
	const hiddenFocus = `(() => {
		const bar = document.getElementById("session-warning"), at = document.activeElement;
		if (at === document.body || bar.contains(at)) return "";
		const a = at.getBoundingClientRect(), b = bar.getBoundingClientRect();
		const bottom = at.matches("textarea") ? Math.min(a.bottom, a.top + 40) : a.bottom; // browsers show the line that is written on
		return bottom > b.top && a.top < b.bottom || bottom > innerHeight || a.top < 0 ? at.outerHTML.slice(0, 60) + " is at " + a.top + " to " + a.bottom + ", the bar at " + b.top + " to " + b.bottom : "";
	})()`
	for _, width := range []int64{375, 900} {
		for height := int64(420); height <= 700; height += 70 {
			b.look("light", width, height)
			b.get("/snippet/create")
			js[bool](b, `(() => { const x = [...document.querySelectorAll("main button")].at(-1); scrollTo(0, x.getBoundingClientRect().bottom + scrollY - innerHeight + 4); x.focus({ preventScroll: true }); return true })()`)
			b.warn(60)
			if where := js[string](b, hiddenFocus); where != "" {
				t.Errorf("%dx%d, when the bar comes: %s", width, height, where)
			}
			for i, n := 0, js[int](b, `document.querySelectorAll("a, button, input:not([type=hidden]), textarea").length`); i < n; i++ {
				b.do(chromedp.KeyEvent("\t"))
				if where := js[string](b, hiddenFocus); where != "" {
					t.Errorf("%dx%d: %s", width, height, where)
				}
			}
		}
	}
}

// 'Log out' stays in its row, also where letters are wider than ours.
func TestMenuIsOneRowOnAPhone(t *testing.T) {
	s := start(t, "https")
	b := s.browser(t).member("ann")
	b.look("light", 375, 800)
	for _, font := range []string{"inherit", "DejaVu Sans", "monospace"} {
		for _, size := range []string{"100%", "112%"} {
			b.get("/account")
			js[bool](b, `(document.documentElement.style.fontSize = "`+size+`", document.querySelector("nav").style.fontFamily = "`+font+`", true)`)
			if n := js[int](b, menuRows); n != 1 {
				t.Errorf("%s %s: the menu takes %d rows", font, size, n)
			}
			if n := js[int](b, `document.documentElement.scrollWidth - innerWidth`); n > 0 {
				t.Errorf("%s %s: %d pixels stick out", font, size, n)
			}
		}
	}
}
