package sqlstore

import (
	"encoding/base64"
	"errors"
	"strconv"
	"time"

	"github.com/gosojourn/sojourn"
)

// Column data begins with a header, so that three columns carry a whole record. It is ASCII and of
// fixed width up to the owner, for statements to compare and replace parts of it under any
// character set:
//
//	 0  8  version, 48 bits in base64url
//	 8  1  format
//	 9 24  id
//	33 12  expiry, milliseconds since 1970 in hexadecimal; 0: the zero Time
//	45 12  seen, likewise
//	57 16  fence in hexadecimal
//	73  3  length of owner in decimal
//	76     owner, then Record.Data
//
// Version, format and id together are the tag: one comparison with it says that the row is ours,
// in a format known here, of exactly this id, and at this version. Every later format keeps these
// three where they are.
const (
	formatAt = 8
	idAt     = 9
	expiryAt = 33
	seenAt   = 45
	fenceAt  = 57
	lengthAt = 73
	ownerAt  = 76
	format   = '1'

	idLen      = 24
	tagLen     = expiryAt
	headLen    = ownerAt + maxOwner // of data, holds every header
	maxOwner   = 255
	maxVersion = 1<<48 - 1
	maxMillis  = 1<<48 - 1
)

var (
	errForeign = errors.New("not a session of this library")
	errFormat  = errors.New("the session is in a format that this version of the library does not know")
)

// wellFormed reports whether id can be one: others are in no table.
func wellFormed(id string) bool {
	return len(id) == idLen && isBase64url(id)
}

func isBase64url(s string) bool {
	for i := range len(s) {
		switch c := s[i]; {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9', c == '-', c == '_':
		default:
			return false
		}
	}
	return true
}

func appendTag(b []byte, version uint64, id string) []byte {
	v := [6]byte{byte(version >> 40), byte(version >> 32), byte(version >> 24), byte(version >> 16), byte(version >> 8), byte(version)}
	b = base64.RawURLEncoding.AppendEncode(b, v[:])
	return append(append(b, format), id...)
}

// tag is what data of id at version begins with.
func tag(version uint64, id string) []byte {
	return appendTag(make([]byte, 0, tagLen), version, id)
}

func appendHex(b []byte, n uint64, width int) []byte {
	for shift := (width - 1) * 4; shift >= 0; shift -= 4 {
		b = append(b, "0123456789abcdef"[n>>shift&15])
	}
	return b
}

func parseHex(b []byte) (n uint64, ok bool) {
	for _, c := range b {
		switch {
		case '0' <= c && c <= '9':
			n = n<<4 | uint64(c-'0')
		case 'a' <= c && c <= 'f':
			n = n<<4 | uint64(c-'a'+10)
		default:
			return 0, false
		}
	}
	return n, true
}

// stamp is a time as it stands in the header.
func stamp(ms int64) []byte {
	return appendHex(make([]byte, 0, 12), uint64(min(max(ms, 0), maxMillis)), 12)
}

// millis converts a time for the header; ok is false if it does not fit there.
func millis(t time.Time) (ms int64, ok bool) {
	if t.IsZero() {
		return 0, true
	}
	if s := t.Unix(); s < 0 || s > maxMillis/1000 {
		return 0, false
	}
	ms = t.UnixMilli()
	return ms, 0 < ms && ms <= maxMillis
}

func fromMillis(ms uint64) time.Time {
	if ms == 0 {
		return time.Time{}
	}
	return time.UnixMilli(int64(ms))
}

// encode makes column data of r. The caller has checked that everything fits.
func encode(r *sojourn.Record, expiry, seen int64) []byte {
	b := make([]byte, 0, ownerAt+len(r.Owner)+len(r.Data))
	b = appendTag(b, r.Version, r.ID)
	b = appendHex(b, uint64(expiry), 12)
	b = appendHex(b, uint64(seen), 12)
	b = appendHex(b, r.Fence, 16)
	n := len(r.Owner)
	b = append(b, byte('0'+n/100), byte('0'+n/10%10), byte('0'+n%10))
	b = append(b, r.Owner...)
	return append(b, r.Data...)
}

// decode reads what encode made, or the first headLen bytes of that. Anything else is errForeign.
func decode(id string, data []byte) (sojourn.Record, error) {
	var r sojourn.Record
	if len(data) < tagLen || string(data[idAt:tagLen]) != id {
		return r, errForeign
	}
	if data[formatAt] != format {
		return r, errFormat
	}
	var v [6]byte
	if n, err := base64.RawURLEncoding.Decode(v[:], data[:formatAt]); n != len(v) || err != nil || len(data) < ownerAt {
		return r, errForeign
	}
	expiry, ok1 := parseHex(data[expiryAt:seenAt])
	seen, ok2 := parseHex(data[seenAt:fenceAt])
	fence, ok3 := parseHex(data[fenceAt:lengthAt])
	n, err := strconv.ParseUint(string(data[lengthAt:ownerAt]), 10, 8)
	if !ok1 || !ok2 || !ok3 || err != nil || len(data) < ownerAt+int(n) {
		return r, errForeign
	}
	for _, c := range v {
		r.Version = r.Version<<8 | uint64(c)
	}
	r.ID = id
	r.Expiry, r.Seen, r.Fence = fromMillis(expiry), fromMillis(seen), fence
	r.Owner = string(data[ownerAt : ownerAt+n])
	r.Data = data[ownerAt+n:]
	return r, nil
}
