package record

import (
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/gosojourn/sojourn/internal/token"
	"github.com/gosojourn/sojourn/internal/value"
)

// draft begins on c's values, as whoever changes a session does.
func (c *Content) draft() *value.Draft {
	d := new(value.Draft)
	d.Reset(c.Values, c.Stamps)
	return d
}

func twoValues() *value.Draft {
	d := new(value.Draft)
	d.Put("name", []byte("\x06gopher"))
	d.Put("count", []byte("\x03\x07"))
	return d
}

func hash(n int) (h token.Hash) {
	for i := range h {
		h[i] = byte(i + n)
	}
	return h
}

func sample() Content {
	c := Content{Remembered: true, Token: hash(0xf0), Created: 1_700_000_000_000, Auth: 1_700_000_100_000, Deadline: 1_700_086_500_000, Order: 300}
	if err := c.Supersede(1_700_000_050_000); err != nil {
		panic(err)
	}
	c.Token = hash(0)
	c.Descend(nil, 0x0102030405a6, 0, 0)
	c.SetDevice("192.0.2.1", "Firefox", "laptop")
	d := twoValues()
	c.Values, c.Stamps = d.AppendTo(nil), d.Last()
	return c
}

func (c *Content) mustEncode(t testing.TB) []byte {
	t.Helper()
	data, err := c.Encode(c.draft(), nil)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// The bytes of docs/record-format.md: a change here breaks the sessions of everybody's users.
func TestRecordFormatIsStable(t *testing.T) {
	c := sample()
	data := c.mustEncode(t)
	want := "0103" +
		"000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f" +
		"018bcfe56800" + "018bcfe6eea0" + "018bd50d4aa0" +
		"ac02" + "02" +
		"0001" + "f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff" + "018bcfe62b50" +
		"01" + "0102030405a6" +
		"09" + hex.EncodeToString([]byte("192.0.2.1")) + "07" + hex.EncodeToString([]byte("Firefox")) + "06" + hex.EncodeToString([]byte("laptop")) +
		"04" + hex.EncodeToString([]byte("name")) + "01" + "07" + "06" + hex.EncodeToString([]byte("gopher")) +
		"05" + hex.EncodeToString([]byte("count")) + "02" + "02" + "0307"
	if got := hex.EncodeToString(data); got != want {
		t.Errorf("the record is\n%s, want\n%s", got, want)
	}
	back, err := Parse(data)
	if err != nil {
		t.Fatal(err)
	}
	if fmt.Sprint(back) != fmt.Sprint(c) {
		t.Errorf("read back %v, want %v", back, c)
	}
	if addr, agent, label := back.Device(); addr != "192.0.2.1" || agent != "Firefox" || label != "laptop" {
		t.Errorf("device %q %q %q", addr, agent, label)
	}
}

// What binds a session to a device stands between its tie and its values.
func TestBoundRecord(t *testing.T) {
	c := sample()
	without := c.mustEncode(t)
	values := len(without) - len("\x04name\x01\x07\x06gopher\x05count\x02\x02\x03\x07")
	if err := c.SetBound([]byte("key")); err != nil {
		t.Fatal(err)
	}
	data := c.mustEncode(t)
	want := append(append(append([]byte{}, without[:values]...), "\x00\x03key"...), without[values:]...)
	want[1] |= 16
	if !bytes.Equal(data, want) {
		t.Errorf("the record is\n%x, want\n%x", data, want)
	}
	back, err := Parse(data)
	if err != nil || string(back.Bound()) != "key" {
		t.Errorf("read back %q, %v", back.Bound(), err)
	}
	if err := c.SetBound(make([]byte, maxBound+1)); !errors.Is(err, ErrTooLarge) {
		t.Errorf("a long one: %v", err)
	}
	if err := c.SetBound(nil); err != nil || !bytes.Equal(c.mustEncode(t), without) {
		t.Errorf("it does not go away: %v", err)
	}
}

func TestEncodeIsOneAllocation(t *testing.T) {
	c := sample()
	v := []byte("\x06new")
	if n := testing.AllocsPerRun(100, func() {
		var d value.Draft
		d.Reset(c.Values, c.Stamps)
		d.Put("name", v)
		if data, err := c.Encode(&d, nil); err != nil || len(data) == 0 {
			t.Error(err)
		}
	}); n != 1 {
		t.Errorf("%v objects", n)
	}
}

func TestStampsGoOn(t *testing.T) {
	c := sample()
	d := c.draft()
	d.Put("third", []byte("\x02"))
	data, err := c.Encode(d, nil)
	if err != nil || c.Stamps != 3 {
		t.Fatalf("%d stamps, %v", c.Stamps, err)
	}
	back, err := Parse(data)
	if _, stamp := back.Values.Get("third"); err != nil || stamp != 3 || back.Stamps != 3 {
		t.Errorf("stamp %d of %d, %v", stamp, back.Stamps, err)
	}
}

func TestTooLarge(t *testing.T) {
	var c Content
	room := MaxData - len(c.mustEncode(t)) - len("\x01a\x01") - 4 // the length of 16 MiB takes four bytes
	for over := range 2 {
		d := new(value.Draft)
		d.Put("a", make([]byte, room+over))
		data, err := c.Encode(d, nil)
		if over == 0 && (err != nil || len(data) != MaxData) || over == 1 && !errors.Is(err, ErrTooLarge) {
			t.Errorf("%d bytes over: %d, %v", over, len(data), err)
		}
		if over == 1 && c.Stamps != 1 {
			t.Errorf("%d stamps", c.Stamps)
		}
	}
}

// A newer version's record is for the operator, a damaged one is not.
func TestUnknownAndDamaged(t *testing.T) {
	c := sample()
	whole := c.mustEncode(t)
	edit := func(at int, b byte) []byte {
		data := bytes.Clone(whole)
		data[at] = b
		return data
	}
	for what, v := range map[string]struct {
		data    []byte
		unknown bool
	}{
		"format 2": {edit(0, 2), true}, "format 0": {edit(0, 0), true}, "a new flag": {edit(1, 32|3), true}, "another encryption": {edit(1, 8|3), true}, "an empty tie": {append(edit(1, 4)[:fixedLen+8], 0, 0), false}, "format 2 alone": {[]byte{2}, true},
		"an empty binding": {append(edit(1, 16)[:fixedLen+5+supersededLen+versionLen], 0, 0), false},
		"nothing":          {nil, false}, "one byte": {whole[:1], false}, "half a header": {whole[:40], false},
		"an order in two bytes too many": {bytes.Replace(whole, []byte{0xac, 0x02, 0x02}, []byte{0x82, 0x00, 0x02}, 1), false},
		"1,001 superseded":               {edit(fixedLen+3, 3), false}, // 0x0301
		"9 ancestors":                    {edit(fixedLen+3+2+supersededLen, 9), false},
		"damaged values":                 {edit(len(whole)-4, 0), false},
		"too many bytes":                 {append(bytes.Clone(whole), make([]byte, MaxData)...), false},
	} {
		_, err := Parse(v.data)
		if err == nil || errors.Is(err, ErrUnknownFormat) != v.unknown {
			t.Errorf("%s: %v", what, err)
		}
	}
}

func TestTruncatedAndFlippedRecords(t *testing.T) {
	c := sample()
	whole := c.mustEncode(t)
	second := len("\x05count\x02\x02\x03\x07")
	first := len("\x04name\x01\x07\x06gopher")
	for i := range whole {
		if _, err := Parse(whole[:i]); err == nil && i != len(whole)-second && i != len(whole)-second-first {
			t.Errorf("the first %d bytes are accepted", i)
		}
		for bit := range 8 {
			flipped := bytes.Clone(whole)
			flipped[i] ^= 1 << bit
			_, _ = Parse(flipped)
		}
	}
}

// No bytes of a store make the reader panic, and what it accepts it writes back unchanged.
func FuzzParse(f *testing.F) {
	c := sample()
	whole := c.mustEncode(f)
	many := sample()
	for i := range 20 {
		many.Token = hash(i)
		_ = many.Supersede(many.Created + int64(i))
		many.Descend(nil, uint64(i), 1, 1)
	}
	plain := (&Content{}).mustEncode(f)
	tied := sample()
	if err := tied.SetMoved([]byte("tie")); err != nil {
		f.Fatal(err)
	}
	f.Add(tied.mustEncode(f))
	encrypted, err := c.Encode(c.draft(), testKey(f))
	if err != nil {
		f.Fatal(err)
	}
	encrypted[len(encrypted)-1] ^= 1
	for _, seed := range [][]byte{encrypted, whole, many.mustEncode(f), plain, whole[:60], nil, {1}, {2}, bytes.Replace(whole, []byte{0xac, 2}, []byte{0x80, 0}, 1)} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		c, err := Parse(data)
		if err != nil {
			return
		}
		if c.Closed() {
			if again, err := c.Encode(c.draft(), nil); err != nil || !bytes.Equal(again, data) {
				t.Errorf("%x was not opened, and written as %x, %v", data, again, err)
			}
			d := c.draft()
			d.Put("name", []byte("\x06x"))
			if _, err := c.Encode(d, nil); err == nil {
				t.Error("what was not opened was changed")
			}
			if err := c.Open(testKey(t)); err == nil {
				t.Error("values that were never encrypted open")
			}
			return
		}
		before := bytes.Clone(data)
		if again := c.mustEncode(t); !bytes.Equal(again, data) {
			t.Errorf("%x was read and written as %x", data, again)
		}
		c.Values.Get("name")
		c.Device()
		c.Supersedes(hash(0), c.Created)
		c.DescendsFrom(7)
		if err := c.Supersede(c.Created); err == nil && !c.Supersedes(c.Token, c.Created) {
			t.Error("superseded, and does not say so")
		}
		c.Descend(nil, 7, c.Created, c.Created)
		d := c.draft()
		d.Put("name", []byte("\x06x"))
		d.Delete("gone")
		edited, err := c.Encode(d, nil)
		if err != nil {
			t.Fatal(err)
		}
		back, err := Parse(edited)
		name, stamp := back.Values.Get("name")
		gone, _ := back.Values.Get("gone")
		if err != nil || string(name) != "\x06x" || stamp != back.Stamps || gone != nil || !back.DescendsFrom(7) {
			t.Errorf("after an edit: %v", err)
		}
		if !bytes.Equal(data, before) {
			t.Error("the store's bytes were written to")
		}
	})
}

func TestDeviceTextIsPrintable(t *testing.T) {
	var c Content
	c.SetDevice("a\r\nb\x00c\x7fd\u0085e\u2028f\xffg"+strings.Repeat("é", 200), "b\u202eevil\u200b", "")
	addr, agent, label := c.Device()
	if strings.ContainsAny(addr, "\r\n\x00\x7f\u0085\u2028") || len(addr) > 255 || len(addr) < 254 || !strings.HasPrefix(addr, "a  b c d e f\ufffdg") {
		t.Errorf("%q", addr)
	}
	if agent != "b evil " || label != "" {
		t.Errorf("%q, %q", agent, label)
	}
	if c.SetDevice("", "", ""); c.flags() != 0 {
		t.Error("an empty device is kept")
	}
	if addr, agent, label = c.Device(); addr+agent+label != "" {
		t.Errorf("no device is %q %q %q", addr, agent, label)
	}
}

func TestMillisRoundTrip(t *testing.T) {
	for _, ms := range []int64{0, 1, 1 << 32, 253_402_214_400_000, 1<<48 - 1} {
		if got := getMillis(appendMillis(nil, ms)); got != ms {
			t.Errorf("%d came back as %d", ms, got)
		}
	}
}
