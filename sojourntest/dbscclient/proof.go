package dbscclient

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"strings"
)

// NewKey makes a key for "ES256" or "RS256".
func NewKey(alg string) (crypto.Signer, error) {
	switch alg {
	case "ES256":
		return ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	case "RS256":
		return rsa.GenerateKey(rand.Reader, 2048)
	}
	return nil, fmt.Errorf("dbscclient: there is no algorithm %q", alg)
}

// JWK is the public half of key, as a registration shows it.
func JWK(key crypto.Signer) (map[string]any, error) {
	switch k := key.Public().(type) {
	case *ecdsa.PublicKey:
		point, err := k.Bytes()
		if err != nil {
			return nil, fmt.Errorf("dbscclient: %w", err)
		}
		return map[string]any{"kty": "EC", "crv": "P-256", "x": encode(point[1:33]), "y": encode(point[33:])}, nil
	case *rsa.PublicKey:
		e := binary.BigEndian.AppendUint32(nil, uint32(k.E))
		for len(e) > 1 && e[0] == 0 {
			e = e[1:]
		}
		return map[string]any{"kty": "RSA", "n": encode(k.N.Bytes()), "e": encode(e)}, nil
	}
	return nil, fmt.Errorf("dbscclient: no key of ours: %T", key)
}

// Sign makes a proof: a JWS in compact form. header and claims are JSON, or values to be made JSON.
func Sign(key crypto.Signer, header, claims any) (string, error) {
	var parts []string
	for _, v := range []any{header, claims} {
		text, ok := v.(string)
		if !ok {
			b, err := json.Marshal(v)
			if err != nil {
				return "", fmt.Errorf("dbscclient: %w", err)
			}
			text = string(b)
		}
		parts = append(parts, encode([]byte(text)))
	}
	signed := strings.Join(parts, ".")
	sum := sha256.Sum256([]byte(signed))
	if k, ok := key.(*ecdsa.PrivateKey); ok {
		r, s, err := ecdsa.Sign(rand.Reader, k, sum[:])
		if err != nil {
			return "", fmt.Errorf("dbscclient: %w", err)
		}
		var sig [64]byte
		r.FillBytes(sig[:32])
		s.FillBytes(sig[32:])
		return signed + "." + encode(sig[:]), nil
	}
	sig, err := key.Sign(rand.Reader, sum[:], crypto.SHA256)
	if err != nil {
		return "", fmt.Errorf("dbscclient: %w", err)
	}
	return signed + "." + encode(sig), nil
}

// algorithmOf names what key signs with.
func algorithmOf(key crypto.Signer) string {
	if _, ok := key.(*rsa.PrivateKey); ok {
		return "RS256"
	}
	return "ES256"
}

func encode(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }
