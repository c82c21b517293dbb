package sojourn

import (
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/textproto"
	"strconv"
	"strings"
	"time"

	"github.com/gosojourn/sojourn/internal/carrier"
	"github.com/gosojourn/sojourn/internal/token"
)

const (
	day          = 24 * time.Hour
	maxLifetime  = 400 * day // RFC 6265bis 5.5: browsers keep a cookie no longer
	minTimeout   = time.Second
	defaultName  = "__Host-Http-id"
	maxAttribute = 1024 // RFC 6265bis 5.6: browsers ignore a longer Path
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
		mistake("MaxPerOwner (%d) needs a store that lists the sessions of an owner, and sealed sessions have no store: remove it", c.MaxPerOwner)
	} else if c.MaxPerOwner > 0 && !indexed {
		mistake("MaxPerOwner (%d) needs a store that lists the sessions of an owner, which this one does not: remove it", c.MaxPerOwner)
	}
	for _, f := range []struct {
		name  string
		value any
	}{{"Anonymous", c.Anonymous}, {"Revocations", c.Revocations}, {"Legacy", c.Legacy}} {
		if f.value != nil && isNil(f.value) {
			mistake("%s is a nil %T: look at the error of what should have made it", f.name, f.value)
		}
	}
	c.resolveSealed(sealed, mistake)
	c.resolveAnonymous(sealed, mistake)
	if !isNil(c.Legacy) {
		c.resolveLegacy(mistake)
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

// leastSealed is what a sealed session needs with an owner, a device and one small value, in bytes of its cookie.
const leastSealed = 512

func (c *Config) resolveSealed(sealed bool, mistake func(string, ...any)) {
	switch {
	case c.MaxSealed != 0 && !sealed && c.Anonymous == nil:
		mistake("MaxSealed is for NewSealed, and for Anonymous: a Store has a limit of its own, remove it")
	case c.MaxSealed < 0 || c.MaxSealed > 0 && c.MaxSealed < leastSealed:
		mistake("MaxSealed (%d) is less than %d bytes, of which nothing useful is left: say more, or 0 for what four cookies hold", c.MaxSealed, leastSealed)
	}
	if c.EncryptAtRest && sealed {
		mistake("EncryptAtRest (true) is for a Store: a sealed session is encrypted already, remove it")
	}
	if c.Revocations != nil && !sealed {
		mistake("Revocations is for NewSealed: a Store keeps its own, remove it")
	}
}

// resolveAnonymous is behind resolveTransport, which settles the cookie's name.
func (c *Config) resolveAnonymous(sealed bool, mistake func(string, ...any)) {
	switch {
	case c.Anonymous == nil:
	case sealed:
		mistake("Anonymous is for New: with NewSealed every session is sealed, remove it")
	case c.cookieOnly:
		mistake("Anonymous is set, and scscompat hands out the token of every session, which a sealed one has not: remove it, or use the methods of a sojourn.Manager")
	case c.Header != "":
		mistake("Anonymous is set beside Header (%q): visitors' sessions are sealed in a cookie; make a manager of its own for programs", c.Header)
	case len(c.Cookie.Name+visitorSuffix) > carrier.LongestName:
		mistake("Cookie.Name is %d bytes long: with Anonymous use at most %d", len(c.Cookie.Name), carrier.LongestName-len(visitorSuffix))
	}
}

func (c *Config) resolveTimes(mistake func(string, ...any)) {
	limit := func(name string, d *time.Duration, def time.Duration) bool {
		switch {
		case *d == 0:
			*d = def
			return true
		case *d < minTimeout:
			remedy := "leave it 0 to have the default, " + short(def)
			if *d > 0 && *d < time.Microsecond { // somebody has left the unit out
				remedy = fmt.Sprintf("a number alone is nanoseconds, so write the unit as in %d*time.Hour; or %s", *d, remedy)
			}
			mistake("%s (%s) is shorter than a second: %s", name, short(*d), remedy)
		case *d > maxLifetime:
			mistake("%s (%s) is longer than 400 days, which no browser keeps a cookie for: shorten it", name, short(*d))
		default:
			return true
		}
		*d = def // nothing that follows is judged by a wrong value
		return false
	}
	lifetime := limit("Lifetime", &c.Lifetime, day)
	if c.IdleTimeout != NoIdleTimeout {
		if limit("IdleTimeout", &c.IdleTimeout, min(time.Hour, c.Lifetime)) && lifetime && c.IdleTimeout > c.Lifetime {
			mistake("IdleTimeout (%s) exceeds Lifetime (%s): shorten it, or use NoIdleTimeout", short(c.IdleTimeout), short(c.Lifetime))
		}
	}
	if limit("RememberFor", &c.RememberFor, max(30*day, c.Lifetime)) && lifetime && c.RememberFor < c.Lifetime {
		mistake("RememberFor (%s) is shorter than Lifetime (%s): to be remembered would shorten a session", short(c.RememberFor), short(c.Lifetime))
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
			mistake("Header (%q) means something else to HTTP: use Authorization, or a name like X-Session", c.Header)
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
	c.resolvePrefix(mistake)
	if !isToken(k.Name) {
		mistake("Cookie.Name (%q) is no cookie name: use letters, digits, hyphens and underscores (RFC 6265bis 4.1.1)", k.Name)
	}
	if sealed && len(k.Name) > carrier.LongestName {
		mistake("Cookie.Name is %d bytes long: a sealed session wants a name of at most %d", len(k.Name), carrier.LongestName)
	} else if len(k.Name)+token.Len > carrier.MaxCookie {
		mistake("Cookie.Name is %d bytes long: name and value together may have %d", len(k.Name), carrier.MaxCookie)
	}
	if k.Domain != "" {
		resolveDomain(k.Domain, mistake)
	}
	if !isPath(k.Path) {
		mistake("Cookie.Path (%q) is no path: begin with /, and use ASCII characters other than semicolons and control characters", k.Path)
	} else if len(k.Path) > maxAttribute {
		mistake("Cookie.Path is %d bytes long, and browsers ignore one of more than %d: shorten it", len(k.Path), maxAttribute)
	}
	c.resolveSites(mistake)
}

// resolvePrefix holds the name's prefix against the other fields, or takes it away for plain http.
func (c *Config) resolvePrefix(mistake func(string, ...any)) {
	k := &c.Cookie
	for _, p := range cookiePrefixes {
		if len(k.Name) < len(p.prefix) || !strings.EqualFold(k.Name[:len(p.prefix)], p.prefix) {
			continue
		}
		if c.DangerouslyAllowHTTP {
			k.Name = k.Name[len(p.prefix):]
		} else if p.host && (k.Domain != "" || k.Path != "/") {
			mistake("Cookie.Name (%q) begins with %s, which browsers refuse beside Domain (%q) or any Path (%q) but \"/\": remove both, or use the prefix __Secure-", k.Name, p.prefix, k.Domain, k.Path)
		}
		break
	}
}

// resolveSites looks at what says which sites the cookie goes to.
func (c *Config) resolveSites(mistake func(string, ...any)) {
	k := &c.Cookie
	if k.SameSite < http.SameSiteLaxMode || k.SameSite > http.SameSiteNoneMode {
		mistake("Cookie.SameSite (%d) is unknown: use http.SameSiteLaxMode, StrictMode or NoneMode", k.SameSite)
	}
	if c.DangerouslyAllowHTTP && k.SameSite == http.SameSiteNoneMode {
		mistake("Cookie.SameSite (None) needs Secure: browsers refuse it with DangerouslyAllowHTTP; use Lax")
	}
	if c.DangerouslyAllowHTTP && k.Partitioned {
		mistake("Cookie.Partitioned (true) needs Secure: browsers refuse it with DangerouslyAllowHTTP; remove one")
	}
	if k.Partitioned && k.SameSite != http.SameSiteNoneMode {
		mistake("Cookie.Partitioned (true) is for a page embedded in other sites, where browsers send a cookie only with SameSite None: set http.SameSiteNoneMode, or remove Partitioned")
	}
}

// resolveDomain refuses a Domain that no browser takes (RFC 6265bis 5.7). Which names are public suffixes
// only a list tells, and that changes every week.
func resolveDomain(domain string, mistake func(string, ...any)) {
	last := domain[strings.LastIndexByte(domain, '.')+1:]
	_, noNumber := strconv.ParseUint(last, 0, 64) // browsers take a name that ends in a number for an address
	switch {
	case net.ParseIP(domain) != nil, isDomain(domain) && noNumber == nil:
		mistake("Cookie.Domain (%q) is an IP address, which browsers refuse: remove it, and the cookie is this host's", domain)
	case !isDomain(domain):
		mistake("Cookie.Domain (%q) is no domain name: write it like example.com, without port or leading dot, and in ASCII (xn--...)", domain)
	case last == domain:
		mistake("Cookie.Domain (%q) is a single label, which browsers refuse: remove it, and the cookie is this host's; or write it like example.com", domain)
	}
}

func (c *Config) resolveLegacy(mistake func(string, ...any)) {
	if v, ok := c.Legacy.(interface{ Validate() error }); ok {
		if err := v.Validate(); err != nil {
			mistake("Legacy: %w", err)
		}
	}
	switch name := c.Legacy.Cookie().Name; {
	case c.Header != "":
		mistake("Legacy is set beside Header (%q): old sessions come in cookies, and so do the new ones; make a manager of its own for them", c.Header)
	case name == "":
		mistake("Legacy does not say the name of the old cookie: set it in the reader")
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
