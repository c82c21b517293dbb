package browser

import (
	"net/http"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/gosojourn/sojourn"
	"github.com/gosojourn/sojourn/memstore"
)

var cart = sojourn.NewKey[[]string]("cart")

// A shop has a cart for everybody, and customers who log in.
type shop struct {
	*site
	t       *testing.T
	m       *sojourn.Manager
	h       http.Handler
	told    told
	logins  atomic.Int32
	arrived func(n int, r *http.Request) // the nth login, before it is performed
	done    func(n int, r *http.Request, err error)
	next    chan struct{} // closed when it is time for the second click
}

func newShop(t *testing.T, host string, cfg sojourn.Config) *shop {
	t.Helper()
	p := &shop{t: t, arrived: func(int, *http.Request) {}, done: func(int, *http.Request, error) {}}
	cfg.OnEvent = p.told.on
	m, err := sojourn.New(memstore.New(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	p.m = m
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", p.home)
	mux.HandleFunc("POST /add", p.add)
	mux.HandleFunc("POST /login", p.login)
	mux.HandleFunc("POST /logout", p.logout)
	p.next = make(chan struct{})
	mux.HandleFunc("GET /next", func(http.ResponseWriter, *http.Request) { waitFor(t, p.next, "the time for the second click") })
	p.h = m.LoadAndSave(mux)
	p.site = stage(t, host, p.h)
	return p
}

func (p *shop) home(w http.ResponseWriter, r *http.Request) {
	show(w, `<p>Hello %s, cart: %s.</p>
		<form method="post" action="/add"><button>Add</button></form>
		<form method="post" action="/login"><button>Log in</button></form>
		<form method="post" action="/logout"><button>Log out</button></form>`,
		orNobody(p.m.Info(r.Context()).Owner), strings.Join(cart.Get(r.Context()), " "))
}

func (p *shop) add(w http.ResponseWriter, r *http.Request) {
	sojourn.Append(r.Context(), cart, "tea")
	http.Redirect(w, r, "/", http.StatusSeeOther)
}

func (p *shop) login(w http.ResponseWriter, r *http.Request) {
	n := int(p.logins.Add(1))
	_ = r.ParseForm() // the server notices that a browser leaves when it has read what that sent
	p.arrived(n, r)
	err := p.m.Login(r.Context(), "ann")
	if err == nil {
		err = p.m.Commit(r.Context())
	}
	p.done(n, r, err)
	if err != nil {
		http.Error(w, "try again", http.StatusServiceUnavailable)
		return
	}
	http.Redirect(w, r, "/", http.StatusSeeOther)
}

func (p *shop) logout(w http.ResponseWriter, r *http.Request) {
	if err := p.m.Logout(r.Context()); err != nil {
		p.t.Error(err)
	}
	http.Redirect(w, r, "/?out", http.StatusSeeOther)
}

// sessions counts those that ann is logged in by.
func (p *shop) sessions() (n int) {
	p.t.Helper()
	for _, err := range p.m.List(p.t.Context(), "ann") {
		if err != nil {
			p.t.Fatal(err)
		}
		n++
	}
	return n
}

// firstGivenUp has the browser give up the first login before it is committed, and the second one wait for that. over is
// closed then, and answer is what the first Commit has said.
func (p *shop) firstGivenUp() (over chan struct{}, answer *error) {
	over, answer = make(chan struct{}), new(error)
	p.arrived = func(n int, r *http.Request) {
		if n == 1 {
			close(p.next)
			waitFor(p.t, r.Context().Done(), "the browser gives up the first request")
		} else {
			waitFor(p.t, over, "the first login is over")
		}
	}
	p.done = func(n int, _ *http.Request, err error) {
		if n == 1 {
			*answer = err
			close(over)
		}
	}
	return over, answer
}

// clickTwice submits the login form, and once more when next is closed, while the browser still waits for
// the first answer.
func (p *shop) clickTwice(b *tab) {
	p.t.Helper()
	js[bool](b, `(() => {
		const f = document.querySelector("form[action='/login']");
		f.requestSubmit();
		fetch("/next").then(() => f.requestSubmit());
		return true;
	})()`)
}
