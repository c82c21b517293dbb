package throttle

import (
	"net/http/httptest"
	"net/netip"
	"testing"
)

func TestNetworks(t *testing.T) {
	for _, c := range []struct{ addr, network string }{
		{"192.0.2.7", "192.0.2.7/32"},
		{"::ffff:192.0.2.7", "192.0.2.7/32"},
		{"2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"},
		{"fe80::1%eth0", "fe80::/64"},
	} {
		if n, ok := networkOf(netip.MustParseAddr(c.addr)); !ok || n.String() != c.network {
			t.Errorf("%s counts with %s, %v; want %s", c.addr, n, ok, c.network)
		}
	}
	if n, ok := networkOf(netip.Addr{}); ok {
		t.Errorf("no address counts with %s", n)
	}
}

func TestClient(t *testing.T) {
	behind := ForwardedFor(netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("2001:db8:f::/48"))
	for _, c := range []struct {
		remote string
		lines  []string
		want   string // "" is the zero Addr
	}{
		{"192.0.2.7:1234", nil, "192.0.2.7"},
		{"192.0.2.7:1234", []string{"198.51.100.1"}, "192.0.2.7"}, // it is no proxy of ours, and may say what it likes
		{"10.0.0.1:1234", []string{"198.51.100.1"}, "198.51.100.1"},
		{"10.0.0.1:1234", []string{"203.0.113.9, 198.51.100.1"}, "198.51.100.1"}, // the client's invention comes first
		{"10.0.0.1:1234", []string{"203.0.113.9", "198.51.100.1, 10.0.0.2"}, "198.51.100.1"},
		{"10.0.0.1:1234", []string{"198.51.100.1,, 10.0.0.2 ,"}, "198.51.100.1"},
		{"10.0.0.1:1234", []string{"198.51.100.1:5555"}, "198.51.100.1"},
		{"[2001:db8:f::1]:1234", []string{"[2001:db8:1::1]:80"}, "2001:db8:1::1"},
		{"10.0.0.1:1234", []string{"unknown"}, ""},
		{"10.0.0.1:1234", []string{"198.51.100.1, unknown"}, ""},
		{"10.0.0.1:1234", nil, "10.0.0.1"},
		{"10.0.0.1:1234", []string{"10.0.0.3, 10.0.0.2"}, "10.0.0.3"},
		{"@", []string{"198.51.100.1"}, ""},
		{"", nil, ""},
	} {
		r := httptest.NewRequest("GET", "/", nil)
		r.RemoteAddr = c.remote
		r.Header["X-Forwarded-For"] = c.lines
		got := ""
		if a := behind(r); a.IsValid() {
			got = a.String()
		}
		if got != c.want {
			t.Errorf("%s with %q is %q, want %q", c.remote, c.lines, got, c.want)
		}
	}
}

// Whatever a client puts before what the proxy appends, it is the client's own address that counts.
func FuzzForwardedFor(f *testing.F) {
	f.Add("198.51.100.1")
	f.Add("10.0.0.9, [::1]:80,,")
	f.Add("[")
	f.Add("a:b, \t,::%,")
	behind := ForwardedFor(netip.MustParsePrefix("10.0.0.0/8"))
	f.Fuzz(func(t *testing.T, said string) {
		r := httptest.NewRequest("GET", "/", nil)
		r.RemoteAddr = "10.0.0.1:1"
		for _, lines := range [][]string{{said + ", 192.0.2.7"}, {said, "192.0.2.7"}, {said, "192.0.2.7, 10.0.0.2"}} {
			r.Header["X-Forwarded-For"] = lines
			if a := behind(r); a != netip.MustParseAddr("192.0.2.7") {
				t.Fatalf("%q is %v", lines, a)
			}
		}
		r.Header["X-Forwarded-For"] = []string{said}
		if a := behind(r); a.Is4In6() || a.Zone() != "" {
			t.Errorf("%q is %v", said, a)
		}
		if a, ok := parseAddr(said); ok != a.IsValid() {
			t.Errorf("%q is %v, %v", said, a, ok)
		}
	})
}
