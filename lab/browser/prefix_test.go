package browser

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/gosojourn/sojourn"
	"github.com/gosojourn/sojourn/memstore"
)

// oldName is what the cookie would be called without the longer prefix. Browsers keep other hosts from
// setting it, but not the page's own scripts.
const oldName = "__Host-id"

// ways are how a script sets a cookie. Each answers whether the browser took it.
var ways = map[string]string{
	"document.cookie": `(() => { document.cookie = %[1]q + "=" + %[2]q + "; Path=/; Secure"; return document.cookie.includes(%[1]q) })()`,
	"cookieStore":     `cookieStore.set({ name: %[1]q, value: %[2]q, path: "/" }).then(() => cookieStore.get(%[1]q)).then(c => !!c, () => false)`,
}

// overflow has the browser drop the oldest cookies of the site: it keeps less than two hundred.
const overflow = `(() => { for (let i = 0; i < 400; i++) document.cookie = "filler" + i + "=1; Path=/; Secure"; return document.cookie !== "" })()`

// A script of the page, such as one that a comment has smuggled in, puts the cookie of another session in
// place of the visitor's own. It cannot see or overwrite an HttpOnly cookie, but it can have it dropped.
// Under a name that any script may set, the visitor goes on as somebody else. Under the name that cookies
// have by default the visitor is logged out at worst.
func TestAScriptCannotPlantTheSession(t *testing.T) {
	for what, c := range map[string]struct {
		cookie string
		taken  bool
		after  string
	}{
		"the old name": {oldName, true, "Hello mallory."},
		"the default":  {"", false, "Hello nobody."},
	} {
		for way, set := range ways {
			t.Run(what+" by "+way, func(t *testing.T) {
				h := newDoor(t, c.cookie)
				planted := mallorysCookie(t, h)
				s := stage(t, "shop.test", h)
				b := s.browser(t)
				b.get("/?as=ann")
				b.get("/")
				b.says("Hello ann.")

				if !js[bool](b, fmt.Sprintf(set, "__Host-x", "1")) {
					t.Fatal("the browser takes no __Host-x from a script: this shows nothing")
				}
				js[bool](b, fmt.Sprintf(set, planted.Name, planted.Value))
				b.get("/")
				b.says("Hello ann.") // an HttpOnly cookie of that name is there

				for deadline := time.Now().Add(patience); b.cookies()[planted.Name] != nil; {
					js[bool](b, overflow) // the browser takes them, and drops others, when it has time to
					if time.Now().After(deadline) {
						t.Fatal("the overflow did not drop the server's cookie: this shows nothing")
					}
				}
				if taken := js[bool](b, fmt.Sprintf(set, planted.Name, planted.Value)); taken != c.taken {
					t.Errorf("the browser took %s from a script: %v, want %v", planted.Name, taken, c.taken)
				}
				b.get("/")
				b.says(c.after)
			})
		}
	}
}

// newDoor is a page that says who is logged in, and logs in whoever the query names.
func newDoor(t *testing.T, cookie string) http.Handler {
	t.Helper()
	m, err := sojourn.New(memstore.New(), sojourn.Config{Cookie: sojourn.Cookie{Name: cookie}})
	if err != nil {
		t.Fatal(err)
	}
	return m.LoadAndSave(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if who := r.FormValue("as"); who != "" {
			if err := m.Login(r.Context(), who); err != nil {
				t.Error(err)
			}
		}
		show(w, "Hello %s.", orNobody(m.Info(r.Context()).Owner))
	}))
}

// mallorysCookie is of a session that mallory has opened with a browser of her own.
func mallorysCookie(t *testing.T, h http.Handler) *http.Cookie {
	t.Helper()
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/?as=mallory", nil))
	all := w.Result().Cookies()
	if len(all) != 1 {
		t.Fatalf("mallory got %d cookies, want 1", len(all))
	}
	return all[0]
}
