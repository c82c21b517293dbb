package sojourn

import (
	"context"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"strings"
)

// warnOfPlainHTTP writes one line per manager when a Secure cookie answers a request that seems to have
// come over plain http. The browser drops such a cookie and tells nobody: the login does not stick.
func (m *Manager) warnOfPlainHTTP(r *http.Request) {
	if !m.carrier.Secure || m.carrier.Header != "" || m.warned.Load() || !plainHTTP(r) || !m.warned.CompareAndSwap(false, true) {
		return
	}
	m.cfg.Logger.LogAttrs(context.Background(), slog.LevelWarn,
		"sojourn: a Secure cookie was sent over plain http, and browsers drop it: serve https; or have the proxy that does set X-Forwarded-Proto; "+
			"or develop on http://localhost; or set Config.DangerouslyAllowHTTP. This is said once",
		slog.String("cookie", m.carrier.Name), slog.String("host", r.Host))
}

// plainHTTP reports whether nothing says that the client used https. Browsers also keep Secure cookies of
// this machine's own names, and send Sec-Fetch-Site only where they would keep one (Fetch Metadata, 2).
// A client that lies here is spared a line in our log.
func plainHTTP(r *http.Request) bool {
	return r.TLS == nil && !loopback(r.Host) && r.Header.Get("Sec-Fetch-Site") == "" &&
		!strings.Contains(strings.ToLower(r.Header.Get("X-Forwarded-Proto")), "https") &&
		!strings.Contains(strings.ToLower(r.Header.Get("Forwarded")), "https")
}

// loopback reports whether host, with or without a port, is a name of this machine (RFC 6761 6.3).
func loopback(host string) bool {
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	host = strings.ToLower(strings.Trim(host, "[]."))
	if host == "localhost" || strings.HasSuffix(host, ".localhost") {
		return true
	}
	addr, err := netip.ParseAddr(host)
	return err == nil && addr.IsLoopback()
}
