package sojourn

import (
	"math"
	"reflect"
	"strings"
	"testing"
	"time"
)

type (
	userID  int64
	level   uint8
	label   string
	flag    bool
	ratio   float32
	address struct{ Street, City string }
)

func roundTrip[T any](t *testing.T, vs ...T) {
	t.Helper()
	c := newBuiltin[T]()
	for _, v := range vs {
		raw, err := c.Encode(v)
		if err != nil || len(raw) == 0 {
			t.Errorf("%T %v: %x, %v", v, v, raw, err)
			continue
		}
		if got, err := c.Decode(raw); err != nil || !reflect.DeepEqual(got, v) {
			t.Errorf("%T %v came back as %v (%v)", v, v, got, err)
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

// P17: integers of any width are one; what does not fit is a mismatch, never another number.
func TestIntegersAgree(t *testing.T) {
	raw, _ := newBuiltin[int]().Encode(300)
	if v, err := newBuiltin[userID]().Decode(raw); v != 300 || err != nil {
		t.Errorf("int as userID: %d, %v", v, err)
	}
	if v, err := newBuiltin[uint16]().Decode(raw); v != 300 || err != nil {
		t.Errorf("int as uint16: %d, %v", v, err)
	}
	for what, err := range map[string]error{
		"300 as uint8":      second(newBuiltin[uint8]().Decode(raw)),
		"300 as int8":       second(newBuiltin[int8]().Decode(raw)),
		"300 as string":     second(newBuiltin[string]().Decode(raw)),
		"300 as bool":       second(newBuiltin[bool]().Decode(raw)),
		"300 as float64":    second(newBuiltin[float64]().Decode(raw)),
		"300 as time":       second(newBuiltin[time.Time]().Decode(raw)),
		"300 as struct":     second(newBuiltin[address]().Decode(raw)),
		"-1 as uint64":      second(newBuiltin[uint64]().Decode(appendInt(nil, -1))),
		"maxuint as int":    second(newBuiltin[int]().Decode(appendUint(nil, math.MaxUint64))),
		"maxuint as int64":  second(newBuiltin[int64]().Decode(appendUint(nil, math.MaxUint64))),
		"1e300 as float32":  second(newBuiltin[float32]().Decode(appendFloat(nil, 1e300))),
		"1<<40 as int32":    second(newBuiltin[int32]().Decode(appendInt(nil, 1<<40))),
		"custom as builtin": second(newBuiltin[string]().Decode([]byte{tagCustom, 'x'})),
	} {
		if err == nil {
			t.Errorf("%s: no error", what)
		}
	}
}

func second[T any](_ T, err error) error { return err }

func FuzzDecode(f *testing.F) {
	for _, seed := range [][]byte{{tagTrue}, {tagUint, 5}, {tagNeg, 0x80}, {tagTime, 1}, []byte("\x09{}"), []byte("\x06x"), {tagFloat, 1}} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		_, _ = newBuiltin[bool]().Decode(raw)
		_, _ = newBuiltin[string]().Decode(raw)
		_, _ = newBuiltin[[]byte]().Decode(raw)
		_, _ = newBuiltin[int32]().Decode(raw)
		_, _ = newBuiltin[uint64]().Decode(raw)
		_, _ = newBuiltin[level]().Decode(raw)
		_, _ = newBuiltin[ratio]().Decode(raw)
		_, _ = newBuiltin[address]().Decode(raw)
		if v, err := newBuiltin[time.Time]().Decode(raw); err == nil {
			if again, _ := newBuiltin[time.Time]().Encode(v); second(newBuiltin[time.Time]().Decode(again)) != nil {
				t.Errorf("%v does not come back", v)
			}
		}
	})
}
