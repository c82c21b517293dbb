package carrier

import (
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"net/http"

	"github.com/gosojourn/sojourn/internal/token"
)

// A sealed session too long for one cookie takes several: "name", "name.1" and so on. The first value
// begins with how many they are. If they are several, each then has a tag of the whole text, so that
// chunks find each other among those of another path, of another domain, or left over from a longer
// session, in whatever order a browser sends them. The seal judges what is put together.
const (
	minText  = 24 // no seal is shorter; the keeper judges the rest
	maxText  = MaxChunks * MaxCookie
	tagLen   = 4
	tagBytes = 3
)

// Seals finds the texts that a request shows, each put together from its chunks. Two passes over the
// header are all, however much somebody sends.
func (c *Carrier) Seals(h http.Header) (s Shown) {
	var firsts Shown
	several := false
	for x := c.scan(h); ; {
		chunk, value, ok := x.next()
		if !ok {
			break
		}
		s.Any = s.Any || value != ""
		if chunk > 0 || value == "" {
			continue
		}
		if n := count(value); n == 0 || n > max(1, c.Chunks) {
			s.Malformed = true
		} else {
			firsts.add(value)
			several = several || n > 1
		}
	}
	var parts [MaxShown][MaxChunks]string
	if several {
		c.gather(h, &firsts, &parts)
	}
	for i, first := range firsts.Texts[:firsts.N] {
		text, whole := join(first, &parts[i])
		if whole && len(text) >= minText && len(text) <= maxText {
			s.add(text)
		} else {
			s.Malformed = true
		}
	}
	return s
}

// count is how many chunks a first value says that there are, 0 when it is none of ours.
func count(first string) int {
	if !token.Base64URL(first) || first[0] < '1' || first[0] > '0'+MaxChunks || first[0] > '1' && len(first) <= 1+tagLen {
		return 0
	}
	return int(first[0] - '0')
}

// gather finds the later chunks of each text by its tag.
func (c *Carrier) gather(h http.Header, firsts *Shown, parts *[MaxShown][MaxChunks]string) {
	var counts [MaxShown]int
	for i, first := range firsts.Texts[:firsts.N] {
		counts[i] = count(first)
	}
	for x := c.scan(h); ; {
		chunk, value, ok := x.next()
		if !ok {
			return
		}
		if chunk == 0 || len(value) <= tagLen || !token.Base64URL(value) {
			continue
		}
		for i, first := range firsts.Texts[:firsts.N] {
			// Of two with one tag, which nobody but a forger makes, order shall not decide either.
			if p := &parts[i][chunk]; counts[i] > chunk && first[1:1+tagLen] == value[:tagLen] && value > *p {
				*p = value
			}
		}
	}
}

func join(first string, parts *[MaxChunks]string) (text string, whole bool) {
	n := count(first)
	if n == 1 {
		return first[1:], true
	}
	text = first[1+tagLen:]
	for _, part := range parts[1:n] {
		if part == "" {
			return "", false
		}
		text += part[tagLen:]
	}
	return text, true
}

// split cuts text into as few cookie values as hold it.
func (c *Carrier) split(text string) ([]string, error) {
	if len(text) <= MaxCookie-len(c.Name)-1 {
		return []string{"1" + text}, nil
	}
	sum := sha256.Sum256([]byte(text))
	tag := base64.RawURLEncoding.EncodeToString(sum[:tagBytes])
	var parts []string
	room := 0
	for i := range c.Chunks {
		head := tag
		if i == 0 {
			head = "0" + tag // for how many they are
		}
		n := MaxCookie - len(c.chunkName(i)) - len(head)
		if room += n; text == "" {
			continue
		}
		n = min(n, len(text))
		parts = append(parts, head+text[:n])
		text = text[n:]
	}
	if text != "" {
		return nil, fmt.Errorf("%w: %d bytes when sealed, %d cookies hold %d", ErrTooLarge, room+len(text), c.Chunks, room)
	}
	parts[0] = string(rune('0'+len(parts))) + parts[0][1:]
	return parts, nil
}

// Shows reports whether a request shows a cookie of ours, be it empty.
func (c *Carrier) Shows(h http.Header) bool { return c.shows(h) != [MaxChunks]bool{} }

// shows tells which chunks a request shows, empty ones too.
func (c *Carrier) shows(h http.Header) (is [MaxChunks]bool) {
	for x := c.scan(h); ; {
		chunk, _, ok := x.next()
		if !ok {
			return is
		}
		is[chunk] = true
	}
}
