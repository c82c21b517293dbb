package sojourn

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	mrand "math/rand/v2"
)

// A token is base64url(id 18 ‖ secret 30), a secret is family 14 ‖ generation 2 ‖ key 14. Both parts
// are whole groups of three bytes, so the id is the token's first 24 characters as they stand.
const (
	idLen      = 24
	idBytes    = 18
	secretLen  = 40
	tokenLen   = idLen + secretLen
	familyLen  = 14
	secretSize = 30
)

var b64 = base64.RawURLEncoding

// wellFormed is the door: nothing else about a token is looked at before it has passed.
func wellFormed(t string) bool {
	return len(t) == tokenLen && b64url(t)
}

func b64url(t string) bool {
	for i := range len(t) {
		if c := t[i]; (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && (c < '0' || c > '9') && c != '-' && c != '_' {
			return false
		}
	}
	return true
}

func newID() string {
	var raw [idBytes]byte
	rand.Read(raw[:])
	return b64.EncodeToString(raw[:])
}

// mint draws the first token of a new family for session id.
func mint(id string) string {
	var secret [secretSize]byte
	rand.Read(secret[:])
	secret[familyLen], secret[familyLen+1] = 0, 0
	var text [tokenLen]byte
	copy(text[:], id)
	b64.Encode(text[idLen:], secret[:])
	return string(text[:])
}

func newVersion() uint64 {
	for {
		if v := mrand.Uint64() & (1<<48 - 1); v != 0 {
			return v
		}
	}
}

type (
	tokenHash  [sha256.Size]byte
	familyHash [16]byte
)

// hashToken binds the purpose too, so that a token of another purpose is simply unknown.
func hashToken(purpose, token string) tokenHash {
	var buf [256]byte
	b := append(buf[:0], "sojourn token 1\x00"...)
	b = append(b, token...)
	b = append(b, purpose...)
	return sha256.Sum256(b)
}

// hashFamily names the family of a well-formed token. Half of SHA-256 is more than the 112 bits it names.
func hashFamily(token string) familyHash {
	var text [secretLen]byte
	var secret [secretSize]byte
	copy(text[:], token[idLen:])
	if _, err := b64.Decode(secret[:], text[:]); err != nil {
		panic("sojourn: hashFamily of a malformed token")
	}
	var buf [64]byte
	b := append(buf[:0], "sojourn family 1\x00"...)
	b = append(b, token[:idLen]...)
	b = append(b, secret[:familyLen]...)
	sum := sha256.Sum256(b)
	return familyHash(sum[:16])
}
