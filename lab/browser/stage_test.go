package browser

import (
	"context"
	"fmt"
	"html"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"

	"github.com/chromedp/cdproto/network"

	"github.com/gosojourn/sojourn"
)

// stage serves h over https under a name of its own below .test, which the browser finds on this machine.
func stage(t *testing.T, host string, h http.Handler) *site {
	t.Helper()
	needChromium(t)
	s := &site{log: &buffer{}}
	srv := httptest.NewUnstartedServer(h)
	srv.Config.ErrorLog = log.New(s.log, "", 0)
	srv.StartTLS()
	t.Cleanup(srv.Close)
	_, port, err := net.SplitHostPort(srv.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	s.url, s.stop = "https://"+host+":"+port, srv.Close
	return s
}

// sends is a page with a form that posts to url as soon as somebody presses 'Send'.
func sends(url string) string {
	return page(`<form method="post" action="` + html.EscapeString(url) + `"><button>Send</button></form>`)
}

func page(body string) string {
	return `<!doctype html><meta charset="utf-8"><title>Stage</title><main>` + body + `</main>`
}

// show answers with a page.
func show(w http.ResponseWriter, format string, a ...any) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	fmt.Fprint(w, page(fmt.Sprintf(format, a...)))
}

// told is what a manager has told the application.
type told struct {
	mu     sync.Mutex
	events []sojourn.Event
}

func (o *told) on(_ context.Context, e sojourn.Event) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.events = append(o.events, e)
}

// count tells how many events of this name and reason there were.
func (o *told) count(name sojourn.EventName, reason string) (n int) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, e := range o.events {
		if e.Name == name && e.Reason == reason {
			n++
		}
	}
	return n
}

// jar is each cookie that the site is sent, also several of one name.
func (b *tab) jar() []*network.Cookie {
	b.t.Helper()
	return call(b, network.GetCookies, network.GetCookiesParams{URLs: []string{b.s.url + "/"}}).Cookies
}

// alone is what h answers to somebody who shows one cookie and nothing else.
func alone(h http.Handler, path, name, value string) string {
	r := httptest.NewRequest(http.MethodGet, path, nil)
	r.AddCookie(&http.Cookie{Name: name, Value: value})
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w.Body.String()
}

// orNobody is what a page calls a visitor.
func orNobody(owner string) string {
	if owner == "" {
		return "nobody"
	}
	return owner
}
