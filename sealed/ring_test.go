package sealed

import (
	"bytes"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/gosojourn/sojourn"
)

func newRing(t testing.TB, o Options, keys ...string) *Ring {
	t.Helper()
	if keys == nil {
		keys = []string{GenerateKey()}
	}
	r, err := New(keys, o)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func mustSeal(t testing.TB, r *Ring, plain, ad []byte) []byte {
	t.Helper()
	text, err := r.Seal(nil, plain, ad)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

var everyOption = []Options{{}, {Compress: true}, {Pad: 64}, {Pad: 1}, {Compress: true, Pad: 256}}

func TestOpensWhatItSealed(t *testing.T) {
	k := GenerateKey()
	for _, o := range everyOption {
		for _, n := range []int{0, 1, 15, 16, 17, 100, 4000, maxPlain} {
			random := make([]byte, n)
			rand.Read(random)
			for _, plain := range [][]byte{random, bytes.Repeat([]byte("\x80\x00"), n/2), make([]byte, n)} {
				text := mustSeal(t, newRing(t, o, k), plain, []byte("ad"))
				// Any ring with the key opens it.
				got, stale, err := newRing(t, Options{}, k).Open([]byte("before "), text, []byte("ad"))
				if err != nil || stale || string(got) != "before "+string(plain) {
					t.Errorf("%+v, %d bytes: %d came back, stale %v, %v", o, n, len(got), stale, err)
				}
				if strings.Trim(string(text), "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_") != "" {
					t.Fatalf("%+v: not base64url", o)
				}
			}
		}
	}
	if _, err := newRing(t, Options{}).Seal(nil, make([]byte, maxPlain+1), nil); !errors.Is(err, sojourn.ErrTooLarge) {
		t.Errorf("too long: %v, want ErrTooLarge", err)
	}
}

func TestOneTextIsNeverSealedTheSameTwice(t *testing.T) {
	r, seen := newRing(t, Options{}), make(map[string]bool)
	for range 1000 {
		text := string(mustSeal(t, r, []byte("x"), nil))
		nonce := text[nonceAt*4/3+1:][:nonceLen]
		if seen[text] || seen[nonce] {
			t.Fatal("the same again")
		}
		seen[text], seen[nonce] = true, true
	}
}

func TestRotation(t *testing.T) {
	a, b := GenerateKey(), GenerateKey()
	old, both, only := newRing(t, Options{}, a), newRing(t, Options{}, b, a), newRing(t, Options{}, b)
	text := mustSeal(t, old, []byte("bob"), nil)
	if plain, stale, err := both.Open(nil, text, nil); err != nil || !stale || string(plain) != "bob" {
		t.Errorf("the old key's, under both: %q, stale %v, %v", plain, stale, err)
	}
	again := mustSeal(t, both, []byte("bob"), nil)
	for _, r := range []*Ring{both, only} {
		if plain, stale, err := r.Open(nil, again, nil); err != nil || stale || string(plain) != "bob" {
			t.Errorf("the new key's: %q, stale %v, %v", plain, stale, err)
		}
	}
	for _, r := range []*Ring{only, newRing(t, Options{})} {
		if _, _, err := r.Open(nil, text, nil); err == nil || errors.Is(err, errors.ErrUnsupported) {
			t.Errorf("a key that is not in the ring: %v, want an error that says it is not ours", err)
		}
	}
}

// Every other text of the same length that differs in one bit, every part, every extension.
func TestAlteredIsRefused(t *testing.T) {
	for _, o := range everyOption {
		r, ad := newRing(t, o), []byte("purpose")
		text := mustSeal(t, r, []byte("owner=bob admin=false"), ad)
		refused := func(what string, text, ad []byte) {
			t.Helper()
			if plain, _, err := r.Open(nil, text, ad); err == nil || len(plain) > 0 {
				t.Fatalf("%+v: %s was opened", o, what)
			}
		}
		bytesOf, err := base64.RawURLEncoding.DecodeString(string(text))
		if err != nil {
			t.Fatal(err)
		}
		for i := range bytesOf {
			for bit := range 8 {
				b := bytes.Clone(bytesOf)
				b[i] ^= 1 << bit
				refused(fmt.Sprintf("bit %d of byte %d", bit, i), []byte(base64.RawURLEncoding.EncodeToString(b)), ad)
			}
			refused(fmt.Sprintf("the first %d bytes", i), []byte(base64.RawURLEncoding.EncodeToString(bytesOf[:i])), ad)
			refused(fmt.Sprintf("without the first %d bytes", i+1), []byte(base64.RawURLEncoding.EncodeToString(bytesOf[i+1:])), ad)
		}
		for i := range text {
			for c := range 256 {
				if byte(c) != text[i] {
					b := bytes.Clone(text)
					b[i] = byte(c)
					refused(fmt.Sprintf("character %d changed to %q", i, byte(c)), b, ad)
				}
			}
			for _, c := range []string{"\n", "\r", "=", " ", "A", "\x00"} {
				refused(fmt.Sprintf("%q before character %d", c, i), []byte(string(text[:i])+c+string(text[i:])), ad)
			}
		}
		for _, c := range []string{"\n", "\r", "=", "==", " ", "A", "AA", "AAA", "AAAA"} {
			refused(fmt.Sprintf("%q after the end", c), append(bytes.Clone(text), c...), ad)
		}
		for _, other := range []string{"", "purpos", "purpose ", "Purpose", "purposf"} {
			refused("another ad", text, []byte(other))
		}
	}
}

// What a newer version seals is told from what is not ours, so that nobody is logged out by an upgrade
// of some machines.
func TestNewerIsNotForeign(t *testing.T) {
	r := newRing(t, Options{})
	text := mustSeal(t, r, []byte("x"), nil)
	b, _ := base64.RawURLEncoding.DecodeString(string(text))
	b[0] = formatOne + 1
	if _, _, err := r.Open(nil, []byte(base64.RawURLEncoding.EncodeToString(b)), nil); !errors.Is(err, errors.ErrUnsupported) {
		t.Errorf("another format: %v, want ErrUnsupported", err)
	}
	if _, err := appendPlain(nil, []byte{1 << 5, 'x'}); !errors.Is(err, errors.ErrUnsupported) {
		t.Errorf("an unknown flag: %v, want ErrUnsupported", err)
	}
}

func TestPaddingHidesLengths(t *testing.T) {
	r, lengths := newRing(t, Options{Pad: 128}), make(map[int]bool)
	for n := range 126 {
		lengths[len(mustSeal(t, r, make([]byte, n), nil))] = true
	}
	if len(lengths) != 1 {
		t.Errorf("0 to 125 bytes have %d lengths, want 1", len(lengths))
	}
}

func TestCompression(t *testing.T) {
	k := GenerateKey()
	plain := bytes.Repeat([]byte("the same again and again, "), 100)
	long, short := mustSeal(t, newRing(t, Options{}, k), plain, nil), mustSeal(t, newRing(t, Options{Compress: true}, k), plain, nil)
	if len(short)*5 > len(long) {
		t.Errorf("%d characters, %d compressed", len(long), len(short))
	}
	random := make([]byte, 1000)
	rand.Read(random)
	if a, b := len(mustSeal(t, newRing(t, Options{Compress: true}, k), random, nil)), len(mustSeal(t, newRing(t, Options{}, k), random, nil)); a != b {
		t.Errorf("what does not compress takes %d characters instead of %d", a, b)
	}
}

// What is inside is ours, but a bomb is none the less refused, and so is what follows it.
func TestBodiesAreBounded(t *testing.T) {
	bomb, _ := compress(make([]byte, maxPlain+1))
	fine, _ := compress(make([]byte, maxPlain))
	if _, err := appendPlain(nil, append([]byte{flagCompressed}, fine...)); err != nil {
		t.Errorf("the longest: %v", err)
	}
	for name, body := range map[string][]byte{
		"a bomb":            append([]byte{flagCompressed}, bomb...),
		"something after":   append(append([]byte{flagCompressed}, fine...), 0),
		"cut short":         append([]byte{flagCompressed}, fine[:len(fine)-1]...),
		"no flate":          {flagCompressed, 0xff, 0xff},
		"no end of padding": {flagPadded, 'x', 0, 0},
		"only zeros":        {flagPadded, 0, 0},
		"empty padding":     {flagPadded},
	} {
		if plain, err := appendPlain(nil, body); err == nil {
			t.Errorf("%s: %d bytes", name, len(plain))
		}
	}
}

func FuzzOpen(f *testing.F) {
	r := newRing(f, Options{})
	f.Add(mustSeal(f, r, []byte("plain"), []byte("ad")))
	f.Add([]byte(""))
	f.Fuzz(func(t *testing.T, text []byte) {
		if plain, _, err := r.Open(nil, text, []byte("another ad")); err == nil || plain != nil {
			t.Errorf("%q was opened", text)
		}
	})
}

func FuzzBody(f *testing.F) {
	for _, o := range everyOption {
		f.Add((&Ring{o: o}).appendBody(nil, bytes.Repeat([]byte("plain "), 20)), true, uint16(o.Pad))
	}
	f.Fuzz(func(t *testing.T, body []byte, packed bool, pad uint16) {
		if len(body) > 0 {
			if plain, err := appendPlain(nil, body); err != nil && len(plain) > 0 {
				t.Error("an error and an answer")
			}
		}
		r := &Ring{o: Options{Compress: packed, Pad: int(pad % (maxPad + 1))}}
		if got, err := appendPlain(nil, r.appendBody(nil, body)); err != nil || !bytes.Equal(got, body) {
			t.Errorf("%d bytes came back as %d, %v", len(body), len(got), err)
		}
	})
}
