package laws

import (
	"context"
	"net/http"
	"strings"
	"testing"

	"github.com/gosojourn/sojourn"
)

// Law 8: bad input ends at the door.
var doors = []story{
	{"O22 a token of the wrong shape reaches no store and is not echoed", func(t *testing.T, store sojourn.Store) {
		n := &counting{Store: store}
		s := newSite(t, n, sojourn.Config{})
		c := s.begin()
		value := strings.TrimPrefix(c, "__Host-Http-id=")
		n.reset()
		for _, bad := range []string{
			"", "x", value[:63], value + "A", value[:63] + "=", value[:63] + "é", value[:63] + "\x00", strings.Repeat("A", 9000),
			value[:24], `"` + value[:62] + `"`, "' OR 1=1 --", strings.Repeat("\xff", 64), value[:63] + "%",
		} {
			a := s.ask("POST", "__Host-Http-id="+bad, func(_ http.ResponseWriter, r *http.Request) { name.Get(r.Context()) })
			if n.total() != 0 || a.Code != 200 || a.set != "" || bad != "" && strings.Contains(a.Body.String(), bad) {
				t.Errorf("%.20q: %d exchanges, status %d", bad, n.total(), a.Code)
			}
		}
		if !s.sawEvent(sojourn.EventTokenRefused, "token_malformed") {
			t.Error("nothing was told of malformed tokens")
		}
	}},
	{"P16 a stale cookie of the same name hides nothing", func(t *testing.T, store sojourn.Store) {
		s := newSite(t, store, sojourn.Config{})
		stale := s.begin()
		s.ask("POST", stale, s.logout)
		before := s.begin()
		c := s.ask("POST", before, s.login("bob")).set
		for _, header := range []string{stale + "; " + c, c + "; " + stale, "__Host-Http-id=junk; a=b; " + c, before + "; " + c, c + "; " + before, stale + "; " + before + "; " + c} {
			if o := s.ownerOf(header); o != "bob" {
				t.Errorf("owner %q with a stale cookie beside the valid one", o)
			}
		}
	}},
	{"two live sessions under one name: neither", func(t *testing.T, store sojourn.Store) {
		s := newSite(t, store, sojourn.Config{})
		a, b := s.beginAs("alice"), s.beginAs("bob")
		if o := s.ownerOf(a + "; " + b); o != "" || !s.sawEvent(sojourn.EventTokenRefused, "token_ambiguous") {
			t.Errorf("owner %q", o)
		}
		if s.ownerOf(a) != "alice" || s.ownerOf(b) != "bob" {
			t.Error("one of the sessions has ended by it")
		}
	}},
	{"a hundred cookies cost at most four loads", func(t *testing.T, store sojourn.Store) {
		n := &counting{Store: store}
		s := newSite(t, n, sojourn.Config{})
		c := s.begin()
		var many []string
		for i := range 100 {
			id := []byte(strings.Repeat("A", 64))
			id[0], id[1] = byte('a'+i%26), byte('a'+i/26)
			many = append(many, "__Host-Http-id="+string(id))
		}
		n.reset()
		if o := s.nameOf(strings.Join(append(many, c), "; ")); o != "" || n.loads.Load() > 4 {
			t.Errorf("%d loads, name %q", n.loads.Load(), o)
		}
		n.reset()
		for range 50 {
			c += "; " + c[:74]
		}
		if v := s.nameOf(c[:20*76]); v != "first" || n.loads.Load() != 1 {
			t.Errorf("the same cookie twenty times: name %q, %d loads", v, n.loads.Load())
		}
	}},
	{"O8 a token is taken from the cookie alone", func(t *testing.T, store sojourn.Store) {
		s := newSite(t, store, sojourn.Config{})
		token := strings.TrimPrefix(s.beginAs("bob"), "__Host-Http-id=")
		r := request("POST", "")
		r.URL.RawQuery = "__Host-Http-id=" + token + "&id=" + token
		r.Header.Set("Authorization", "Bearer "+token)
		r.Header.Set("Session-Token", token)
		s.send(r, func(_ http.ResponseWriter, r *http.Request) {
			if o := s.Info(r.Context()).Owner; o != "" {
				t.Errorf("logged in as %q without a cookie", o)
			}
		})
	}},
	{"a token of another purpose is unknown", func(t *testing.T, store sojourn.Store) {
		web, api := newSite(t, store, sojourn.Config{}), newSite(t, store, sojourn.Config{Header: "Authorization"})
		c := web.beginAs("bob")
		bearer := func(token string) (owner string) {
			r := request("POST", "")
			r.Header.Set("Authorization", "Bearer "+token)
			api.send(r, func(_ http.ResponseWriter, r *http.Request) { owner = api.Info(r.Context()).Owner })
			return owner
		}
		if o := bearer(strings.TrimPrefix(c, "__Host-Http-id=")); o != "" {
			t.Errorf("the cookie's token is %q as a bearer token", o)
		}
		a := api.ask("POST", "", api.login("bob"))
		if token := a.Header().Get("Session-Token"); bearer(token) != "bob" || len(a.Result().Cookies()) != 0 {
			t.Errorf("the header's own token does not work: %v", a.Header())
		}
	}},
	{"two managers in one request keep apart", func(t *testing.T, store sojourn.Store) {
		outer := newSite(t, store, sojourn.Config{Cookie: sojourn.Cookie{Name: "__Host-outer"}})
		inner := newSite(t, store, sojourn.Config{})
		a := inner.read(serve(outer.LoadAndSave(inner.LoadAndSave(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			name.Put(r.Context(), "inner's")
			name.In(outer.Manager).Put(r.Context(), "outer's")
			if m, ok := sojourn.FromContext(r.Context()); !ok || m != inner.Manager {
				t.Error("FromContext is not the innermost")
			}
		}))), request("POST", "")))
		var both []string
		for _, c := range a.Result().Cookies() {
			both = append(both, c.Name+"="+c.Value)
		}
		if len(both) != 2 {
			t.Fatalf("cookies: %q", both)
		}
		serve(outer.LoadAndSave(inner.LoadAndSave(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			if i, o := name.Get(r.Context()), name.In(outer.Manager).Get(r.Context()); i != "inner's" || o != "outer's" {
				t.Errorf("inner %q, outer %q", i, o)
			}
		}))), request("POST", strings.Join(both, "; ")))
	}},
	{"V16 what a client says of itself is made harmless", func(t *testing.T, store sojourn.Store) {
		s := newSite(t, store, sojourn.Config{Device: func(r *http.Request) sojourn.Device {
			return sojourn.Device{Addr: "192.0.2.1", Agent: "evil\r\nSet-Cookie: x=y\u2028\x1b[31m" + strings.Repeat("é", 300)}
		}})
		c := s.beginAs("bob")
		s.look(c, func(ctx context.Context) {
			d := s.Info(ctx).Device
			if d.Addr != "192.0.2.1" || len(d.Agent) > 255 || strings.ContainsAny(d.Agent, "\r\n\x1b\u2028") || !strings.HasPrefix(d.Agent, "evil") {
				t.Errorf("%q", d)
			}
		})
	}},
}
