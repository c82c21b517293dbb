package carrier

import (
	"net/http"
	"strings"
)

// A scan steps through what a request's header shows under our names, empty values included. Cookies
// are taken apart by hand: nothing is allocated, and other people's, valid or not, are stepped over.
type scan struct {
	c     *Carrier
	lines []string
	line  string // what is left of the present Cookie line
}

func (c *Carrier) scan(h http.Header) scan {
	if c.Header != "" {
		return scan{c: c, lines: h[c.Header]}
	}
	return scan{c: c, lines: h["Cookie"]}
}

// next returns the number of the chunk, 0 for a header, and its value.
func (s *scan) next() (chunk int, value string, ok bool) {
	if s.c.Header != "" {
		value, ok = s.nextHeader()
		return 0, value, ok
	}
	for {
		for s.line == "" {
			if len(s.lines) == 0 {
				return 0, "", false
			}
			s.line, s.lines = s.lines[0], s.lines[1:]
		}
		pair := s.line
		if i := strings.IndexByte(pair, ';'); i >= 0 {
			pair, s.line = pair[:i], pair[i+1:]
		} else {
			s.line = ""
		}
		for pair != "" && (pair[0] == ' ' || pair[0] == '\t') {
			pair = pair[1:]
		}
		if len(pair) <= len(s.c.Name) || pair[:len(s.c.Name)] != s.c.Name {
			continue
		}
		if i := strings.IndexByte(pair[len(s.c.Name):], '='); i >= 0 {
			i += len(s.c.Name)
			if chunk = s.c.chunk(pair[:i]); chunk >= 0 {
				return chunk, strings.TrimRight(pair[i+1:], " \t"), true
			}
		}
	}
}

func (s *scan) nextHeader() (value string, ok bool) {
	for len(s.lines) > 0 {
		value, s.lines = s.lines[0], s.lines[1:]
		if s.c.Header != authorization {
			return value, true
		}
		scheme, rest, found := strings.Cut(value, " ")
		if found && strings.EqualFold(scheme, "Bearer") {
			return strings.TrimLeft(rest, " "), true
		} // another scheme is somebody else's
	}
	return "", false
}

// Same reports whether two requests show the same under our names: the same values in the same order.
// What was found out about one then holds for the other.
func (c *Carrier) Same(a, b http.Header) bool {
	x, y := c.scan(a), c.scan(b)
	if len(x.lines) == len(y.lines) && (len(x.lines) == 0 || &x.lines[0] == &y.lines[0]) {
		return true
	}
	for {
		i, v, more := x.next()
		j, w, too := y.next()
		if more != too || i != j || v != w {
			return false
		}
		if !more {
			return true
		}
	}
}
