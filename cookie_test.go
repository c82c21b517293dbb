package sojourn

import (
	"io"
	"log/slog"
	"net/http"
	"strings"
	"testing"
)

func cookieManager(t testing.TB, cfg Config) *Manager {
	t.Helper()
	cfg.Logger = slog.New(slog.NewTextHandler(io.Discard, nil))
	resolved, err := cfg.resolve(false, true)
	if err != nil {
		t.Fatal(err)
	}
	return &Manager{cfg: resolved}
}

// Whatever the header says, at most four well-formed tokens come out of it, and a valid one that
// stands alone under its name is found among any others.
func FuzzCookieHeader(f *testing.F) {
	token := strings.Repeat("Ab3-", 16)
	for _, seed := range []string{"", "a=b", "__Host-id=", "__Host-id=" + token, ";;;=;", `x="a;b"; __Host-id=` + token, "__Host-id", "__Host-idx=1", strings.Repeat("__Host-id=x;", 100)} {
		f.Add(seed)
	}
	m := cookieManager(f, Config{})
	f.Fuzz(func(t *testing.T, line string) {
		c := m.present(&http.Request{Header: http.Header{"Cookie": {line}}})
		if c.n > maxCandidates {
			t.Fatalf("%d candidates", c.n)
		}
		for _, tok := range c.token[:c.n] {
			if !wellFormed(tok) {
				t.Fatalf("candidate %q", tok)
			}
			_ = hashFamily(tok)
		}
		if !strings.Contains(line, "__Host-id") {
			c := m.present(&http.Request{Header: http.Header{"Cookie": {line + "; __Host-id=" + token}}})
			if c.n != 1 || c.token[0] != token {
				t.Fatalf("not found behind %q", line)
			}
		}
	})
}

func TestPresentTokens(t *testing.T) {
	token := strings.Repeat("Ab3-", 16)
	other := strings.Repeat("xY0_", 16)
	for _, c := range []struct {
		cfg    Config
		header http.Header
		want   string
	}{
		{Config{}, http.Header{"Cookie": {"__Host-id=" + token}}, token},
		{Config{}, http.Header{"Cookie": {"a=b;__Host-id=" + token + " ;c=d"}}, token},
		{Config{}, http.Header{"Cookie": {"a=b", "__Host-id=" + token}}, token},
		{Config{}, http.Header{"Cookie": {"__Host-id=" + token + "; __Host-id=" + token + "; __Host-id=" + other}}, token + " " + other},
		{Config{}, http.Header{"Cookie": {"__Host-idx=" + token + "; x__Host-id=" + token}}, ""},
		{Config{}, http.Header{"Cookie": {"__host-id=" + token}}, ""},
		{Config{}, http.Header{"Authorization": {"Bearer " + token}}, ""},
		{Config{Header: "authorization"}, http.Header{"Authorization": {"bearer  " + token}}, token},
		{Config{Header: "Authorization"}, http.Header{"Authorization": {"Basic " + token}}, ""},
		{Config{Header: "Authorization"}, http.Header{"Cookie": {"Authorization=" + token}}, ""},
		{Config{Header: "X-Session"}, http.Header{"X-Session": {token}}, token},
	} {
		p := cookieManager(t, c.cfg).present(&http.Request{Header: c.header})
		if got := strings.Join(p.token[:p.n], " "); got != c.want {
			t.Errorf("%v: %q, want %q", c.header, got, c.want)
		}
	}
}

func TestSetCookieLine(t *testing.T) {
	m := cookieManager(t, Config{Cookie: Cookie{Name: "__Secure-s", Domain: "example.com", Path: "/app", SameSite: http.SameSiteNoneMode, Partitioned: true}})
	h := http.Header{"Set-Cookie": {"a=b", "__Secure-s=old", "__Secure-sx=stays"}}
	m.setCookie(h, "TOKEN", 60)
	want := "a=b|__Secure-sx=stays|__Secure-s=TOKEN; Path=/app; Domain=example.com; Max-Age=60; HttpOnly; Secure; SameSite=None; Partitioned"
	if got := strings.Join(h["Set-Cookie"], "|"); got != want {
		t.Errorf("%s\nwant %s", got, want)
	}
	c, err := http.ParseSetCookie(h["Set-Cookie"][2])
	if err != nil || c.Valid() != nil {
		t.Errorf("net/http does not agree: %v %v", err, c.Valid())
	}
}

func TestVary(t *testing.T) {
	m := cookieManager(t, Config{})
	for before, want := range map[string]string{"": "Cookie", "Accept": "Accept|Cookie", "accept, cookie": "accept, cookie", "*": "*"} {
		for _, room := range [][]string{nil, make([]string, 1)} {
			h := http.Header{}
			if before != "" {
				h.Set("Vary", before)
			}
			m.vary(h, room)
			if got := strings.Join(h["Vary"], "|"); got != want {
				t.Errorf("Vary %q became %q, want %q", before, got, want)
			}
		}
	}
}
