package dbscclient

import (
	"crypto"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
)

// A Device is the part of a browser that holds keys. Several goroutines may use its client, like several tabs.
type Device struct {
	Quoted    bool   // send proofs and identifiers as strings of structured fields, as the draft says; Chromium sends them bare
	Algorithm string // the one to choose, if it is offered; "": the first that is offered

	c    *http.Client
	next http.RoundTripper

	mu       sync.Mutex
	sessions map[string]*session
	log      []Exchange
	failures []error
}

// A Session is one that is bound, as the browser knows it.
type Session struct {
	ID      string
	Refresh string        // URL
	Cookie  string        // the name of the bound cookie
	Key     crypto.Signer // for a test that makes a proof of its own
	Cached  string        // the challenge to sign next, "" if none was sent
}

type session struct {
	Session
	origin string
	turn   sync.Mutex // one refresh at a time
	ended  bool
}

// An Exchange is one request that the device made by itself.
type Exchange struct {
	Path   string
	Proof  bool // it carried one
	Status int  // 0: no answer
}

// On gives c a device. Its Transport is replaced; its Jar stays, and may be exchanged.
func On(c *http.Client) *Device {
	d := &Device{c: c, next: c.Transport, sessions: map[string]*session{}}
	if d.next == nil {
		d.next = http.DefaultTransport
	}
	c.Transport = d
	return d
}

// Sessions are those that are bound now.
func (d *Device) Sessions() []Session {
	d.mu.Lock()
	defer d.mu.Unlock()
	var all []Session
	for _, s := range d.sessions {
		if !s.ended {
			all = append(all, s.Session)
		}
	}
	slices.SortFunc(all, func(a, b Session) int { return strings.Compare(a.ID, b.ID) })
	return all
}

// Log is what the device has asked for by itself.
func (d *Device) Log() []Exchange {
	d.mu.Lock()
	defer d.mu.Unlock()
	return slices.Clone(d.log)
}

// Failures say why registrations or refreshes came to nothing.
func (d *Device) Failures() []error {
	d.mu.Lock()
	defer d.mu.Unlock()
	return slices.Clone(d.failures)
}

// Forget loses the cached challenges, as a restart of the browser does.
func (d *Device) Forget() {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, s := range d.sessions {
		s.Cached = ""
	}
}

// DropCookies deletes the bound cookies, so that the next request waits for a refresh.
func (d *Device) DropCookies() {
	for _, s := range d.Sessions() {
		if u, err := url.Parse(s.Refresh); err == nil {
			d.c.Jar.SetCookies(u, []*http.Cookie{{Name: s.Cookie, Path: "/", MaxAge: -1}})
		}
	}
}

func (d *Device) fail(format string, a ...any) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.failures = append(d.failures, fmt.Errorf("dbscclient: "+format, a...))
}

// RoundTrip sends r when the bound cookies are there, and does what the response asks for. A request that another site caused
// (Sec-Fetch-Site) waits for nothing.
func (d *Device) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.URL.Scheme != "https" || d.c.Jar == nil {
		return d.next.RoundTrip(r)
	}
	out := r.Clone(r.Context())
	for _, s := range d.of(r.URL) {
		if r.Header.Get("Sec-Fetch-Site") == "cross-site" || d.has(r.URL, s.Cookie) {
			continue
		}
		if why := d.refresh(s); why != "" {
			out.Header.Set("Secure-Session-Skipped", why)
		}
		d.cookies(out)
	}
	res, err := d.next.RoundTrip(out)
	if err != nil {
		return nil, err
	}
	d.learn(r.URL, res.Header)
	for _, reg := range registrations(res.Header) {
		d.c.Jar.SetCookies(r.URL, res.Cookies())
		d.register(r, reg)
	}
	res.Request = r
	return res, nil
}

// of are the sessions whose scope has u: one origin, because no more than that is supported.
func (d *Device) of(u *url.URL) (all []*session) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, s := range d.sessions {
		if !s.ended && s.origin == u.Scheme+"://"+u.Host && s.Refresh != u.String() {
			all = append(all, s)
		}
	}
	return all
}

func (d *Device) has(u *url.URL, cookie string) bool {
	return slices.ContainsFunc(d.c.Jar.Cookies(u), func(c *http.Cookie) bool { return c.Name == cookie })
}

// cookies replaces what r shows by what the jar has now, and leaves what the jar does not know.
func (d *Device) cookies(r *http.Request) {
	now := d.c.Jar.Cookies(r.URL)
	for _, c := range r.Cookies() {
		if !slices.ContainsFunc(now, func(o *http.Cookie) bool { return o.Name == c.Name }) {
			now = append(now, c)
		}
	}
	r.Header.Del("Cookie")
	for _, c := range now {
		r.AddCookie(c)
	}
}

// learn keeps the challenges that a response brings.
func (d *Device) learn(u *url.URL, h http.Header) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for id, challenge := range challenges(h) {
		if s := d.sessions[id]; s != nil && s.origin == u.Scheme+"://"+u.Host {
			s.Cached = challenge
		}
	}
}

// post sends one request of the device's own.
func (d *Device) post(to, jws, id string, showCookies bool) (*http.Response, error) {
	r, err := http.NewRequest(http.MethodPost, to, nil)
	if err != nil {
		return nil, err
	}
	r.Header.Set("Content-Length", "0")
	quote := func(s string) string {
		if d.Quoted {
			return `"` + s + `"`
		}
		return s
	}
	if jws != "" {
		r.Header.Set("Secure-Session-Response", quote(jws))
	}
	if id != "" {
		r.Header.Set("Sec-Secure-Session-Id", quote(id))
	}
	if showCookies {
		d.cookies(r)
	}
	res, err := d.next.RoundTrip(r)
	e := Exchange{Path: r.URL.Path, Proof: jws != ""}
	if err == nil {
		e.Status = res.StatusCode
		d.learn(r.URL, res.Header)
	}
	d.mu.Lock()
	d.log = append(d.log, e)
	d.mu.Unlock()
	return res, err
}

// register makes a key and shows it. After a request that another site caused it shows no cookie.
func (d *Device) register(r *http.Request, reg registration) {
	alg := d.choose(reg.algorithms)
	key, err := NewKey(alg)
	if err != nil {
		d.fail("register: %v", err)
		return
	}
	jwk, err := JWK(key)
	if err != nil {
		d.fail("register: %v", err)
		return
	}
	claims := map[string]any{"jti": reg.challenge}
	if reg.authorization != "" {
		claims["authorization"] = reg.authorization
	}
	jws, err := Sign(key, map[string]any{"alg": alg, "typ": "dbsc+jwt", "jwk": jwk}, claims)
	if err != nil {
		d.fail("register: %v", err)
		return
	}
	to := r.URL.ResolveReference(&url.URL{Path: reg.path})
	res, err := d.post(to.String(), jws, "", r.Header.Get("Sec-Fetch-Site") != "cross-site")
	if err != nil {
		d.fail("register: %v", err)
		return
	}
	s, err := d.accept(to, res)
	if err != nil {
		d.fail("register: %v", err)
		return
	}
	s.Key, s.Cached = key, challenges(res.Header)[s.ID]
	d.mu.Lock()
	d.sessions[s.ID] = s
	d.mu.Unlock()
}

func (d *Device) choose(offered []string) string {
	for _, a := range offered {
		if a == d.Algorithm || d.Algorithm == "" && (a == "ES256" || a == "RS256") {
			return a
		}
	}
	return ""
}

// accept reads the instructions, as strictly as Chromium, and keeps the cookie.
func (d *Device) accept(from *url.URL, res *http.Response) (*session, error) {
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("the answer is %s", res.Status)
	}
	body, err := io.ReadAll(io.LimitReader(res.Body, 1<<16))
	if err != nil {
		return nil, err
	}
	var in struct {
		ID       string `json:"session_identifier"`
		Refresh  string `json:"refresh_url"`
		Continue *bool  `json:"continue"`
		Scope    *struct {
			IncludeSite   *bool  `json:"include_site"`
			Specification *[]any `json:"scope_specification"`
		} `json:"scope"`
		Credentials []struct{ Type, Name, Attributes string } `json:"credentials"`
	}
	if err := json.Unmarshal(body, &in); err != nil {
		return nil, err
	}
	switch {
	case in.Continue != nil && !*in.Continue:
		return nil, errEnded
	case in.ID == "" || in.Refresh == "":
		return nil, errors.New("the instructions lack session_identifier or refresh_url")
	case in.Scope == nil || in.Scope.IncludeSite == nil:
		return nil, errors.New("the instructions lack scope or include_site")
	case *in.Scope.IncludeSite:
		return nil, errors.New("dbscclient knows no session of a whole site")
	case len(in.Credentials) != 1 || in.Credentials[0].Type != "cookie":
		return nil, errors.New("the instructions do not have one cookie")
	}
	c := in.Credentials[0]
	if !matches(res.Header, c.Name, c.Attributes) {
		return nil, fmt.Errorf("no Set-Cookie of %s has the attributes %q", c.Name, c.Attributes)
	}
	refresh, err := from.Parse(in.Refresh)
	if err != nil {
		return nil, err
	}
	d.c.Jar.SetCookies(from, res.Cookies())
	return &session{Session: Session{ID: in.ID, Refresh: refresh.String(), Cookie: c.Name},
		origin: from.Scheme + "://" + from.Host}, nil
}

var errEnded = errors.New("the server has ended the session")
