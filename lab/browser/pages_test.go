package browser

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

var (
	publicPages  = []string{"/", "/snippet/view/1", "/user/signup", "/user/login", "/nowhere"}
	privatePages = []string{"/snippet/create", "/account", "/account/password", "/account/sessions"}
)

// Each page is light, asks nobody else for anything, and breaks no rule that it sets itself.
func TestPagesAreLight(t *testing.T) {
	const limit = 30_000 // bytes, all that a page needs, with nothing in the cache
	s := start(t, "https")
	b := s.browser(t)
	check := func(path string) {
		t.Helper()
		x := b.another()
		var mu sync.Mutex
		var bytes float64
		var urls, faults []string
		if err := chromedp.Listen(x.ctx, func(ev any) {
			mu.Lock()
			defer mu.Unlock()
			switch e := ev.(type) {
			case *network.EventRequestWillBeSent:
				urls = append(urls, e.Request.URL)
			case *network.EventLoadingFinished:
				bytes += e.EncodedDataLength
			case *network.EventLoadingFailed:
				faults = append(faults, e.ErrorText)
			case *runtime.EventExceptionThrown:
				faults = append(faults, e.ExceptionDetails.Text)
			case *log.EventEntryAdded:
				if path != "/nowhere" { // its status is told there, too
					faults = append(faults, e.Entry.Text)
				}
			}
		}); err != nil {
			t.Fatal(err)
		}
		call(x, network.SetCacheDisabled, network.SetCacheDisabledParams{CacheDisabled: true})
		x.get(path)
		x.until(`true`)
		mu.Lock()
		defer mu.Unlock()
		if bytes == 0 || bytes >= limit || len(urls) < 2 {
			t.Errorf("%s: %.0f bytes in %d requests, want less than %d", path, bytes, len(urls), limit)
		}
		for _, u := range urls {
			if !strings.HasPrefix(u, s.url+"/") {
				t.Errorf("%s asks for %s", path, u)
			}
		}
		for _, f := range faults {
			t.Errorf("%s: %s", path, f)
		}
		t.Logf("%-20s %6.0f bytes, %d requests", path, bytes, len(urls))
	}
	for _, path := range publicPages {
		check(path)
	}
	b.member("ann")
	for _, path := range append(privatePages, publicPages...) {
		check(path)
	}
}

// Each page in light, in dark and on a phone: nothing sticks out, text can be read, fields have names. The
// pictures are for people to look at.
func TestPagesAreFitForPeople(t *testing.T) {
	s := start(t, "https")
	b := s.browser(t)
	out := filepath.Join("..", "out", "browser")
	if err := os.MkdirAll(out, 0o777); err != nil {
		t.Fatal(err)
	}
	show := func(who string, pages []string, prepare func(path string)) {
		for _, look := range []struct {
			name, scheme string
			width        int64
		}{{"light", "light", 900}, {"dark", "dark", 900}, {"phone", "light", 375}, {"phone-dark", "dark", 375}} {
			call(b, emulation.SetDeviceMetricsOverride, emulation.SetDeviceMetricsOverrideParams{Width: look.width, Height: 800, DeviceScaleFactor: 1, Mobile: look.width < 500})
			call(b, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: look.scheme}}})
			for _, path := range pages {
				prepare(path)
				where := who + path + " " + look.name
				if n := js[int](b, `document.documentElement.scrollWidth - innerWidth`); n > 0 {
					t.Errorf("%s: %d pixels stick out", where, n)
				}
				if n := js[int](b, `new Set([...document.querySelectorAll("nav a, nav button")].map(e => e.getBoundingClientRect().top)).size`); n > 1 {
					t.Errorf("%s: the menu takes %d rows", where, n)
				}
				for _, x := range js[[]string](b, faintText) {
					t.Errorf("%s: hard to read: %s", where, x)
				}
				for _, x := range js[[]string](b, namelessFields) {
					t.Errorf("%s: no label: %s", where, x)
				}
				name := strings.Trim(strings.ReplaceAll(who+path, "/", "-"), "-") + "-" + look.name + ".png"
				picture, err := chromedp.Run(b.ctx, chromedp.FullScreenshot(100))
				if err != nil {
					t.Fatal(err)
				}
				if err := os.WriteFile(filepath.Join(out, name), picture, 0o666); err != nil {
					t.Fatal(err)
				}
			}
		}
	}
	show("anybody", publicPages, b.get)
	show("wrong", []string{"/user/signup", "/user/login"}, func(path string) {
		b.get(path)
		b.fill(map[string]string{"email": "ann@", "password": "short"})
		b.do(chromedp.Click(chromedp.CSS("main form button")))
		b.until(`document.querySelector(".error, .summary")`)
	})
	b.member("ann")
	s.browser(t).logIn("ann")
	show("ann", append(privatePages, "/"), b.get)
}

// faintText lists texts whose contrast is below 4.5 (WCAG 2.2, 1.4.3; 3 for large ones).
const faintText = `(() => {
	const numbers = c => { const m = c.match(/[\d.]+/g).map(Number); return { rgb: m.slice(0, 3), a: m[3] ?? 1 } };
	const light = rgb => rgb.map(v => v / 255).map(v => v <= .04045 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4)
		.reduce((sum, v, i) => sum + v * [.2126, .7152, .0722][i], 0);
	const behind = e => {
		for (; e; e = e.parentElement) {
			const c = numbers(getComputedStyle(e).backgroundColor);
			if (c.a === 1) return c.rgb;
		}
		return [255, 255, 255];
	};
	const faint = [];
	for (const e of document.querySelectorAll("body *")) {
		if (!e.checkVisibility() || ![...e.childNodes].some(n => n.nodeType === 3 && n.data.trim())) continue;
		const style = getComputedStyle(e), size = parseFloat(style.fontSize);
		const [a, b] = [light(numbers(style.color).rgb), light(behind(e))].sort((x, y) => y - x);
		const contrast = (a + .05) / (b + .05);
		const large = size >= 24 || size >= 18.66 && style.fontWeight >= 700;
		if (contrast < (large ? 3 : 4.5)) faint.push(e.tagName + " " + contrast.toFixed(2) + " " + e.innerText.slice(0, 40));
	}
	return faint;
})()`

const namelessFields = `[...document.querySelectorAll("input:not([type=hidden]), textarea, select, button")]
	.filter(e => e.checkVisibility() && !(e.labels?.length || e.innerText?.trim() || e.ariaLabel)).map(e => e.outerHTML.slice(0, 80))`

// Whoever has no mouse logs in as well.
func TestLoginByKeyboard(t *testing.T) {
	s := start(t, "https")
	b := s.browser(t)
	b.signUp("ann")
	b.get("/user/login")
	tabTo := func(name string) {
		t.Helper()
		for range 30 {
			if js[bool](b, fmt.Sprintf(`document.activeElement.name === %s`, quote(name))) {
				return
			}
			b.do(chromedp.KeyEvent("\t"))
		}
		t.Fatalf("the keyboard does not get to %s", name)
	}
	tabTo("email")
	b.do(chromedp.KeyEvent("ann@example.com"))
	tabTo("password")
	if outline := js[string](b, `getComputedStyle(document.activeElement).outlineStyle`); outline == "none" {
		t.Error("one cannot see where the focus is")
	}
	b.do(chromedp.KeyEvent(pass), chromedp.KeyEvent("\r"))
	b.until(`location.pathname !== "/user/login"`)
	b.says("Log out")
}
