package sojourn

import (
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/textproto"
	"strings"
	"time"
)

const (
	day          = 24 * time.Hour
	maxLifetime  = 400 * day // RFC 6265bis 5.5: browsers keep a cookie no longer
	minTimeout   = time.Second
	maxCookie    = 4096 // RFC 6265bis 5.6: name and value together
	defaultName  = "__Host-id"
	outHeader    = "Session-Token"
	maxTouchGap  = time.Hour
	touchesAIdle = 20
)

// cookiePrefixes: what browsers demand of a name that begins so (RFC 6265bis 4.1.3, layered cookies).
// They compare without regard to case. Longest first.
var cookiePrefixes = []struct {
	prefix string
	host   bool
}{
	{"__Host-Http-", true}, {"__Host-", true}, {"__Http-", false}, {"__Secure-", false},
}

// resolve fills in the defaults and reports every mistake, one to a line.
func (c Config) resolve(sealed, indexed bool) (Config, error) {
	var bad []error
	mistake := func(format string, a ...any) { bad = append(bad, fmt.Errorf("sojourn: "+format, a...)) }

	c.resolveTimes(mistake)
	c.resolveTransport(sealed, mistake)
	if c.MaxPerOwner < 0 {
		mistake("MaxPerOwner (%d) is negative: leave it 0 for no limit", c.MaxPerOwner)
	}
	if c.MaxPerOwner > 0 && sealed {
		mistake("MaxPerOwner (%d) needs a store that counts the sessions of an owner; sealed ones are counted by nobody: remove it", c.MaxPerOwner)
	} else if c.MaxPerOwner > 0 && !indexed {
		mistake("MaxPerOwner (%d) needs a store that lists the sessions of an owner, which this one does not: remove it", c.MaxPerOwner)
	}
	if c.Revocations != nil && !sealed {
		mistake("Revocations is for sessions sealed into cookies: a Store keeps its own, remove it")
	}
	if c.EncryptAtRest {
		mistake("EncryptAtRest (true) is not available in this version: remove it, and encrypt the database's disk")
	}
	if c.Load < LoadByMethod || c.Load > LoadLazy {
		mistake("Load (%d) is unknown: use LoadByMethod, LoadEager or LoadLazy", c.Load)
	}
	if c.ErrorHandler == nil {
		c.ErrorHandler = defaultErrorHandler
	}
	if c.Logger == nil {
		c.Logger = slog.Default()
	}
	return c, errors.Join(bad...)
}

func (c *Config) resolveTimes(mistake func(string, ...any)) {
	limit := func(name string, d *time.Duration, def time.Duration) {
		switch {
		case *d == 0:
			*d = def
		case *d < minTimeout:
			mistake("%s (%s) is shorter than a second: leave it 0 for %s", name, short(*d), short(def))
		case *d > maxLifetime:
			mistake("%s (%s) is longer than 400 days, which no browser keeps a cookie for: shorten it", name, short(*d))
		}
	}
	limit("Lifetime", &c.Lifetime, day)
	if c.IdleTimeout != NoIdleTimeout {
		limit("IdleTimeout", &c.IdleTimeout, min(time.Hour, c.Lifetime))
		if c.IdleTimeout > c.Lifetime {
			mistake("IdleTimeout (%s) exceeds Lifetime (%s): shorten it, or use NoIdleTimeout", short(c.IdleTimeout), short(c.Lifetime))
		}
	}
	limit("RememberFor", &c.RememberFor, max(30*day, c.Lifetime))
	if c.RememberFor < c.Lifetime {
		mistake("RememberFor (%s) is shorter than Lifetime (%s): to be remembered would shorten a session", short(c.RememberFor), short(c.Lifetime))
	}
	if c.RotateEvery != 0 {
		mistake("RotateEvery (%s) is not available in this version: remove it; Login and Renew replace the token", short(c.RotateEvery))
	}
	if c.StoreTimeout == 0 {
		c.StoreTimeout = 3 * time.Second
	} else if c.StoreTimeout < 0 {
		mistake("StoreTimeout (%s) is negative: leave it 0 for 3s", short(c.StoreTimeout))
	}
}

func (c *Config) resolveTransport(sealed bool, mistake func(string, ...any)) {
	if len(c.Purpose) > 128 {
		mistake("Purpose is %d bytes long: use at most 128", len(c.Purpose))
	}
	if c.Header != "" {
		if !isToken(c.Header) {
			mistake("Header (%q) is no header name: use letters, digits and hyphens", c.Header)
		}
		if c.Cookie != (Cookie{}) {
			mistake("Cookie is set beside Header (%q): a manager uses one; make two managers on one store for both", c.Header)
		}
		c.Header = textproto.CanonicalMIMEHeaderKey(c.Header)
		switch c.Header {
		case "Cookie", "Set-Cookie", "Host", "Content-Length", "Content-Type":
			mistake("Header (%q) has a meaning of its own: use Authorization, or a name like X-Session", c.Header)
		}
		if c.Purpose == "" {
			c.Purpose = c.Header
		}
	} else {
		c.resolveCookie(sealed, mistake)
		if c.Purpose == "" {
			c.Purpose = c.Cookie.Name
		}
	}
}

func (c *Config) resolveCookie(sealed bool, mistake func(string, ...any)) {
	k := &c.Cookie
	if k.Name == "" {
		k.Name = defaultName
		if k.Domain != "" || (k.Path != "" && k.Path != "/") {
			k.Name = "__Secure-id"
		}
	}
	if k.Path == "" {
		k.Path = "/"
	}
	if k.SameSite == 0 {
		k.SameSite = http.SameSiteLaxMode
	}
	for _, p := range cookiePrefixes {
		if len(k.Name) < len(p.prefix) || !strings.EqualFold(k.Name[:len(p.prefix)], p.prefix) {
			continue
		}
		if c.DangerouslyAllowHTTP {
			k.Name = k.Name[len(p.prefix):]
		} else if p.host && (k.Domain != "" || k.Path != "/") {
			mistake("Cookie.Name (%q) begins with %s, so browsers want no Domain and Path \"/\": remove Domain (%q) and Path (%q), or use the prefix __Secure-", k.Name, p.prefix, k.Domain, k.Path)
		}
		break
	}
	if !isToken(k.Name) {
		mistake("Cookie.Name (%q) is no cookie name: use letters, digits, hyphens and underscores (RFC 6265bis 4.1.1)", k.Name)
	}
	if sealed && len(k.Name) > longestName {
		mistake("Cookie.Name is %d bytes long: a sealed session wants a name of at most %d", len(k.Name), longestName)
	} else if len(k.Name)+tokenLen > maxCookie {
		mistake("Cookie.Name is %d bytes long: name and value together may have %d", len(k.Name), maxCookie)
	}
	if k.Domain != "" && !isDomain(k.Domain) {
		mistake("Cookie.Domain (%q) is no domain name: write it like example.com, without port or leading dot", k.Domain)
	}
	if !isPath(k.Path) {
		mistake("Cookie.Path (%q) must begin with / and hold no semicolon or control character", k.Path)
	}
	if k.SameSite < http.SameSiteLaxMode || k.SameSite > http.SameSiteNoneMode {
		mistake("Cookie.SameSite (%d) must be said: use http.SameSiteLaxMode, StrictMode or NoneMode", k.SameSite)
	}
	if c.DangerouslyAllowHTTP && k.SameSite == http.SameSiteNoneMode {
		mistake("Cookie.SameSite (None) needs Secure: browsers refuse it with DangerouslyAllowHTTP; use Lax")
	}
	if c.DangerouslyAllowHTTP && k.Partitioned {
		mistake("Cookie.Partitioned (true) needs Secure: browsers refuse it with DangerouslyAllowHTTP; remove one")
	}
}

// touchGap is how old Seen may grow before a request that used the session renews it.
func (c *Config) touchGap() time.Duration {
	if c.IdleTimeout == NoIdleTimeout {
		return maxTouchGap
	}
	return min(c.IdleTimeout/touchesAIdle, maxTouchGap)
}

// short writes 48h, not 48h0m0s.
func short(d time.Duration) string {
	s := d.String()
	if strings.HasSuffix(s, "m0s") {
		s = strings.TrimSuffix(s, "0s")
	}
	if strings.HasSuffix(s, "h0m") {
		s = strings.TrimSuffix(s, "0m")
	}
	return s
}

// isToken: RFC 9110 5.6.2, which header and cookie names obey.
func isToken(s string) bool {
	for i := range len(s) {
		c := s[i]
		if c <= ' ' || c >= 0x7f || strings.IndexByte(`()<>@,;:\"/[]?={}`, c) >= 0 {
			return false
		}
	}
	return s != ""
}

func isDomain(s string) bool {
	for label := range strings.SplitSeq(s, ".") {
		if label == "" || len(label) > 63 || label[0] == '-' || label[len(label)-1] == '-' {
			return false
		}
		for i := range len(label) {
			c := label[i]
			if c != '-' && (c < '0' || c > '9') && (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') {
				return false
			}
		}
	}
	return len(s) <= 253
}

func isPath(s string) bool {
	for i := range len(s) {
		if s[i] < ' ' || s[i] >= 0x7f || s[i] == ';' {
			return false
		}
	}
	return strings.HasPrefix(s, "/")
}
