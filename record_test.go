package sojourn

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"strings"
	"testing"
	"time"
)

func sampleContent() content {
	c := content{
		remembered: true, generation: 3, created: 1_700_000_000_000, auth: 1_700_000_100_000, deadline: 1_700_086_500_000,
		nonce:  [8]byte{1, 2, 3, 4, 5, 6, 7, 8},
		device: encodeDevice(Device{Addr: "192.0.2.1", Agent: "Firefox", Label: "laptop"}),
	}
	for i := range c.token {
		c.token[i] = byte(i)
	}
	for i := range c.family {
		c.family[i] = byte(0xf0 + i)
	}
	c.supersede(1_700_000_050_000)
	c.lineage = c.descend(nil, 0x0102030405a6, 0, 0)
	c.values = values(nil).splice(nil, edits{{"name", []byte("\x06gopher")}, {"count", []byte{tagUint, 7}}})
	return c
}

// The bytes of docs/record-format.md: a change here breaks the sessions of everybody's users.
func TestRecordFormatIsStable(t *testing.T) {
	c := sampleContent()
	data, err := c.encode(nil)
	if err != nil {
		t.Fatal(err)
	}
	want := "0103" +
		"000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f" +
		"f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff" +
		"0003" + "0102030405060708" +
		"018bcfe56800" + "018bcfe6eea0" + "018bd50d4aa0" +
		"01" + "f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff" + "018bcfe62b50" +
		"01" + "0102030405a6" +
		"09" + hex.EncodeToString([]byte("192.0.2.1")) + "07" + hex.EncodeToString([]byte("Firefox")) + "06" + hex.EncodeToString([]byte("laptop")) +
		"04" + hex.EncodeToString([]byte("name")) + "07" + "06" + hex.EncodeToString([]byte("gopher")) +
		"05" + hex.EncodeToString([]byte("count")) + "02" + "0307"
	if got := hex.EncodeToString(data); got != want {
		t.Errorf("the record is\n%s, want\n%s", got, want)
	}
	back, err := parseContent(data)
	if err != nil {
		t.Fatal(err)
	}
	if fmt.Sprint(back) != fmt.Sprint(c) {
		t.Errorf("read back %v, want %v", back, c)
	}
}

func TestTokenHashesAreStable(t *testing.T) {
	token := strings.Repeat("Ab3_", 16)
	sum, family := hashToken("__Host-id", token), hashFamily(token)
	if got := hex.EncodeToString(sum[:4]) + " " + hex.EncodeToString(family[:4]); got != "07160c7c 2f861197" {
		t.Errorf("hashes begin %s", got)
	}
	if hashToken("other", token) == sum {
		t.Error("the purpose is not in the hash")
	}
	sibling := token[:idLen] + token[idLen:idLen+18] + "Z" + token[idLen+19:]
	if hashFamily(sibling) == family {
		t.Error("another family has the same hash")
	}
	if hashFamily(token[:63]+"A") != family {
		t.Error("another key of the same family has another hash")
	}
}

func TestSplice(t *testing.T) {
	v := values(values(nil).splice(nil, edits{{"a", []byte("1")}, {"b", []byte("2")}, {"c", []byte("3")}}))
	for _, c := range []struct {
		e    edits
		want string
	}{
		{nil, "a1b2c3"},
		{edits{{"b", nil}}, "a1c3"},
		{edits{{"a", []byte("9")}}, "b2c3a9"},
		{edits{{"a", nil}, {"b", nil}, {"c", nil}}, ""},
		{edits{{"d", []byte("4")}, {"x", nil}}, "a1b2c3d4"},
	} {
		got := ""
		for rest := values(v.splice(nil, c.e)); len(rest) > 0; {
			name, value, _, after, err := rest.next()
			if err != nil {
				t.Fatal(err)
			}
			got += string(name) + string(value)
			rest = after
		}
		if got != c.want {
			t.Errorf("%v: %s, want %s", c.e, got, c.want)
		}
	}
}

func TestWithoutPopped(t *testing.T) {
	for _, c := range []struct{ stored, popped, want string }{
		{"\x06old", "\x06old", ""},
		{"\x06new", "\x06old", "\x06new"},
		{"\x09[1,2,3]", "\x09[1,2]", "\x09[3]"},
		{"\x09[1,20]", "\x09[1,2]", "\x09[1,20]"},
		{"\x09[1]", "\x09[1,2]", "\x09[1]"},
		{"\x09[1]", "\x09[]", "\x09[1]"},
		{"\x09{\"a\":1}", "\x09{}", "\x09{\"a\":1}"},
	} {
		if got := string(withoutPopped([]byte(c.stored), []byte(c.popped))); got != c.want {
			t.Errorf("%q without %q: %q, want %q", c.stored, c.popped, got, c.want)
		}
	}
}

func TestAppendList(t *testing.T) {
	for _, c := range []struct{ old, more, want string }{
		{"", "\x09[1]", "\x09[1]"},
		{"\x09null", "\x09[1]", "\x09[1]"},
		{"\x09[]", "\x09[1]", "\x09[1]"},
		{"\x09[1]", "\x09[2,3]", "\x09[1,2,3]"},
		{"\x07ab", "\x07cd", "\x07abcd"},
		{"", "\x07cd", "\x07cd"},
	} {
		var old []byte
		if c.old != "" {
			old = []byte(c.old)
		}
		if got, err := appendList(old, []byte(c.more)); string(got) != c.want || err != nil {
			t.Errorf("%q and %q: %q %v, want %q", c.old, c.more, got, err, c.want)
		}
	}
	if _, err := appendList([]byte("\x06text"), []byte("\x09[1]")); err == nil {
		t.Error("a list was appended to a text")
	}
}

func TestLineageIsBounded(t *testing.T) {
	var c content
	for v := uint64(1); v <= 20; v++ {
		c.lineage = c.descend(nil, v, 1000, 2000)
	}
	if len(c.lineage) != maxLineage*versionLen || !c.descendsFrom(20) || !c.descendsFrom(13) || c.descendsFrom(12) {
		t.Errorf("%d bytes of lineage", len(c.lineage))
	}
	if c.lineage = c.descend(nil, 21, 0, lineageMillis+1); len(c.lineage) != versionLen || !c.descendsFrom(21) {
		t.Error("what is over a minute old was kept")
	}
}

func TestSupersededIsBounded(t *testing.T) {
	var c content
	for i := range 10 {
		c.family = familyHash{byte(i)}
		c.supersede(int64(1000 + i))
	}
	if len(c.superseded) != maxSuperseded*supersededLen || !c.isSuperseded(familyHash{9}, 1010) || c.isSuperseded(familyHash{5}, 1010) {
		t.Error("not the last four are remembered")
	}
	if c.isSuperseded(familyHash{9}, 1009+graceMillis) {
		t.Error("remembered past the grace time")
	}
}

// No bytes of a store make the reader panic, and what it accepts it writes back unchanged.
func FuzzRecord(f *testing.F) {
	c := sampleContent()
	whole, _ := c.encode(nil)
	plain, _ := (&content{values: c.values}).encode(nil)
	for _, seed := range [][]byte{whole, plain, whole[:90], nil, {1}, {2}} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		c, err := parseContent(data)
		if err != nil {
			return
		}
		again, err := c.encode(nil)
		if err != nil || !bytes.Equal(again, data) {
			t.Errorf("%x was read and written as %x (%v)", data, again, err)
		}
		c.values.get("name")
		_ = c.deviceInfo()
		edited, err := c.encode(edits{{"name", []byte("\x06x")}, {"gone", nil}})
		if err != nil {
			t.Fatal(err)
		}
		if back, err := parseContent(edited); err != nil || string(back.values.get("name")) != "\x06x" || back.values.get("gone") != nil {
			t.Errorf("after an edit: %v", err)
		}
	})
}

func TestTruncatedAndFlippedRecords(t *testing.T) {
	c := sampleContent()
	whole, _ := c.encode(nil)
	for i := range whole {
		if _, err := parseContent(whole[:i]); err == nil && i != len(whole)-9 && i != len(whole)-22 {
			t.Errorf("the first %d bytes are accepted", i)
		}
		for bit := range 8 {
			flipped := bytes.Clone(whole)
			flipped[i] ^= 1 << bit
			_, _ = parseContent(flipped)
		}
	}
}

func TestDeviceTextIsPrintable(t *testing.T) {
	got := printable("a\r\nb\x00c\x7fd\u0085e\u2028f\xffg" + strings.Repeat("é", 200))
	if strings.ContainsAny(got, "\r\n\x00\x7f\u0085\u2028") || len(got) > 255 || !strings.HasPrefix(got, "a  b c d e f\ufffdg") {
		t.Errorf("%q", got)
	}
}

func TestMillisRoundTrip(t *testing.T) {
	for _, ms := range []int64{0, 1, 1 << 32, millis(time.Date(9999, 12, 31, 0, 0, 0, 0, time.UTC))} {
		if got := getMillis(appendMillis(nil, ms)); got != ms {
			t.Errorf("%d came back as %d", ms, got)
		}
	}
}
