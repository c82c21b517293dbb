package dbsc

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"math/big"
	"math/bits"
)

// An algorithm signs proofs. The numbers are in records and never change.
type algorithm byte

const (
	es256 algorithm = 1 // ECDSA, P-256, SHA-256; the signature is r and s of 32 bytes each (RFC 7518, 3.4)
	rs256 algorithm = 2 // RSASSA-PKCS1-v1_5, SHA-256 (RFC 7518, 3.3)
)

func algorithmOf(name string) (a algorithm, ok bool) {
	switch name {
	case "ES256":
		return es256, true
	case "RS256":
		return rs256, true
	}
	return 0, false
}

const (
	coordinateLen = 32
	minModulus    = 2048 // bits
	maxModulus    = 4096
	minExponent   = 1<<16 + 1 // FIPS 186-5, A.1.1: above 2^16
	maxExponent   = 1<<31 - 1 // what every RSA library takes
)

// A publicKey verifies the proofs of one device. Its bytes are x and y of 32 bytes each, or an exponent of 4 bytes
// and the modulus.
type publicKey struct {
	alg   algorithm
	bytes []byte
}

var errKey = errors.New("the key is none of ES256 (P-256) or RS256 (2,048 to 4,096 bits)")

// keyOf reads a JWK (RFC 7517, RFC 7518 6.2 and 6.3), which has to be one for alg.
func keyOf(jwk map[string]any, alg algorithm) (k publicKey, err error) {
	if _, private := jwk["d"]; private {
		return k, errKey
	}
	if named, there := jwk["alg"]; there {
		if a, ok := algorithmOf(orEmpty(named)); !ok || a != alg {
			return k, errKey
		}
	}
	switch kty, _ := text(jwk, "kty"); {
	case alg == es256 && kty == "EC":
		k, err = ecKeyOf(jwk)
	case alg == rs256 && kty == "RSA":
		k, err = rsaKeyOf(jwk)
	default:
		err = errKey
	}
	if err == nil {
		_, err = k.open()
	}
	return k, err
}

func orEmpty(v any) string {
	s, _ := v.(string)
	return s
}

func ecKeyOf(jwk map[string]any) (k publicKey, err error) {
	if crv, _ := text(jwk, "crv"); crv != "P-256" {
		return k, errKey
	}
	k.alg = es256
	for _, name := range []string{"x", "y"} {
		s, _ := text(jwk, name)
		b, err := base64url(s)
		if err != nil || len(b) != coordinateLen {
			return k, errKey
		}
		k.bytes = append(k.bytes, b...)
	}
	return k, nil
}

func rsaKeyOf(jwk map[string]any) (k publicKey, err error) {
	ns, _ := text(jwk, "n")
	es, _ := text(jwk, "e")
	n, err := base64url(ns)
	if err != nil || len(n) == 0 || n[0] == 0 || len(n) > maxModulus/8 {
		return k, errKey
	}
	e, err := base64url(es)
	if err != nil || len(e) == 0 || e[0] == 0 || len(e) > 4 {
		return k, errKey
	}
	k.alg, k.bytes = rs256, make([]byte, 4, 4+len(n))
	copy(k.bytes[4-len(e):], e)
	k.bytes = append(k.bytes, n...)
	return k, nil
}

// open makes k one that the standard library verifies with, and refuses what is none.
func (k publicKey) open() (crypto.PublicKey, error) {
	switch k.alg {
	case es256:
		if len(k.bytes) != 2*coordinateLen {
			return nil, errKey
		}
		pub, err := ecdsa.ParseUncompressedPublicKey(elliptic.P256(), append([]byte{4}, k.bytes...))
		if err != nil { // not on the curve
			return nil, errKey
		}
		return pub, nil
	case rs256:
		return k.openRSA()
	}
	return nil, errKey
}

func (k publicKey) openRSA() (*rsa.PublicKey, error) {
	if len(k.bytes) < 4+minModulus/8 || len(k.bytes) > 4+maxModulus/8 {
		return nil, errKey
	}
	e, n := binary.BigEndian.Uint32(k.bytes), k.bytes[4:]
	size := (len(n)-1)*8 + bits.Len8(n[0])
	if e < minExponent || e > maxExponent || e%2 == 0 || size < minModulus || n[len(n)-1]%2 == 0 {
		return nil, errKey
	}
	return &rsa.PublicKey{N: new(big.Int).SetBytes(n), E: int(e)}, nil
}

// verify reports whether sig is k's of signed.
func (k publicKey) verify(signed, sig []byte) bool {
	pub, err := k.open()
	if err != nil {
		return false
	}
	sum := sha256.Sum256(signed)
	switch pub := pub.(type) {
	case *ecdsa.PublicKey:
		if len(sig) != 2*coordinateLen {
			return false
		}
		r, s := new(big.Int).SetBytes(sig[:coordinateLen]), new(big.Int).SetBytes(sig[coordinateLen:])
		return ecdsa.Verify(pub, sum[:], r, s) // refuses 0, and what is not below the order
	case *rsa.PublicKey:
		return rsa.VerifyPKCS1v15(pub, crypto.SHA256, sum[:], sig) == nil
	}
	return false
}

// thumb names the registration in the browser's session identifier, so that a later login has another.
func (k publicKey) thumb() string {
	sum := sha256.Sum256(append([]byte{byte(k.alg)}, k.bytes...))
	return encode(sum[:thumbBytes])
}
