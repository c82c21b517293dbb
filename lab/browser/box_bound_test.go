package browser

import (
	"crypto/tls"
	"net/http"
	"net/http/httputil"
	"net/url"
	"testing"
	"time"

	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"

	"github.com/gosojourn/sojourn/lab/harness"
)

// behindAFront is s behind a proxy with the one certificate that the browser with bound sessions takes.
func (s *site) behindAFront(t *testing.T, host string) *site {
	t.Helper()
	to, err := url.Parse(s.url)
	if err != nil {
		t.Fatal(err)
	}
	front := stage(t, host, &httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) {
			r.SetURL(to)
			r.Out.Host = r.In.Host
		},
		Transport: &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}, // snippetbox's own, made at its start
	})
	front.log = s.log
	return front
}

// Snippetbox over https binds the session of whoever logs in, shows that, and has a password changed by the device alone.
func TestSnippetboxBindsItsSessions(t *testing.T) {
	s := start(t, "https").behindAFront(t, "box.example.test")
	parent, err := boundChromium()
	if err != nil {
		t.Fatalf("Chromium does not start: %v", err)
	}
	b := open(t, s, parent, chromedp.WithNewBrowserContext()).member("ann")
	for deadline := time.Now().Add(patience); b.cookies()[boundCookie] == nil; time.Sleep(20 * time.Millisecond) {
		if time.Now().After(deadline) && s.requests("POST", "/dbsc/register") == 0 {
			harness.Missing(t, "browser", "skipped: sessions bound to their device in snippetbox; this Chromium does not register (version 146 or newer does)")
		} else if time.Now().After(deadline) {
			t.Fatalf("registered, and there is no bound cookie:\n%s", s.log)
		}
	}
	b.get("/account/sessions")
	b.says("Bound to its device")
	b.get("/account/password")
	b.fill(map[string]string{"currentPassword": pass, "newPassword": pass + "!", "newPasswordConfirmation": pass + "!"})
	b.press("Change password")
	b.says("All your other sessions have ended.")

	// Who has copied the session's cookie, and not the device, is nobody once the browser has refreshed for the first time.
	call(b, network.DeleteCookies, network.DeleteCookiesParams{Name: boundCookie, URL: s.url + "/"})
	b.get("/account")
	b.says("ann@example.com")
	if s.requests("POST", "/dbsc/refresh") == 0 {
		t.Errorf("the browser has not refreshed:\n%s", s.log)
	}
	c := b.cookies()[name]
	thief := open(t, s, parent, chromedp.WithNewBrowserContext())
	thief.get("/")
	call(thief, network.SetCookie, network.SetCookieParams{Name: c.Name, Value: c.Value, URL: s.url + "/", Path: "/",
		Secure: new(true), HTTPOnly: new(true), SameSite: c.SameSite})
	thief.get("/account/password")
	thief.until(`location.pathname === "/user/login"`)
	thief.lacks("ann@example.com")
	b.get("/account")
	b.says("ann@example.com")
}
