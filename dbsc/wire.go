package dbsc

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strings"

	"github.com/gosojourn/sojourn"
	"github.com/gosojourn/sojourn/internal/bridge"
)

const (
	headerRegistration = "Secure-Session-Registration"
	headerChallenge    = "Secure-Session-Challenge"
	headerResponse     = "Secure-Session-Response"
	headerSkipped      = "Secure-Session-Skipped"
	headerID           = "Sec-Secure-Session-Id"
)

const (
	idLen      = 24
	thumbBytes = 9
	thumbLen   = 12
)

// sfString is the value of a header that comes bare or as a string of structured fields (RFC 9651, 3.3.3). Neither a
// proof nor an identifier has anything to escape. ok is false where the header is there twice, or empty.
func sfString(h http.Header, name string) (s string, ok bool) {
	lines := h[http.CanonicalHeaderKey(name)]
	if len(lines) != 1 || len(lines[0]) > maxProof+2 {
		return "", false
	}
	s = strings.Trim(lines[0], " \t")
	if len(s) >= 2 && s[0] == '"' && s[len(s)-1] == '"' {
		s = s[1 : len(s)-1]
	}
	return s, s != "" && !strings.ContainsAny(s, "\"\\ \t,;")
}

// split takes what we have joined apart: the id of a session, and what is behind the dot.
func split(s string) (id, rest string, ok bool) {
	id, rest, ok = strings.Cut(s, ".")
	_, err := base64url(id) // which a stranger may have made up, and events have it
	return id, rest, ok && err == nil && len(id) == idLen && rest != ""
}

// instructions are the JSON that registration and refresh answer.
type instructions struct {
	ID          string       `json:"session_identifier"`
	Refresh     string       `json:"refresh_url"`
	Scope       scope        `json:"scope"`
	Credentials []credential `json:"credentials"`
}

type scope struct {
	IncludeSite   bool  `json:"include_site"`
	Specification []any `json:"scope_specification"`
}

type credential struct {
	Type       string `json:"type"`
	Name       string `json:"name"`
	Attributes string `json:"attributes"`
}

// door prepares the response of a handler: no cache keeps it, nobody frames it, and no other site may read it,
// because nothing here answers a CORS preflight. It reports whether r is a POST.
func door(w http.ResponseWriter, r *http.Request) bool {
	h := w.Header()
	h.Set("Cache-Control", "no-store")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("X-Frame-Options", "DENY")
	h.Set("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	if r.Method != http.MethodPost {
		h.Set("Allow", http.MethodPost)
		answer(w, http.StatusMethodNotAllowed)
		return false
	}
	return true
}

func answer(w http.ResponseWriter, code int) { http.Error(w, http.StatusText(code), code) }

// sends the cookie, the next challenge and the instructions together: with one of them missing a browser takes it
// for no refresh.
func (b *Binder) sends(w http.ResponseWriter, identifier, cookie, challenge string) {
	h := w.Header()
	h.Add("Set-Cookie", b.cookie.set(cookie, b.cfg.told()))
	h.Set(headerChallenge, challengeLine(challenge, identifier))
	h.Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(instructions{
		ID: identifier, Refresh: b.cfg.Refresh, Scope: scope{Specification: []any{}},
		Credentials: []credential{{"cookie", b.cookie.name, b.cookie.attributes}},
	})
}

func challengeLine(challenge, identifier string) string {
	return `"` + challenge + `";id="` + identifier + `"`
}

// isFor reports whether aud, which browsers leave out, is the URL of this handler.
func isFor(aud string, r *http.Request, path string) bool {
	if aud == "" {
		return true
	}
	u, err := url.Parse(aud)
	return err == nil && u.Scheme == "https" && strings.EqualFold(u.Host, r.Host) && u.Path == path && u.RawQuery == "" && u.User == nil
}

func (b *Binder) tell(r *http.Request, name sojourn.EventName, id, owner, reason string) {
	bridge.Tell(r.Context(), b.m, bridge.Event{Name: string(name), ID: id, Owner: owner, Reason: reason})
}
