package token_test

import (
	"encoding/base64"
	"encoding/hex"
	"strings"
	"testing"

	"github.com/gosojourn/sojourn/internal/token"
)

var sample = strings.Repeat("Ab3_", 16)

func TestWellFormed(t *testing.T) {
	for text, want := range map[string]bool{
		sample:                          true,
		strings.Repeat("-", 64):         true,
		"":                              false,
		sample[1:]:                      false,
		sample + "A":                    false,
		sample[:63] + "=":               false,
		sample[:63] + "\n":              false,
		sample[:63] + "+":               false,
		sample[:63] + "/":               false,
		sample[:62] + "é":               false,
		sample[:63] + "\x00":            false,
		sample[:31] + "." + sample[32:]: false,
	} {
		if token.WellFormed(text) != want {
			t.Errorf("WellFormed(%q) is %v", text, !want)
		}
	}
	if !token.WellFormedID(sample[:24]) || token.WellFormedID(sample[:23]) || token.WellFormedID(sample) || token.WellFormedID(sample[:23]+"*") {
		t.Error("an id is 24 characters of base64url")
	}
}

func TestMintKeepsTheIDAndDrawsTheSecret(t *testing.T) {
	id := token.NewID()
	if !token.WellFormedID(id) || id == token.NewID() {
		t.Fatalf("NewID drew %q", id)
	}
	one, two := token.Mint(id), token.Mint(id)
	if !token.WellFormed(one) || token.ID(one) != id || token.ID(two) != id {
		t.Errorf("minted %q and %q for %q", one, two, id)
	}
	if one[token.IDLen:] == two[token.IDLen:] {
		t.Error("one secret was drawn twice")
	}
	defer func() {
		if recover() == nil {
			t.Error("Mint took an id of another length")
		}
	}()
	token.Mint("short")
}

func TestVersionsHave48BitsAndAreNeverZero(t *testing.T) {
	var all uint64
	for range 2000 {
		v := token.NewVersion()
		if v == 0 || v >= 1<<48 {
			t.Fatalf("version %#x", v)
		}
		all |= v
	}
	if all != 1<<48-1 {
		t.Errorf("bits never drawn: %#x", ^all&(1<<48-1))
	}
}

// The hash is part of every record: a change here logs everybody out.
func TestHashIsStable(t *testing.T) {
	h := token.Sum("__Host-id", sample)
	if got := hex.EncodeToString(h[:4]); got != "07160c7c" {
		t.Errorf("the hash begins %s", got)
	}
	if m := h.Mark(); string(m[:]) != string(h[:16]) {
		t.Errorf("mark %x of %x", m, h)
	}
	if !h.Equal(token.Sum("__Host-id", sample)) {
		t.Error("not equal to itself")
	}
	for what, other := range map[string]token.Hash{
		"purpose":                        token.Sum("other", sample),
		"case of the id":                 token.Sum("__Host-id", "a"+sample[1:]),
		"last character":                 token.Sum("__Host-id", sample[:63]+"A"),
		"long purpose":                   token.Sum(strings.Repeat("p", 300), sample),
		"long purpose's last characters": token.Sum(strings.Repeat("p", 299)+"q", sample),
	} {
		if h.Equal(other) || h.Mark() == other.Mark() {
			t.Errorf("the %s is not in the hash", what)
		}
	}
}

func TestHashingAllocatesNothing(t *testing.T) {
	purpose := strings.Repeat("p", 128)
	h := token.Sum(purpose, sample)
	if n := testing.AllocsPerRun(100, func() {
		if !token.WellFormed(sample) || !token.Sum(purpose, sample).Equal(h) || token.ID(sample) == "" {
			t.Error("not the same")
		}
	}); n != 0 {
		t.Errorf("%v objects", n)
	}
}

// What passes the door decodes to 48 bytes and to nothing else, and those encode to it again.
func FuzzWellFormed(f *testing.F) {
	for _, seed := range []string{"", sample, sample[:24], sample[:63] + "=", sample[:62] + "\r\n", strings.Repeat("_", 64)} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		raw, err := base64.RawURLEncoding.DecodeString(text)
		want := err == nil && len(raw) == 48 && base64.RawURLEncoding.EncodeToString(raw) == text
		if got := token.WellFormed(text); got != want {
			t.Errorf("WellFormed(%q) is %v", text, got)
		}
		if token.WellFormed(text) && !token.WellFormedID(token.ID(text)) {
			t.Errorf("%q has no well-formed id", text)
		}
	})
}
