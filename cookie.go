package sojourn

import (
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

// candidates are the distinct well-formed tokens of a request, in order, at most as many as are judged.
type candidates struct {
	token     [maxCandidates]string
	n         int
	malformed bool // there was something under our name that is no token
}

const maxCandidates = 4

func (c *candidates) add(value string) {
	if !wellFormed(value) {
		c.malformed = c.malformed || value != ""
		return
	}
	for _, t := range c.token[:c.n] {
		if t == value {
			return
		}
	}
	if c.n < maxCandidates {
		c.token[c.n] = value
		c.n++
	}
}

// present finds what the request shows us.
func (m *Manager) present(r *http.Request) (c candidates) {
	if m.cfg.Header != "" {
		eachHeader(r, m.cfg.Header, c.add)
		return c
	}
	own := m.cfg.Cookie.Name
	eachCookie(r, own, func(name, value string) {
		if name == own {
			c.add(value)
		}
	})
	return c
}

func eachHeader(r *http.Request, name string, f func(value string)) {
	for _, v := range r.Header[name] {
		if name == "Authorization" {
			scheme, rest, ok := strings.Cut(v, " ")
			if !ok || !strings.EqualFold(scheme, "Bearer") {
				continue // another scheme is somebody else's
			}
			v = strings.TrimLeft(rest, " ")
		}
		f(v)
	}
}

// eachCookie steps through the cookies whose names begin with prefix, by hand: nothing is allocated,
// and other people's cookies, valid or not, are stepped over.
func eachCookie(r *http.Request, prefix string, f func(name, value string)) {
	for _, line := range r.Header["Cookie"] {
		for line != "" {
			pair := line
			if i := strings.IndexByte(line, ';'); i >= 0 {
				pair, line = line[:i], line[i+1:]
			} else {
				line = ""
			}
			for pair != "" && (pair[0] == ' ' || pair[0] == '\t') {
				pair = pair[1:]
			}
			if len(pair) > len(prefix) && pair[:len(prefix)] == prefix {
				if i := strings.IndexByte(pair[len(prefix):], '='); i >= 0 {
					f(pair[:len(prefix)+i], strings.TrimRight(pair[len(prefix)+i+1:], " \t"))
				}
			}
		}
	}
}

// sendToken puts the token into the response's header, and forbids caches to keep that response
// (OWASP Session Management, caching). life is how long a cookie that outlives the browser is kept.
func (m *Manager) sendToken(h http.Header, token string, persistent bool, life time.Duration) {
	h.Set("Cache-Control", "no-store")
	if m.cfg.Header == "Authorization" {
		h.Set(outHeader, token)
		return
	} else if m.cfg.Header != "" {
		h.Set(m.cfg.Header, token)
		return
	}
	maxAge := -1
	if persistent || m.cfg.Cookie.Persistent {
		maxAge = seconds(life)
	}
	m.setCookie(h, token, maxAge)
}

func seconds(d time.Duration) int { return int((d + time.Second - 1) / time.Second) }

// expireToken tells the browser to forget the cookie.
func (m *Manager) expireToken(h http.Header) {
	if m.cfg.Header != "" {
		h.Del(outHeader)
		if m.cfg.Header != "Authorization" {
			h.Del(m.cfg.Header)
		}
		return
	}
	h.Set("Cache-Control", "no-store")
	m.setCookie(h, "", 0)
}

// setCookie replaces what this response said before (RFC 6265bis 4.1.1: one of a name).
func (m *Manager) setCookie(h http.Header, value string, maxAge int) {
	m.dropCookies(h)
	m.addCookie(h, m.cfg.Cookie.Name, value, maxAge)
}

func (m *Manager) addCookie(h http.Header, name, value string, maxAge int) {
	k := &m.cfg.Cookie
	b := make([]byte, 0, 128+len(name)+len(value))
	b = append(append(append(b, name...), '='), value...)
	b = append(append(b, "; Path="...), k.Path...)
	if k.Domain != "" {
		b = append(append(b, "; Domain="...), k.Domain...)
	}
	if maxAge >= 0 {
		b = strconv.AppendInt(append(b, "; Max-Age="...), int64(maxAge), 10)
	}
	b = append(b, "; HttpOnly"...)
	if !m.cfg.DangerouslyAllowHTTP {
		b = append(b, "; Secure"...)
	}
	switch k.SameSite {
	case http.SameSiteStrictMode:
		b = append(b, "; SameSite=Strict"...)
	case http.SameSiteNoneMode:
		b = append(b, "; SameSite=None"...)
	default:
		b = append(b, "; SameSite=Lax"...)
	}
	if k.Partitioned {
		b = append(b, "; Partitioned"...)
	}
	h["Set-Cookie"] = append(h["Set-Cookie"], string(b))
}

// dropCookies takes back what this response has said about our cookies.
func (m *Manager) dropCookies(h http.Header) {
	lines := h["Set-Cookie"]
	if slices.ContainsFunc(lines, m.ownCookie) {
		h["Set-Cookie"] = slices.DeleteFunc(slices.Clone(lines), m.ownCookie)
	}
}

func (m *Manager) ownCookie(line string) bool {
	name, _, _ := strings.Cut(line, "=")
	return m.ownName(name)
}

// tokenPending reports whether the header holds a token of ours that has not gone out.
func (m *Manager) tokenPending(h http.Header) bool {
	if m.cfg.Header == "Authorization" {
		return h.Get(outHeader) != ""
	} else if m.cfg.Header != "" {
		return h.Get(m.cfg.Header) != ""
	}
	for _, c := range h["Set-Cookie"] {
		if m.ownCookie(c) {
			return true
		}
	}
	return false
}

// vary tells caches what the response depends on, once the session was read. one is room for the line.
func (m *Manager) vary(h http.Header, one []string) {
	name := "Cookie"
	if m.cfg.Header != "" {
		name = m.cfg.Header
	}
	for _, v := range h["Vary"] {
		for f := range strings.SplitSeq(v, ",") {
			if f = strings.TrimSpace(f); f == "*" || strings.EqualFold(f, name) {
				return
			}
		}
	}
	if h["Vary"] == nil && one != nil {
		one[0] = name
		h["Vary"] = one[:1:1]
		return
	}
	h.Add("Vary", name)
}
