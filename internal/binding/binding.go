// Package binding is the bytes of what ties a session to a key of one device, as the session's record holds them
// (docs/record-format.md). Package dbsc decides what they are to be. All times are milliseconds since 1970.
package binding

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/binary"
	"errors"
)

// Random is how many random bytes a challenge and an authorization have.
const Random = 24

// MarkLen is how many bytes of a cookie's hash are kept.
const MarkLen = 16

// MaxLen is how many bytes a binding has at most. An RSA key of 4096 bits has 516.
const MaxLen = 1024

type (
	// A Secret is a challenge or an authorization.
	Secret [Random]byte
	// A Mark recognises a bound cookie without being one.
	Mark [MarkLen]byte
)

// MarkOf is the mark of a cookie's value.
func MarkOf(value string) (m Mark) {
	sum := sha256.Sum256([]byte(value))
	copy(m[:], sum[:])
	return m
}

// Is compares in constant time.
func (m Mark) Is(other Mark) bool { return subtle.ConstantTimeCompare(m[:], other[:]) == 1 }

// Text is s as it is sent.
func (s Secret) Text() string { return base64.RawURLEncoding.EncodeToString(s[:]) }

// Is compares in constant time with what was received.
func (s Secret) Is(text string) bool {
	return subtle.ConstantTimeCompare([]byte(s.Text()), []byte(text)) == 1
}

const (
	kindOffered = 1
	kindBound   = 2
)

// An Offer is what a login has offered to the browser, which may take it until Until.
type Offer struct {
	Until         int64
	Challenge     Secret
	Authorization Secret
}

const (
	millisLen = 6
	offerLen  = 1 + millisLen + 2*Random
)

// Encode answers the bytes.
func (o *Offer) Encode() []byte {
	b := appendMillis(append(make([]byte, 0, offerLen), kindOffered), o.Until)
	return append(append(b, o.Challenge[:]...), o.Authorization[:]...)
}

// ParseOffer reads what Encode wrote. ok is false for everything else.
func ParseOffer(b []byte) (o Offer, ok bool) {
	if len(b) != offerLen || b[0] != kindOffered {
		return o, false
	}
	o.Until = millis(b[1:])
	b = b[1+millisLen:]
	copy(o.Challenge[:], b)
	copy(o.Authorization[:], b[Random:])
	return o, true
}

// A Bound is a session that answers to a key.
type Bound struct {
	Proved    int64 // when the browser last showed that it has the key
	Issued    int64 // when Challenge was made
	Challenge Secret
	Before    Secret // the challenge that Challenge replaced; zero where that was never to be had again
	Cookie    Shown
	Previous  Shown // the cookie that Cookie replaced. One without a mark stands for no cookie at all
	Alg       byte
	Key       []byte
}

// A Shown is a bound cookie as the server knows it.
type Shown struct {
	Mark Mark
	Ends int64
}

const (
	shownLen = MarkLen + millisLen
	boundLen = 1 + 2*millisLen + 2*Random + 2*shownLen + 1
)

// Encode answers the bytes.
func (x *Bound) Encode() []byte {
	b := append(make([]byte, 0, boundLen+len(x.Key)), kindBound)
	b = appendMillis(appendMillis(b, x.Proved), x.Issued)
	b = append(append(b, x.Challenge[:]...), x.Before[:]...)
	for _, c := range []*Shown{&x.Cookie, &x.Previous} {
		b = appendMillis(append(b, c.Mark[:]...), c.Ends)
	}
	return append(append(b, x.Alg), x.Key...)
}

// Is reports whether b is that of a session which answers to a key.
func Is(b []byte) bool { return len(b) > 0 && b[0] == kindBound }

// ErrDamaged is what does not parse.
var ErrDamaged = errors.New("what binds the session to a device does not parse")

// ParseBound reads what Encode wrote. The key is a part of b.
func ParseBound(b []byte) (x Bound, err error) {
	if !Is(b) || len(b) <= boundLen || len(b) > MaxLen {
		return x, ErrDamaged
	}
	b = b[1:]
	x.Proved, x.Issued = millis(b), millis(b[millisLen:])
	b = b[2*millisLen:]
	copy(x.Challenge[:], b)
	copy(x.Before[:], b[Random:])
	b = b[2*Random:]
	for _, c := range []*Shown{&x.Cookie, &x.Previous} {
		copy(c.Mark[:], b)
		c.Ends = millis(b[MarkLen:])
		b = b[shownLen:]
	}
	x.Alg, x.Key = b[0], b[1:]
	return x, nil
}

func appendMillis(b []byte, ms int64) []byte {
	var full [8]byte
	binary.BigEndian.PutUint64(full[:], uint64(ms))
	return append(b, full[2:]...)
}

func millis(b []byte) int64 {
	return int64(b[0])<<40 | int64(b[1])<<32 | int64(b[2])<<24 | int64(b[3])<<16 | int64(b[4])<<8 | int64(b[5])
}
