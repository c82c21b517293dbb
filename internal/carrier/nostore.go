package carrier

import (
	"net/http"
	"strings"
)

// What rules before Cache-Control in some cache, and so has to go from a response that no cache may
// keep. Besides these, every header whose name ends in -Cache-Control is addressed to one kind of cache
// alone and rules there (RFC 9213): CDN-Cache-Control, and those of Cloudflare, Vercel, Netlify,
// LiteSpeed and others.
var overriding = []string{
	"Surrogate-Control", // Fastly, Varnish and other surrogates (W3C Edge Architecture 1.0)
	"Edge-Control",      // Akamai
	"X-Accel-Expires",   // nginx: a number of seconds, whatever else the header says
	"Expires",           // HTTP/1.0, and old nginx when it comes first
	"Pragma",            // means nothing in a response (RFC 9111 5.4), and something to old caches
}

const (
	cacheControl = "Cache-Control"
	targeted     = "-Cache-Control"
)

// NoStore keeps a response out of every cache: it has a token, or an answer for one client alone.
func NoStore(h http.Header) { noStore(h, new([1]string)) }

// noStore uses room for the header's value. Names are compared in any case: an application may have
// written to the map itself, and on the wire there is no difference.
func noStore(h http.Header, room *[1]string) {
	for name := range h {
		if name != cacheControl && overrides(name) {
			delete(h, name)
		}
	}
	if v := h[cacheControl]; len(v) != 1 || v[0] != "no-store" {
		room[0] = "no-store"
		h[cacheControl] = room[:1:1]
	}
}

func overrides(name string) bool {
	if n := len(name) - len(targeted); n >= 0 && strings.EqualFold(name[n:], targeted) {
		return true
	}
	if strings.EqualFold(name, cacheControl) {
		return true
	}
	for _, o := range overriding {
		if len(name) == len(o) && strings.EqualFold(name, o) {
			return true
		}
	}
	return false
}
