package sealed

import (
	"crypto/rand"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"strings"
	"testing"
)

func TestGeneratedKeysWork(t *testing.T) {
	seen := make(map[string]bool)
	for range 2000 {
		k := GenerateKey()
		if _, err := New([]string{k}, Options{}); err != nil || len(k) != 43 || seen[k] {
			t.Fatalf("length %d, twice: %v, %v", len(k), seen[k], err)
		}
		seen[k] = true
	}
}

// What openssl rand -base64 32 and openssl rand -hex 32 print will do.
func TestKeysAsToolsPrintThem(t *testing.T) {
	raw := make([]byte, keyLen)
	for {
		rand.Read(raw)
		if _, err := parseKey(base64.StdEncoding.EncodeToString(raw)); err == nil {
			break
		}
	}
	var id [idLen]byte
	for i, text := range []string{
		base64.StdEncoding.EncodeToString(raw), base64.URLEncoding.EncodeToString(raw),
		base64.RawStdEncoding.EncodeToString(raw), base64.RawURLEncoding.EncodeToString(raw) + "\n",
		hex.EncodeToString(raw), strings.ToUpper(hex.EncodeToString(raw)),
	} {
		r, err := New([]string{text}, Options{})
		if err != nil {
			t.Fatalf("form %d: %v", i, err)
		}
		if i == 0 {
			id = r.keys[0].id
		}
		if r.keys[0].id != id {
			t.Errorf("form %d is another key", i)
		}
	}
}

// Keys are checked when the ring is made; every mistake is told at once, and no key is.
func TestBadKeys(t *testing.T) {
	good := GenerateKey()
	b := func(raw string) string { return base64.RawURLEncoding.EncodeToString([]byte(raw)) }
	sequence := make([]byte, keyLen)
	for i := range sequence {
		sequence[i] = byte(7 + 3*i)
	}
	for _, c := range []struct{ name, key, says string }{
		{"empty", "", "32 bytes"},
		{"short", good[:42], "32 bytes"},
		{"long", good + "AA", "32 bytes"},
		{"no base64", strings.Repeat("é", 22), "32 bytes"},
		{"loose bits at the end", good[:42] + "B", "32 bytes"},
		{"zeros", b(strings.Repeat("\x00", keyLen)), "one byte again and again"},
		{"one byte", b(strings.Repeat("x", keyLen)), "one byte again and again"},
		{"a sequence", b(string(sequence)), "sequence"},
		{"a pattern", b(strings.Repeat("\x10\xfe\x7f", 11)[:keyLen]), "repeats itself"},
		{"in hexadecimal too", strings.Repeat("deadbeef", 8), "repeats itself"},
		{"text", b("correct horse battery staple, 32"), "text"},
		{"words as they stand", "ThisIsMyVerySecretKeyForTheApplication01234", "words"},
		{"words without capitals", "keep-this-one-to-yourself-and-nobody-else00", "words"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := New([]string{good, c.key}, Options{})
			if err == nil {
				t.Fatal("was accepted")
			}
			if s := err.Error(); !strings.Contains(s, c.says) || !strings.Contains(s, "keys[1]") || !strings.Contains(s, "GenerateKey") {
				t.Errorf("%q does not say which key, what is wrong (%q) and what to do", s, c.says)
			}
			if c.key != "" && strings.Contains(err.Error(), c.key) {
				t.Error("the error tells the key")
			}
		})
	}
	for name, keys := range map[string][]string{"none": nil, "the same twice": {good, GenerateKey(), good}, "the same in another form": {good, good + "="}} {
		if _, err := New(keys, Options{}); err == nil {
			t.Errorf("%s: was accepted", name)
		}
	}
	_, err := New([]string{"", good, "x", good}, Options{Pad: -1})
	for _, part := range []string{"keys[0]", "keys[2]", "keys[3] is the same as keys[1]", "Options.Pad (-1)"} {
		if err == nil || !strings.Contains(err.Error(), part) {
			t.Errorf("%v does not mention %s", err, part)
		}
	}
}

func TestPrintingShowsNoKey(t *testing.T) {
	text := GenerateKey()
	r, err := New([]string{text}, Options{})
	if err != nil {
		t.Fatal(err)
	}
	raw, _ := parseKey(text)
	decimals := strings.Trim(fmt.Sprint(raw), "[]")
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%d", "%x", "%q"} {
		for _, v := range []any{r, struct{ R *Ring }{r}, []*Ring{r}, map[string]any{"r": r}, *r, &r, r.keys, r.keys[0]} {
			s := fmt.Sprintf(verb, v)
			for _, leak := range []string{text, decimals, hex.EncodeToString(raw), decimals[:20]} {
				if strings.Contains(s, leak) {
					t.Errorf("%s of %T shows the key", verb, v)
				}
			}
		}
	}
}
