package sojourn

import (
	"bytes"
	"encoding/hex"
	"net/http"
	"strings"
	"testing"
	"time"
)

func sampleSealed() *draft {
	return &draft{stored: stored{
		Record: Record{
			ID: "AAECAwQFBgcICQoLDA0ODxAR", Owner: "42", Fence: 0x0102030405060708,
			Expiry: time.UnixMilli(1_700_003_600_000), Seen: time.UnixMilli(1_700_000_200_000),
		},
		content: content{
			remembered: true, created: 1_700_000_000_000, auth: 1_700_000_100_000, deadline: 1_700_086_500_000,
			device: encodeDevice(Device{Addr: "192.0.2.1", Agent: "Firefox", Label: "laptop"}),
			values: values(nil).splice(nil, edits{{"name", []byte("\x06gopher")}, {"count", []byte{tagUint, 7}}}),
		},
	}}
}

// The bytes of docs/sealed-sessions.md: a change here logs everybody's users out.
func TestSealedRecordIsStable(t *testing.T) {
	d := sampleSealed()
	got, err := d.encodeSealed(nil)
	if err != nil {
		t.Fatal(err)
	}
	want := "0103" + "000102030405060708090a0b0c0d0e0f1011" +
		"018bcfe56800" + "018bcfe6eea0" + "018bd50d4aa0" + "018bd01c5680" + "018bcfe87540" +
		"0102030405060708" + "023432" +
		"09" + hex.EncodeToString([]byte("192.0.2.1")) + "07" + hex.EncodeToString([]byte("Firefox")) + "06" + hex.EncodeToString([]byte("laptop")) +
		"04" + hex.EncodeToString([]byte("name")) + "07" + "06" + hex.EncodeToString([]byte("gopher")) +
		"05" + hex.EncodeToString([]byte("count")) + "02" + "0307"
	if hex.EncodeToString(got) != want {
		t.Errorf("the sealed record is\n%x, want\n%s", got, want)
	}
	back, err := parseSealed(got)
	if err != nil {
		t.Fatal(err)
	}
	if back.info() != d.info() || back.Fence != d.Fence || !bytes.Equal(back.values, d.values) {
		t.Errorf("read back %+v, want %+v", back.info(), d.info())
	}
}

// Only what this package has sealed is ever parsed, but a ring may be shared with something else.
func FuzzSealedRecord(f *testing.F) {
	whole, _ := sampleSealed().encodeSealed(nil)
	for _, seed := range [][]byte{whole, whole[:59], nil, {1}, {2}} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		r, err := parseSealed(data)
		if err != nil {
			return
		}
		again, err := (&draft{stored: r}).encodeSealed(nil)
		if err != nil || !bytes.Equal(again, data) {
			t.Errorf("%x was read and written as %x (%v)", data, again, err)
		}
		_ = r.info()
		r.values.get("name")
	})
}

func sealNames(base string) *sealing {
	return &sealing{names: []string{base, base + ".1", base + ".2", base + ".3"}}
}

// V3.3.5, C8: name and value fill a cookie to the byte and never beyond, and one byte more than all of
// them hold is refused.
func TestChunksFillTheirCookies(t *testing.T) {
	x := sealNames("__Host-id")
	most := 0
	for i := range x.names {
		most += x.chunkRoom(i)
	}
	first := x.chunkRoom(0)
	for length, count := range map[int]int{minSealed: 1, first: 1, first + 1: 2, most - 1: 4, most: 4} {
		parts, err := x.split(strings.Repeat("x", length))
		if err != nil || len(parts) != count || parts[0][0] != byte('0'+count) {
			t.Errorf("%d bytes: %d cookies, %v; want %d", length, len(parts), err, count)
		}
		for i, p := range parts {
			if n := len(x.names[i]) + len(p); n > 4096 || i+1 < len(parts) && n != 4096 {
				t.Errorf("%d bytes: cookie %d of %d has %d bytes", length, i, len(parts), n)
			}
		}
	}
	if _, err := x.split(strings.Repeat("x", most+1)); err == nil {
		t.Errorf("%d bytes fit", most+1)
	}
}

// Whatever the header says, at most four texts come out of it, and a session that is all there is found
// among anything else, in any order.
func FuzzSealedCookies(f *testing.F) {
	for _, seed := range []string{"", "a=b", "__Host-id=1" + strings.Repeat("A", 30), "__Host-id.1=x; __Host-id=2" + strings.Repeat("A", 30), "__Host-id=9; __Host-id=0", "__Host-id.3=;;="} {
		f.Add(seed, 1000)
	}
	x := sealNames("__Host-id")
	f.Fuzz(func(t *testing.T, line string, length int) {
		c := x.present(&http.Request{Header: http.Header{"Cookie": {line}}})
		for _, text := range c.texts[:c.n] {
			if len(text) < minSealed || len(text) > maxShown || !b64url(text) {
				t.Fatalf("text of %d bytes", len(text))
			}
		}
		if strings.Contains(line, "__Host-id") || length < minSealed || length > 16_000 {
			return
		}
		parts, err := x.split(strings.Repeat("Ab3_", length/4+1)[:length])
		if err != nil {
			t.Fatal(err)
		}
		for i, p := range parts {
			line = x.names[i] + "=" + p + "; " + line // the last chunk comes first
		}
		c = x.present(&http.Request{Header: http.Header{"Cookie": {line}}})
		if c.n != 1 || len(c.texts[0]) != length {
			t.Fatalf("a session of %d bytes is not found in it", length)
		}
	})
}
