package suite

import (
	"context"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"strings"
)

// A visitor is somebody with a browser.
type visitor struct {
	s   *stage
	jar http.CookieJar
}

// A reply is a response, read to its end.
type reply struct {
	status int
	header http.Header
	body   string
	cookie *http.Cookie // the session's, if one was set
	err    error        // instead of all this
}

func (s *stage) visitor() *visitor {
	jar, _ := cookiejar.New(nil)
	return &visitor{s, jar}
}

// twin is the same person in another tab whose cookies are a copy as of now.
func (v *visitor) twin() *visitor {
	t := v.s.visitor()
	u := v.url("/")
	t.jar.SetCookies(u, v.jar.Cookies(u))
	return t
}

func (v *visitor) url(p string) *url.URL {
	u, err := url.Parse(v.s.srv.URL + p)
	if err != nil {
		v.s.t.Fatal(err)
	}
	return u
}

// token is what the visitor would show.
func (v *visitor) token() string {
	for _, c := range v.jar.Cookies(v.url("/")) {
		if c.Name == "__Host-Http-id" {
			return c.Value
		}
	}
	return ""
}

// open sends a request and answers as soon as the header is there. Redirects are not followed.
func (v *visitor) open(ctx context.Context, page, who string) (*http.Response, error) {
	a := v.s.app.Asks.page(page, who)
	r, err := http.NewRequestWithContext(ctx, a.method, v.url(a.path).String(), strings.NewReader(a.body))
	if err != nil {
		return nil, err
	}
	if a.kind != "" {
		r.Header.Set("Content-Type", a.kind)
	}
	r.Header.Set("Connect-Protocol-Version", "1")
	client := *v.s.srv.Client()
	client.Jar, client.Timeout = v.jar, Patience
	client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return client.Do(r)
}

func (v *visitor) ask(page string) reply { return v.askAs(page, "ann") }

func (v *visitor) askAs(page, who string) reply {
	res, err := v.open(context.Background(), page, who)
	if err != nil {
		return reply{err: err}
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	return reply{res.StatusCode, res.Header, string(body), sessionCookie(res), err}
}

func sessionCookie(res *http.Response) *http.Cookie {
	for _, c := range res.Cookies() {
		if c.Name == "__Host-Http-id" {
			return c
		}
	}
	return nil
}

// says reports whether the page was answered well, with that text in it.
func (r reply) says(text string) bool {
	return r.err == nil && r.status == http.StatusOK && strings.Contains(r.body, text)
}
