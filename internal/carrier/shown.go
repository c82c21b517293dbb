package carrier

import (
	"hash/maphash"
	"net/http"

	"github.com/gosojourn/sojourn/internal/token"
)

// Shown is what a request shows under our name: distinct texts in order, at most as many as are judged.
type Shown struct {
	Texts     [MaxShown]string
	N         int
	Any       bool // there was something under our name that was not empty
	Malformed bool // there was something that is no text of ours
}

// add takes a text once. What is over the limit is not judged.
func (s *Shown) add(text string) {
	for _, t := range s.Texts[:s.N] {
		if t == text {
			return
		}
	}
	if s.N < MaxShown {
		s.Texts[s.N] = text
		s.N++
	}
}

// Tokens finds the well-formed tokens that a request shows.
func (c *Carrier) Tokens(h http.Header) Shown { return c.Texts(h, token.WellFormed) }

// Texts finds what a request shows that is wellFormed.
func (c *Carrier) Texts(h http.Header, wellFormed func(string) bool) (s Shown) {
	for x := c.scan(h); ; {
		chunk, value, ok := x.next()
		switch {
		case !ok:
			return s
		case value == "" || chunk > 0:
			continue
		case wellFormed(value):
			s.add(value)
		default:
			s.Malformed = true
		}
		s.Any = true
	}
}

// Mark adds what a request shows under our names to h, and reports whether that is anything.
func (c *Carrier) Mark(header http.Header, h *maphash.Hash) (any bool) {
	for x := c.scan(header); ; {
		_, value, ok := x.next()
		if !ok {
			return any
		}
		if value != "" {
			any = true
			h.WriteString(value)
			h.WriteByte(0)
		}
	}
}
