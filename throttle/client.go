package throttle

import (
	"net/http"
	"net/netip"
	"slices"
	"strings"
)

// networkOf is the network that addr counts with; ok is false when there is none. IPv4: the address, because a provider
// gives its neighbours to strangers. IPv6: the /64, because its holder can use any address of it (RFC 4291, 2.5.1).
func networkOf(addr netip.Addr) (network netip.Prefix, ok bool) {
	addr = addr.Unmap().WithZone("")
	bits := 64
	if addr.Is4() {
		bits = 32
	}
	network, err := addr.Prefix(bits)
	return network, err == nil && addr.IsValid()
}

// RemoteAddr answers the address of the connection, or the zero Addr where it has none, such as on a Unix socket.
func RemoteAddr(r *http.Request) netip.Addr {
	addr, _ := parseAddr(r.RemoteAddr)
	return addr
}

// ForwardedFor returns a function that answers the client's address behind the proxies of those networks. Where the
// connection comes from one of them, it reads X-Forwarded-For from the end, and answers the first address that is no
// proxy's: what is before it may be the client's invention. It answers the zero Addr where that is no address.
// Each proxy has to append to the header, or to replace it.
func ForwardedFor(proxies ...netip.Prefix) func(*http.Request) netip.Addr {
	proxies = slices.Clone(proxies)
	return func(r *http.Request) netip.Addr {
		addr, ok := parseAddr(r.RemoteAddr)
		lines := r.Header.Values("X-Forwarded-For")
		for i := len(lines) - 1; ok && i >= 0; i-- {
			for rest, more := lines[i], true; ok && more; {
				if !among(proxies, addr) {
					return addr
				}
				var last string
				if last, rest, more = cutLast(rest); last != "" {
					addr, ok = parseAddr(last)
				}
			}
		}
		return addr
	}
}

// cutLast takes the last of a list apart.
func cutLast(list string) (last, rest string, more bool) {
	i := strings.LastIndexByte(list, ',')
	return strings.Trim(list[i+1:], " \t"), list[:max(i, 0)], i >= 0
}

func among(networks []netip.Prefix, addr netip.Addr) bool {
	return slices.ContainsFunc(networks, func(p netip.Prefix) bool { return p.Contains(addr) })
}

// parseAddr reads an address, with or without a port and brackets. The zero Addr is none.
func parseAddr(text string) (addr netip.Addr, ok bool) {
	if host, found := strings.CutPrefix(text, "["); found {
		host, _, found = strings.Cut(host, "]")
		if !found {
			return netip.Addr{}, false
		}
		text = host
	} else if strings.Count(text, ":") == 1 {
		text, _, _ = strings.Cut(text, ":")
	}
	addr, err := netip.ParseAddr(text)
	return addr.Unmap().WithZone(""), err == nil
}
