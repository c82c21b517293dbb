package carrier

import (
	"net/http"
	"strings"
)

// Apply puts what o says into a response's header, in place of what is said there under our names and
// scope (RFC 6265bis 4.1.1: one Set-Cookie of a name), and keeps the response out of caches. Applying
// it again changes nothing. No slice that is in the header is written to; but the header may hold o's
// own lines afterwards, so o is left as it is.
func (c *Carrier) Apply(h http.Header, o *Outgoing) {
	switch {
	case o.kind == nothing:
		return
	case c.Header == "":
		h["Set-Cookie"] = c.withLines(h["Set-Cookie"], o.lines())
	case o.kind == forgets:
		h.Del(c.out()) // nothing is sent, so caches do not matter
		return
	default:
		h[c.out()] = o.lines()
	}
	noStore(h, &o.noStore)
}

// withLines returns the foreign lines of before, then ours.
func (c *Carrier) withLines(before, ours []string) []string {
	foreign := 0
	for _, line := range before {
		if !c.own(line) {
			foreign++
		}
	}
	if foreign == 0 {
		return ours
	}
	all := make([]string, 0, foreign+len(ours))
	for _, line := range before {
		if !c.own(line) {
			all = append(all, line)
		}
	}
	return append(all, ours...)
}

// own reports whether a Set-Cookie line says something about a cookie of ours: of our name, and not
// clearly of another path or domain, where a browser keeps another cookie.
func (c *Carrier) own(line string) bool {
	pair, rest, _ := strings.Cut(line, ";")
	name, _, _ := strings.Cut(pair, "=")
	if c.chunk(strings.TrimSpace(name)) < 0 {
		return false
	}
	path, domain := c.Path, ""
	for rest != "" {
		var attr string
		attr, rest, _ = strings.Cut(rest, ";")
		key, value, _ := strings.Cut(attr, "=")
		switch value = strings.TrimSpace(value); strings.ToLower(strings.TrimSpace(key)) {
		case "path":
			if strings.HasPrefix(value, "/") { // any other means nothing
				path = value
			}
		case "domain":
			domain = strings.TrimPrefix(value, ".")
		}
	}
	return path == c.Path && (domain == "" || strings.EqualFold(domain, c.Domain))
}

// Vary tells caches what the response depends on. one is room for the line.
func (c *Carrier) Vary(h http.Header, one []string) {
	name := "Cookie"
	if c.Header != "" {
		name = c.Header
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
	h["Vary"] = append(h["Vary"][:len(h["Vary"]):len(h["Vary"])], name)
}
