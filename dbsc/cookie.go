package dbsc

import (
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/gosojourn/sojourn/internal/bridge"
)

// cookie is the bound cookie: beside the session's, under its name with an ending, in the same scope.
type cookie struct {
	name       string
	attributes string // as the browser is told them, and as Set-Cookie has them but for Max-Age: they have to be equal
	asked      string // the name of the cookie that remembers that a proof was asked for
}

func cookieBeside(c bridge.Cookie) cookie {
	name := c.Name
	// Chromium 156 binds no cookie of the Http- prefixes. They keep scripts from planting a cookie, and one that a
	// script makes up is none that the record knows.
	for http, plain := range map[string]string{"__Host-Http-": "__Host-", "__Http-": "__Secure-"} {
		if len(name) > len(http) && strings.EqualFold(name[:len(http)], http) {
			name = plain + name[len(http):]
		}
	}
	return cookie{
		name:       name + "-bound",
		attributes: "Path=" + c.Path + "; Secure; HttpOnly; SameSite=" + c.SameSite,
		asked:      name + "-asked",
	}
}

func line(name, value string, age int, attributes string) string {
	return name + "=" + value + "; Max-Age=" + strconv.Itoa(age) + "; " + attributes
}

func (c *cookie) set(value string, life time.Duration) string {
	return line(c.name, value, int(life/time.Second), c.attributes)
}

func (c *cookie) gone() string { return line(c.name, "", 0, c.attributes) }

// askedFor is how long a request that comes back without a proof is not asked again.
const askedFor = 15 * time.Second

func (c *cookie) asking() string {
	return line(c.asked, "1", int(askedFor/time.Second), c.attributes)
}

func (c *cookie) askedGone() string { return line(c.asked, "", 0, c.attributes) }

// maxShown is how many cookies of one name are looked at.
const maxShown = 4

// shown steps through the values that h has under name, without allocating. It stops when yield answers false.
func shown(h http.Header, name string, yield func(value string) bool) {
	n := 0
	for _, l := range h["Cookie"] {
		for l != "" {
			var pair string
			pair, l, _ = strings.Cut(l, ";")
			pair = strings.Trim(pair, " \t")
			if len(pair) <= len(name) || pair[:len(name)] != name || pair[len(name)] != '=' {
				continue
			}
			if n++; n > maxShown || !yield(pair[len(name)+1:]) {
				return
			}
		}
	}
}

func (c *cookie) wasAsked(h http.Header) (asked bool) {
	shown(h, c.asked, func(string) bool { asked = true; return false })
	return asked
}
