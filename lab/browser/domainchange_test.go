package browser

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/gosojourn/sojourn"
	"github.com/gosojourn/sojourn/memstore"
)

// A rolling deploy gives the cookie a Domain. Old servers and new ones have the same store and take turns
// at www.example.test; the first part of the path says whose turn it is.
type rolling struct {
	*site
	other *site // whose page has a login form that posts to us
	h     http.Handler
}

const rollingName = "__Secure-id"

func newRolling(t *testing.T) *rolling {
	t.Helper()
	store := memstore.New()
	mux := http.NewServeMux()
	for version, domain := range map[string]string{"old": "", "new": "example.test"} {
		m, err := sojourn.New(store, sojourn.Config{Cookie: sojourn.Cookie{Name: rollingName, Domain: domain}})
		if err != nil {
			t.Fatal(err)
		}
		server := http.NewServeMux()
		server.HandleFunc("GET /who", func(w http.ResponseWriter, r *http.Request) {
			fmt.Fprint(w, orNobody(m.Info(r.Context()).Owner))
		})
		server.HandleFunc("POST /login", func(w http.ResponseWriter, r *http.Request) {
			user := r.URL.Query().Get("user")
			if err := m.Login(r.Context(), user); err != nil {
				t.Error(err)
			}
			show(w, "Welcome, %s.", user)
		})
		server.HandleFunc("POST /logout", func(w http.ResponseWriter, r *http.Request) {
			if err := m.Logout(r.Context()); err != nil {
				t.Error(err)
			}
			show(w, "Good bye, %s.", r.URL.Query().Get("user"))
		})
		mux.Handle("/"+version+"/", http.StripPrefix("/"+version, m.LoadAndSave(server)))
	}
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, r *http.Request) { show(w, "") })
	forms := func(w http.ResponseWriter, r *http.Request) { show(w, "") }
	return &rolling{stage(t, "www.example.test", mux), stage(t, "other.test", http.HandlerFunc(forms)), mux}
}

// send posts a form to path from a page of from, as a person does.
func (b *tab) send(from *site, path, want string) {
	b.t.Helper()
	b.at(from)
	js[bool](b, fmt.Sprintf(`(() => {
		const f = document.createElement("form");
		f.method = "post";
		f.action = %s;
		document.body.append(f);
		f.submit();
		return true;
	})()`, quote(b.s.url+path)))
	b.says(want)
}

// alive counts the browser's cookies that log somebody in, each by itself.
func (p *rolling) alive(b *tab) (n int) {
	for _, c := range b.jar() {
		if alone(p.h, "/new/who", c.Name, c.Value) != "nobody" {
			n++
		}
	}
	return n
}

// Nobody is stuck while a deploy gives the cookie a Domain. Of all steps (a login by our form, a login by
// another site's, which the browser sends without our cookie, and a logout, each at either server) every
// pair is taken.
func TestDomainChangeLeavesNobodyStuck(t *testing.T) {
	p := newRolling(t)
	b := p.browser(t)
	stuck, last := 0, "" // last: the step before
	for i, step := range strings.Fields(everyPair) {
		server, what, _ := strings.Cut(step, "-")
		user := fmt.Sprintf("person%d", i)
		where := fmt.Sprintf("step %d, %s after %s", i, step, last)
		last = step
		switch what {
		case "form":
			b.send(p.site, "/"+server+"/login?user="+user, "Welcome, "+user)
		case "cross":
			b.send(p.other, "/"+server+"/login?user="+user, "Welcome, "+user)
		case "out":
			b.send(p.site, "/"+server+"/logout?user="+user, "Good bye, "+user)
		}
		b.get("/")
		atOld := js[string](b, `fetch("/old/who").then(r => r.text())`)
		atNew := js[string](b, `fetch("/new/who").then(r => r.text())`)
		if atOld != atNew {
			t.Errorf("%s: %s at the old server, %s at the new", where, atOld, atNew)
		}
		want, alive := user, 1
		switch {
		case what == "out":
			want, alive = "nobody", 0
		case step == "old-cross" && atNew == "nobody":
			// An old server cannot expire a cookie that it was not sent and whose Domain it does not know.
			// Neither session is read until the next login or logout: it ends both.
			want, alive = "nobody", 2
			stuck++
		}
		if n := p.alive(b); atNew != want || n != alive {
			t.Errorf("%s: %s, want %s; %d live cookies, want %d", where, atNew, want, n, alive)
		}
	}
	if stuck == 0 {
		t.Error("no old server ever left two cookies: the steps do not reach what they are for")
	}
}

// everyPair has each step after each other once, itself too.
const everyPair = `old-form old-form old-cross old-form old-out old-form new-form old-form new-cross old-form new-out
	old-cross old-cross old-out old-cross new-form old-cross new-cross old-cross new-out old-out old-out
	new-form old-out new-cross old-out new-out new-form new-form new-cross new-form new-out new-cross
	new-cross new-out new-out old-form`
