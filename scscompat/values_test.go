package scscompat_test

import (
	"context"
	"encoding/gob"
	"fmt"
	"net/http"
	"net/http/httptest"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/gosojourn/sojourn"
	"github.com/gosojourn/sojourn/memstore"
	scs "github.com/gosojourn/sojourn/scscompat"
)

type cart struct{ Items []string }

func init() { gob.Register(cart{}) }

// What is put comes back as the type that it was, in the same request and in the next.
func TestValuesComeBack(t *testing.T) {
	s := newApp(nil)
	values := map[string]any{
		"": "no name", strings.Repeat("k", 64): 1, strings.Repeat("k", 65): 2, "\x00": 3,
		"int": -1, "int8": int8(-8), "int32": int32(-32), "int64": int64(-64), "uint64": ^uint64(0), "float32": float32(.5),
		"float": 1.5, "bool": true, "string": "x", "long": strings.Repeat("x", 1000), "39": strings.Repeat("x", 39), "40": strings.Repeat("x", 40),
		"bytes": []byte("\x00"), "nil": nil, "cart": cart{[]string{"tea"}}, "time": time.Date(2024, 2, 29, 1, 2, 3, 4, time.UTC),
	}
	check := func(when string, ctx context.Context) {
		for key, want := range values {
			if got := s.Get(ctx, key); !reflect.DeepEqual(got, want) {
				t.Errorf("%s, %q: %T %v, want %T %v", when, key, got, got, want, want)
			}
			if !s.Exists(ctx, key) {
				t.Errorf("%s, %q does not exist", when, key)
			}
		}
		if got := s.Keys(ctx); len(got) != len(values) {
			t.Errorf("%s: %d keys, want %d", when, len(got), len(values))
		}
	}
	_, token := ask(s, "", func(_ http.ResponseWriter, ctx context.Context) {
		for key, v := range values {
			s.Put(ctx, key, v)
		}
		check("at once", ctx)
	})
	ask(s, token, func(_ http.ResponseWriter, ctx context.Context) {
		check("later", ctx)
		for key, want := range values {
			if got := s.Pop(ctx, key); !reflect.DeepEqual(got, want) || s.Exists(ctx, key) {
				t.Errorf("%q popped: %v", key, got)
			}
		}
		if len(s.Keys(ctx)) != 0 {
			t.Errorf("popped all, and there is %q", s.Keys(ctx))
		}
	})
}

// Sojourn's keys and the methods here have values in common, so that a program may move one after the other.
func TestKeysOfBothKinds(t *testing.T) {
	s := newApp(nil)
	both(t, s, sojourn.NewKey[string]("string"), "x")
	both(t, s, sojourn.NewKey[int]("int"), -7)
	both(t, s, sojourn.NewKey[bool]("bool"), true)
	both(t, s, sojourn.NewKey[float64]("float"), 1.5)
	both(t, s, sojourn.NewKey[[]byte]("bytes"), []byte("x"))
	both(t, s, scs.NewKey[string]("string"), "y")
	both(t, s, scs.NewKey[int64]("int64"), -7)
	both(t, s, scs.NewKey[int32]("int32"), 7)
	both(t, s, scs.NewKey[time.Time]("time"), time.Date(2024, 2, 29, 1, 2, 3, 4, time.UTC))
	both(t, s, scs.NewKey[cart]("cart"), cart{[]string{"tea"}})

	ctx, _ := s.Load(t.Context(), "")
	sojourn.NewKey[uint64]("wide").Put(ctx, 1<<63)
	sojourn.NewKey[time.Time]("native time").Put(ctx, time.Unix(7, 0))
	sojourn.NewKey[map[string]int]("json").Put(ctx, map[string]int{"a": 1})
	sojourn.NewCodecKey("foreign", sojourn.Codec[string](plain{})).Put(ctx, "x")
	s.Put(ctx, "int64", int64(1))
	if got := fmt.Sprint(s.Get(ctx, "wide"), s.GetTime(ctx, "native time").Unix(), s.Get(ctx, "json"), s.Get(ctx, "foreign"),
		scs.NewKey[int32]("int64").Get(ctx)); got != "9223372036854775808 7 map[a:1] <nil> 0" {
		t.Errorf("there is %s", got)
	}
}

func both[T any](t *testing.T, s *scs.SessionManager, k sojourn.Key[T], v T) {
	t.Helper()
	ctx, err := s.Load(t.Context(), "")
	if err != nil {
		t.Fatal(err)
	}
	s.Put(ctx, k.Name(), v)
	if got, ok := k.Lookup(ctx); !ok || !reflect.DeepEqual(got, v) {
		t.Errorf("the key %s reads %v", k.Name(), got)
	}
	s.Remove(ctx, k.Name())
	k.Put(ctx, v)
	if got := s.Get(ctx, k.Name()); !reflect.DeepEqual(got, v) {
		t.Errorf("Get of the key %s reads %T %v", k.Name(), got, got)
	}
}

type plain struct{}

func (plain) Encode(s string) ([]byte, error) { return []byte(s), nil }
func (plain) Decode(b []byte) (string, error) { return string(b), nil }

// No bytes of a session make a Get panic, and nobody takes another type for the one that was asked for.
func FuzzDecode(f *testing.F) {
	for _, seed := range []string{"scsn", "scs8\x02", "scs4\x80\x80\x80\x80\x20", "scst", "scsg\x03", "scsc", "scsk\x01ascsk\x00", "scsk\xff\xff\x01", ""} {
		f.Add(seed)
	}
	s := newApp(nil)
	k := sojourn.NewCodecKey("k", sojourn.Codec[string](plain{}))
	f.Fuzz(func(t *testing.T, text string) {
		ctx, err := s.Load(t.Context(), "")
		if err != nil {
			t.Fatal(err)
		}
		k.Put(ctx, text)
		v := s.Get(ctx, "k")
		if _, ok := v.(int32); ok && !strings.HasPrefix(text, "scs4") && !strings.HasPrefix(text, "scsk") {
			t.Errorf("%q is an int32", text)
		}
		s.Keys(ctx)
		s.GetString(ctx, "k")
		s.PopTime(ctx, "k")
	})
}

// The last step: Sojourn's own manager in place of this one, with the same cookie, knows the same sessions.
func TestNobodyIsLoggedOutByTheLastStep(t *testing.T) {
	store := memstore.New()
	s := newApp(scs.Native(store))
	token := begin(t, s)
	m, err := sojourn.New(store, sojourn.Config{Cookie: sojourn.Cookie{Name: "session", Persistent: true}, DangerouslyAllowHTTP: true})
	if err != nil {
		t.Fatal(err)
	}
	r := httptest.NewRequest("GET", "/", nil)
	r.AddCookie(&http.Cookie{Name: "session", Value: token})
	id := 0
	m.LoadAndSave(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		id = sojourn.NewKey[int]("userID").Get(r.Context())
	})).ServeHTTP(httptest.NewRecorder(), r)
	if id != 7 {
		t.Errorf("the person is %d", id)
	}
}

// Within a request each Get returns the same map, also of one that an earlier request has put.
func TestOneRequestHasOneMap(t *testing.T) {
	gob.Register(map[string]int{})
	s := newApp(nil)
	_, token := ask(s, "", func(_ http.ResponseWriter, ctx context.Context) { s.Put(ctx, "m", map[string]int{"a": 1}) })
	ask(s, token, func(_ http.ResponseWriter, ctx context.Context) {
		s.Get(ctx, "m").(map[string]int)["a"] = 2
		if got := s.Get(ctx, "m").(map[string]int)["a"]; got != 2 {
			t.Errorf("a second Get returns another map, with %d", got)
		}
		s.Put(ctx, "m", map[string]int{"a": 3})
		if got := s.Get(ctx, "m").(map[string]int)["a"]; got != 3 {
			t.Errorf("behind Put, Get returns the map of before, with %d", got)
		}
	})
}
