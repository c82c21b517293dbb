package redisstore

import (
	"bytes"
	"encoding/hex"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/gosojourn/sojourn"
)

func sample() sojourn.Record {
	return sojourn.Record{ID: strings.Repeat("a", idLen), Owner: "bob", Expiry: time.UnixMilli(0x0102030405), Seen: time.UnixMilli(0x0a0b0c0d0e), Fence: 7, Version: 0xabcdef, Data: []byte("data")}
}

// The bytes of docs/redisstore.md: what is in a Redis today is read by tomorrow's version.
func TestValueIsStable(t *testing.T) {
	r := sample()
	const want = "01" + "0000000000abcdef" + "000102030405" + "000a0b0c0d0e" + "00000000002a" + "0000000000000007" + "03" + "626f62" + "64617461"
	if got := hex.EncodeToString(encode(&r, 42)); got != want {
		t.Errorf("%s, want %s", got, want)
	}
}

func TestRecentlyForgets(t *testing.T) {
	x := recently{age: 20 * time.Millisecond}
	x.add("a")
	if !x.has("a") || x.has("b") {
		t.Error("it does not know what was added just now")
	}
	time.Sleep(25 * time.Millisecond)
	x.add("c")
	if x.has("a") || !x.has("c") {
		t.Error("it knows what was added before its time")
	}
}

func FuzzDecode(f *testing.F) {
	r := sample()
	f.Add(encode(&r, 42))
	f.Add([]byte{})
	f.Add([]byte{2})
	f.Fuzz(func(t *testing.T, b []byte) {
		r, err := decode(sample().ID, bytes.Clone(b))
		if err != nil {
			if !reflect.DeepEqual(r, sojourn.Record{}) {
				t.Error("an error and a record")
			}
			return
		}
		if again := encode(&r, getMillis(b[listedAt:])); !bytes.Equal(again, b) {
			t.Errorf("%x was read and written as %x", b, again)
		}
	})
}

func FuzzTag(f *testing.F) {
	f.Add("bob")
	f.Add("{}")
	f.Add("\x00\xff}{")
	f.Fuzz(func(t *testing.T, owner string) {
		tag := tag(owner)
		if len(tag) != 26 || strings.ContainsAny(tag[1:25], "{}") || !wellFormed(tag[1:25]) {
			t.Errorf("%q has the tag %q", owner, tag)
		}
	})
}
