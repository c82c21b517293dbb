package record

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/sha256"
	"errors"
	"fmt"

	"github.com/gosojourn/sojourn/internal/token"
)

// schemeOne is AES-256-GCM under a key of the token's. The byte is 0, with which no values begin: neither kind
// is ever taken for the other when a flag has been damaged.
const (
	schemeOne    = 0
	keyLen       = 32
	labelAtRest  = "sojourn at rest 1\x00"
	encryptedLen = 1 + 12 + 16 // scheme, nonce, tag
)

var (
	// ErrAltered means that encrypted values do not open under their session's token: somebody or something
	// has changed them since they were written.
	ErrAltered = errors.New("the session's encrypted values have been altered or damaged since they were written")

	errNotOpened = errors.New("the session's values are encrypted, and this was not given the key")
)

// A Key encrypts the values of one session under one of its tokens. Nobody who knows only what a store keeps
// can make one: that is a hash of the token, and the key comes from its secret.
type Key struct {
	aead cipher.AEAD
	ad   []byte
}

// NewKey derives the key of a well-formed token by HKDF with SHA-256 (RFC 5869). The id and the purpose are
// authenticated with each ciphertext. Nonces are drawn at random, so a key is good for 2^32 writes (NIST SP
// 800-38D, 8.3), more than one token lives to see.
func NewKey(purpose, text string) (*Key, error) {
	key, err := hkdf.Key(sha256.New, []byte(text[token.IDLen:]), nil, labelAtRest, keyLen)
	if err != nil {
		return nil, err
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, err
	}
	k := new(Key)
	if k.aead, err = cipher.NewGCMWithRandomNonce(block); err != nil {
		return nil, err
	}
	k.ad = append(append(append(k.ad, labelAtRest...), token.ID(text)...), purpose...)
	return k, nil
}

// Closed reports whether c has values that have to be opened before they are known.
func (c *Content) Closed() bool { return c.closed != nil }

// Open decrypts the values of c. ErrAltered: they are not what was written; c is as it was.
func (c *Content) Open(k *Key) error {
	plain, err := k.aead.Open(nil, nil, c.closed, k.ad)
	if err != nil {
		return ErrAltered
	}
	c.Values, c.closed = plain, nil
	return c.Values.Check()
}

// encrypted takes the scheme, and what it says of the values.
func (r *reader) encrypted() ([]byte, error) {
	if len(r.rest) > 0 && r.rest[0] != schemeOne {
		return nil, fmt.Errorf("%w (encryption %d)", ErrUnknownFormat, r.rest[0])
	}
	if r.bad || len(r.rest) <= encryptedLen {
		return nil, errDamaged
	}
	return r.rest[1:], nil
}

// close appends values in encryption.
func (k *Key) close(dst, values []byte) []byte {
	return k.aead.Seal(append(dst, schemeOne), nil, values, k.ad)
}
