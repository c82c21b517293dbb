package model

import (
	"net/http"
	"slices"
	"strings"
	"time"
)

// A jar is what a browser at https://app.sojourn.test keeps (RFC 6265bis 5.7).
type jar struct {
	cookies map[jarKey]jarCookie
}

// jarKey: a cookie for one host and one for its domain live beside each other under one name.
type jarKey struct{ name, domain, path string }

type jarCookie struct {
	value   string
	expires time.Time // zero: with the browser
}

const jarHost = "app.sojourn.test"

// take keeps what a response sets, but what a browser would refuse.
func (j *jar) take(lines []string, now time.Time) {
	for _, line := range lines {
		c, err := http.ParseSetCookie(line)
		if err != nil || !takes(c) {
			continue
		}
		k := jarKey{c.Name, strings.TrimPrefix(c.Domain, "."), c.Path}
		switch {
		case c.MaxAge < 0, !c.Expires.IsZero() && c.MaxAge == 0 && !now.Before(c.Expires):
			delete(j.cookies, k)
			continue
		case j.cookies == nil:
			j.cookies = make(map[jarKey]jarCookie)
		}
		kept := jarCookie{value: c.Value}
		if c.MaxAge > 0 {
			kept.expires = now.Add(time.Duration(c.MaxAge) * time.Second)
		}
		j.cookies[k] = kept
	}
}

// takes reports whether a browser keeps c: prefixes and domains have rules.
func takes(c *http.Cookie) bool {
	name := strings.ToLower(c.Name)
	switch {
	case strings.HasPrefix(name, "__host-"):
		return c.Secure && c.Domain == "" && c.Path == "/"
	case strings.HasPrefix(name, "__secure-") && !c.Secure:
		return false
	}
	d := strings.TrimPrefix(c.Domain, ".")
	return d == "" || d == jarHost || strings.HasSuffix(jarHost, "."+d)
}

// pairs are the values that the browser shows under name.
func (j *jar) pairs(now time.Time) (all []string) {
	for k, c := range j.cookies {
		if c.expires.IsZero() || now.Before(c.expires) {
			all = append(all, k.name+"="+c.value)
		}
	}
	slices.Sort(all) // a schedule is the same each time
	return all
}
