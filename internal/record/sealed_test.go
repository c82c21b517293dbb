package record

import (
	"bytes"
	"encoding/hex"
	"errors"
	"reflect"
	"strings"
	"testing"

	"github.com/gosojourn/sojourn/internal/value"
)

func sampleSealed() Sealed {
	s := Sealed{
		ID: "AAECAwQFBgcICQoLDA0ODxAR", Owner: "42", Fence: 0x0102030405060708,
		Expiry: 1_700_003_600_000, Seen: 1_700_000_200_000,
		Content: Content{Remembered: true, Created: 1_700_000_000_000, Auth: 1_700_000_100_000, Deadline: 1_700_086_500_000},
	}
	s.SetDevice("192.0.2.1", "Firefox", "laptop")
	d := twoValues()
	s.Values, s.Stamps = d.AppendTo(nil), d.Last()
	return s
}

func (s *Sealed) mustEncode(t testing.TB) []byte {
	t.Helper()
	b, err := s.Encode(s.draft())
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// The bytes of docs/sealed-sessions.md: a change here logs everybody's users out.
func TestSealedRecordIsStable(t *testing.T) {
	s := sampleSealed()
	got := s.mustEncode(t)
	want := "0103" + "000102030405060708090a0b0c0d0e0f1011" +
		"018bcfe56800" + "018bcfe6eea0" + "018bd50d4aa0" + "018bd01c5680" + "018bcfe87540" +
		"0102030405060708" + "02" + "023432" +
		"09" + hex.EncodeToString([]byte("192.0.2.1")) + "07" + hex.EncodeToString([]byte("Firefox")) + "06" + hex.EncodeToString([]byte("laptop")) +
		"04" + hex.EncodeToString([]byte("name")) + "01" + "07" + "06" + hex.EncodeToString([]byte("gopher")) +
		"05" + hex.EncodeToString([]byte("count")) + "02" + "02" + "0307"
	if hex.EncodeToString(got) != want {
		t.Errorf("the sealed record is\n%x, want\n%s", got, want)
	}
	back, err := ParseSealed(got)
	if err != nil || !reflect.DeepEqual(back, s) {
		t.Errorf("read back %+v (%v), want %+v", back, err, s)
	}
	if n := testing.AllocsPerRun(100, func() {
		var d value.Draft
		d.Reset(s.Values, s.Stamps)
		if b, err := s.Encode(&d); err != nil || len(b) == 0 {
			t.Error(err)
		}
	}); n != 1 {
		t.Errorf("%v objects", n)
	}
}

func TestWhatCannotBeSealed(t *testing.T) {
	for what, edit := range map[string]func(*Sealed){
		"a short id":   func(s *Sealed) { s.ID = s.ID[1:] },
		"a strange id": func(s *Sealed) { s.ID = "*" + s.ID[1:] },
		"no id":        func(s *Sealed) { s.ID = "" },
		"a long owner": func(s *Sealed) { s.Owner = strings.Repeat("o", 256) },
	} {
		s := sampleSealed()
		edit(&s)
		if b, err := s.Encode(s.draft()); err == nil {
			t.Errorf("%s: %x", what, b)
		}
	}
	s := sampleSealed()
	s.Owner = strings.Repeat("o", 255)
	if back, err := ParseSealed(s.mustEncode(t)); err != nil || back.Owner != s.Owner {
		t.Errorf("an owner of 255 bytes: %q, %v", back.Owner, err)
	}
}

func TestUnknownAndDamagedSeals(t *testing.T) {
	s := sampleSealed()
	whole := s.mustEncode(t)
	for i := range whole {
		if _, err := ParseSealed(whole[:i]); i < len(whole)-26 && err == nil {
			t.Errorf("the first %d bytes are accepted", i)
		} else if errors.Is(err, ErrUnknownFormat) {
			t.Errorf("the first %d bytes: %v", i, err)
		}
	}
	for at, b := range []byte{2, 8} {
		newer := bytes.Clone(whole)
		newer[at] = b
		if _, err := ParseSealed(newer); !errors.Is(err, ErrUnknownFormat) {
			t.Errorf("%d at %d: %v", b, at, err)
		}
	}
}

// Only what this package has sealed is ever parsed, but a ring may be shared with something else.
func FuzzParseSealed(f *testing.F) {
	s := sampleSealed()
	whole := s.mustEncode(f)
	empty := Sealed{ID: s.ID}
	for _, seed := range [][]byte{whole, empty.mustEncode(f), whole[:59], nil, {1}, {2}} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		s, err := ParseSealed(data)
		if err != nil {
			return
		}
		if again := s.mustEncode(t); !bytes.Equal(again, data) {
			t.Errorf("%x was read and written as %x", data, again)
		}
		s.Device()
		s.Values.Get("name")
	})
}
