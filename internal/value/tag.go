// Package value is how the values of a session are kept: the encoding of one value, the run of values
// at the end of a record, and the changes on such a run.
//
// An encoded value is never empty: its first byte says what the rest is.
package value

import (
	"bytes"
	"errors"
)

// The first byte of an encoded value. Numbers are never reused.
const (
	tagFalse  = 1
	tagTrue   = 2
	tagUint   = 3 // integer of any width, not negative: uvarint
	tagNeg    = 4 // negative integer n: uvarint of -(n+1)
	tagFloat  = 5 // IEEE 754, 8 bytes, big-endian
	tagString = 6
	tagBytes  = 7
	tagTime   = 8 // seconds since 1970: varint; nanoseconds: uvarint; UTC
	tagJSON   = 9
	tagCustom = 10
)

// ErrMismatch means that the bytes hold a value of another type, or are damaged.
var ErrMismatch = errors.New("the stored value does not fit the key's type")

// WrapCustom marks a copy of what an application's own codec made, so that no other key takes it for
// its own.
func WrapCustom(encoded []byte) []byte {
	b := make([]byte, 1+len(encoded))
	b[0] = tagCustom
	copy(b[1:], encoded)
	return b
}

// UnwrapCustom returns a copy of what WrapCustom was given, false for anything else. A copy, because
// data is the store's and a codec may decrypt in place.
func UnwrapCustom(data []byte) ([]byte, bool) {
	if len(data) == 0 || data[0] != tagCustom {
		return nil, false
	}
	return bytes.Clone(data[1:]), true
}

// IsCustom reports whether an application's own codec made data.
func IsCustom(data []byte) bool { return len(data) > 0 && data[0] == tagCustom }

// JSON returns the text of a value that is kept as JSON, which is part of data.
func JSON(data []byte) (text []byte, ok bool) {
	if len(data) == 0 || data[0] != tagJSON {
		return nil, false
	}
	return data[1:], true
}
