package legacy_test

import (
	"bytes"
	"context"
	"encoding/gob"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/securecookie"
	"github.com/gosojourn/sojourn"
	gorilla "github.com/gosojourn/sojourn/gorillacompat/legacy"
	"github.com/gosojourn/sojourn/legacy"
	"github.com/gosojourn/sojourn/memstore"
)

var (
	keys  = [][]byte{bytes.Repeat([]byte{1}, 32), bytes.Repeat([]byte{2}, 32)}
	flash = sojourn.NewKey[string]("flash")
)

// text is what a CookieStore of these keys puts into a cookie.
func text(t testing.TB, keys [][]byte, v any) string {
	t.Helper()
	s, err := securecookie.EncodeMulti("app", v, securecookie.CodecsFromPairs(keys...)...)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func cookies() *gorilla.Cookies {
	return &gorilla.Cookies{Keys: keys, SessionCookie: http.Cookie{Name: "app"}, Owner: "user", Values: []legacy.Value{legacy.Copy("flash", flash)}}
}

func request(site string, texts ...string) *http.Request {
	r := httptest.NewRequest("GET", "https://sojourn.test/", nil)
	for _, s := range texts {
		r.AddCookie(&http.Cookie{Name: "app", Value: s})
	}
	if site != "" {
		r.Header.Set("Sec-Fetch-Site", site)
	}
	return r
}

func TestCookies(t *testing.T) {
	x := cookies()
	mine := text(t, keys, map[any]any{"user": 7, "flash": "hi", 3: 4})
	forged := text(t, [][]byte{keys[1]}, map[any]any{"user": 1})
	if got := x.Shown(request("", forged, mine, mine, "junk")); len(got) != 1 || got[0] != mine {
		t.Errorf("shown: %d", len(got))
	}
	s, err := x.Load(t.Context(), request("same-origin", mine), mine)
	if err != nil || s.Owner != "7" || len(s.Values) != 1 || s.MaxAge != 0 || s.KeepFor != time.Minute || time.Until(s.Ends) < 29*24*time.Hour {
		t.Errorf("%+v, %v", s, err)
	}
	old := *x
	old.Keys = append([][]byte{bytes.Repeat([]byte{3}, 32), nil}, keys...) // rotated
	if s, err := old.Load(t.Context(), nil, mine); err != nil || s.Owner != "7" {
		t.Errorf("under the second pair: %+v, %v", s, err)
	}
	if err := x.End(t.Context(), mine); !errors.Is(err, errors.ErrUnsupported) {
		t.Error(err)
	}
}

// unlisted is a type that gob knows and the reader was not given.
type unlisted struct{ X int }

// A flash that waits, which AddFlash keeps in a list of anything, is no reason to log its owner out. What is in the
// list is looked at as any value is.
func TestFlashesThatWait(t *testing.T) {
	gob.Register(unlisted{})
	x := cookies()
	x.Values = []legacy.Value{legacy.Map("_flash", flash, func(all []any) (string, error) { return fmt.Sprint(all...), nil })}
	waits := text(t, keys, map[any]any{"user": 7, "_flash": []any{"saved", []any{1, nil}}})
	if s, err := x.Load(t.Context(), request("same-origin", waits), waits); err != nil || s.Owner != "7" || len(s.Values) != 1 {
		t.Errorf("%+v, %v", s, err)
	}
	waits = text(t, keys, map[any]any{"user": 7, "_flash": []any{"saved", []any{unlisted{1}}}})
	if _, err := x.Load(t.Context(), request("same-origin", waits), waits); !errors.Is(err, sojourn.ErrLegacyUnreadable) || !strings.Contains(err.Error(), "unlisted") {
		t.Errorf("of a type that was not given: %v", err)
	}
}

// While both are kept, the browser says what has become of the old one.
func TestCookiesAreFollowed(t *testing.T) {
	x := cookies()
	mine := text(t, keys, map[any]any{"user": 7})
	for what, c := range map[string]struct {
		r    *http.Request
		gone bool
	}{
		"it is shown":                     {request("same-origin", mine), false},
		"saved again":                     {request("same-origin", text(t, keys, map[any]any{"user": 7})), false},
		"another user":                    {request("same-origin", text(t, keys, map[any]any{"user": 8})), true},
		"logged out":                      {request("same-origin"), true},
		"held back":                       {request("cross-site"), false},
		"a browser that does not say":     {request(""), false},
		"a forged one of somebody else's": {request("cross-site", text(t, [][]byte{keys[1]}, map[any]any{"user": 8})), false},
	} {
		if _, err := x.Load(t.Context(), c.r, mine); errors.Is(err, sojourn.ErrNotFound) != c.gone {
			t.Errorf("%s: %v", what, err)
		}
	}
}

// A cookie that was moved in is not good once more, though nobody can end it.
func TestCookieIsMovedInOnce(t *testing.T) {
	x := cookies()
	x.KeepFor = legacy.NoKeep
	m, err := sojourn.New(memstore.New(), sojourn.Config{Legacy: x})
	if err != nil {
		t.Fatal(err)
	}
	send := func(cookies string, do func(ctx context.Context)) (owner, set string) {
		r := httptest.NewRequest("POST", "https://sojourn.test/", nil)
		r.Header.Set("Cookie", cookies)
		w := httptest.NewRecorder()
		m.LoadAndSave(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if owner = m.Info(r.Context()).Owner; do != nil {
				do(r.Context())
			}
		})).ServeHTTP(w, r)
		for _, line := range w.Header()["Set-Cookie"] {
			if strings.HasPrefix(line, "__Host") {
				set, _, _ = strings.Cut(line, ";")
			}
		}
		return owner, set
	}
	old := "app=" + text(t, keys, map[any]any{"user": 7})
	owner, own := send(old, nil)
	if owner != "7" || own == "" {
		t.Fatalf("%q, %q", owner, own)
	}
	if owner, _ := send(own+"; "+old, nil); owner != "7" {
		t.Errorf("the new token: %q", owner)
	}
	if owner, _ := send(old, nil); owner != "" {
		t.Errorf("the old cookie, when the new one was shown: %q", owner)
	}
	send(own, func(ctx context.Context) { _ = m.Logout(ctx) })
	if owner, _ := send(old, nil); owner != "" {
		t.Errorf("the old cookie after a logout: %q", owner)
	}
}

const id = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567ABCDEFGHIJKLMNOPQRST"

func TestFiles(t *testing.T) {
	x := &gorilla.Files{Dir: t.TempDir(), Keys: keys, SessionCookie: http.Cookie{Name: "app"}, Owner: "user"}
	r := request("", text(t, keys, id), text(t, keys, "../../etc/passwd"), text(t, keys, map[any]any{"user": 1}))
	if got := x.Shown(r); len(got) != 1 || got[0] != id {
		t.Errorf("%q", got)
	}
	if _, err := x.Load(t.Context(), nil, id); !errors.Is(err, sojourn.ErrNotFound) {
		t.Error(err)
	}
	name := filepath.Join(x.Dir, "session_"+id)
	write := func(s string) {
		if err := os.WriteFile(name, []byte(s), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write(text(t, keys, map[any]any{"user": "ann"}))
	if s, err := x.Load(t.Context(), nil, id); err != nil || s.Owner != "ann" {
		t.Errorf("%+v, %v", s, err)
	}
	write("half a fi")
	if _, err := x.Load(t.Context(), nil, id); !errors.Is(err, sojourn.ErrLegacyUnreadable) {
		t.Error(err)
	}
	for range 2 {
		if err := x.End(t.Context(), id); err != nil {
			t.Error(err)
		}
	}
	if _, err := os.Stat(name); !os.IsNotExist(err) {
		t.Error("the file is there")
	}
	x.Dir = filepath.Join(name, "x")
	write("not a folder")
	if _, err := x.Load(t.Context(), nil, id); err == nil || errors.Is(err, sojourn.ErrNotFound) || strings.Contains(err.Error(), id) {
		t.Errorf("a folder that is none: %v", err)
	}
}

func TestValidate(t *testing.T) {
	_, err := sojourn.New(memstore.New(), sojourn.Config{Legacy: &gorilla.Cookies{Keys: [][]byte{{1}, {2}}, MaxAge: -1}})
	for _, want := range []string{"has 1 bytes", "no Name", "nothing would", "negative"} {
		if !strings.Contains(fmt.Sprint(err), want) {
			t.Errorf("%v; want %q in it", err, want)
		}
	}
}

// Bytes that a key has signed are bounded all the same, and nothing else is looked at.
func FuzzCookies(f *testing.F) {
	codec := securecookie.New(keys[0], keys[1]).MaxLength(0).SetSerializer(securecookie.NopEncoder{})
	var b bytes.Buffer
	raw, err := securecookie.GobEncoder{}.Serialize(map[any]any{"user": 7, "flash": "x", "t": time.Now(), 3: []byte{4}})
	if err != nil {
		f.Fatal(err)
	}
	b.Write(raw)
	f.Add(b.Bytes())
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, plain []byte) {
		x := cookies()
		text, err := codec.Encode("app", bytes.Clone(plain))
		if err != nil {
			t.Skip()
		}
		_, err = x.Load(t.Context(), request("", text), text)
		if err != nil && !errors.Is(err, sojourn.ErrLegacyUnreadable) && !errors.Is(err, sojourn.ErrNotFound) {
			t.Error(err)
		}
		x.Shown(request("", string(plain)))
	})
}
