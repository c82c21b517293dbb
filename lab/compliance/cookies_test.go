package compliance_test

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"net/http/httptrace"
	"net/textproto"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gosojourn/sojourn"
	"github.com/gosojourn/sojourn/memstore"
)

var cookieChecks = map[string]check{
	"O1":     theName("__Host-Http-id"),
	"O9":     noTokenOverHTTP,
	"O12":    everyLineHas("Secure"),
	"O13":    everyLineHas("HttpOnly"),
	"O14":    sameSite,
	"O15":    prefixes,
	"O16":    scope,
	"O18":    endsWithTheBrowser,
	"O20":    tokenInNoBody,
	"O36":    keptByNoCache,
	"V3.3.1": all(everyLineHas("Secure"), prefixes),
	"V3.3.2": sameSite,
	"V3.3.3": all(theName("__Host-Http-id"), prefixes),
	"V3.3.4": all(everyLineHas("HttpOnly"), tokenInNoBody),
	"V3.3.5": atMost4096,
	"N12":    cookieFollowsTheSession,
	"C1":     grammar,
	"C2":     plainValue,
	"C3":     noAttributeTwice,
	"C4":     oneLineAName,
	"C8":     atMost4096,
	"C10":    atMost400Days,
	"C15":    finalStatusOnly,
	"L1":     all(theName("__Host-Http-id"), prefixes),
}

func all(each ...check) check {
	return func(t *testing.T, open opener) {
		for _, c := range each {
			c(t, open)
		}
	}
}

// lines answers every Set-Cookie line of a session's life: begun, logged in, renewed, remembered, sealed, ended.
func lines(t *testing.T, store sojourn.Store, cfg sojourn.Config) (all []string) {
	t.Helper()
	for _, s := range []*site{newSite(t, store, cfg), newSealedSite(t, cfg)} {
		c := ""
		for _, h := range []http.HandlerFunc{put("x"), s.login("ann"), s.renew,
			func(_ http.ResponseWriter, r *http.Request) { s.Remember(r.Context(), true) }, s.logout} {
			a := s.post(c, h)
			c = a.set
			all = append(all, a.Header()["Set-Cookie"]...)
		}
	}
	if len(all) < 10 {
		t.Fatalf("%d cookies were set, want ten: %q", len(all), all)
	}
	return all
}

func attributes(line string) (pair string, attrs []string) {
	f := strings.Split(line, "; ")
	return f[0], f[1:]
}

func has(line, attr string) bool {
	_, attrs := attributes(line)
	for _, a := range attrs {
		if a == attr {
			return true
		}
	}
	return false
}

func everyLineHas(attr string) check {
	return func(t *testing.T, open opener) {
		for _, line := range lines(t, open(t), sojourn.Config{}) {
			if !has(line, attr) {
				t.Errorf("no %s in %q", attr, line)
			}
		}
	}
}

func theName(want string) check {
	return func(t *testing.T, open opener) {
		for _, line := range lines(t, open(t), sojourn.Config{}) {
			if !strings.HasPrefix(line, want+"=") {
				t.Errorf("%q, want the name %s", line, want)
			}
		}
	}
}

// refused is what New says of cfg; accepted ends the test if it says anything.
func refused(t *testing.T, cfg sojourn.Config, word string) {
	t.Helper()
	if m, err := sojourn.New(memstore.New(), cfg); err == nil || m != nil || !strings.Contains(err.Error(), word) {
		t.Errorf("%+v: %v, want a mistake about %s", cfg.Cookie, err, word)
	}
}

func accepted(t *testing.T, cfg sojourn.Config) *sojourn.Manager {
	t.Helper()
	m, err := sojourn.New(memstore.New(), cfg)
	if err != nil {
		t.Fatalf("%+v: %v", cfg.Cookie, err)
	}
	return m
}

func noTokenOverHTTP(t *testing.T, open opener) {
	plain := httptest.NewRequest("POST", "http://sojourn.test/", nil)
	if c := newSite(t, open(t), sojourn.Config{}).send(plain, put("x")).Header().Get("Set-Cookie"); !has(c, "Secure") {
		t.Errorf("over plain http %q goes out, which a browser would keep and send in clear text", c)
	}
	switched := newSite(t, open(t), sojourn.Config{DangerouslyAllowHTTP: true})
	if c := switched.send(plain, put("x")).Header().Get("Set-Cookie"); has(c, "Secure") || strings.HasPrefix(c, "__") {
		t.Errorf("switched to plain http %q goes out, which browsers refuse there", c)
	}
}

func sameSite(t *testing.T, open opener) {
	everyLineHas("SameSite=Lax")(t, open)
	for site, attr := range map[http.SameSite]string{http.SameSiteStrictMode: "SameSite=Strict", http.SameSiteNoneMode: "SameSite=None"} {
		for _, line := range lines(t, open(t), sojourn.Config{Cookie: sojourn.Cookie{SameSite: site}}) {
			if !has(line, attr) || !has(line, "Secure") {
				t.Errorf("%q, want %s and Secure", line, attr)
			}
		}
	}
	refused(t, sojourn.Config{Cookie: sojourn.Cookie{SameSite: http.SameSiteDefaultMode}}, "SameSite")
	refused(t, sojourn.Config{Cookie: sojourn.Cookie{SameSite: http.SameSiteNoneMode}, DangerouslyAllowHTTP: true}, "Secure")
}

func prefixes(t *testing.T, _ opener) {
	for _, bad := range []sojourn.Cookie{
		{Name: "__Host-x", Domain: "example.com"}, {Name: "__Host-x", Path: "/app"}, {Name: "__host-x", Path: "/app"},
		{Name: "__Host-Http-x", Domain: "example.com"}, {Name: "__Host-Http-x", Path: "/app"},
	} {
		refused(t, sojourn.Config{Cookie: bad}, "__Host-")
	}
	for _, good := range []string{"__Host-x", "__Secure-x", "__Http-x", "__Host-Http-x"} {
		if got := accepted(t, sojourn.Config{Cookie: sojourn.Cookie{Name: good}}).Policy().Cookie.Name; got != good {
			t.Errorf("%s is made %s", good, got)
		}
	}
}

func scope(t *testing.T, open opener) {
	for _, line := range lines(t, open(t), sojourn.Config{}) {
		if strings.Contains(line, "Domain") || !has(line, "Path=/") {
			t.Errorf("%q, want no Domain and Path=/", line)
		}
	}
	narrow := newSite(t, open(t), sojourn.Config{Cookie: sojourn.Cookie{Path: "/app"}})
	if line := narrow.post("", put("x")).Header().Get("Set-Cookie"); !has(line, "Path=/app") {
		t.Errorf("%q, want Path=/app", line)
	}
}

func endsWithTheBrowser(t *testing.T, open opener) {
	s := newSite(t, open(t), sojourn.Config{})
	for _, h := range []http.HandlerFunc{put("x"), s.login("ann")} {
		if line := s.post("", h).Header().Get("Set-Cookie"); strings.Contains(line, "Max-Age") || strings.Contains(line, "Expires") {
			t.Errorf("%q outlives the browser", line)
		}
	}
	remembered := s.post("", func(w http.ResponseWriter, r *http.Request) {
		s.login("ann")(w, r)
		s.Remember(r.Context(), true)
	}).Header().Get("Set-Cookie")
	if !strings.Contains(remembered, "Max-Age=25") {
		t.Errorf("%q, want a Max-Age of about thirty days", remembered)
	}
}

func tokenInNoBody(t *testing.T, open opener) {
	s := newSite(t, open(t), sojourn.Config{})
	c := s.beginAs("ann")
	s.post(c, put("x"))
	secret := value(c)[24:]
	for what, h := range map[string]http.Handler{"a page": s.LoadAndSave(put("y")), "the status": s.StatusHandler()} {
		w := httptest.NewRecorder()
		h.ServeHTTP(w, request("GET", c))
		if w.Code != 200 || strings.Contains(w.Body.String(), secret) {
			t.Errorf("%s: %d %s", what, w.Code, w.Body)
		}
	}
	s.post(c, func(_ http.ResponseWriter, r *http.Request) {
		if i := s.Info(r.Context()); i.ID != value(c)[:24] {
			t.Errorf("Info shows %q, want the public id", i.ID)
		}
	})
}

func keptByNoCache(t *testing.T, open opener) {
	s := newSite(t, open(t), sojourn.Config{})
	a := s.post("", func(w http.ResponseWriter, r *http.Request) {
		name.Put(r.Context(), "x")
		w.Header().Set("Cache-Control", "public, max-age=3600")
	})
	if got := a.Header()["Cache-Control"]; len(got) != 1 || got[0] != "no-store" || a.set == "" {
		t.Errorf("Cache-Control %q beside %q", got, a.set)
	}
}

func atMost4096(t *testing.T, open opener) {
	long := sojourn.Cookie{Name: strings.Repeat("n", 4096-64)}
	line := newSite(t, open(t), sojourn.Config{Cookie: long}).post("", put("x")).Header().Get("Set-Cookie")
	if pair, _ := attributes(line); len(pair) != 4096+len("=") {
		t.Errorf("name and value are %d bytes, want 4096", len(pair)-1)
	}
	long.Name += "n"
	refused(t, sojourn.Config{Cookie: long}, "4096")

	s := newSealedSite(t, sojourn.Config{})
	c := s.begin(strings.Repeat("x", 10_000))
	for pair := range strings.SplitSeq(c, "; ") {
		if len(pair) > 4096+len("=") {
			t.Errorf("a cookie of %d bytes goes out", len(pair)-1)
		}
	}
	var err error
	a := s.post(c, func(_ http.ResponseWriter, r *http.Request) {
		name.Put(r.Context(), strings.Repeat("y", 20_000))
		err = s.Commit(r.Context())
	})
	if !errors.Is(err, sojourn.ErrTooLarge) || a.set != "" || a.expired {
		t.Errorf("%v, want ErrTooLarge; cookies %.40q", err, a.set)
	}
	if v := s.name(c); v != strings.Repeat("x", 10_000) {
		t.Errorf("what was there before is lost: %d bytes", len(v))
	}
}

func cookieFollowsTheSession(t *testing.T, _ opener) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t, memstore.New(), sojourn.Config{Lifetime: 2 * time.Hour, IdleTimeout: sojourn.NoIdleTimeout, Cookie: sojourn.Cookie{Persistent: true}})
		a := s.post("", put("x"))
		if line := a.Header().Get("Set-Cookie"); !has(line, "Max-Age=7200") {
			t.Errorf("a session of two hours: %q", line)
		}
		time.Sleep(time.Hour)
		a = s.post(a.set, s.renew)
		if line := a.Header().Get("Set-Cookie"); !has(line, "Max-Age=3600") {
			t.Errorf("a session that has an hour left: %q", line)
		}
		time.Sleep(time.Hour)
		if v := s.name(a.set); v != "" {
			t.Errorf("a browser that kept the cookie reads %q", v)
		}
	})
}

func grammar(t *testing.T, _ opener) {
	for _, bad := range []sojourn.Cookie{
		{Name: "a b"}, {Name: "a=b"}, {Name: "a;b"}, {Name: "a\r\nb"}, {Name: "käse"}, {Path: "/a;b"}, {Path: "/a\nb"}, {Path: "app"},
		{Domain: "a b"}, {Domain: "example.com; Secure"}, {Domain: ".example.com"}, {Domain: "example.com:443"},
	} {
		refused(t, sojourn.Config{Cookie: bad}, "Cookie.")
	}
}

func plainValue(t *testing.T, open opener) {
	for _, line := range lines(t, open(t), sojourn.Config{}) {
		pair, _ := attributes(line)
		if strings.Trim(value(pair), "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_") != "" {
			t.Errorf("%q", pair)
		}
	}
}

func noAttributeTwice(t *testing.T, open opener) {
	for _, cfg := range []sojourn.Config{{}, {Cookie: sojourn.Cookie{Domain: "example.com", Persistent: true, SameSite: http.SameSiteNoneMode, Partitioned: true}}} {
		for _, line := range lines(t, open(t), cfg) {
			seen := map[string]bool{}
			_, attrs := attributes(line)
			for _, a := range attrs {
				key, _, _ := strings.Cut(a, "=")
				if seen[key] {
					t.Errorf("%s comes twice in %q", key, line)
				}
				seen[key] = true
			}
		}
	}
}

func oneLineAName(t *testing.T, open opener) {
	s := newSite(t, open(t), sojourn.Config{})
	a := s.post(s.begin("x"), func(w http.ResponseWriter, r *http.Request) {
		http.SetCookie(w, &http.Cookie{Name: "__Host-Http-id", Value: "of-the-handler", Path: "/"})
		for range 3 {
			s.renew(w, r)
			if err := s.Commit(r.Context()); err != nil {
				t.Error(err)
			}
		}
		s.logout(w, r)
	})
	if got := a.Header()["Set-Cookie"]; len(got) != 1 || !a.expired {
		t.Errorf("renewed three times and ended: %q, want one line that expires the cookie", got)
	}
}

func atMost400Days(t *testing.T, _ opener) {
	const day = 24 * time.Hour
	accepted(t, sojourn.Config{Lifetime: 400 * day})
	refused(t, sojourn.Config{Lifetime: 401 * day}, "400 days")
	refused(t, sojourn.Config{RememberFor: 401 * day}, "400 days")
}

func finalStatusOnly(t *testing.T, open opener) {
	s := newSite(t, open(t), sojourn.Config{})
	server := httptest.NewServer(s.LoadAndSave(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		name.Put(r.Context(), "x")
		w.WriteHeader(http.StatusEarlyHints)
		w.WriteHeader(http.StatusInternalServerError)
	})))
	defer server.Close()
	informational := 0
	trace := &httptrace.ClientTrace{Got1xxResponse: func(code int, header textproto.MIMEHeader) error {
		informational++
		if code != http.StatusEarlyHints || header.Get("Set-Cookie") != "" {
			t.Errorf("%d with %v", code, header)
		}
		return nil
	}}
	r, err := http.NewRequestWithContext(httptrace.WithClientTrace(t.Context(), trace), "POST", server.URL, nil)
	if err != nil {
		t.Fatal(err)
	}
	answer, err := server.Client().Do(r)
	if err != nil {
		t.Fatal(err)
	}
	answer.Body.Close()
	if informational != 1 || answer.StatusCode != http.StatusInternalServerError || !strings.Contains(answer.Header.Get("Set-Cookie"), "__Host-Http-id=") {
		t.Errorf("%d informational responses, then %d with %v", informational, answer.StatusCode, answer.Header)
	}
}
