package browser

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"
)

// patience is how long a page may take to become what a test waits for.
const patience = 30 * time.Second

// A tab is one tab of one person's browser, which shares its cookies with the browser's other tabs and
// nothing with other browsers.
type tab struct {
	t   *testing.T
	s   *site
	ctx context.Context
}

// browser opens a browser of its own.
func (s *site) browser(t *testing.T) *tab {
	t.Helper()
	parent, err := chromium()
	if err != nil {
		t.Fatalf("Chromium does not start: %v", err)
	}
	return open(t, s, parent, chromedp.WithNewBrowserContext())
}

// another opens another tab of the same browser.
func (b *tab) another() *tab {
	b.t.Helper()
	return open(b.t, b.s, b.ctx)
}

func open(t *testing.T, s *site, parent context.Context, o ...chromedp.ContextOption) *tab {
	t.Helper()
	ctx, end := chromedp.NewContext(parent, o...)
	t.Cleanup(end)
	if err := chromedp.Do(ctx); err != nil {
		t.Fatalf("no tab: %v", err)
	}
	return &tab{t, s, ctx}
}

func (b *tab) do(steps ...chromedp.Action[chromedp.Void]) {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	if err := chromedp.Do(ctx, steps...); err != nil {
		b.t.Fatalf("%v\n%s", err, b.s.log)
	}
}

// call sends one command of the browser's own protocol.
func call[P, R any](b *tab, cmd cdp.Command[P, R], p P) R {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	r, err := chromedp.Call(ctx, cmd, p)
	if err != nil {
		b.t.Fatal(err)
	}
	return r
}

// get goes to a path of the site and waits until the page is there.
func (b *tab) get(path string) {
	b.t.Helper()
	b.do(chromedp.Navigate(b.s.url + path))
}

// at goes to the first page of another site, in the same tab.
func (b *tab) at(s *site) *tab {
	b.t.Helper()
	b.do(chromedp.Navigate(s.url + "/"))
	return b
}

// js is the value of an expression, awaited if it is a promise.
func js[T any](b *tab, expression string) T {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	v, err := chromedp.Run(ctx, chromedp.Evaluate[T](expression, chromedp.EvalAwaitPromise))
	if err != nil {
		b.t.Fatalf("%s: %v", expression, err)
	}
	return v
}

// until waits for an expression to be true, on whatever page the tab gets to meanwhile.
func (b *tab) until(expression string) {
	b.t.Helper()
	deadline := time.Now().Add(patience)
	for {
		ctx, cancel := context.WithTimeout(b.ctx, patience)
		ok, err := chromedp.Run(ctx, chromedp.Evaluate[bool](`document.readyState === "complete" && !!(`+expression+`)`))
		cancel()
		if ok {
			return
		}
		if time.Now().After(deadline) {
			b.t.Fatalf("never came true: %s (%v)\nat %s\n%s\n%s", expression, err, b.path(), b.text(), b.s.log)
		}
		time.Sleep(20 * time.Millisecond)
	}
}

func (b *tab) text() string { return js[string](b, `document.body.innerText`) }
func (b *tab) path() string { return js[string](b, `location.pathname`) }

// says waits for the page to show text.
func (b *tab) says(text string) {
	b.t.Helper()
	b.until(`document.body.innerText.includes(` + quote(text) + `)`)
}

// lacks fails if the page shows text.
func (b *tab) lacks(text string) {
	b.t.Helper()
	if strings.Contains(b.text(), text) {
		b.t.Errorf("%s shows %q", b.path(), text)
	}
}

func quote(s string) string {
	b, _ := json.Marshal(s)
	return string(b)
}

// fill sets fields of the page's form by their names.
func (b *tab) fill(fields map[string]string) {
	b.t.Helper()
	for name, value := range fields {
		b.until(`document.querySelector("main form").elements[` + quote(name) + `]`)
		js[bool](b, fmt.Sprintf(`(() => { const f = document.querySelector("main form").elements[%s]; f.value = %s; return true })()`, quote(name), quote(value)))
	}
}

// press clicks, with the mouse, on the first button or link that says so.
func (b *tab) press(label string) {
	b.t.Helper()
	b.until(findButton(label))
	js[bool](b, `(() => { `+findButton(label)+`.setAttribute("data-press", ""); return true })()`)
	b.do(chromedp.Click(chromedp.CSS(`[data-press]`)))
}

// findButton looks in the page's own part before it looks at the frame around it.
func findButton(label string) string {
	return `[...document.querySelectorAll("main button, main a"), ...document.querySelectorAll("button, a")]
		.find(x => x.checkVisibility() && x.innerText.trim() === ` + quote(label) + `)`
}

const pass = "correct horse battery"

// signUp makes an account and leaves the tab at the login page.
func (b *tab) signUp(name string) {
	b.t.Helper()
	b.get("/user/signup")
	b.fill(map[string]string{"name": name, "email": name + "@example.com", "password": pass})
	b.press("Sign up")
	b.says("Your signup was successful")
}

// fillLogin goes to the login page and writes down who it is.
func (b *tab) fillLogin(name, password string) {
	b.t.Helper()
	b.get("/user/login")
	b.fill(map[string]string{"email": name + "@example.com", "password": password})
}

func (b *tab) logIn(name string) {
	b.t.Helper()
	b.fillLogin(name, pass)
	b.do(chromedp.Click(chromedp.CSS("main form button")))
	b.until(`location.pathname !== "/user/login"`)
	b.says("Log out")
}

// member signs up and logs in.
func (b *tab) member(name string) *tab {
	b.t.Helper()
	b.signUp(name)
	b.logIn(name)
	return b
}

func (b *tab) cookies() map[string]*network.Cookie {
	b.t.Helper()
	all := make(map[string]*network.Cookie)
	for _, c := range call(b, network.GetCookies, network.GetCookiesParams{URLs: []string{b.s.url + "/"}}).Cookies {
		all[c.Name] = c
	}
	return all
}

// sessionName is what the session's cookie is called.
func (s *site) sessionName() string {
	if strings.HasPrefix(s.url, "https:") {
		return "__Host-Http-id"
	}
	return "id"
}
