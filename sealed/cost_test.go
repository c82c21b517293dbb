package sealed

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"testing"
)

// The message, its nonce, its key, and what crypto/aes and crypto/cipher make of that; the message that is
// opened lies where the caller wants it, and what is bound to it beside.
func TestAllocations(t *testing.T) {
	r, plain, ad := newRing(t, Options{}), make([]byte, 100), []byte("sojourn session 1\x00__Host-Http-id\x00")
	text := mustSeal(t, r, plain, ad)
	dst := make([]byte, 0, 4096)
	for what, c := range map[string]struct {
		most float64
		do   func() error
	}{
		"Seal": {5, func() error { _, err := r.Seal(dst, plain, ad); return err }},
		"Open": {4, func() error { _, _, err := r.Open(dst, text, ad); return err }},
	} {
		if n := testing.AllocsPerRun(100, func() {
			if err := c.do(); err != nil {
				t.Error(err)
			}
		}); n > c.most {
			t.Errorf("%s: %v allocations, at most %v", what, n, c.most)
		}
	}
}

// The floor: AES-256-GCM under a key that HKDF derives, and base64; nothing more.
func floorAEAD(b *testing.B, master, salt []byte) cipher.AEAD {
	key, err := hkdf.Key(sha256.New, master, salt, "session", keyLen)
	if err != nil {
		b.Fatal(err)
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		b.Fatal(err)
	}
	aead, err := cipher.NewGCM(block)
	if err != nil {
		b.Fatal(err)
	}
	return aead
}

func BenchmarkSeal(b *testing.B) {
	master, plain, ad, dst := make([]byte, keyLen), make([]byte, 100), []byte("ad"), make([]byte, 0, 1000)
	r := newRing(b, Options{})
	b.Run("floor", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			all := make([]byte, nonceLen, 200)
			rand.Read(all)
			all = floorAEAD(b, master, all[:half]).Seal(all, all[half:nonceLen], plain, ad)
			b64.AppendEncode(dst, all)
		}
	})
	b.Run("sealed", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, err := r.Seal(dst, plain, ad); err != nil {
				b.Fatal(err)
			}
		}
	})
}

func BenchmarkOpen(b *testing.B) {
	master, plain, ad, dst := make([]byte, keyLen), make([]byte, 100), []byte("ad"), make([]byte, 0, 1000)
	r := newRing(b, Options{})
	text := mustSeal(b, r, plain, ad)
	b.Run("floor", func(b *testing.B) {
		all := make([]byte, nonceLen)
		bare := b64.AppendEncode(nil, floorAEAD(b, master, all[:half]).Seal(all, all[half:nonceLen], plain, ad))
		b.ReportAllocs()
		for b.Loop() {
			all, err := b64.AppendDecode(dst, bare)
			if err != nil {
				b.Fatal(err)
			}
			if _, err = floorAEAD(b, master, all[:half]).Open(all[nonceLen:nonceLen], all[half:nonceLen], all[nonceLen:], ad); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("sealed", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, _, err := r.Open(dst, text, ad); err != nil {
				b.Fatal(err)
			}
		}
	})
}
