package browser

import (
	"errors"
	"fmt"
	"net/http"
	"testing"

	"github.com/gosojourn/sojourn"
	"github.com/gosojourn/sojourn/memstore"
	"github.com/gosojourn/sojourn/sealed"
)

var paid = sojourn.NewKey[string]("paid")

// A till is a site that people come back to from a bank's.
type till struct {
	*site
	m    *sojourn.Manager
	told told
}

func newTill(t *testing.T, kept string, sameSite http.SameSite) *till {
	t.Helper()
	p := &till{}
	cfg := sojourn.Config{Cookie: sojourn.Cookie{SameSite: sameSite}, OnEvent: p.told.on}
	var err error
	if kept == "sealed" {
		ring, ringErr := sealed.New([]string{sealed.GenerateKey()}, sealed.Options{})
		p.m, err = sojourn.NewSealed(ring, cfg)
		err = errors.Join(ringErr, err)
	} else {
		p.m, err = sojourn.New(memstore.New(), cfg)
	}
	if err != nil {
		t.Fatal(err)
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, r *http.Request) {
		show(w, `<p>Hello %s, paid: %s.</p>
			<form method="post" action="/login"><button>Log in</button></form>
			<form method="post" action="/logout"><button>Log out</button></form>`,
			orNobody(p.m.Info(r.Context()).Owner), paid.Get(r.Context()))
	})
	mux.HandleFunc("POST /login", func(w http.ResponseWriter, r *http.Request) {
		if err := p.m.Login(r.Context(), "ann"); err != nil {
			t.Error(err)
		}
		http.Redirect(w, r, "/", http.StatusSeeOther)
	})
	mux.HandleFunc("/naive", p.naive)
	mux.HandleFunc("/back", p.back)
	mux.HandleFunc("/landing", p.landing)
	mux.HandleFunc("/bounce", func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/", http.StatusSeeOther) })
	p.site = stage(t, "shop.test", p.m.LoadAndSave(mux))
	return p
}

// naive changes the session whoever has sent the request.
func (p *till) naive(w http.ResponseWriter, r *http.Request) {
	paid.Put(r.Context(), "naively")
	show(w, "Thank you.")
}

// back is what a POST that returns from another site leads to: it is taken for what it says, and the
// session is left to a GET of our own.
func (p *till) back(w http.ResponseWriter, r *http.Request) {
	paid.Put(r.Context(), r.FormValue("order"))
	switch err := p.m.Commit(r.Context()); {
	case errors.Is(err, sojourn.ErrCrossSite):
		http.Redirect(w, r, "/back?order=by-a-redirect", http.StatusSeeOther)
	case err != nil:
		http.Error(w, "try again", http.StatusServiceUnavailable)
	default:
		http.Redirect(w, r, "/", http.StatusSeeOther)
	}
}

// landing is where links of other sites lead to. A Strict cookie comes with a request that a page of ours
// has made.
func (p *till) landing(w http.ResponseWriter, r *http.Request) {
	paid.Put(r.Context(), "by-ourselves")
	switch err := p.m.Commit(r.Context()); {
	case !errors.Is(err, sojourn.ErrCrossSite) && err != nil:
		http.Error(w, "try again", http.StatusServiceUnavailable)
	case err == nil:
		http.Redirect(w, r, "/", http.StatusSeeOther)
	case r.FormValue("by") == "form":
		show(w, `<form method="post" action="/landing"></form><script>document.forms[0].submit()</script>`)
	default:
		show(w, `<meta http-equiv="refresh" content="0;url=/landing">`)
	}
}

// F36. Who comes back from a bank is still logged in, and what the browser was not sure about is not done:
// with Lax, a POST; with Strict, any request, until a page of our own sends it.
func TestComingBackFromAnotherSite(t *testing.T) {
	for _, way := range []struct {
		name     string
		sameSite http.SameSite
		naive    string // how the bank's page leads to where the session is changed at once
		right    map[string]string
	}{
		{"Lax", http.SameSiteLaxMode, sends("%s/naive"), map[string]string{
			sends("%s/back"): "by-a-redirect",
		}},
		{"Strict, a link", http.SameSiteStrictMode, leads("%s/naive"), map[string]string{
			leads("%s/landing"):         "by-ourselves",
			leads("%s/landing?by=form"): "by-ourselves",
		}},
		{"Strict, a form", http.SameSiteStrictMode, sends("%s/naive"), map[string]string{
			sends("%s/landing"): "by-ourselves",
		}},
	} {
		for _, kept := range []string{"stored", "sealed"} {
			t.Run(way.name+", "+kept, func(t *testing.T) {
				p := newTill(t, kept, way.sameSite)
				b := p.browser(t)
				b.get("/")
				b.press("Log in")
				b.says("Hello ann, paid: .")
				before := b.cookies()[name].Value

				b.at(p.bank(t, way.naive)).press("Send")
				b.says("Thank you.")
				if c := b.cookies()[name]; c == nil || c.Value != before {
					t.Errorf("after the bank the browser has another cookie: %v", c)
				}
				if n := p.told.count(sojourn.EventTokenRefused, "cross_site"); n != 1 {
					t.Errorf("%d events tell of it, want 1", n)
				}
				b.get("/")
				b.says("Hello ann, paid: .")

				b.at(p.bank(t, leads("%s/bounce"))).press("Send")
				b.until(`location.pathname === "/" && location.host.startsWith("shop.test")`)
				if way.sameSite == http.SameSiteStrictMode { // or the page in between would be for nothing
					b.says("Hello nobody")
				} else {
					b.says("Hello ann")
				}

				for page, want := range way.right {
					b.at(p.bank(t, page)).press("Send")
					b.until(`location.pathname === "/" && location.host.startsWith("shop.test")`)
					b.says("Hello ann, paid: " + want + ".")
				}
			})
		}
	}
}

// bank is another site, of one page.
func (p *till) bank(t *testing.T, text string) *site {
	return stage(t, "bank.test", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		fmt.Fprintf(w, text, p.url)
	}))
}

// leads is a page with a link to url.
func leads(url string) string { return page(`<a href="` + url + `">Send</a>`) }
