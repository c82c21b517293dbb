// Package carrier is how a token, or a sealed session, travels: in a cookie, in several, or in a
// header. It knows the grammar of headers and nothing of sessions.
package carrier

import (
	"errors"
	"net/http"
)

// A Carrier says under which name, and with which attributes. Its configuration has been checked.
type Carrier struct {
	Header             string // "" for a cookie; canonical; "Authorization" means Bearer in, Session-Token out
	Name, Domain, Path string
	SameSite           http.SameSite
	Secure             bool
	Partitioned        bool
	Persistent         bool // every cookie outlives the browser
	MaxSealed          int  // bytes that a sealed session may take, names and values; 0: as many as fit
	Chunks             int  // how many cookies one text may take: 1, or MaxChunks for sealed sessions
}

const (
	MaxShown    = 4    // how many texts of one request are judged
	MaxChunks   = 4    // how many cookies a sealed session may take
	MaxCookie   = 4096 // name and value together, where browsers draw the line (RFC 6265bis 5.6)
	LongestName = 1024 // leaves three quarters of a cookie for the value

	authorization = "Authorization"
	sessionToken  = "Session-Token"
)

// ErrTooLarge means that a text does not fit into the cookies or the header that carry it.
var ErrTooLarge = errors.New("the session is too large")

// out is the header of a response that carries a token: Authorization is a request's alone.
func (c *Carrier) out() string {
	if c.Header == authorization {
		return sessionToken
	}
	return c.Header
}

// chunk returns the number of the cookie that name means: 0 for ours, 1 for ours with ".1", and so on;
// -1 when it is none of ours.
func (c *Carrier) chunk(name string) int {
	n := len(c.Name)
	switch {
	case len(name) < n || name[:n] != c.Name:
		return -1
	case len(name) == n:
		return 0
	case len(name) == n+2 && name[n] == '.' && name[n+1] > '0' && int(name[n+1]-'0') < min(c.Chunks, MaxChunks):
		return int(name[n+1] - '0')
	}
	return -1
}

// chunkName is the other direction.
func (c *Carrier) chunkName(i int) string {
	if i == 0 {
		return c.Name
	}
	return c.Name + "." + string(rune('0'+i))
}
