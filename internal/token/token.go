// Package token mints and hashes what a client holds: base64url(id 18 bytes ‖ secret 30 bytes), 64
// characters. Both parts are whole groups of three bytes, so the id is the token's first 24 characters
// as they stand, and no two texts decode to the same bytes.
package token

import (
	"crypto/rand"
	"encoding/base64"
	mrand "math/rand/v2"
)

const (
	IDLen   = 24 // characters of an id
	Len     = 64 // characters of a token
	IDBytes = 18 // bytes that an id stands for

	SecretBytes = 30
)

// WellFormed is the door: nothing else about a token is looked at before it has passed.
func WellFormed(t string) bool { return len(t) == Len && Base64URL(t) }

// WellFormedID reports whether id can be the id of a session.
func WellFormedID(id string) bool { return len(id) == IDLen && Base64URL(id) }

// foreign is what is not of the base64url alphabet.
var foreign = func() (t [256]bool) {
	for c := range t {
		t[c] = true
	}
	for _, c := range []byte("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_") {
		t[c] = false
	}
	return t
}()

// Base64URL reports whether every byte of s is of the alphabet: no padding, no line breaks.
func Base64URL(s string) bool {
	for i := range len(s) {
		if foreign[s[i]] {
			return false
		}
	}
	return true
}

// NewID draws the id of a new session.
func NewID() string {
	var raw [IDBytes]byte
	rand.Read(raw[:])
	return base64.RawURLEncoding.EncodeToString(raw[:])
}

// Mint draws a new secret for the session id, which is well-formed.
func Mint(id string) string {
	if len(id) != IDLen {
		panic("token: Mint of an id that is not well-formed")
	}
	var secret [SecretBytes]byte
	rand.Read(secret[:])
	var text [Len]byte
	copy(text[:], id)
	base64.RawURLEncoding.Encode(text[IDLen:], secret[:])
	return string(text[:])
}

// ID is the public part of a well-formed token.
func ID(t string) string { return t[:IDLen] }

// NewVersion draws 48 random bits that are not all 0. Versions tell writes apart and protect nothing,
// so the fast generator will do.
func NewVersion() uint64 {
	for {
		if v := mrand.Uint64() & (1<<48 - 1); v != 0 {
			return v
		}
	}
}
