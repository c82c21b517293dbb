package sojourn

import (
	"net/http"
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

// present finds what the request shows us. The header is scanned by hand: nothing is allocated and
// other people's cookies, valid or not, are stepped over.
func (m *Manager) present(r *http.Request) (c candidates) {
	if h := m.cfg.Header; h != "" {
		for _, v := range r.Header[h] {
			if h == "Authorization" {
				scheme, rest, ok := strings.Cut(v, " ")
				if !ok || !strings.EqualFold(scheme, "Bearer") {
					continue // another scheme is somebody else's
				}
				v = strings.TrimLeft(rest, " ")
			}
			c.add(v)
		}
		return c
	}
	name := m.cfg.Cookie.Name
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
			if len(pair) > len(name) && pair[len(name)] == '=' && pair[:len(name)] == name {
				c.add(strings.TrimRight(pair[len(name)+1:], " \t"))
			}
		}
	}
	return c
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
		maxAge = int((life + time.Second - 1) / time.Second)
	}
	m.setCookie(h, token, maxAge)
}

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
	k := &m.cfg.Cookie
	b := make([]byte, 0, 192)
	b = append(append(append(b, k.Name...), '='), value...)
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
	line := string(b)
	kept := h["Set-Cookie"][:0:0]
	for _, c := range h["Set-Cookie"] {
		if !m.ownCookie(c) {
			kept = append(kept, c)
		}
	}
	h["Set-Cookie"] = append(kept, line)
}

func (m *Manager) ownCookie(line string) bool {
	return strings.HasPrefix(line, m.cfg.Cookie.Name) && strings.HasPrefix(line[len(m.cfg.Cookie.Name):], "=")
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

// vary tells caches what the response depends on, once the session was read.
func (m *Manager) vary(h http.Header) {
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
	h.Add("Vary", name)
}
