package dbscclient

import (
	"net/http"
	"strings"
)

// A registration is an invitation to make a key.
type registration struct {
	algorithms                     []string
	path, challenge, authorization string
}

// registrations are those in a response. One without a path or a challenge is ignored, as Chromium does.
func registrations(h http.Header) (all []registration) {
	for _, line := range h.Values("Secure-Session-Registration") {
		list, params, ok := strings.Cut(line, ")")
		if !ok || !strings.HasPrefix(list, "(") {
			continue
		}
		p := parameters(params)
		r := registration{strings.Fields(list[1:]), p["path"], p["challenge"], p["authorization"]}
		if r.path != "" && r.challenge != "" {
			all = append(all, r)
		}
	}
	return all
}

// challenges are those in a response, by session.
func challenges(h http.Header) map[string]string {
	all := map[string]string{}
	for _, line := range h.Values("Secure-Session-Challenge") {
		value, params, _ := strings.Cut(line, ";")
		if id := parameters(params)["id"]; id != "" {
			all[id] = strings.Trim(strings.TrimSpace(value), `"`)
		}
	}
	return all
}

func parameters(s string) map[string]string {
	all := map[string]string{}
	for p := range strings.SplitSeq(s, ";") {
		if k, v, ok := strings.Cut(strings.TrimSpace(p), "="); ok {
			all[k] = strings.Trim(v, `"`)
		}
	}
	return all
}

// matches reports whether one of a response's Set-Cookie lines sets the cookie name with these attributes: the same ones,
// Max-Age and Expires left out, compared with case.
func matches(h http.Header, name, attributes string) bool {
	want := attributeSet(attributes)
	for a := range want {
		if k, _, _ := strings.Cut(a, "="); strings.EqualFold(k, "Max-Age") || strings.EqualFold(k, "Expires") {
			return false
		}
	}
	for _, line := range h.Values("Set-Cookie") {
		pair, rest, _ := strings.Cut(line, ";")
		if n, _, _ := strings.Cut(pair, "="); n != name {
			continue
		}
		got := attributeSet(rest)
		for a := range got {
			if k, _, _ := strings.Cut(a, "="); strings.EqualFold(k, "Max-Age") || strings.EqualFold(k, "Expires") {
				delete(got, a)
			}
		}
		if equal(got, want) && !got["Partitioned"] {
			return true
		}
	}
	return false
}

func attributeSet(s string) map[string]bool {
	all := map[string]bool{}
	for a := range strings.SplitSeq(s, ";") {
		if a = strings.TrimSpace(a); a != "" {
			all[a] = true
		}
	}
	return all
}

func equal(a, b map[string]bool) bool {
	for k := range a {
		if !b[k] {
			return false
		}
	}
	return len(a) == len(b)
}
