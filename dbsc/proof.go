package dbsc

import (
	"encoding/base64"
	"errors"
	"strings"
)

// maxProof is how long a proof may be. One with an RSA key of 4,096 bits has 1,700 bytes.
const maxProof = 4096

// A proof is what a browser signs: a JWS in compact form (RFC 7515, 7.1).
type proof struct {
	alg           algorithm
	key           publicKey // of a registration; the zero value of a refresh
	jti           string    // the challenge
	authorization string
	aud           string
	signed        []byte
	sig           []byte
}

var (
	errProof     = errors.New("it is no proof as browsers make them")
	errSignature = errors.New("the signature is not the key's")
)

// parseProof reads a proof, and verifies nothing but its form.
func parseProof(jws string, registers bool) (p proof, err error) {
	if len(jws) > maxProof {
		return p, errProof
	}
	parts := strings.Split(jws, ".")
	if len(parts) != 3 {
		return p, errProof
	}
	var raw [3][]byte
	for i, part := range parts {
		if raw[i], err = base64url(part); err != nil {
			return p, errProof
		}
	}
	header, err := object(raw[0])
	if err != nil {
		return p, errProof
	}
	claims, err := object(raw[1])
	if err != nil {
		return p, errProof
	}
	p.signed, p.sig = []byte(parts[0]+"."+parts[1]), raw[2]
	if err := p.readHeader(header, registers); err != nil {
		return p, err
	}
	return p, p.readClaims(claims, registers)
}

func (p *proof) readHeader(header map[string]any, registers bool) error {
	if typ, _ := text(header, "typ"); typ != "dbsc+jwt" {
		return errProof
	}
	if _, there := header["crit"]; there { // RFC 7515, 4.1.11: refuse what is critical and not understood
		return errProof
	}
	name, _ := text(header, "alg")
	alg, ok := algorithmOf(name)
	if !ok {
		return errProof
	}
	p.alg = alg
	jwk, there := header["jwk"]
	if !registers {
		if there {
			return errProof // the key is the one that we have
		}
		return nil
	}
	fields, ok := jwk.(map[string]any)
	if !ok {
		return errProof
	}
	var err error
	p.key, err = keyOf(fields, alg)
	return err
}

func (p *proof) readClaims(claims map[string]any, registers bool) error {
	var ok bool
	if p.jti, ok = text(claims, "jti"); !ok || p.jti == "" {
		return errProof
	}
	if p.authorization, ok = text(claims, "authorization"); registers && (!ok || p.authorization == "") {
		return errProof
	}
	if v, there := claims["aud"]; there {
		if p.aud, ok = v.(string); !ok || p.aud == "" {
			return errProof
		}
	}
	return nil
}

// signedBy reports whether k has made the proof, with its own algorithm.
func (p *proof) signedBy(k publicKey) bool { return p.alg == k.alg && k.verify(p.signed, p.sig) }

// base64url reads the one form that RFC 7515, 2, has of some bytes: no padding, no line breaks, no bits left over.
func base64url(s string) ([]byte, error) {
	for i := range len(s) {
		if s[i] <= ' ' {
			return nil, errProof // encoding/base64 steps over line breaks
		}
	}
	return base64.RawURLEncoding.Strict().DecodeString(s)
}

func encode(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }
