package value

import (
	"strings"
	"testing"
)

func TestValuesFormatIsStable(t *testing.T) {
	v, last := made("name", "\x06gopher", "count", "\x03\x07")
	if want := "\x04name\x01\x07\x06gopher\x05count\x02\x02\x03\x07"; string(v) != want || last != 2 {
		t.Errorf("%q, want %q", v, want)
	}
	data, stamp := v.Get("count")
	if string(data) != "\x03\x07" || stamp != 2 || cap(data) != len(data) {
		t.Errorf("count is %q of stamp %d", data, stamp)
	}
	if data, stamp = v.Get("coun"); data != nil || stamp != 0 {
		t.Errorf("an absent value is %q of stamp %d", data, stamp)
	}
	for name := range v.Names() {
		if name != "name" {
			t.Error("Names went on")
		}
		break
	}
}

func TestDamagedValuesAreRefused(t *testing.T) {
	long := strings.Repeat("n", MaxName)
	for v, want := range map[string]bool{
		"":                           true,
		"\x01a\x01\x01x":             true,
		"\x40" + long + "\x01\x01x":  true,
		"\x41n" + long + "\x01\x01x": false, // a longer name
		"\x00\x01\x01x":              false, // none
		"\x01a\x00\x01x":             false, // stamp 0
		"\x01a\x01\x00":              false, // an empty value
		"\x01a\x01\x02x":             false, // cut off, from here on
		"\x01a\x01":                  false,
		"\x01a":                      false,
		"\x01":                       false,
		"\x01a\x80":                  false,
		"\x01a\x01\x80":              false,
		"\x01a\x01\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01x": false,
		"\x01a\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02\x01x": false,
		"\x01a\x01\x01x\x01b":                                false,
	} {
		if err := Values(v).Check(); (err == nil) != want {
			t.Errorf("%q: %v", v, err)
		}
	}
}

func TestNamesOfAnotherLengthPanic(t *testing.T) {
	for _, name := range []string{"", strings.Repeat("n", MaxName+1)} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("a name of %d bytes went into a record", len(name))
				}
			}()
			new(Draft).Put(name, []byte("1"))
		}()
	}
}
