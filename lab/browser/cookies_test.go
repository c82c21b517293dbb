package browser

import (
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"

	"github.com/gosojourn/sojourn"
	"github.com/gosojourn/sojourn/memstore"
	"github.com/gosojourn/sojourn/sealed"
)

// O8, V3.3: the cookie as the browser has stored it, not as we have sent it.
func TestCookieAsStored(t *testing.T) {
	onEach(t, func(t *testing.T, scheme string) {
		s := start(t, scheme)
		b := s.browser(t)
		check := func(when string) *network.Cookie {
			t.Helper()
			all := b.cookies()
			c := all[s.sessionName()]
			if c == nil {
				t.Fatalf("%s: no cookie %s is stored: %v", when, s.sessionName(), all)
			}
			if c.Domain != "localhost" || c.Path != "/" || !c.HTTPOnly || c.SameSite != network.CookieSameSiteLax || c.Secure != (scheme == "https") {
				t.Errorf("%s: stored as %+v", when, c)
			}
			if len(c.Value) != 64 {
				t.Errorf("%s: %d characters, want a token of 64", when, len(c.Value))
			}
			if script := js[string](b, `document.cookie`); script != "" {
				t.Errorf("%s: scripts see %q", when, script)
			}
			return c
		}
		b.get("/account") // where to go after the login begins a session
		anonymous := check("before the login")
		b.signUp("ann")
		b.logIn("ann")
		login := check("after the login")
		if !login.Session || login.Value == anonymous.Value {
			t.Errorf("after the login: %+v, want a new one that is gone with the browser", login)
		}
		b.fillLogin("ann", pass)
		js[bool](b, `(document.querySelector("[name=remember]").checked = true)`)
		b.do(chromedp.Click(chromedp.CSS("main form button")))
		b.until(`location.pathname !== "/user/login"`)
		kept := check("remembered")
		if days := time.Until(time.Unix(int64(kept.Expires), 0)).Hours() / 24; kept.Session || days < 29.9 || days > 30.1 {
			t.Errorf("remembered for %.1f days (gone with the browser: %v), want 30", days, kept.Session)
		}
		b.press("Log out")
		b.says("logged out successfully")
		if c := check("after the logout, for the message"); c.Value == kept.Value || !c.Session {
			t.Errorf("after the logout: %+v", c)
		}
	})
}

// Two managers, two cookies: the theme is the browser's own, whoever is logged in.
func TestThemeIsKept(t *testing.T) {
	onEach(t, func(t *testing.T, scheme string) {
		s := start(t, scheme)
		b := s.browser(t)
		b.get("/")
		b.press("Dark")
		b.until(`document.documentElement.dataset.theme === "dark"`)
		b.until(`getComputedStyle(document.body).backgroundColor === "rgb(21, 24, 26)"`)
		name := strings.Replace(s.sessionName(), "id", "preferences", 1)
		c := b.cookies()[name]
		if c == nil || c.Session || !c.HTTPOnly || c.Secure != (scheme == "https") {
			t.Fatalf("%s is stored as %+v", name, c)
		}
		b.member("ann")
		b.until(`document.documentElement.dataset.theme === "dark"`)
	})
}

// A first program is tried on http://localhost, where Chromium keeps Secure cookies. Under another name of
// this machine it does not, and the log says so.
func TestSecureCookieOverPlainHTTP(t *testing.T) {
	needChromium(t)
	log := &buffer{}
	m, err := sojourn.New(memstore.New(), sojourn.Config{Logger: slog.New(slog.NewTextHandler(log, nil))})
	if err != nil {
		t.Fatal(err)
	}
	visits := sojourn.NewKey[int]("visits")
	srv := httptest.NewServer(m.LoadAndSave(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/" {
			visits.Update(r.Context(), func(n int) int { return n + 1 })
			show(w, "Visit number %d.", visits.Get(r.Context()))
		}
	})))
	defer srv.Close()
	for _, c := range []struct {
		host, after string
		warns       bool
	}{
		{"localhost", "Visit number 2.", false},
		{"shop.test", "Visit number 1.", true},
	} {
		s := &site{url: strings.Replace(srv.URL, "127.0.0.1", c.host, 1), log: log}
		b := s.browser(t)
		b.get("/")
		b.says("Visit number 1.")
		b.get("/")
		b.says(c.after)
		if warns := strings.Contains(log.String(), "plain http"); warns != c.warns {
			t.Errorf("%s: the log warns: %v, want %v\n%s", c.host, warns, c.warns, log)
		}
	}
}

// V3.3.5: where a browser draws the line, to the byte, on which the chunks of sealed sessions rely.
func TestCookiesOf4096Bytes(t *testing.T) {
	s := start(t, "http") // for the skip, and as the site that is logged about
	mux := http.NewServeMux()
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		for _, n := range []int{4095, 4096, 4097} {
			name := fmt.Sprintf("c%d", n)
			w.Header().Add("Set-Cookie", name+"="+strings.Repeat("x", n-len(name))+"; Path=/; HttpOnly; SameSite=Lax; Max-Age=31536000")
		}
	})
	mux.HandleFunc("/sent", func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, len(r.Header.Get("Cookie"))) })
	srv := httptest.NewServer(mux)
	defer srv.Close()
	s.url = strings.Replace(srv.URL, "127.0.0.1", "localhost", 1)
	b := s.browser(t)
	b.get("/")
	all := b.cookies()
	for n, want := range map[int]bool{4095: true, 4096: true, 4097: false} {
		if c, ok := all[fmt.Sprintf("c%d", n)]; ok != want || ok && len(c.Name)+len(c.Value) != n {
			t.Errorf("name and value of %d bytes: stored %v, want %v", n, ok, want)
		}
	}
	if got, want := js[int](b, `fetch("/sent").then(r => r.text()).then(Number)`), 4095+4096+2+2; got != want {
		t.Errorf("%d bytes of cookies are sent, want %d", got, want)
	}
}

// A sealed session comes back whole, whether it fills a cookie to the byte, needs one more for a single
// byte, or takes all that it may have.
func TestSealedSessionsFillCookies(t *testing.T) {
	s := start(t, "https") // for the skip, and as the site that is logged about
	ring, err := sealed.New([]string{sealed.GenerateKey()}, sealed.Options{})
	if err != nil {
		t.Fatal(err)
	}
	m, err := sojourn.NewSealed(ring, sojourn.Config{})
	if err != nil {
		t.Fatal(err)
	}
	filling := sojourn.NewKey[[]byte]("filling")
	srv := httptest.NewTLSServer(m.LoadAndSave(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if n, err := strconv.Atoi(r.URL.Query().Get("put")); err == nil {
			filling.Put(r.Context(), make([]byte, n))
		}
		fmt.Fprint(w, len(filling.Get(r.Context())))
	})))
	defer srv.Close()
	s.url = strings.Replace(srv.URL, "127.0.0.1", "localhost", 1)
	b := s.browser(t)
	b.get("/")
	full := 0
	for n := 2900; n < 3060; n += 3 { // three bytes are four characters
		for k := range 3 {
			if got := js[int](b, fmt.Sprintf(`fetch("/?put=%d", { method: "POST" }).then(() => fetch("/")).then(r => r.text()).then(Number)`, n+k)); got != n+k {
				t.Fatalf("%d bytes were put, %d came back", n+k, got)
			}
		}
		for name, c := range b.cookies() {
			if len(name)+len(c.Value) == 4096 {
				full++
			}
		}
	}
	if full == 0 {
		t.Error("no cookie was filled to the byte")
	}
	if got := js[int](b, `fetch("/?put=11900", { method: "POST" }).then(() => fetch("/")).then(r => r.text()).then(Number)`); got != 11900 || len(b.cookies()) != 4 {
		t.Errorf("11900 bytes were put, %d came back in %d cookies", got, len(b.cookies()))
	}
	if got := js[int](b, `fetch("/?put=10", { method: "POST" }).then(() => fetch("/")).then(r => r.text()).then(Number)`); got != 10 || len(b.cookies()) != 1 {
		t.Errorf("10 bytes were put, %d came back in %d cookies", got, len(b.cookies()))
	}
}
