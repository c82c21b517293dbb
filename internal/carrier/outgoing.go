package carrier

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// An Outgoing waits in a request's state until the response's header goes out. The zero Outgoing has
// nothing to say.
type Outgoing struct {
	kind    kind
	n       int
	first   [2]string // the Set-Cookie lines, or the header's value
	more    []string  // all lines, if they are more than two
	noStore [1]string // room for the header's value, see Apply
}

type kind uint8

const (
	nothing kind = iota
	carries
	forgets
)

// Pending reports that there is something to say.
func (o *Outgoing) Pending() bool { return o.kind != nothing }

// Token reports that a token is to be sent, not only a forgetting.
func (o *Outgoing) Token() bool { return o.kind == carries }

// Text is the token that is to be sent, "" if none is.
func (o *Outgoing) Text() string {
	if o.kind != carries {
		return ""
	}
	lines := o.lines()
	_, text, _ := strings.Cut(lines[len(lines)-1], "=")
	text, _, _ = strings.Cut(text, ";")
	return text
}

// lines returns the values for the header, without spare capacity.
func (o *Outgoing) lines() []string {
	if o.more != nil {
		return o.more[:len(o.more):len(o.more)]
	}
	return o.first[:o.n:o.n]
}

func (o *Outgoing) add(line string) {
	switch {
	case o.more != nil:
		o.more = append(o.more, line)
	case o.n < len(o.first):
		o.first[o.n] = line
		o.n++
	default:
		o.more = []string{o.first[0], o.first[1], line} // a slice of itself would move every Outgoing to the heap
	}
}

// Send says the token text. keep makes it a cookie that outlives the browser, for life, rounded up to
// seconds; so does c.Persistent.
func (c *Carrier) Send(text string, keep bool, life time.Duration) Outgoing {
	o := Outgoing{kind: carries}
	if c.Header != "" {
		o.add(text)
		return o
	}
	c.cookie(&o, c.Name, text, c.age(keep, life))
	return o
}

// SendSealed says the sealed session text, in as few cookies as hold it, and expires those that the
// request shows and that are not needed any more. When they cannot hold it, the error is ErrTooLarge
// with the numbers.
func (c *Carrier) SendSealed(text string, keep bool, life time.Duration, request http.Header) (Outgoing, error) {
	o := Outgoing{kind: carries}
	if c.Header != "" {
		if len(text) > maxText {
			return Outgoing{}, fmt.Errorf("%w: %d bytes when sealed, a header holds %d", ErrTooLarge, len(text), maxText)
		}
		if err := c.fits(len(c.Header) + 1 + len(text)); err != nil {
			return Outgoing{}, err
		}
		o.add("1" + text)
		return o, nil
	}
	parts, err := c.split(text)
	if err != nil {
		return Outgoing{}, err
	}
	size := 0
	for i, part := range parts {
		size += len(c.chunkName(i)) + len(part)
	}
	if err := c.fits(size); err != nil {
		return Outgoing{}, err
	}
	for i, part := range parts {
		c.cookie(&o, c.chunkName(i), part, c.age(keep, life))
	}
	c.expire(&o, len(parts), request)
	return o, nil
}

// fits answers ErrTooLarge for more bytes than what is on the way lets through.
func (c *Carrier) fits(size int) error {
	if c.MaxSealed > 0 && size > c.MaxSealed {
		return fmt.Errorf("%w: %d bytes when sealed, Config.MaxSealed is %d", ErrTooLarge, size, c.MaxSealed)
	}
	return nil
}

// Forget has the browser forget our cookie, and the chunks of it that the request shows. In a header
// there is nothing to forget but what the response was about to send.
func (c *Carrier) Forget(request http.Header) Outgoing {
	o := Outgoing{kind: forgets}
	if c.Header == "" {
		c.cookie(&o, c.Name, "", 0)
		c.expire(&o, 1, request)
	}
	return o
}

func (c *Carrier) expire(o *Outgoing, from int, request http.Header) {
	if c.Chunks < 2 {
		return
	}
	shows := c.shows(request)
	for i := from; i < c.Chunks; i++ {
		if shows[i] {
			c.cookie(o, c.chunkName(i), "", 0)
		}
	}
}

// age is the cookie's Max-Age, -1 for one that ends with the browser.
func (c *Carrier) age(keep bool, life time.Duration) int {
	if !keep && !c.Persistent {
		return -1
	}
	return max(0, int((life+time.Second-1)/time.Second))
}

// cookie says one cookie. With a Domain, its host-only twin is expired first: one that was left from
// before the Domain was set, or planted, would be sent beside it and be taken for it. Browsers take
// lines in order, so even one that knows no difference between the two keeps the cookie.
func (c *Carrier) cookie(o *Outgoing, name, value string, age int) {
	var b strings.Builder
	room := 96 + len(name) + len(c.Path) // the attributes have 84 at most
	twin := 0
	if c.Domain != "" {
		b.Grow(2*room + len(c.Domain) + len(value))
		c.line(&b, name, "", "", 0)
		twin = b.Len()
	} else {
		b.Grow(room + len(value))
	}
	c.line(&b, name, value, c.Domain, age)
	if twin > 0 {
		o.add(b.String()[:twin])
	}
	o.add(b.String()[twin:])
}

func (c *Carrier) line(b *strings.Builder, name, value, domain string, age int) {
	put := func(texts ...string) {
		for _, s := range texts {
			b.WriteString(s)
		}
	}
	put(name, "=", value, "; Path=", c.Path)
	if domain != "" {
		put("; Domain=", domain)
	}
	if age >= 0 {
		var digits [20]byte
		put("; Max-Age=")
		b.Write(strconv.AppendInt(digits[:0], int64(age), 10))
	}
	put("; HttpOnly")
	if c.Secure {
		put("; Secure")
	}
	switch c.SameSite {
	case http.SameSiteStrictMode:
		put("; SameSite=Strict")
	case http.SameSiteNoneMode:
		put("; SameSite=None")
	default:
		put("; SameSite=Lax")
	}
	if c.Partitioned {
		put("; Partitioned")
	}
}
