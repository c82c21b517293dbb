package token

import (
	"crypto/sha256"
	"crypto/subtle"
)

// A Hash is SHA-256 of label ‖ token ‖ purpose: what a record knows of its token. The purpose is
// bound in, so that a token of another purpose is simply unknown.
type Hash [sha256.Size]byte

// A Mark is the first half of a Hash: what a record remembers of a token that it superseded.
type Mark [16]byte

const label = "sojourn token 1\x00"

// Sum hashes a well-formed token. Its fixed length is what keeps token and purpose apart. Nothing is
// allocated for a purpose of up to 176 bytes.
func Sum(purpose, token string) Hash {
	var buf [256]byte
	b := append(buf[:0], label...)
	b = append(b, token...)
	b = append(b, purpose...)
	return sha256.Sum256(b)
}

// Mark names the hash in a list of superseded ones; 128 bits are enough to tell tokens apart that
// nobody can choose.
func (h Hash) Mark() Mark { return Mark(h[:len(Mark{})]) }

// Equal takes the same time wherever the two differ.
func (h Hash) Equal(o Hash) bool { return subtle.ConstantTimeCompare(h[:], o[:]) == 1 }
