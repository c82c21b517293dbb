package carrier

import (
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"
)

func wide() *Carrier {
	return &Carrier{Name: "__Secure-s", Domain: "example.com", Path: "/app", SameSite: http.SameSiteNoneMode, Secure: true, Partitioned: true, Chunks: MaxChunks}
}

func applied(c *Carrier, o Outgoing) http.Header {
	h := http.Header{}
	c.Apply(h, &o)
	return h
}

func TestSetCookieLines(t *testing.T) {
	plain := &Carrier{Name: "id", Path: "/", SameSite: http.SameSiteStrictMode, Chunks: 1}
	persistent := cookies()
	persistent.Persistent = true
	for _, c := range []struct {
		c    *Carrier
		o    Outgoing
		want string
	}{
		{cookies(), cookies().Send("TOKEN", false, time.Hour), "__Host-Http-id=TOKEN; Path=/; HttpOnly; Secure; SameSite=Lax"},
		{cookies(), cookies().Send("TOKEN", true, time.Hour-time.Millisecond), "__Host-Http-id=TOKEN; Path=/; Max-Age=3600; HttpOnly; Secure; SameSite=Lax"},
		{cookies(), cookies().Send("TOKEN", true, -time.Hour), "__Host-Http-id=TOKEN; Path=/; Max-Age=0; HttpOnly; Secure; SameSite=Lax"},
		{persistent, persistent.Send("TOKEN", false, time.Millisecond), "__Host-Http-id=TOKEN; Path=/; Max-Age=1; HttpOnly; Secure; SameSite=Lax"},
		{cookies(), cookies().Forget(cookie("__Host-Http-id.1=x")), "__Host-Http-id=; Path=/; Max-Age=0; HttpOnly; Secure; SameSite=Lax"},
		{plain, plain.Send("TOKEN", false, 0), "id=TOKEN; Path=/; HttpOnly; SameSite=Strict"},
		{wide(), wide().Send("TOKEN", true, time.Minute), "__Secure-s=; Path=/app; Max-Age=0; HttpOnly; Secure; SameSite=None; Partitioned|" +
			"__Secure-s=TOKEN; Path=/app; Domain=example.com; Max-Age=60; HttpOnly; Secure; SameSite=None; Partitioned"},
		{wide(), wide().Forget(nil), "__Secure-s=; Path=/app; Max-Age=0; HttpOnly; Secure; SameSite=None; Partitioned|" +
			"__Secure-s=; Path=/app; Domain=example.com; Max-Age=0; HttpOnly; Secure; SameSite=None; Partitioned"},
	} {
		h := applied(c.c, c.o)
		if got := strings.Join(h["Set-Cookie"], "|"); got != c.want {
			t.Errorf("%s\nwant %s", got, c.want)
		}
		for _, line := range h["Set-Cookie"] {
			if k, err := http.ParseSetCookie(line); err != nil || k.Valid() != nil {
				t.Errorf("net/http does not agree with %s: %v", line, err)
			}
		}
		if h.Get("Cache-Control") != "no-store" {
			t.Errorf("%v may be kept by a cache", h)
		}
	}
}

// names lists which cookies the lines set ("+") and expire, with ":host" for those without a Domain.
func names(t *testing.T, h http.Header) string {
	var all []string
	for _, line := range h["Set-Cookie"] {
		k, err := http.ParseSetCookie(line)
		if err != nil {
			t.Fatal(err)
		}
		name := k.Name
		if k.MaxAge >= 0 && k.Value != "" {
			name = "+" + name
		}
		if k.Domain == "" {
			name += ":host"
		}
		all = append(all, name)
	}
	return strings.Join(all, " ")
}

// What a longer session has left behind goes, and no more is said than the request gives cause for.
func TestLeftOverChunksGo(t *testing.T) {
	shown := cookie("__Host-Http-id=x; __Host-Http-id.1=y; __Host-Http-id.3=; __Host-Http-id.9=z; a=b")
	for _, c := range []struct {
		what string
		c    *Carrier
		o    func(c *Carrier) (Outgoing, error)
		want string
	}{
		{"one", seals(), func(c *Carrier) (Outgoing, error) { return c.SendSealed(text(100, 1), false, 0, nil) }, "+__Host-Http-id:host"},
		{"one over two", seals(), func(c *Carrier) (Outgoing, error) { return c.SendSealed(text(100, 1), false, 0, shown) }, "+__Host-Http-id:host __Host-Http-id.1:host __Host-Http-id.3:host"},
		{"three over two", seals(), func(c *Carrier) (Outgoing, error) { return c.SendSealed(text(9000, 1), false, 0, shown) }, "+__Host-Http-id:host +__Host-Http-id.1:host +__Host-Http-id.2:host __Host-Http-id.3:host"},
		{"forget", seals(), func(c *Carrier) (Outgoing, error) { return c.Forget(shown), nil }, "__Host-Http-id:host __Host-Http-id.1:host __Host-Http-id.3:host"},
		{"forget nothing", seals(), func(c *Carrier) (Outgoing, error) { return c.Forget(nil), nil }, "__Host-Http-id:host"},
		{"with a domain", wide(), func(c *Carrier) (Outgoing, error) {
			return c.SendSealed(text(5000, 1), false, 0, cookie("__Secure-s.2=x"))
		}, "__Secure-s:host +__Secure-s __Secure-s.1:host +__Secure-s.1 __Secure-s.2:host __Secure-s.2"},
	} {
		o, err := c.o(c.c)
		if err != nil {
			t.Fatal(err)
		}
		if got := names(t, applied(c.c, o)); got != c.want {
			t.Errorf("%s: %s, want %s", c.what, got, c.want)
		}
	}
}

func TestApplyReplacesWhatIsOurs(t *testing.T) {
	c := wide()
	held := []string{
		"a=b", "__Secure-s=old; Path=/app", "__Secure-sx=stays", "__Secure-s=old; path=/app; domain=.EXAMPLE.com", "__Secure-s.1=old",
		"__Secure-s=other; Path=/", "__Secure-s=other; Domain=www.example.com; Path=/app", " __Secure-s =old; Path=relative", "",
	}
	before := slices.Clone(held)
	h := http.Header{"Set-Cookie": held[:len(held):len(held)]}
	o := c.Send("TOKEN", false, 0)
	c.Apply(h, &o)
	want := []string{"a=b", "__Secure-sx=stays", "__Secure-s=other; Path=/", "__Secure-s=other; Domain=www.example.com; Path=/app", ""}
	want = append(want, o.lines()...)
	if !slices.Equal(h["Set-Cookie"], want) {
		t.Errorf("%q\nwant %q", h["Set-Cookie"], want)
	}
	once := h.Clone()
	c.Apply(h, &o)
	if !maps.EqualFunc(h, once, slices.Equal) {
		t.Errorf("again, and it is %q", h)
	}
	if !slices.Equal(held, before) {
		t.Errorf("somebody's slice has become %q", held)
	}
	// What follows replaces it, and an application that adds its own does not write into ours.
	h.Add("Set-Cookie", "later=1")
	f := c.Forget(nil)
	c.Apply(h, &f)
	if got := names(t, http.Header{"Set-Cookie": h["Set-Cookie"][5:]}); got != "+later:host __Secure-s:host __Secure-s" {
		t.Errorf("then forgotten: %s", got)
	}
	alone := http.Header{}
	c.Apply(alone, &o)
	alone.Add("Set-Cookie", "later=1")
	if len(o.lines()) != 2 || len(alone["Set-Cookie"]) != 3 || cap(o.lines()) != 2 {
		t.Errorf("%q", alone)
	}
	var none Outgoing
	if c.Apply(alone, &none); len(alone["Set-Cookie"]) != 3 || none.Pending() || none.Token() || !f.Pending() || f.Token() || !o.Pending() || !o.Token() {
		t.Error("not what is pending is said")
	}
}

func TestHeaderCarriers(t *testing.T) {
	bearer, own := &Carrier{Header: "Authorization"}, &Carrier{Header: "X-Session"}
	for c, name := range map[*Carrier]string{bearer: "Session-Token", own: "X-Session"} {
		h := http.Header{"Session-Token": {"theirs"}, "Set-Cookie": {"a=b"}}
		o := c.Send("TOKEN", true, time.Hour)
		c.Apply(h, &o)
		c.Apply(h, &o)
		if !slices.Equal(h[name], []string{"TOKEN"}) || len(h["Set-Cookie"]) != 1 || h.Get("Cache-Control") != "no-store" {
			t.Errorf("%s: %v", c.Header, h)
		}
		f := c.Forget(nil)
		if c.Apply(h, &f); h.Get(name) != "" || !f.Pending() {
			t.Errorf("%s: not taken back from %v", c.Header, h)
		}
		if c == own && h.Get("Session-Token") != "theirs" {
			t.Error("another's header was taken back")
		}
	}
}

// F8: a token is in no cache, whatever header rules there.
func TestF8_NothingRulesBeforeNoStore(t *testing.T) {
	full := func() http.Header {
		return http.Header{
			"Cache-Control": {"public", "max-age=60"}, "cache-control": {"public"}, "CDN-Cache-Control": {"public"}, "Cdn-Cache-Control": {"public"},
			"Cloudflare-Cdn-Cache-Control": {"max-age=60"}, "X-Litespeed-Cache-Control": {"public"}, "surrogate-control": {"max-age=60"},
			"Surrogate-Control": {"max-age=60"}, "Edge-Control": {"cache-maxage=60m"}, "X-Accel-Expires": {"60"}, "Expires": {"Thu, 01 Dec 2094 16:00:00 GMT"},
			"Pragma": {"public"}, "Content-Type": {"text/html"}, "X-Accel-Buffering": {"no"}, "Surrogate-Key": {"page"}, "Cache-Controls": {"x"},
		}
	}
	want := http.Header{"Cache-Control": {"no-store"}, "Content-Type": {"text/html"}, "X-Accel-Buffering": {"no"}, "Surrogate-Key": {"page"}, "Cache-Controls": {"x"}}
	h := full()
	NoStore(h)
	if !maps.EqualFunc(h, want, slices.Equal) {
		t.Errorf("NoStore left %v", h)
	}
	for what, o := range map[string]Outgoing{"sending": cookies().Send(sample, false, 0), "forgetting": cookies().Forget(nil)} {
		h = full()
		cookies().Apply(h, &o)
		delete(h, "Set-Cookie")
		if !maps.EqualFunc(h, want, slices.Equal) {
			t.Errorf("%s left %v", what, h)
		}
	}
	h = full()
	o := (&Carrier{Header: "X-Session"}).Send(sample, false, 0)
	(&Carrier{Header: "X-Session"}).Apply(h, &o)
	delete(h, "X-Session")
	if !maps.EqualFunc(h, want, slices.Equal) {
		t.Errorf("a token in a header left %v", h)
	}
}

func TestVary(t *testing.T) {
	for before, want := range map[string]string{"": "Cookie", "Accept": "Accept|Cookie", "accept, cookie": "accept, cookie", "*": "*"} {
		for _, room := range [][]string{nil, make([]string, 1)} {
			h := http.Header{}
			if before != "" {
				h.Set("Vary", before)
			}
			cookies().Vary(h, room)
			cookies().Vary(h, room)
			if got := strings.Join(h["Vary"], "|"); got != want {
				t.Errorf("Vary %q became %q, want %q", before, got, want)
			}
		}
	}
	h := http.Header{}
	if (&Carrier{Header: "Authorization"}).Vary(h, nil); h.Get("Vary") != "Authorization" {
		t.Errorf("%v", h)
	}
}

// The line, and nothing else, is an object when a token goes out in a cookie.
func TestSendingCostsOneObject(t *testing.T) {
	for what, c := range map[string]*Carrier{"host": cookies(), "domain": wide()} {
		h := http.Header{"Set-Cookie": nil, "Cache-Control": nil}
		o := new(Outgoing)
		if n := testing.AllocsPerRun(100, func() {
			h["Set-Cookie"], h["Cache-Control"] = nil, nil
			*o = c.Send(sample, true, time.Hour)
			c.Apply(h, o)
		}); n != 1 || !strings.Contains(h.Get("Set-Cookie"), "=") {
			t.Errorf("%s: %v objects", what, n)
		}
	}
}
