package sealed

import (
	"bytes"
	"encoding/hex"
	"testing"
)

// The vectors of the specification (C2SP XAES-256-GCM, "Test vectors").
func TestXAES(t *testing.T) {
	for _, v := range []struct {
		key     byte
		aad, ct string
	}{
		{0x01, "", "ce546ef63c9cc60765923609b33a9a1974e96e52daf2fcf7075e2271"},
		{0x03, "c2sp.org/XAES-256-GCM", "986ec1832593df5443a179437fd083bf3fdb41abd740a21f71eb769d"},
	} {
		m, err := newMaster(bytes.Repeat([]byte{v.key}, keyLen))
		if err != nil {
			t.Fatal(err)
		}
		nonce := []byte("ABCDEFGHIJKLMNOPQRSTUVWX")
		aead, err := m.aead(nonce)
		if err != nil {
			t.Fatal(err)
		}
		if got := hex.EncodeToString(aead.Seal(nil, nonce[half:], []byte("XAES-256-GCM"), []byte(v.aad))); got != v.ct {
			t.Errorf("key %#x: %s, want %s", v.key, got, v.ct)
		}
	}
}
