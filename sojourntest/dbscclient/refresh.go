package dbscclient

import (
	"io"
	"net/http"
	"net/url"
)

// maxRefusals is how often in a row Chromium takes a 403 with nothing new to sign.
const maxRefusals = 4

// refresh gets s another cookie. Of several requests that wait for one, one asks. It answers why the request goes
// without, as Secure-Session-Skipped says it.
func (d *Device) refresh(s *session) (skipped string) {
	s.turn.Lock()
	defer s.turn.Unlock()
	u, err := url.Parse(s.Refresh)
	if err != nil || d.has(u, s.Cookie) || s.ended {
		return ""
	}
	challenge := d.cached(s)
	for refusals := 0; refusals < maxRefusals; {
		res, err := d.prove(s, challenge)
		if err != nil {
			return "unreachable"
		}
		switch code := res.StatusCode; {
		case code == http.StatusOK:
			d.renewed(s, u, res)
			return ""
		case code == http.StatusForbidden:
			_, _ = io.Copy(io.Discard, res.Body)
			if next := challenges(res.Header)[s.ID]; next == "" || next == challenge {
				refusals++
			} else {
				challenge = next
			}
		case code >= 500:
			return "server_error"
		default:
			d.end(s, "the answer to a refresh is %s", res.Status)
			return ""
		}
	}
	d.end(s, "%d refusals with nothing new to sign", maxRefusals)
	return ""
}

func (d *Device) cached(s *session) string {
	d.mu.Lock()
	defer d.mu.Unlock()
	return s.Cached
}

// prove signs challenge, or asks for one.
func (d *Device) prove(s *session, challenge string) (*http.Response, error) {
	if challenge == "" {
		return d.post(s.Refresh, "", s.ID, true)
	}
	jws, err := Sign(s.Key, map[string]any{"alg": algorithmOf(s.Key), "typ": "dbsc+jwt"}, map[string]any{"jti": challenge})
	if err != nil {
		return nil, err
	}
	return d.post(s.Refresh, jws, s.ID, true)
}

// renewed takes what a refresh has answered: a cookie, or that this is the end.
func (d *Device) renewed(s *session, u *url.URL, res *http.Response) {
	now, err := d.accept(u, res)
	switch {
	case err != nil:
		d.end(s, "refresh: %v", err)
	case now.ID != s.ID:
		d.end(s, "refresh: the answer is for session %s", now.ID)
	}
}

func (d *Device) end(s *session, format string, a ...any) {
	d.fail(format, a...)
	d.mu.Lock()
	defer d.mu.Unlock()
	s.ended = true
}
