package dbsc

import (
	"net/http"
	"time"

	"github.com/gosojourn/sojourn/internal/binding"
)

// Judge says why r may not have a session with this binding, "" if it may. theft: a browser that keeps to the rules
// has no such cookie any more.
func (b *binder) Judge(r *http.Request, bytes []byte, authAt time.Time) (reason string, theft bool) {
	if !binding.Is(bytes) {
		if b.cfg.Policy == Required && !authAt.IsZero() && time.Since(authAt) > offerFor {
			return "unregistered", false
		}
		return "", false
	}
	x, err := binding.ParseBound(bytes)
	if err != nil {
		return "unregistered", false
	}
	return judgeCookie(&x, r.Header, b.cookie.name, now())
}

// judgeCookie compares what h shows under name with the cookies that are good at now.
func judgeCookie(x *binding.Bound, h http.Header, name string, now int64) (reason string, theft bool) {
	if x.Previous.Mark == (binding.Mark{}) && now < x.Previous.Ends {
		return "", false // just bound: its first cookie may still be on the way
	}
	reason = "cookie_missing"
	good := false
	shown(h, name, func(value string) bool {
		m := binding.MarkOf(value)
		for _, c := range [...]*binding.Shown{&x.Cookie, &x.Previous} {
			if !m.Is(c.Mark) {
				continue
			}
			if good = now < c.Ends; good {
				return false
			}
			reason = "cookie_expired"
		}
		if reason == "cookie_missing" && value != "" {
			reason = "cookie_unknown"
		}
		return true
	})
	switch {
	case good:
		return "", false
	case reason == "cookie_missing":
		return skipped(h), false
	}
	return reason, true
}

// skipped is why the browser says that it has proved nothing. It may say so, and that is all.
func skipped(h http.Header) string {
	switch h.Get(headerSkipped) {
	case "unreachable":
		return "skipped_unreachable"
	case "server_error":
		return "skipped_server_error"
	case "quota_exceeded":
		return "skipped_quota_exceeded"
	}
	return "cookie_missing"
}
