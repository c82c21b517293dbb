package value

import (
	"bytes"
	"errors"
	"math"
	"net/netip"
	"reflect"
	"strings"
	"testing"
	"time"
)

type (
	userID   int64
	level    uint8
	label    string
	flag     bool
	ratio    float32
	address  struct{ Street, City string }
	birthday time.Time
	blob     []byte
)

func builtin[T any](t testing.TB) Builtin[T] {
	t.Helper()
	b, err := For[T]()
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func roundTrip[T any](t *testing.T, vs ...T) {
	t.Helper()
	c := builtin[T](t)
	for _, v := range vs {
		raw, err := c.Encode(v)
		if err != nil || len(raw) == 0 || cap(raw) != len(raw) {
			t.Errorf("%T %v: %x of %d, %v", v, v, raw, cap(raw), err)
			continue
		}
		if got, err := c.Decode(raw); err != nil || !reflect.DeepEqual(got, v) {
			t.Errorf("%T %v came back as %v (%v)", v, v, got, err)
		}
		if more, err := c.Append([]byte("before"), v); err != nil || string(more) != "before"+string(raw) {
			t.Errorf("%T %v: appended %q (%v)", v, v, more, err)
		}
	}
}

func TestValuesComeBack(t *testing.T) {
	roundTrip(t, true, false)
	roundTrip[flag](t, true, false)
	roundTrip(t, "", "a", "\x00\xff", strings.Repeat("é", 1000))
	roundTrip(t, label("x"), label(""))
	roundTrip(t, []byte{}, []byte{0, 1, 255})
	roundTrip(t, 0, 1, -1, math.MaxInt, math.MinInt)
	roundTrip[int8](t, 0, 127, -128)
	roundTrip[int16](t, 32767, -32768)
	roundTrip[int32](t, math.MaxInt32, math.MinInt32)
	roundTrip[int64](t, math.MaxInt64, math.MinInt64)
	roundTrip[uint](t, 0, math.MaxUint)
	roundTrip[uint8](t, 0, 255)
	roundTrip[uint16](t, 65535)
	roundTrip[uint32](t, math.MaxUint32)
	roundTrip[uint64](t, 0, math.MaxUint64)
	roundTrip[uintptr](t, 7)
	roundTrip(t, userID(-7), userID(1<<60))
	roundTrip(t, level(200))
	roundTrip(t, 0.0, -1.5, math.Inf(1), math.MaxFloat64)
	roundTrip[float32](t, 1.25, math.MaxFloat32)
	roundTrip(t, ratio(0.5))
	roundTrip(t, time.Duration(0), -time.Hour, time.Duration(math.MaxInt64))
	roundTrip(t, time.Time{}, time.Unix(0, 999999999).UTC(), time.Date(2038, 1, 20, 0, 0, 0, 0, time.UTC))
	roundTrip(t, address{"High St", "Bath"}, address{})
	roundTrip(t, []string{"a", "b"}, []string{}, nil)
	roundTrip(t, map[string]int{"a": 1})
	roundTrip(t, &address{City: "Bath"})
}

// F50: named types of the compact kinds come back too.
func TestF50_NamedTimesAndBytesComeBack(t *testing.T) {
	roundTrip(t, birthday(time.Date(1999, 12, 31, 23, 0, 0, 5, time.UTC)), birthday{})
	roundTrip(t, blob("\x00raw\xff"), blob{})
	roundTrip(t, netip.MustParseAddr("192.0.2.1")) // no exported field, but its own text
	raw, _ := builtin[birthday](t).Encode(birthday(time.Unix(7, 0)))
	if v, err := builtin[time.Time](t).Decode(raw); err != nil || v.Unix() != 7 {
		t.Errorf("a named time is read as %v, %v", v, err)
	}
}

func TestCompact(t *testing.T) {
	for what, is := range map[string]bool{
		"string": builtin[string](t).Compact(), "[]byte": builtin[[]byte](t).Compact(), "time": builtin[time.Time](t).Compact(),
		"birthday": builtin[birthday](t).Compact(), "blob": builtin[blob](t).Compact(), "level": builtin[level](t).Compact(),
		"not []string": !builtin[[]string](t).Compact(), "not address": !builtin[address](t).Compact(), "not *int": !builtin[*int](t).Compact(),
	} {
		if !is {
			t.Errorf("%s: the other way round", what)
		}
	}
}

// P17: integers of any width are one; what does not fit is a mismatch, never another number.
func TestIntegersAgree(t *testing.T) {
	raw, _ := builtin[int](t).Encode(300)
	if v, err := builtin[userID](t).Decode(raw); v != 300 || err != nil {
		t.Errorf("int as userID: %d, %v", v, err)
	}
	if v, err := builtin[uint16](t).Decode(raw); v != 300 || err != nil {
		t.Errorf("int as uint16: %d, %v", v, err)
	}
	for what, err := range map[string]error{
		"300 as uint8":      second(builtin[uint8](t).Decode(raw)),
		"300 as int8":       second(builtin[int8](t).Decode(raw)),
		"300 as string":     second(builtin[string](t).Decode(raw)),
		"300 as label":      second(builtin[label](t).Decode(raw)),
		"300 as bytes":      second(builtin[[]byte](t).Decode(raw)),
		"300 as blob":       second(builtin[blob](t).Decode(raw)),
		"300 as bool":       second(builtin[bool](t).Decode(raw)),
		"300 as float64":    second(builtin[float64](t).Decode(raw)),
		"300 as time":       second(builtin[time.Time](t).Decode(raw)),
		"300 as birthday":   second(builtin[birthday](t).Decode(raw)),
		"300 as struct":     second(builtin[address](t).Decode(raw)),
		"-1 as uint64":      second(builtin[uint64](t).Decode(appendInt(nil, -1))),
		"maxuint as int":    second(builtin[int](t).Decode(appendUint(nil, math.MaxUint64))),
		"maxuint as int64":  second(builtin[int64](t).Decode(appendUint(nil, math.MaxUint64))),
		"1e300 as float32":  second(builtin[float32](t).Decode(appendFloat(nil, 1e300))),
		"1<<40 as int32":    second(builtin[int32](t).Decode(appendInt(nil, 1<<40))),
		"custom as builtin": second(builtin[string](t).Decode(WrapCustom([]byte("x")))),
		"nothing":           second(builtin[string](t).Decode(nil)),
		"broken JSON":       second(builtin[address](t).Decode([]byte("\x09{"))),
	} {
		if !errors.Is(err, ErrMismatch) {
			t.Errorf("%s: %v", what, err)
		}
	}
}

func second[T any](_ T, err error) error { return err }

// F54: a codec may decrypt in place, a text unmarshaler too: they get bytes of their own.
func TestF54_NobodyWritesToWhatIsStored(t *testing.T) {
	stored := WrapCustom([]byte("secret"))
	data, ok := UnwrapCustom(stored)
	if !ok || string(data) != "secret" {
		t.Fatalf("%q, %v", data, ok)
	}
	clear(data)
	if string(stored) != "\x0asecret" {
		t.Error("the stored bytes were handed out")
	}
	if _, ok := UnwrapCustom([]byte("\x06secret")); ok {
		t.Error("a string passed for a custom value")
	}
	if _, ok := UnwrapCustom(nil); ok {
		t.Error("nothing passed for a custom value")
	}
	own := []byte("mine")
	wrapped := WrapCustom(own)
	clear(own)
	if string(wrapped) != "\x0amine" {
		t.Error("the codec's own buffer was kept")
	}

	decodeOnce[scribbler](t, "\x09\"text\"")
	decodeOnce[[]*scribbler](t, "\x09[\"text\"]")
	decodeOnce[map[string]struct{ S scribbler }](t, "\x09{\"a\":{\"S\":\"text\"}}")
	decodeOnce[struct{ rawScribbler }](t, "\x09{\"a\":1}")
	decodeOnce[map[textKey]int](t, "\x09{\"k\":1}")
	decodeOnce[[]byte](t, "\x07bytes")
	decodeOnce[blob](t, "\x07bytes")
}

func decodeOnce[T any](t *testing.T, stored string) {
	t.Helper()
	data := []byte(stored)
	v, err := builtin[T](t).Decode(data)
	if err != nil {
		t.Fatal(err)
	}
	if b, ok := any(v).([]byte); ok {
		clear(b)
	}
	if string(data) != stored {
		t.Errorf("%T wrote to what is stored: %q", v, data)
	}
}

type scribbler struct{ s string }

func (s *scribbler) UnmarshalText(b []byte) error {
	s.s = string(b)
	clear(b)
	return nil
}
func (s scribbler) MarshalText() ([]byte, error) { return []byte(s.s), nil }

type rawScribbler struct{ N int }

func (s *rawScribbler) UnmarshalJSON(b []byte) error { clear(b); return nil }
func (s rawScribbler) MarshalJSON() ([]byte, error)  { return []byte("{}"), nil }

type textKey struct{ k string }

func (s *textKey) UnmarshalText(b []byte) error { s.k = string(b); clear(b); return nil }
func (s textKey) MarshalText() ([]byte, error)  { return []byte(s.k), nil }

func TestCommonTypesAllocateNothing(t *testing.T) {
	free(t, 7)
	free[int32](t, 7)
	free[int64](t, 7)
	free[uint64](t, 7)
	free(t, true)
	free(t, 1.5)
	free(t, time.Hour)
	free(t, time.Unix(7, 7).UTC())
	b, dst := builtin[string](t), make([]byte, 0, 64)
	if n := testing.AllocsPerRun(100, func() { _, _ = b.Append(dst, "text") }); n != 0 {
		t.Errorf("a string: %v objects", n)
	}
	bs, text := builtin[[]byte](t), []byte("text")
	if n := testing.AllocsPerRun(100, func() { _, _ = bs.Append(dst, text) }); n != 0 {
		t.Errorf("bytes: %v objects", n)
	}
}

func free[T any](t *testing.T, v T) {
	t.Helper()
	b := builtin[T](t)
	raw, _ := b.Encode(v)
	if n := testing.AllocsPerRun(100, func() {
		var short [40]byte
		if out, _ := b.Append(short[:0], v); !bytes.Equal(out, raw) {
			t.Error("another encoding")
		}
		_, _ = b.Decode(raw)
	}); n != 0 {
		t.Errorf("%T: %v objects", v, n)
	}
}

// No bytes make a decoder panic, and what it accepts comes back from its own encoding.
func FuzzDecode(f *testing.F) {
	for _, seed := range [][]byte{{tagTrue}, {tagUint, 5}, {tagNeg, 0x80}, {tagTime, 1}, {tagTime, 2, 3}, []byte("\x09{}"), []byte("\x06x"), []byte("\x07x"), {tagFloat, 1}, {}} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		before := bytes.Clone(raw)
		again[bool](t, raw)
		again[string](t, raw)
		again[[]byte](t, raw)
		again[blob](t, raw)
		again[int](t, raw)
		again[int32](t, raw)
		again[uint64](t, raw)
		again[level](t, raw)
		again[time.Time](t, raw)
		again[birthday](t, raw)
		again[address](t, raw)
		again[[]string](t, raw)
		again[scribbler](t, raw)
		_, _ = builtin[ratio](t).Decode(raw) // NaN is not itself
		if !bytes.Equal(raw, before) {
			t.Error("decoding wrote to the bytes")
		}
	})
}

func again[T any](t *testing.T, raw []byte) {
	b := builtin[T](t)
	v, err := b.Decode(raw)
	if err != nil {
		return
	}
	enc, err := b.Encode(v)
	if err != nil {
		t.Fatalf("%T %v does not encode: %v", v, v, err)
	}
	if w, err := b.Decode(enc); err != nil || !reflect.DeepEqual(v, w) {
		t.Errorf("%T %v came back as %v (%v)", v, v, w, err)
	}
}
