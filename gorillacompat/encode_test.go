package gorillacompat

import (
	"encoding/gob"
	"fmt"
	"math"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/securecookie"
)

type person struct {
	Name string
	Age  int
	Tags map[string]bool
}

func init() {
	gob.Register(&person{})
	gob.Register(time.Time{})
	gob.Register(map[string]int{})
	gob.Register([]any{})
}

// What gorilla's stores do to a value is what this package does to it, type and all.
func TestValuesAreAsGorillaHasThem(t *testing.T) {
	for _, v := range []any{
		nil, []any{nil}, "", "text", "\x00\xff", 0, 1, -1, math.MaxInt, math.MinInt, int64(5), int64(math.MinInt64), int32(7), int8(-3),
		uint(8), uint64(math.MaxUint64), true, false, 1.5, math.Inf(1), float32(2.5), complex(1, 2), []byte("bytes"), []byte{},
		[]string{"a", "b"}, []int{1, 2}, []any{"a", 1, true, []any{"nested"}}, []any{},
		&person{"ann", 40, map[string]bool{"x": true}}, time.Unix(5, 0).UTC(), map[string]int{"a": 1},
	} {
		theirs := map[any]any{}
		text, err := securecookie.EncodeMulti("n", map[any]any{"k": v}, securecookie.CodecsFromPairs([]byte("0123456789abcdef0123456789abcdef"))...)
		if err != nil {
			t.Fatal(err)
		}
		if err := securecookie.DecodeMulti("n", text, &theirs, securecookie.CodecsFromPairs([]byte("0123456789abcdef0123456789abcdef"))...); err != nil {
			t.Fatal(err)
		}
		ours, err := encode(v)
		if err != nil {
			t.Errorf("%T %v: %v", v, v, err)
			continue
		}
		got, err := decode(ours)
		if err != nil || !reflect.DeepEqual(got, theirs["k"]) {
			t.Errorf("%T %v: came back as %#v, %v; gorilla has %#v", v, v, got, err, theirs["k"])
		}
		if again, _ := encodeLike(got, ours); again != ours {
			t.Errorf("%T %v: what was not changed counts as changed", v, v)
		}
	}
	for _, v := range []any{func() {}, make(chan int), struct{ A int }{1}, []any{func() {}}} {
		_, theirs := securecookie.GobEncoder{}.Serialize(map[any]any{"k": v})
		_, ours := encode(v)
		if theirs == nil || ours == nil {
			t.Errorf("%T: gorilla answers %v, this %v; want both to refuse", v, theirs, ours)
		}
	}
}

func FuzzDecode(f *testing.F) {
	for _, v := range []any{"a", 1, int64(2), true, 1.5, []byte("x"), []any{"a", []any{1}}, &person{Name: "a"}} {
		text, err := encode(v)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if len(text) > 0 && text[0] == tagGob {
			t.Skip() // that is gob's
		}
		v, err := decode(text)
		if err != nil {
			return
		}
		if strings.IndexByte(text, tagGob) >= 0 {
			return
		}
		again, err := encode(v)
		if err != nil {
			t.Fatalf("%q decodes to %v, which does not encode: %v", text, v, err)
		}
		if w, err := decode(again); err != nil || fmt.Sprint(v) != fmt.Sprint(w) {
			t.Fatalf("%q is %v and then %v, %v", text, v, w, err)
		}
	})
}

func FuzzCodec(f *testing.F) {
	b, _ := codec{}.Encode(values{options: "o", entries: []entry{{"sa", "sb"}}})
	f.Add(b)
	f.Fuzz(func(t *testing.T, data []byte) {
		v, err := codec{}.Decode(data)
		if err != nil || v.foreign {
			return
		}
		b, err := codec{}.Encode(v)
		if err != nil {
			t.Fatal(err)
		}
		if w, err := (codec{}).Decode(b); err != nil || !reflect.DeepEqual(v, w) {
			t.Fatalf("%q is %v and then %v, %v", data, v, w, err)
		}
	})
}

// Values of a later format are not written over.
func TestANewerFormatIsLeftAlone(t *testing.T) {
	v, err := codec{}.Decode([]byte{format + 1, 'x'})
	if err != nil || !v.foreign {
		t.Fatalf("decoded to %v, %v", v, err)
	}
	v.apply([]change{{"sa", "", "sb"}})
	if _, err := (codec{}).Encode(v); err == nil {
		t.Error("written over")
	}
}

func TestListsMerge(t *testing.T) {
	list := func(s string) string {
		if s == "-" {
			return ""
		}
		b := []byte{tagList}
		for _, e := range strings.Fields(s) {
			b = appendText(b, "s"+e)
		}
		return string(b)
	}
	for _, c := range [][4]string{ // found, left, there by now, want
		{"-", "a", "-", "a"},
		{"-", "a", "b", "b a"},
		{"a", "a b", "a", "a b"},
		{"a", "a b", "a c", "a c b"},
		{"a", "a b", "-", "b"},
		{"a", "-", "a", "-"},
		{"a", "-", "a b", "b"},
		{"a", "-", "b", "b"},
		{"a", "-", "-", "-"},
		{"a b", "c", "a b", "c"},
		{"a b", "c", "a b d", "d c"},
		{"a", "", "a", ""},
		{"a", "", "a b", "b"},
	} {
		got := change{"k", list(c[0]), list(c[1])}.on(list(c[2]))
		if got != list(c[3]) {
			t.Errorf("%q became %q while there is %q: got %q, want %q", c[0], c[1], c[2], got, list(c[3]))
		}
	}
}
