package dbsc

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/hmac"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"math/big"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/gosojourn/sojourn/sojourntest/dbscclient"
)

// made is a registration by key, with changes to its parts' JSON.
func made(t testing.TB, key crypto.Signer, header, claims func(string) string) string {
	t.Helper()
	jwk, err := dbscclient.JWK(key)
	if err != nil {
		t.Fatal(err)
	}
	h := `{"alg":"` + nameOf(key) + `","jwk":` + jsonOf(jwk) + `,"typ":"dbsc+jwt"}`
	c := `{"authorization":"a.b","jti":"C"}`
	if header != nil {
		h = header(h)
	}
	if claims != nil {
		c = claims(c)
	}
	jws, err := dbscclient.Sign(key, h, c)
	if err != nil {
		t.Fatal(err)
	}
	return jws
}

func nameOf(key crypto.Signer) string {
	if _, ok := key.(*rsa.PrivateKey); ok {
		return "RS256"
	}
	return "ES256"
}

func jsonOf(jwk map[string]any) string {
	var parts []string
	for _, name := range []string{"crv", "e", "kty", "n", "x", "y"} {
		if v, ok := jwk[name].(string); ok {
			parts = append(parts, `"`+name+`":"`+v+`"`)
		}
	}
	return "{" + strings.Join(parts, ",") + "}"
}

// keys are made once: an RSA key takes a second under the race detector.
func keys(t testing.TB) (ec, rs crypto.Signer) {
	t.Helper()
	pair, err := makeKeys()
	if err != nil {
		t.Fatal(err)
	}
	return pair[0], pair[1]
}

var makeKeys = sync.OnceValues(func() (pair [2]crypto.Signer, err error) {
	if pair[0], err = dbscclient.NewKey("ES256"); err == nil {
		pair[1], err = dbscclient.NewKey("RS256")
	}
	return pair, err
})

func accepted(jws string) bool {
	p, err := parseProof(jws, true)
	return err == nil && p.signedBy(p.key)
}

func replace(old, with string) func(string) string {
	return func(s string) string {
		if !strings.Contains(s, old) {
			panic("nothing to replace: " + old + " in " + s)
		}
		return strings.Replace(s, old, with, 1)
	}
}

// D1: typ, alg, key and challenge are asked for, and nothing else.
func TestD1ProofsAreTakenApart(t *testing.T) {
	ec, rs := keys(t)
	for _, c := range []struct {
		what           string
		key            crypto.Signer
		header, claims func(string) string
		good           bool
	}{
		{"ES256", ec, nil, nil, true},
		{"RS256", rs, nil, nil, true},
		{"more than is asked for", ec, replace(`"typ"`, `"kid":"x","typ"`), replace(`"jti"`, `"iat":1,"sub":"s","list":[1,{"a":null}],"jti"`), true},
		{"white space", ec, replace(`"typ"`, " \n\"typ\""), nil, true},
		{"no typ", ec, replace(`,"typ":"dbsc+jwt"`, ``), nil, false},
		{"typ jwt", ec, replace(`dbsc+jwt`, `jwt`), nil, false},
		{"typ in capitals", ec, replace(`"typ"`, `"Typ"`), nil, false},
		{"alg none", ec, replace(`ES256`, `none`), nil, false},
		{"alg in small letters", ec, replace(`ES256`, `es256`), nil, false},
		{"alg ES384", ec, replace(`ES256`, `ES384`), nil, false},
		{"alg PS256", rs, replace(`RS256`, `PS256`), nil, false},
		{"alg EdDSA", ec, replace(`ES256`, `EdDSA`), nil, false},
		{"alg HS256", ec, replace(`ES256`, `HS256`), nil, false},
		{"RS256 with an EC key", ec, replace(`ES256`, `RS256`), nil, false},
		{"ES256 with an RSA key", rs, replace(`RS256`, `ES256`), nil, false},
		{"alg a list", ec, replace(`"ES256"`, `["ES256"]`), nil, false},
		{"no alg", ec, replace(`"alg":"ES256",`, ``), nil, false},
		{"alg twice", ec, replace(`{"alg"`, `{"alg":"ES256","alg"`), nil, false},
		{"jti twice", ec, nil, replace(`"jti"`, `"jti":"D","jti"`), false},
		{"crv twice", ec, replace(`"crv"`, `"crv":"P-256","crv"`), nil, false},
		{"a name twice far inside", ec, replace(`"typ"`, `"x":{"y":{"a":1,"a":2}},"typ"`), nil, false},
		{"a name twice in other letters", ec, replace(`"typ"`, `"t\u0079p":"dbsc+jwt","typ"`), nil, false},
		{"crit", ec, replace(`"typ"`, `"crit":["b64"],"typ"`), nil, false},
		{"no key", ec, func(string) string { return `{"alg":"ES256","typ":"dbsc+jwt"}` }, nil, false},
		{"a key that is text", ec, func(string) string { return `{"alg":"ES256","typ":"dbsc+jwt","jwk":"x"}` }, nil, false},
		{"a private key", ec, replace(`"crv"`, `"d":"AA","crv"`), nil, false},
		{"a key for another alg", ec, replace(`"crv"`, `"alg":"ES384","crv"`), nil, false},
		{"another curve", ec, replace(`P-256`, `P-384`), nil, false},
		{"text behind the header", ec, func(s string) string { return s + "x" }, nil, false},
		{"an object behind the claims", ec, nil, func(s string) string { return s + "{}" }, false},
		{"white space behind the claims", ec, nil, func(s string) string { return s + "\n" }, true},
		{"a list", ec, nil, func(s string) string { return "[" + s + "]" }, false},
		{"claims of nothing", ec, nil, func(string) string { return "" }, false},
		{"half an object", ec, nil, func(s string) string { return s[:len(s)-1] }, false},
		{"not UTF-8", ec, nil, replace(`"C"`, "\"C\xff\""), false},
		{"too deep", ec, nil, replace(`"jti"`, `"x":[[[[[[1]]]]]],"jti"`), false},
		{"no jti", ec, nil, replace(`,"jti":"C"`, ``), false},
		{"an empty jti", ec, nil, replace(`"C"`, `""`), false},
		{"a jti that is a number", ec, nil, replace(`"C"`, `1`), false},
		{"no authorization", ec, nil, replace(`"authorization":"a.b",`, ``), false},
		{"an aud that is a list", ec, nil, replace(`"jti"`, `"aud":["x"],"jti"`), false},
		{"too long", ec, nil, replace(`"jti"`, `"x":"`+strings.Repeat("x", maxProof)+`","jti"`), false},
	} {
		if got := accepted(made(t, c.key, c.header, c.claims)); got != c.good {
			t.Errorf("%s: accepted %t, want %t", c.what, got, c.good)
		}
	}
}

// The form of the three parts, and the one form of base64url.
func TestD1TheOneForm(t *testing.T) {
	ec, _ := keys(t)
	good := made(t, ec, nil, nil)
	parts := strings.Split(good, ".")
	alphabet := "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
	other := func(s string) string { // the last character, whose lowest bits are no byte's: 64 bytes leave 4
		i := strings.IndexByte(alphabet, s[len(s)-1])
		return s[:len(s)-1] + alphabet[i^1:i^1+1]
	}
	for what, jws := range map[string]string{
		"nothing": "", "two dots": "..", "two parts": parts[0] + "." + parts[1], "four parts": good + ".x", "an empty signature": parts[0] + "." + parts[1] + ".",
		"padding": good + "==", "a line break": good + "\n", "a line break inside": good[:10] + "\n" + good[10:], "a carriage return": good[:10] + "\r" + good[10:],
		"a space": " " + good, "bits left over": parts[0] + "." + parts[1] + "." + other(parts[2]),
		"the other alphabet":   strings.Replace(good, "_", "/", 1) + "+",
		"another's signature":  parts[0] + "." + parts[1] + "." + strings.Split(made(t, ec, nil, replace("a.b", "a.c")), ".")[2],
		"no header":            "." + parts[1] + "." + parts[2],
		"the signature doubly": good + parts[2],
	} {
		if accepted(jws) {
			t.Errorf("%s: accepted", what)
		}
	}
	if !accepted(good) {
		t.Error("the good one is refused")
	}
}

// signed is good with another signature.
func signed(good string, sig []byte) string {
	return good[:strings.LastIndexByte(good, '.')+1] + encode(sig)
}

func TestD1SignaturesOfES256(t *testing.T) {
	ec, _ := keys(t)
	good := made(t, ec, nil, nil)
	p, err := parseProof(good, true)
	if err != nil {
		t.Fatal(err)
	}
	n := elliptic.P256().Params().N
	sig := func(r, s *big.Int) []byte {
		var b [64]byte
		r.FillBytes(b[:32])
		s.FillBytes(b[32:])
		return b[:]
	}
	r, s := new(big.Int).SetBytes(p.sig[:32]), new(big.Int).SetBytes(p.sig[32:])
	sum := sha256.Sum256(p.signed)
	der, err := ecdsa.SignASN1(rand.Reader, ec.(*ecdsa.PrivateKey), sum[:])
	if err != nil {
		t.Fatal(err)
	}
	mac := hmac.New(sha256.New, p.key.bytes)
	mac.Write(p.signed)
	for what, b := range map[string][]byte{
		"r is 0": sig(new(big.Int), s), "s is 0": sig(r, new(big.Int)), "both are 0": make([]byte, 64),
		"r is the order": sig(n, s), "s is the order": sig(r, n), "all ones": []byte(strings.Repeat("\xff", 64)),
		"r and s exchanged": sig(s, r), "63 bytes": p.sig[:63], "65 bytes": append(append([]byte{}, p.sig...), 0), "DER": der, "an HMAC": mac.Sum(nil),
	} {
		if accepted(signed(good, b)) {
			t.Errorf("%s: accepted", what)
		}
	}
}

func TestD1Keys(t *testing.T) {
	ec, rs := keys(t)
	x, err := dbscclient.JWK(ec)
	if err != nil {
		t.Fatal(err)
	}
	n, err := dbscclient.JWK(rs)
	if err != nil {
		t.Fatal(err)
	}
	modulus := rs.(*rsa.PrivateKey).N
	text := func(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }
	with := func(m map[string]any, name string, v any) map[string]any {
		c := map[string]any{}
		for k, o := range m {
			c[k] = o
		}
		c[name] = v
		return c
	}
	ones := func(bits int) string {
		return text(new(big.Int).Sub(new(big.Int).Lsh(big.NewInt(1), uint(bits)), big.NewInt(1)).Bytes())
	}
	for _, c := range []struct {
		what string
		jwk  map[string]any
		alg  algorithm
		good bool
	}{
		{"EC", x, es256, true},
		{"RSA", n, rs256, true},
		{"EC: not on the curve", with(x, "y", x["x"]), es256, false},
		{"EC: zero", with(with(x, "x", text(make([]byte, 32))), "y", text(make([]byte, 32))), es256, false},
		{"EC: 31 bytes", with(x, "x", text(make([]byte, 31))), es256, false},
		{"EC: 33 bytes", with(x, "x", text(make([]byte, 33))), es256, false},
		{"EC: above the field", with(x, "x", text([]byte(strings.Repeat("\xff", 32)))), es256, false},
		{"EC: no y", with(x, "y", nil), es256, false},
		{"EC: kty RSA", with(x, "kty", "RSA"), es256, false},
		{"RSA: kty EC", with(n, "kty", "EC"), rs256, false},
		{"RSA: 2,047 bits", with(n, "n", ones(2047)), rs256, false},
		{"RSA: 4,096 bits", with(n, "n", ones(4096)), rs256, true},
		{"RSA: 4,097 bits", with(n, "n", ones(4097)), rs256, false},
		{"RSA: even", with(n, "n", text(new(big.Int).Add(modulus, big.NewInt(1)).Bytes())), rs256, false},
		{"RSA: a zero in front", with(n, "n", text(append([]byte{0}, modulus.Bytes()...))), rs256, false},
		{"RSA: no modulus", with(n, "n", ""), rs256, false},
		{"RSA: e is 1", with(n, "e", text([]byte{1})), rs256, false},
		{"RSA: e is 3", with(n, "e", text([]byte{3})), rs256, false},
		{"RSA: e is even", with(n, "e", text([]byte{1, 0, 2})), rs256, false},
		{"RSA: e with a zero in front", with(n, "e", text([]byte{0, 1, 0, 1})), rs256, false},
		{"RSA: e of 2^31-1", with(n, "e", text([]byte{0x7f, 0xff, 0xff, 0xff})), rs256, true},
		{"RSA: e of 2^31+1", with(n, "e", text([]byte{0x80, 0, 0, 1})), rs256, false},
		{"RSA: e of 5 bytes", with(n, "e", text([]byte{1, 0, 0, 0, 1})), rs256, false},
		{"RSA: no e", with(n, "e", nil), rs256, false},
	} {
		k, err := keyOf(c.jwk, c.alg)
		if (err == nil) != c.good {
			t.Errorf("%s: %v", c.what, err)
		}
		if err == nil && len(k.thumb()) != thumbLen {
			t.Errorf("%s: thumb %q", c.what, k.thumb())
		}
	}
}

// A refresh brings no key of its own.
func TestD1ARefreshHasNoKey(t *testing.T) {
	ec, _ := keys(t)
	if _, err := parseProof(made(t, ec, nil, nil), false); err == nil {
		t.Error("a refresh that brings a key is taken")
	}
}

func FuzzParseProof(f *testing.F) {
	ec, rs := keys(f)
	for _, k := range []crypto.Signer{ec, rs} {
		f.Add(made(f, k, nil, nil), true)
		refresh, err := dbscclient.Sign(k, `{"alg":"`+nameOf(k)+`","typ":"dbsc+jwt"}`, `{"jti":"C"}`)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(refresh, false)
	}
	f.Add("..", true)
	f.Fuzz(func(t *testing.T, jws string, registers bool) {
		p, err := parseProof(jws, registers)
		if err != nil {
			return
		}
		if registers != (p.key.bytes != nil) || p.jti == "" || len(jws) > maxProof {
			t.Errorf("accepted without key or challenge: %q", jws)
		}
		// What is accepted has one form: its parts, encoded again, are it.
		if last := jws[strings.LastIndexByte(jws, '.')+1:]; encode(p.sig) != last || string(p.signed)+"."+last != jws {
			t.Errorf("another form: %q", jws)
		}
		p.signedBy(p.key)
	})
}

func FuzzObject(f *testing.F) {
	for _, s := range []string{`{}`, `{"a":1,"a":2}`, `{"a":{"b":[1,{"c":null}]}}`, `[]`, `{"a":"\ud800"}`, `{} {}`, ``, `{"a":1`} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		if o, err := object(b); (err == nil) == (o == nil) {
			t.Errorf("%q: %v, %v", b, o, err)
		}
	})
}

func FuzzString(f *testing.F) {
	for _, s := range []string{`x`, `"x"`, `""`, `"`, `"x`, ` "x" `, `x, y`, `"x";p=1`} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, line string) {
		s, ok := sfString(http.Header{headerID: {line}}, headerID)
		if ok && (s == "" || strings.ContainsAny(s, "\"\\ \t,;")) {
			t.Errorf("%q is %q", line, s)
		}
		if bare, same := sfString(http.Header{headerID: {`"` + s + `"`}}, headerID); ok && (!same || bare != s) {
			t.Errorf("%q: bare %q, quoted %q", line, s, bare)
		}
	})
}
