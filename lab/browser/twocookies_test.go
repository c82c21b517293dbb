package browser

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/gosojourn/sojourn"
)

// F31. A sibling subdomain plants a cookie of a living session of its own beside ours. Neither is read,
// and a logout or a login ends both: afterwards neither logs in, whoever shows it.
func TestPlantedCookie(t *testing.T) {
	for _, way := range []string{"Log out", "Log in"} {
		t.Run(way, func(t *testing.T) {
			p := newShop(t, "www.example.test", sojourn.Config{Cookie: sojourn.Cookie{Name: "id"}})
			mallory := httptest.NewRecorder()
			p.h.ServeHTTP(mallory, httptest.NewRequest(http.MethodPost, "/login", nil))
			planted := mallory.Result().Cookies()[0].Value
			evil := stage(t, "evil.example.test", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				http.SetCookie(w, &http.Cookie{Name: "id", Value: planted, Domain: "example.test", Path: "/", Secure: true})
				show(w, "Planted.")
			}))
			b := p.browser(t)
			b.get("/")
			b.press("Log in")
			b.says("Hello ann")
			own := b.cookies()["id"].Value
			b.at(evil).says("Planted.")
			if n := len(b.jar()); n != 2 {
				t.Fatalf("the browser has %d cookies, want two of one name", n)
			}
			b.get("/")
			b.says("Hello nobody")
			for which, token := range map[string]string{"own": own, "planted": planted} {
				if !strings.Contains(alone(p.h, "/", "id", token), "Hello ann") {
					t.Fatalf("the %s cookie is of no living session", which)
				}
			}
			b.press(way)
			if way == "Log in" {
				b.says("Hello ann")
			} else {
				b.until(`location.search === "?out"`)
				b.says("Hello nobody")
			}
			for which, token := range map[string]string{"own": own, "planted": planted} {
				if !strings.Contains(alone(p.h, "/", "id", token), "Hello nobody") {
					t.Errorf("the %s cookie still logs in", which)
				}
			}
		})
	}
}

// The name that cookies have by default cannot be planted from there.
func TestHostPrefixKeepsPlantedCookiesOut(t *testing.T) {
	p := newShop(t, "www.example.test", sojourn.Config{})
	evil := stage(t, "evil.example.test", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		for _, n := range []string{name, "other"} {
			http.SetCookie(w, &http.Cookie{Name: n, Value: strings.Repeat("x", 64), Domain: "example.test", Path: "/", Secure: true})
		}
		show(w, "Planted.")
	}))
	b := p.browser(t)
	b.at(evil).says("Planted.")
	if all := b.jar(); len(all) != 1 || all[0].Name != "other" {
		t.Errorf("planted: %v", all)
	}
}
