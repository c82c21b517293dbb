package record

import (
	"bytes"
	"encoding/hex"
	"errors"
	"strings"
	"testing"

	"github.com/gosojourn/sojourn/internal/token"
	"github.com/gosojourn/sojourn/internal/value"
)

const testToken = "AAECAwQFBgcICQoLDA0ODxAR" + "EhMUFRYXGBkaGxwdHh8gISIjJCUmJygpKissLS4v"

func testKey(t testing.TB) *Key {
	t.Helper()
	k, err := NewKey("__Host-Http-id", testToken)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// A record as docs/record-format.md has it: a change here shuts everybody's sessions.
const written = "010b" +
	"000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f" +
	"018bcfe56800" + "018bcfe6eea0" + "018bd50d4aa0" +
	"ac02" + "02" +
	"0001" + "f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff" + "018bcfe62b50" +
	"01" + "0102030405a6" +
	"09" + "3139322e302e322e31" + "07" + "46697265666f78" + "06" + "6c6170746f70" +
	"00" + writtenValues

const writtenValues = "41e1a0d47e9b4903167f8ad238c26ea5baa91c895791fed07a6f93dcaf8df0e12d2507e6b60e5d6d2fa70ad53e97f28c0d68eb1d"

func TestEncryptedRecordIsStable(t *testing.T) {
	c := sample()
	want := string(c.Values)
	data, err := hex.DecodeString(written)
	if err != nil {
		t.Fatal(err)
	}
	back, err := Parse(data)
	if err != nil || !back.Closed() || len(back.Values) != 0 {
		t.Fatalf("closed: %t, values %q, %v", back.Closed(), back.Values, err)
	}
	if err := back.Open(testKey(t)); err != nil || string(back.Values) != want || back.Closed() {
		t.Errorf("opened %q, %v", back.Values, err)
	}
	again, err := back.Encode(back.draft(), testKey(t))
	head := strings.Index(written, writtenValues) / 2
	if err != nil || len(again) != len(data) || !bytes.Equal(again[:head], data[:head]) {
		t.Errorf("written again as %x, %v", again, err)
	}
	if bytes.Equal(again[head:], data[head:]) {
		t.Error("a nonce was used twice")
	}
}

func TestEveryFlippedBitOfEncryptedValuesIsTold(t *testing.T) {
	c := sample()
	head := len(c.mustEncode(t)) - len(c.Values)
	data, err := c.Encode(c.draft(), testKey(t))
	if err != nil {
		t.Fatal(err)
	}
	for i := range data[head:] {
		for bit := range 8 {
			flipped := bytes.Clone(data)
			flipped[head+i] ^= 1 << bit
			x, err := Parse(flipped)
			if err == nil {
				err = x.Open(testKey(t))
			}
			switch want := ErrAltered; {
			case i == 0:
				if want = ErrUnknownFormat; !errors.Is(err, want) {
					t.Errorf("bit %d of the scheme: %v", bit, err)
				}
			case !errors.Is(err, want):
				t.Errorf("bit %d of byte %d: %v", bit, i, err)
			case !x.Closed():
				t.Errorf("bit %d of byte %d: opened all the same", bit, i)
			}
		}
	}
	plain := bytes.Clone(data)
	plain[1] &^= flagEncrypted
	if _, err := Parse(plain); err == nil {
		t.Error("without its flag, ciphertext is read as values")
	}
	for n := range encryptedLen + 1 {
		if x, err := Parse(data[:head+n]); err == nil {
			t.Errorf("%d bytes of encryption are accepted: %v", n, x)
		}
	}
}

func TestKeysAreOfTheirTokenAndPurposeAlone(t *testing.T) {
	c := sample()
	data, err := c.Encode(c.draft(), testKey(t))
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(string(data), "gopher") || strings.Contains(string(data), "name") {
		t.Errorf("%q shows a value", data)
	}
	for what, x := range map[string]struct{ purpose, text string }{
		"another purpose": {"__Host-Http-ie", testToken},
		"another id":      {"__Host-Http-id", "B" + testToken[1:]},
		"another secret":  {"__Host-Http-id", testToken[:63] + "w"},
	} {
		back, err := Parse(data)
		if err != nil {
			t.Fatal(err)
		}
		k, err := NewKey(x.purpose, x.text)
		if err != nil {
			t.Fatal(err)
		}
		if err := back.Open(k); !errors.Is(err, ErrAltered) {
			t.Errorf("%s: %v", what, err)
		}
	}
}

func TestNothingIsEncryptedWhereThereIsNoValue(t *testing.T) {
	c := sample()
	d := c.draft()
	d.Delete("name")
	d.Delete("count")
	data, err := c.Encode(d, testKey(t))
	if err != nil || data[1]&flagEncrypted != 0 {
		t.Fatalf("flags %#x, %v", data[1], err)
	}
	if back, err := Parse(data); err != nil || back.Closed() || len(back.Values) != 0 {
		t.Errorf("%q, %v", back.Values, err)
	}
}

func TestTooLargeWhenEncrypted(t *testing.T) {
	var c Content
	room := MaxData - len(c.mustEncode(t)) - len("\x01a\x01") - 4 - encryptedLen
	for over := range 2 {
		d := new(value.Draft)
		d.Put("a", make([]byte, room+over))
		data, err := c.Encode(d, testKey(t))
		if over == 0 && (err != nil || len(data) != MaxData) || over == 1 && !errors.Is(err, ErrTooLarge) {
			t.Errorf("%d bytes over: %d, %v", over, len(data), err)
		}
	}
}

// Whatever values and token: what was written comes back, and no other token opens it.
func FuzzEncrypted(f *testing.F) {
	f.Add([]byte("\x06gopher"), "name", testToken[24:], uint16(3), byte(1))
	f.Add([]byte{1}, "n", testToken[:40], uint16(60), byte(0x80))
	f.Fuzz(func(t *testing.T, v []byte, name, secret string, at uint16, mask byte) {
		text := testToken[:24] + secret
		if !token.WellFormed(text) || len(name) == 0 || len(name) > value.MaxName || len(v) == 0 {
			return
		}
		k, err := NewKey("p", text)
		if err != nil {
			t.Fatal(err)
		}
		c := sample()
		d := c.draft()
		d.Put(name, v)
		data, err := c.Encode(d, k)
		if err != nil {
			t.Fatal(err)
		}
		back, err := Parse(data)
		if err == nil {
			err = back.Open(k)
		}
		if got, _ := back.Values.Get(name); err != nil || !bytes.Equal(got, v) || !bytes.Equal(back.Values, c.Values) {
			t.Fatalf("read %q, %v", got, err)
		}
		if mask == 0 {
			return
		}
		head := len(c.mustEncode(t)) - len(c.Values)
		i := head + int(at)%(len(data)-head)
		data[i] ^= mask
		x, err := Parse(data)
		if err == nil && x.Closed() {
			err = x.Open(k)
		}
		if err == nil {
			t.Errorf("altered at %d by %#x, it is read as %q", i, mask, x.Values)
		}
	})
}
