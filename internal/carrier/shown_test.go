package carrier

import (
	"net/http"
	"strings"
	"testing"

	"github.com/gosojourn/sojourn/internal/token"
)

var (
	sample = strings.Repeat("Ab3-", 16)
	other  = strings.Repeat("xY0_", 16)
)

func cookies() *Carrier {
	return &Carrier{Name: "__Host-Http-id", Path: "/", SameSite: http.SameSiteLaxMode, Secure: true, Chunks: 1}
}

func seals() *Carrier {
	c := cookies()
	c.Chunks = MaxChunks
	return c
}

func cookie(lines ...string) http.Header { return http.Header{"Cookie": lines} }

func TestTokens(t *testing.T) {
	bearer, own := &Carrier{Header: "Authorization"}, &Carrier{Header: "X-Session"}
	var third, fourth, fifth = strings.Repeat("3", 64), strings.Repeat("4", 64), strings.Repeat("5", 64)
	for _, c := range []struct {
		c      *Carrier
		header http.Header
		want   string
		any    bool
		bad    bool
	}{
		{cookies(), cookie("__Host-Http-id=" + sample), sample, true, false},
		{cookies(), cookie("a=b;__Host-Http-id=" + sample + " ;c=d"), sample, true, false},
		{cookies(), cookie("a=b", "\t__Host-Http-id="+sample), sample, true, false},
		{cookies(), cookie("__Host-Http-id=" + sample + "; __Host-Http-id=" + sample + "; __Host-Http-id=" + other), sample + " " + other, true, false},
		{cookies(), cookie("__Host-Http-id=x; __Host-Http-id=" + other), other, true, true},
		{cookies(), cookie("__Host-Http-id=\"" + other + "\""), "", true, true},
		{cookies(), cookie("__Host-Http-id=" + sample + "=" + "; __Host-Http-id"), "", true, true},
		{cookies(), cookie("__Host-Http-id=; __Host-Http-id= ;"), "", false, false},
		{cookies(), cookie("__Host-Http-idx=" + sample + "; x__Host-Http-id=" + sample + "; __Host-Http-id.1=" + sample), "", false, false},
		{cookies(), cookie("__host-id=" + sample), "", false, false},
		{cookies(), cookie("__Host-Http-id="+sample, "__Host-Http-id="+other, "__Host-Http-id="+third, "__Host-Http-id="+fourth, "__Host-Http-id="+fifth),
			sample + " " + other + " " + third + " " + fourth, true, false},
		{cookies(), http.Header{"Authorization": {"Bearer " + sample}}, "", false, false},
		{bearer, http.Header{"Authorization": {"bearer  " + sample}}, sample, true, false},
		{bearer, http.Header{"Authorization": {"Basic " + sample, "Bearer", "Bearer x", "Bearer " + other}}, other, true, true},
		{bearer, cookie("Authorization=" + sample), "", false, false},
		{own, http.Header{"X-Session": {sample}}, sample, true, false},
		{own, http.Header{"X-Session": {""}}, "", false, false},
	} {
		s := c.c.Tokens(c.header)
		if got := strings.Join(s.Texts[:s.N], " "); got != c.want || s.Any != c.any || s.Malformed != c.bad {
			t.Errorf("%v: %q, any %v, malformed %v; want %q", c.header, got, s.Any, s.Malformed, c.want)
		}
	}
	h, c := cookie("theme=dark; __Host-Http-id="+sample+"; x=y", "__Host-Http-id="+other), cookies()
	if n := testing.AllocsPerRun(100, func() {
		if s := c.Tokens(h); s.N != 2 || !c.Same(h, h) {
			t.Error("not both are found")
		}
	}); n != 0 {
		t.Errorf("%v objects", n)
	}
}

// F32: what was found out for one request holds for another only if it shows the same.
func TestF32_Same(t *testing.T) {
	for _, c := range []struct {
		c    *Carrier
		a, b http.Header
		want bool
	}{
		{cookies(), cookie("a=b; __Host-Http-id=" + sample), cookie("__Host-Http-id="+sample, "c=d"), true},
		{cookies(), cookie("a=b"), http.Header{}, true},
		{cookies(), cookie("__Host-Http-id=" + sample), cookie("__Host-Http-id=" + other), false},
		{cookies(), cookie("__Host-Http-id=" + sample), http.Header{}, false},
		{cookies(), http.Header{}, cookie("__Host-Http-id=" + sample), false},
		{cookies(), cookie("__Host-Http-id=" + sample + "; __Host-Http-id=" + other), cookie("__Host-Http-id=" + other + "; __Host-Http-id=" + sample), false},
		{cookies(), cookie("__Host-Http-id=" + sample + "; __Host-Http-id=" + other), cookie("__Host-Http-id=" + sample), false},
		{cookies(), cookie("__Host-Http-id.1=" + sample), http.Header{}, true},
		{seals(), cookie("__Host-Http-id.1=" + sample), http.Header{}, false},
		{seals(), cookie("__Host-Http-id.1=" + sample), cookie("__Host-Http-id.2=" + sample), false},
		{&Carrier{Header: "X-Session"}, http.Header{"X-Session": {"a"}}, http.Header{"X-Session": {"b"}}, false},
		{&Carrier{Header: "X-Session"}, http.Header{"X-Session": {"a"}, "Cookie": {"x"}}, http.Header{"X-Session": {"a"}}, true},
		{&Carrier{Header: "Authorization"}, http.Header{"Authorization": {"Basic x", "Bearer a"}}, http.Header{"Authorization": {"bearer a"}}, true},
	} {
		if c.c.Same(c.a, c.b) != c.want || c.c.Same(c.b, c.a) != c.want {
			t.Errorf("%v and %v: %v", c.a, c.b, !c.want)
		}
		if !c.c.Same(c.a, c.a) || !c.c.Same(c.a, c.a.Clone()) {
			t.Errorf("%v is not the same as itself", c.a)
		}
	}
}

// Whatever the header says, at most four well-formed tokens come out of it, and a valid one that
// stands alone under its name is found among any others.
func FuzzCookieLine(f *testing.F) {
	for _, seed := range []string{"", "a=b", "__Host-Http-id=", "__Host-Http-id=" + sample, ";;;=;", `x="a;b"; __Host-Http-id=` + sample, "__Host-Http-id", "__Host-Http-idx=1", strings.Repeat("__Host-Http-id=x;", 100), "__Host-Http-id.1=" + sample} {
		f.Add(seed)
	}
	c := cookies()
	f.Fuzz(func(t *testing.T, line string) {
		s := c.Tokens(cookie(line))
		if s.N > MaxShown || s.N > 0 && !s.Any || s.Malformed && !s.Any {
			t.Fatalf("%+v", s)
		}
		for i, text := range s.Texts {
			if (i < s.N) != token.WellFormed(text) {
				t.Fatalf("text %d is %q", i, text)
			}
		}
		if !c.Same(cookie(line), cookie("x=y; "+line)) {
			t.Fatal("a stranger's cookie makes a difference")
		}
		if !strings.Contains(line, "__Host-Http-id") {
			for _, h := range []http.Header{cookie(line + "; __Host-Http-id=" + sample), cookie("__Host-Http-id="+sample, line), cookie(line, "__Host-Http-id="+sample)} {
				if s := c.Tokens(h); s.N != 1 || s.Texts[0] != sample || s.Malformed {
					t.Fatalf("not found in %q", h)
				}
			}
		}
	})
}
