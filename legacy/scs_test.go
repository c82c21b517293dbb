package legacy_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/gob"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gosojourn/sojourn"
	"github.com/gosojourn/sojourn/legacy"
	"github.com/gosojourn/sojourn/memstore"
)

// cart is a type of the application's own; stranger is one that gob knows and the reader was not given.
type (
	cart     struct{ Items []string }
	stranger struct{ X int }
)

func init() {
	gob.Register(cart{})
	gob.Register(stranger{})
}

// data is what scs's GobCodec writes.
func data(t testing.TB, deadline time.Time, values map[string]any) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := gob.NewEncoder(&b).Encode(&struct {
		Deadline time.Time
		Values   map[string]any
	}{deadline, values}); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

type rows map[string][]byte

func (r rows) Find(_ context.Context, key string) ([]byte, error) {
	if b, ok := r[key]; ok {
		return b, nil
	}
	return nil, sojourn.ErrNotFound
}

func (r rows) Delete(_ context.Context, key string) error { delete(r, key); return nil }

var (
	token = base64.RawURLEncoding.EncodeToString(bytes.Repeat([]byte{7}, 32))

	flash = sojourn.NewKey[string]("flash")
	since = sojourn.NewKey[time.Time]("since")
	items = sojourn.NewKey[[]string]("items")
	size  = sojourn.NewKey[int8]("size")
	id    = sojourn.NewKey[int64]("id")
)

func TestSCS(t *testing.T) {
	then := time.Date(2026, 1, 2, 3, 4, 5, 6, time.UTC)
	table := rows{}
	x := &legacy.SCS{Rows: table, Owner: "authenticatedUserID", Types: []any{cart{}}, Values: []legacy.Value{
		legacy.Copy("flash", flash), legacy.Copy("since", since), legacy.Copy("userID", id), legacy.Copy("size", size),
		legacy.Copy("not there", sojourn.NewKey[bool]("b")),
		legacy.Map("cart", items, func(c cart) ([]string, error) { return c.Items, nil }),
	}}
	var events []string
	m, err := sojourn.New(memstore.New(), sojourn.Config{Legacy: x, OnEvent: func(_ context.Context, e sojourn.Event) {
		events = append(events, fmt.Sprint(e.Name, " ", e.Reason, " ", e.Err))
	}})
	if err != nil {
		t.Fatal(err)
	}
	for _, hashed := range []bool{false, true} {
		x.HashTokenInStore = hashed
		own := bytes.Repeat([]byte{8}, 32)
		own[0] = byte(len(table))
		if hashed {
			own[1]++
		}
		token := base64.RawURLEncoding.EncodeToString(own)
		key := token
		if hashed {
			sum := sha256.Sum256([]byte(token))
			key = base64.RawURLEncoding.EncodeToString(sum[:])
		}
		table[key] = data(t, time.Now().Add(time.Hour), map[string]any{"authenticatedUserID": 42, "flash": "hello", "since": then,
			"userID": 7, "size": 1000, "cart": cart{[]string{"tea"}}})
		r := httptest.NewRequest("GET", "https://sojourn.test/", nil)
		r.AddCookie(&http.Cookie{Name: "session", Value: token})
		w := httptest.NewRecorder()
		events = nil
		m.LoadAndSave(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			ctx := r.Context()
			i := m.Info(ctx)
			if i.Owner != "42" || flash.Get(ctx) != "hello" || !since.Get(ctx).Equal(then) || id.Get(ctx) != 7 || len(items.Get(ctx)) != 1 {
				t.Errorf("%+v, %q, %v, %d, %v", i, flash.Get(ctx), since.Get(ctx), id.Get(ctx), items.Get(ctx))
			}
			if left := time.Until(i.Deadline); left > time.Hour {
				t.Errorf("it lives for %v more", left)
			}
			if _, ok := size.Lookup(ctx); ok {
				t.Error("1000 went into an int8")
			}
		})).ServeHTTP(w, r)
		if !strings.Contains(fmt.Sprint(w.Header()), "__Host-Http-id=") || len(events) != 2 ||
			events[0] != `session_unreadable legacy the old key "size": the old value is a int, want a int8` || events[1] != "session_moved_in moved <nil>" {
			t.Errorf("hashed %v: %v, %q", hashed, w.Header(), events)
		}
	}
}

// What cannot be read says why, and is never a panic.
func TestUnreadable(t *testing.T) {
	later := time.Now().Add(time.Hour)
	for what, c := range map[string]struct {
		x    legacy.SCS
		data []byte
		says string
	}{
		"a type that was not given": {legacy.SCS{}, data(t, later, map[string]any{"x": stranger{1}}), "legacy_test.stranger: list it in Types"},
		"junk":                      {legacy.SCS{}, []byte("junk"), "gob"},
		"nothing":                   {legacy.SCS{}, nil, "EOF"},
		"too much":                  {legacy.SCS{MaxBytes: 50}, data(t, later, map[string]any{"x": strings.Repeat("x", 50)}), "MaxBytes"},
		"an owner of an odd type":   {legacy.SCS{Owner: "u"}, data(t, later, map[string]any{"u": []string{"x"}}), "key \"u\""},
		"a function that says no": {legacy.SCS{Convert: func(map[string]any) (s sojourn.LegacySession, err error) { return s, errors.New("no") }},
			data(t, later, nil), "Convert: no"},
	} {
		c.x.Rows = rows{token: c.data}
		_, err := c.x.Load(t.Context(), nil, token)
		if !errors.Is(err, sojourn.ErrLegacyUnreadable) || !strings.Contains(err.Error(), c.says) || strings.Contains(err.Error(), token) {
			t.Errorf("%s: %v", what, err)
		}
	}
}

func TestOwners(t *testing.T) {
	for want, v := range map[string]any{"7": 7, "-7": int8(-7), "8": uint16(8), "ann": "ann", "1h0m0s": time.Hour, "": 0} {
		x := legacy.SCS{Owner: "u", Rows: rows{token: data(t, time.Now().Add(time.Hour), map[string]any{"u": v})}}
		if s, err := x.Load(t.Context(), nil, token); s.Owner != want || err != nil {
			t.Errorf("%v is %q, %v", v, s.Owner, err)
		}
	}
}

func TestDefaults(t *testing.T) {
	load := func(x legacy.SCS, life time.Duration) sojourn.LegacySession {
		x.Rows = rows{token: data(t, time.Now().Add(life), map[string]any{"u": 1, "__rememberMe": true})}
		s, err := x.Load(t.Context(), nil, token)
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	if s := load(legacy.SCS{}, time.Hour); s.KeepFor != time.Minute || s.MaxAge != 24*time.Hour || !s.Remembered || s.Ends.IsZero() {
		t.Errorf("%+v", s)
	}
	if s := load(legacy.SCS{KeepFor: legacy.NoKeep}, 48*time.Hour); s.KeepFor > 0 || s.MaxAge != 0 {
		t.Errorf("with a longer life than Lifetime says: %+v", s)
	}
	convert := func(map[string]any) (sojourn.LegacySession, error) {
		return sojourn.LegacySession{Owner: "x", KeepFor: time.Hour, MaxAge: time.Second}, nil
	}
	if s := load(legacy.SCS{Convert: convert}, time.Hour); s.Owner != "x" || s.KeepFor != time.Hour || s.MaxAge != time.Second {
		t.Errorf("%+v", s)
	}
}

func TestShown(t *testing.T) {
	other := base64.RawURLEncoding.EncodeToString(bytes.Repeat([]byte{9}, 32))
	r := httptest.NewRequest("GET", "/", nil)
	r.Header.Set("Cookie", "session=; session="+token+"; session="+token+"; session=AAAAAAAAAAAAAAAAAAAAAAAA; other="+other+"; session="+other+
		"; session="+token[:42]+"_; session='; DROP TABLE sessions")
	x := &legacy.SCS{}
	if got := x.Shown(r); len(got) != 2 || got[0] != token || got[1] != other {
		t.Errorf("%q", got)
	}
	x.Until = time.Now()
	if got := x.Shown(r); got != nil {
		t.Errorf("after Until: %q", got)
	}
}

func TestValidate(t *testing.T) {
	_, err := sojourn.New(memstore.New(), sojourn.Config{Legacy: &legacy.SCS{KeepFor: -2}})
	for _, want := range []string{"Rows is nil", "takes nothing along", "negative"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v; want %q in it", err, want)
		}
	}
	err = (&legacy.SCS{Rows: legacy.MySQL(nil, "x"), Owner: "u"}).Validate()
	if err == nil || !strings.Contains(err.Error(), "is nil") {
		t.Error(err)
	}
}

// Whatever a table holds: an error or a session, within bounds.
func FuzzLoad(f *testing.F) {
	f.Add(data(f, time.Now(), map[string]any{"u": 1, "flash": "x", "t": time.Now(), "c": cart{[]string{"tea"}}, "b": []byte{1}}))
	f.Add(data(f, time.Time{}, nil))
	f.Add([]byte{})
	x := &legacy.SCS{Owner: "u", Types: []any{cart{}}, Values: []legacy.Value{legacy.Copy("flash", flash), legacy.Copy("t", since),
		legacy.Map("c", items, func(c cart) ([]string, error) { return c.Items, nil })}}
	f.Fuzz(func(t *testing.T, b []byte) {
		y := *x
		y.Rows = rows{token: b}
		if s, err := y.Load(t.Context(), nil, token); err != nil && !errors.Is(err, sojourn.ErrLegacyUnreadable) {
			t.Errorf("%v", err)
		} else if err == nil && len(s.Values) > 3 {
			t.Errorf("%+v", s)
		}
	})
}

// expiring are rows that end, as a store of scs's has them.
type expiring struct {
	rows
	end time.Time
}

func (x *expiring) Find(ctx context.Context, key string) ([]byte, error) {
	if !time.Now().Before(x.end) {
		return nil, sojourn.ErrNotFound
	}
	return x.rows.Find(ctx, key)
}

func (x *expiring) Extend(_ context.Context, _ string, until time.Time) error {
	if until.After(x.end) {
		x.end = until
	}
	return nil
}

// scs ends a session that is not used. One that was moved in is used on new servers only, so they have to keep the old
// one in use while it is kept, or it ends and the new one with it. A logout on an old server ends both all the same.
func TestKeptSessionIsUsed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		old := &expiring{rows{token: data(t, time.Now().Add(24*time.Hour), map[string]any{"uid": 7})}, time.Now().Add(20 * time.Second)}
		m, err := sojourn.New(memstore.New(), sojourn.Config{
			Legacy: &legacy.SCS{Rows: old, Owner: "uid", KeepFor: 2 * time.Hour, IdleTimeout: 20 * time.Minute}})
		if err != nil {
			t.Fatal(err)
		}
		cookies := "session=" + token
		visit := func() (owner string) {
			r := httptest.NewRequest("GET", "https://sojourn.test/", nil)
			r.Header.Set("Cookie", cookies)
			w := httptest.NewRecorder()
			m.LoadAndSave(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { owner = m.Info(r.Context()).Owner })).ServeHTTP(w, r)
			for _, c := range w.Result().Cookies() {
				if c.MaxAge >= 0 {
					cookies += "; " + c.Name + "=" + c.Value
				}
			}
			return owner
		}
		for n := range 6 {
			if owner := visit(); owner != "7" {
				t.Fatalf("visit %d, ten minutes after the last: %q", n, owner)
			}
			time.Sleep(10 * time.Minute)
		}
		delete(old.rows, token)
		if owner := visit(); owner != "" {
			t.Errorf("after the logout on an old server: %q", owner)
		}
	})
}

// Rows that cannot keep a session in use are refused where that is needed.
func TestRowsThatCannotExtend(t *testing.T) {
	for keep, refused := range map[time.Duration]bool{0: true, time.Hour: true, legacy.NoKeep: false} {
		for _, r := range []legacy.Rows{rows{}, legacy.Redis(deaf{}, "")} {
			err := (&legacy.SCS{Rows: r, Owner: "uid", KeepFor: keep, IdleTimeout: time.Minute}).Validate()
			if (err != nil) != refused {
				t.Errorf("%T, KeepFor %v: %v", r, keep, err)
			}
		}
	}
}

// deaf is a Redis client with the two methods that are needed always.
type deaf struct{}

func (deaf) Get(context.Context, string) ([]byte, bool, error) { return nil, false, nil }
func (deaf) Del(context.Context, string) error                 { return nil }
