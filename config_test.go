package sojourn_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/gosojourn/sojourn"
	"github.com/gosojourn/sojourn/memstore"
	"github.com/gosojourn/sojourn/sealed"
)

// TestCompliance has a case for each row of the standards that is about configuration: a zero
// Config is safe, and what is not is refused.
func TestCompliance(t *testing.T) {
	m := newManager(t, sojourn.Config{})
	w, _ := ask(m, "", putName)
	line := w.Header().Get("Set-Cookie")
	cookie := w.Result().Cookies()[0]
	has := func(attr string) func(t *testing.T) {
		return func(t *testing.T) {
			if !strings.Contains(line+";", "; "+attr+";") {
				t.Errorf("no %s in %q", attr, line)
			}
		}
	}
	t.Run("O1 the name tells no technology", func(t *testing.T) {
		if cookie.Name != "__Host-Http-id" {
			t.Errorf("name %q", cookie.Name)
		}
	})
	t.Run("O3 64 characters of base64url, all different", func(t *testing.T) {
		seen := map[string]bool{}
		for range 1000 {
			_, c := ask(m, "", putName)
			v := strings.TrimPrefix(c, "__Host-Http-id=")
			if len(v) != 64 || strings.Trim(v, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_") != "" {
				t.Fatalf("token %q", v)
			}
			if seen[v[:24]] || seen[v[24:]] {
				t.Fatal("an id or a secret came twice")
			}
			seen[v[:24]], seen[v[24:]] = true, true
		}
	})
	t.Run("O4 the cookie holds no value", func(t *testing.T) {
		if strings.Contains(line, "gopher") {
			t.Error("it does")
		}
	})
	t.Run("O12 Secure", has("Secure"))
	t.Run("O13 HttpOnly", has("HttpOnly"))
	t.Run("O14 SameSite", has("SameSite=Lax"))
	t.Run("O16 Path, and no Domain", func(t *testing.T) {
		has("Path=/")(t)
		if strings.Contains(line, "Domain") {
			t.Errorf("%q", line)
		}
	})
	t.Run("O18 gone with the browser", func(t *testing.T) {
		if strings.Contains(line, "Max-Age") || strings.Contains(line, "Expires") {
			t.Errorf("%q", line)
		}
	})
	t.Run("O20 the token is in no body", func(t *testing.T) {
		if strings.Contains(w.Body.String(), cookie.Value) {
			t.Error("it is")
		}
	})
	t.Run("O36 not cached", func(t *testing.T) {
		if w.Header().Get("Cache-Control") != "no-store" {
			t.Errorf("%v", w.Header())
		}
	})
	t.Run("O9 plain http by explicit switch alone", func(t *testing.T) {
		w, _ := ask(newManager(t, sojourn.Config{DangerouslyAllowHTTP: true}), "", putName)
		if c := w.Header().Get("Set-Cookie"); strings.Contains(c, "Secure") || !strings.HasPrefix(c, "id=") {
			t.Errorf("%q", c)
		}
	})
	t.Run("P21 G1 O15 V3.3 C10 L1 mistakes are refused", testMistakes)
}

func testMistakes(t *testing.T) {
	type cookie = sojourn.Cookie
	for _, c := range []struct {
		cfg  sojourn.Config
		want string // "" for accepted
	}{
		{sojourn.Config{}, ""},
		{sojourn.Config{IdleTimeout: 48 * time.Hour, Lifetime: time.Hour}, "IdleTimeout (48h) exceeds Lifetime (1h)"},
		{sojourn.Config{Lifetime: 400 * 24 * time.Hour}, ""},
		{sojourn.Config{Lifetime: 401 * 24 * time.Hour}, "400 days"},
		{sojourn.Config{Lifetime: -time.Hour}, "Lifetime (-1h)"},
		{sojourn.Config{Lifetime: time.Millisecond}, "shorter than a second"},
		{sojourn.Config{Lifetime: time.Minute}, ""}, // the idle limit shrinks with it
		{sojourn.Config{IdleTimeout: sojourn.NoIdleTimeout}, ""},
		{sojourn.Config{IdleTimeout: -5}, "IdleTimeout"},
		{sojourn.Config{RememberFor: time.Hour}, "RememberFor (1h) is shorter than Lifetime (24h)"},
		{sojourn.Config{StoreTimeout: -1}, "StoreTimeout"},
		{sojourn.Config{MaxPerOwner: -1}, "MaxPerOwner"},
		{sojourn.Config{Load: 7}, "Load (7)"},
		{sojourn.Config{EncryptAtRest: true}, ""},
		{sojourn.Config{Cookie: cookie{Name: "a b"}}, "Cookie.Name"},
		{sojourn.Config{Cookie: cookie{Name: "käse"}}, "Cookie.Name"},
		{sojourn.Config{Cookie: cookie{Name: strings.Repeat("n", 4096-64)}}, ""},
		{sojourn.Config{Cookie: cookie{Name: strings.Repeat("n", 4097-64)}}, "4096"},
		{sojourn.Config{Cookie: cookie{Name: "__Host-x", Domain: "example.com"}}, "__Host-"},
		{sojourn.Config{Cookie: cookie{Name: "__host-x", Path: "/app"}}, "__Host-"},
		{sojourn.Config{Cookie: cookie{Name: "__Host-Http-x", Path: "/app"}}, "__Host-Http-"},
		{sojourn.Config{Cookie: cookie{Name: "__Http-x", Path: "/app"}}, ""},
		{sojourn.Config{Cookie: cookie{Name: "__Secure-x", Domain: "example.com"}}, ""},
		{sojourn.Config{Cookie: cookie{Domain: "example.com"}}, ""}, // the default name changes its prefix
		{sojourn.Config{Cookie: cookie{Domain: ".example.com"}}, "Cookie.Domain"},
		{sojourn.Config{Cookie: cookie{Domain: "example.com:443"}}, "Cookie.Domain"},
		{sojourn.Config{Cookie: cookie{Domain: "localhost"}}, "single label"},
		{sojourn.Config{Cookie: cookie{Domain: "com"}}, "single label"},
		{sojourn.Config{Cookie: cookie{Domain: "10.0.0.7"}}, "IP address"},
		{sojourn.Config{Cookie: cookie{Domain: "10.7"}}, "IP address"},
		{sojourn.Config{Cookie: cookie{Domain: "example.0x7f"}}, "IP address"},
		{sojourn.Config{Cookie: cookie{Domain: "::1"}}, "IP address"},
		{sojourn.Config{Cookie: cookie{Domain: "bücher.example"}}, "xn--"},
		{sojourn.Config{Cookie: cookie{Domain: "xn--bcher-kva.example"}}, ""},
		{sojourn.Config{Cookie: cookie{Domain: "7.example"}}, ""},
		{sojourn.Config{Cookie: cookie{Path: "/" + strings.Repeat("p", 1023)}}, ""},
		{sojourn.Config{Cookie: cookie{Path: "/" + strings.Repeat("p", 1024)}}, "1024"},
		{sojourn.Config{Cookie: cookie{Path: "app"}}, "Cookie.Path"},
		{sojourn.Config{Cookie: cookie{Path: "/a;b"}}, "Cookie.Path"},
		{sojourn.Config{Cookie: cookie{SameSite: http.SameSiteDefaultMode}}, "SameSite"},
		{sojourn.Config{Cookie: cookie{SameSite: http.SameSiteNoneMode}}, ""},
		{sojourn.Config{Cookie: cookie{SameSite: http.SameSiteNoneMode}, DangerouslyAllowHTTP: true}, "SameSite (None)"},
		{sojourn.Config{Cookie: cookie{Partitioned: true}, DangerouslyAllowHTTP: true}, "Partitioned"},
		{sojourn.Config{Cookie: cookie{Partitioned: true}}, "SameSite None"},
		{sojourn.Config{Cookie: cookie{Partitioned: true, SameSite: http.SameSiteStrictMode}}, "SameSite None"},
		{sojourn.Config{Cookie: cookie{Partitioned: true, SameSite: http.SameSiteNoneMode}}, ""},
		{sojourn.Config{Header: "X-Session"}, ""},
		{sojourn.Config{Header: "X Session"}, "Header"},
		{sojourn.Config{Header: "Cookie"}, "Header"},
		{sojourn.Config{Header: "X-Session", Cookie: cookie{Name: "x"}}, "two managers"},
		{sojourn.Config{Purpose: strings.Repeat("p", 129)}, "Purpose"},
		{sojourn.Config{Revocations: memstore.New()}, "Revocations"},
		{sojourn.Config{MaxSealed: 3000}, "MaxSealed"},
	} {
		m, err := sojourn.New(memstore.New(), c.cfg)
		switch {
		case c.want == "" && err != nil:
			t.Errorf("%+v: %v", c.cfg, err)
		case c.want != "" && (err == nil || m != nil || !strings.Contains(err.Error(), c.want)):
			t.Errorf("%+v: %v, want a mistake about %s", c.cfg, err, c.want)
		}
	}
	_, err := sojourn.New(memstore.New(), sojourn.Config{Lifetime: 12})
	if want := "Lifetime (12ns) is shorter than a second: a number alone is nanoseconds, so write the unit as in 12*time.Hour; or leave it 0"; err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("a number without its unit: %v, want %q", err, want)
	}
	_, err = sojourn.New(memstore.New(), sojourn.Config{Lifetime: -1, IdleTimeout: time.Microsecond, RememberFor: time.Hour})
	if text := err.Error(); !strings.Contains(text, "IdleTimeout (1µs) is shorter than a second: leave it 0 to have the default, 1h") || strings.Contains(text, "RememberFor") {
		t.Errorf("a wrong Lifetime (-1ns) confuses what is said of the others:\n%v", err)
	}
	_, err = sojourn.New(nil, sojourn.Config{Lifetime: -1, Cookie: cookie{Name: "a b", Path: "x"}})
	if n := len(strings.Split(err.Error(), "\n")); n != 4 {
		t.Errorf("%d mistakes at once, want 4:\n%v", n, err)
	}
}

func TestKeysRefuseBadNames(t *testing.T) {
	for _, bad := range []string{"", strings.Repeat("k", 65)} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("NewKey(%q) did not panic", bad)
				}
			}()
			sojourn.NewKey[int](bad)
		}()
	}
}

// P12: constructors start nothing, and what has no session says what to do.
func TestWithoutTheMiddleware(t *testing.T) {
	m := newManager(t, sojourn.Config{})
	for what, f := range map[string]func(){
		"Get":    func() { name.Get(t.Context()) },
		"Commit": func() { _ = m.Commit(t.Context()) },
		"In":     func() { name.In(m).Get(t.Context()) },
	} {
		func() {
			defer func() {
				if v, _ := recover().(string); !strings.Contains(v, "LoadAndSave") {
					t.Errorf("%s: panic %q does not say what to do", what, v)
				}
			}()
			f()
		}()
	}
	if _, ok := sojourn.FromContext(t.Context()); ok {
		t.Error("FromContext found a manager in an empty context")
	}
}

// What is left of a constructor whose error nobody has looked at is refused at once, and not by the first request.
func TestNilPointersAreRefused(t *testing.T) {
	var ring *sealed.Ring
	var store *memstore.Store
	var old *struct{ sojourn.Legacy }
	for what, err := range map[string]error{
		"a store":            onlyError(sojourn.New(store, sojourn.Config{})),
		"a sealer":           onlyError(sojourn.NewSealed(ring, sojourn.Config{})),
		"Config.Legacy":      onlyError(sojourn.New(memstore.New(), sojourn.Config{Legacy: old})),
		"Config.Anonymous":   onlyError(sojourn.New(memstore.New(), sojourn.Config{Anonymous: ring})),
		"Config.Revocations": onlyError(sojourn.NewSealed(sealer(t), sojourn.Config{Revocations: store})),
	} {
		if err == nil || !strings.Contains(err.Error(), "nil") {
			t.Errorf("%s: %v", what, err)
		}
	}
}

func onlyError(_ *sojourn.Manager, err error) error { return err }

func sealer(t *testing.T) sojourn.Sealer {
	t.Helper()
	ring, err := sealed.New([]string{sealed.GenerateKey()}, sealed.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return ring
}
