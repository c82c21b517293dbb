package sojourn_test

import (
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gosojourn/sojourn"
	"github.com/gosojourn/sojourn/sealed"
	"github.com/gosojourn/sojourn/sojourntest"
)

func newSealed(t testing.TB, cfg sojourn.Config, keys ...string) *sojourn.Manager {
	t.Helper()
	ring, err := sealed.New(keys, sealed.Options{})
	if err != nil {
		t.Fatal(err)
	}
	m, err := sojourn.NewSealed(ring, cfg)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// sealedWith answers the cookies, "name=value", of a session that holds n bytes.
func sealedWith(t *testing.T, m *sojourn.Manager, n int) (cookies []string) {
	t.Helper()
	w, _ := ask(m, "", func(_ http.ResponseWriter, r *http.Request) { name.Put(r.Context(), strings.Repeat("x", n)) })
	for _, line := range w.Header()["Set-Cookie"] {
		pair, _, _ := strings.Cut(line, ";")
		cookies = append(cookies, pair)
	}
	if len(cookies) == 0 {
		t.Fatal("nothing was sealed")
	}
	return cookies
}

func lengthAt(m *sojourn.Manager, cookies ...string) int {
	return len(nameAt(m, strings.Join(cookies, "; ")))
}

// Every bit of a sealed session, every part of it, and every other character in it: a stranger's.
func TestSealedAltered(t *testing.T) {
	m := newSealed(t, sojourn.Config{}, sealed.GenerateKey())
	c := sealedWith(t, m, 8)
	cookieName, value, _ := strings.Cut(c[0], "=")
	refused := func(what, value string) {
		t.Helper()
		w, _ := ask(m, cookieName+"="+value, func(_ http.ResponseWriter, r *http.Request) {
			if i := m.Info(r.Context()); i.ID != "" || name.Get(r.Context()) != "" {
				t.Fatalf("%s was opened", what)
			}
		})
		if w.Code != http.StatusOK {
			t.Errorf("%s: %d", what, w.Code)
		}
	}
	if lengthAt(m, c...) != 8 {
		t.Fatal("the session as it is was not opened")
	}
	sealed, err := base64.RawURLEncoding.DecodeString(value[1:])
	if err != nil {
		t.Fatal(err)
	}
	for i := range sealed {
		for bit := range 8 {
			b := slices.Clone(sealed)
			if b[i] ^= 1 << bit; i > 0 { // another format is a newer version's
				refused(fmt.Sprintf("bit %d of byte %d", bit, i), "1"+base64.RawURLEncoding.EncodeToString(b))
			}
		}
	}
	for i := range value {
		refused(fmt.Sprintf("cut at %d", i), value[:i])
		for _, c := range "\x00 !AZaz09-_=.\x7f\"" {
			if byte(c) != value[i] && !(i <= 2 && i > 0 && c > ' ') {
				refused(fmt.Sprintf("%q at %d", c, i), value[:i]+string(c)+value[i+1:])
			}
		}
	}
	refused("more", value+"AAAA")
	refused("twice", value+value[1:])
}

// One seal covers all chunks: none can be left out or come from elsewhere; in what order they come is the
// browser's affair.
func TestSealedChunks(t *testing.T) {
	key := sealed.GenerateKey()
	m := newSealed(t, sojourn.Config{}, key)
	mine, theirs := sealedWith(t, m, 8000), sealedWith(t, m, 8000)
	if len(mine) != 3 {
		t.Fatalf("%d cookies, want 3", len(mine))
	}
	for _, order := range [][]int{{0, 1, 2}, {0, 2, 1}, {1, 0, 2}, {1, 2, 0}, {2, 0, 1}, {2, 1, 0}} {
		if lengthAt(m, mine[order[0]], mine[order[1]], mine[order[2]]) != 8000 {
			t.Errorf("in the order %v it was not opened", order)
		}
	}
	value := func(c string) string { _, v, _ := strings.Cut(c, "="); return v }
	for what, cookies := range map[string][]string{
		"without the first":         mine[1:],
		"without the second":        {mine[0], mine[2]},
		"without the last":          mine[:2],
		"the first alone":           mine[:1],
		"the first of another's":    {theirs[0], mine[1], mine[2]},
		"the second of another's":   {mine[0], theirs[1], mine[2]},
		"the last of another's":     {mine[0], mine[1], theirs[2]},
		"two exchanged":             {mine[0], "__Host-Http-id.1=" + value(mine[2]), "__Host-Http-id.2=" + value(mine[1])},
		"the last twice":            {mine[0], "__Host-Http-id.1=" + value(mine[2]), mine[2]},
		"another count":             {"__Host-Http-id=2" + value(mine[0])[1:], mine[1], mine[2]},
		"one more than the count":   {"__Host-Http-id=4" + value(mine[0])[1:], mine[1], mine[2], "__Host-Http-id.3=AAAA"},
		"one under another's name":  {mine[0], strings.Replace(mine[1], "__Host-Http-id.1", "__Host-Http-id.01", 1), mine[2]},
		"one under the plain name":  {mine[0], mine[1], strings.Replace(mine[2], "__Host-Http-id.2", "id.2", 1)},
		"all of two people at once": append(slices.Clone(mine), theirs...),
	} {
		if n := lengthAt(m, cookies...); n != 0 {
			t.Errorf("%s: %d bytes were opened", what, n)
		}
	}
	// What is left over from a longer session counts for nothing, and goes when a new one is sealed.
	short := sealedWith(t, m, 10)
	left := strings.Join(append(short, mine[1:]...), "; ")
	if len(nameAt(m, left)) != 10 {
		t.Error("a session is not found beside what a longer one has left")
	}
	w, _ := ask(m, left, putName)
	if lines := strings.Join(w.Header()["Set-Cookie"], "\n"); strings.Count(lines, "Max-Age=0") != 2 || !strings.Contains(lines, "__Host-Http-id.1=;") || !strings.Contains(lines, "__Host-Http-id.2=;") {
		t.Errorf("what a longer session has left stays: %s", lines)
	}
}

// A seal is good for one cookie name, one purpose, one application.
func TestSealedElsewhere(t *testing.T) {
	key, other := sealed.GenerateKey(), sealed.GenerateKey()
	m := newSealed(t, sojourn.Config{}, key)
	value := strings.TrimPrefix(sealedWith(t, m, 5)[0], "__Host-Http-id=")
	for what, c := range map[string]struct {
		m    *sojourn.Manager
		name string
	}{
		"another cookie":       {newSealed(t, sojourn.Config{Cookie: sojourn.Cookie{Name: "__Host-i"}}, key), "__Host-i"},
		"another purpose":      {newSealed(t, sojourn.Config{Purpose: "admin"}, key), "__Host-Http-id"},
		"another application":  {newSealed(t, sojourn.Config{}, other), "__Host-Http-id"},
		"a shift between both": {newSealed(t, sojourn.Config{Purpose: "d", Cookie: sojourn.Cookie{Name: "__Host-i"}}, key), "__Host-i"},
	} {
		if lengthAt(c.m, c.name+"="+value) != 0 {
			t.Errorf("%s: was opened", what)
		}
	}
	if r, _ := http.NewRequest("GET", "/", nil); r != nil {
		header := newSealed(t, sojourn.Config{Header: "Session"}, key)
		r.Header.Set("Session", value)
		header.LoadAndSave(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			if name.Get(r.Context()) != "" {
				t.Error("what was sealed for a cookie was opened from a header")
			}
		})).ServeHTTP(httptest.NewRecorder(), r)
	}
}

// Both limits are in the seal: what the browser thinks of the cookie's age counts for nothing.
func TestSealedTimes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newSealed(t, sojourn.Config{IdleTimeout: time.Hour, Lifetime: 3 * time.Hour}, sealed.GenerateKey())
		_, c := ask(m, "", putName)
		first := c
		for range 3 {
			time.Sleep(59 * time.Minute)
			if _, c = ask(m, c, func(_ http.ResponseWriter, r *http.Request) { name.Get(r.Context()) }); nameAt(m, c) == "" {
				t.Fatal("a session in use has ended")
			}
		}
		if nameAt(m, first) != "" {
			t.Error("the first seal is good after its idle limit")
		}
		time.Sleep(3*time.Minute - time.Millisecond)
		if nameAt(m, c) == "" {
			t.Error("ended before its time")
		}
		time.Sleep(time.Millisecond)
		if nameAt(m, c) != "" {
			t.Error("three hours, and the session is there")
		}
	})
}

// A seal from the future is some other clock's mistake, or somebody's doing: refused, with what two
// servers may differ in.
func TestSealedFuture(t *testing.T) {
	key := sealed.GenerateKey()
	cookies := make(map[time.Duration]string)
	synctest.Test(t, func(t *testing.T) { // begins in 2000
		for _, d := range []time.Duration{0, 59 * time.Second, 60 * time.Second} {
			time.Sleep(d - time.Since(time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)))
			_, cookies[d] = ask(newSealed(t, sojourn.Config{}, key), "", putName)
		}
		time.Sleep(time.Second)
		_, cookies[61*time.Second] = ask(newSealed(t, sojourn.Config{}, key), "", putName)
	})
	synctest.Test(t, func(t *testing.T) { // begins in 2000 again
		m := newSealed(t, sojourn.Config{}, key)
		for ahead, c := range cookies {
			if got, want := nameAt(m, c) != "", ahead <= time.Minute; got != want {
				t.Errorf("sealed %v from now: opened %v, want %v", ahead, got, want)
			}
		}
	})
}

// Rotation: a new first key opens what the old one sealed and seals it again; without the old key only
// those are strangers who have not come by.
func TestSealedRotation(t *testing.T) {
	a, b := sealed.GenerateKey(), sealed.GenerateKey()
	before := newSealed(t, sojourn.Config{}, a)
	_, came := ask(before, "", putName)
	_, stayedAway := ask(before, "", putName)

	both := newSealed(t, sojourn.Config{}, b, a)
	read := func(_ http.ResponseWriter, r *http.Request) { name.Get(r.Context()) }
	w, again := ask(both, came, read)
	if again == came {
		t.Fatalf("a session under the old key was not sealed again: %v", w.Header())
	}
	if w, _ := ask(both, again, read); w.Header().Get("Set-Cookie") != "" {
		t.Error("it is sealed again and again")
	}
	after := newSealed(t, sojourn.Config{}, b)
	if nameAt(after, again) != "gopher" {
		t.Error("who came by is a stranger without the old key")
	}
	if nameAt(after, stayedAway) != "" || nameAt(after, came) != "" {
		t.Error("the old key's seal is good without the old key")
	}
}

// What does not fit is refused as a whole, and the session stays as it was.
func TestSealedTooLarge(t *testing.T) {
	m := newSealed(t, sojourn.Config{}, sealed.GenerateKey())
	c := strings.Join(sealedWith(t, m, 100), "; ")
	w, _ := ask(m, c, func(_ http.ResponseWriter, r *http.Request) {
		count.Put(r.Context(), 1)
		name.Put(r.Context(), strings.Repeat("x", 13_000))
		if err := m.Commit(r.Context()); !errors.Is(err, sojourn.ErrTooLarge) {
			t.Errorf("Commit: %v, want ErrTooLarge", err)
		}
		if name.Get(r.Context()) != strings.Repeat("x", 100) || count.Get(r.Context()) != 0 {
			t.Error("the session is not what it was")
		}
	})
	if set := w.Header()["Set-Cookie"]; set != nil {
		t.Errorf("cookies were set: %q", set)
	}
	if len(sealedWith(t, m, 12_000)) != 4 {
		t.Error("12,000 bytes do not fit into four cookies")
	}
}

// V3.3.5: no cookie is longer than 4096 bytes, name and value together, and the first that could be is cut.
// net/http's client keeps and sends them all.
func TestSealedCookiesFillUp(t *testing.T) {
	m := newSealed(t, sojourn.Config{}, sealed.GenerateKey())
	full := false
	for n := 2900; n < 3100; n++ {
		cookies := sealedWith(t, m, n)
		for _, c := range cookies {
			if len(c)-1 > 4096 {
				t.Fatalf("%d bytes in one cookie", len(c)-1)
			}
		}
		full = full || len(cookies) > 1
	}
	if !full {
		t.Error("no session took a second cookie")
	}
	b := sojourntest.NewBrowser(t, m, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == "POST" {
			name.Put(r.Context(), strings.Repeat("x", 11_000))
		}
		fmt.Fprint(w, len(name.Get(r.Context())))
	}))
	b.PostForm("/", url.Values{})
	if body, _ := io.ReadAll(b.Get("/").Body); string(body) != "11000" {
		t.Errorf("%s bytes came back, want 11000", body)
	}
}
