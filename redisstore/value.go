package redisstore

import (
	"encoding/binary"
	"errors"
	"fmt"
	"time"

	"github.com/gosojourn/sojourn"
)

// A session is one string: a header that scripts read and Touch rewrites in place, then owner and data.
// A hash would hold the same in more memory, and answer slower than GET does.
const (
	formatOne = 1

	versionAt = 1
	expiryAt  = versionAt + 8
	seenAt    = expiryAt + 6
	listedAt  = seenAt + 6 // until when the owner's index has it
	fenceAt   = listedAt + 6
	lengthAt  = fenceAt + 8
	ownerAt   = lengthAt + 1

	maxData   = 1 << 20
	maxMillis = 1<<48 - 1
	idLen     = 24
)

var (
	errForeign = errors.New("the value under this key is no session: another program may use the same prefix")
	errFormat  = errors.New("the session was written by a newer version: upgrade this machine too")
)

// check says why r cannot be kept, before anything is sent.
func check(op string, r *sojourn.Record) error {
	switch {
	case !wellFormed(r.ID):
		return fmt.Errorf("redisstore: %s: %w: an id is %d characters of base64url, this one has %d bytes", op, sojourn.ErrRefused, idLen, len(r.ID))
	case len(r.Owner) > 255:
		return fmt.Errorf("redisstore: %s: %w: an owner has at most 255 bytes, this one %d", op, sojourn.ErrRefused, len(r.Owner))
	case len(r.Data) > maxData:
		return fmt.Errorf("redisstore: %s: %w: %d bytes, at most %d are kept", op, sojourn.ErrTooLarge, len(r.Data), maxData)
	case r.Version == 0 || r.Version > maxMillis:
		return fmt.Errorf("redisstore: %s: %w: version %d is out of range", op, sojourn.ErrRefused, r.Version)
	}
	for _, t := range []time.Time{r.Expiry, r.Seen} {
		if s := t.Unix(); s < 0 || s >= maxMillis/1000 { // milliseconds would overflow
			return fmt.Errorf("redisstore: %s: %w: the time %v is out of range", op, sojourn.ErrRefused, t)
		}
	}
	return nil
}

func appendMillis(b []byte, ms int64) []byte {
	return append(b, byte(ms>>40), byte(ms>>32), byte(ms>>24), byte(ms>>16), byte(ms>>8), byte(ms))
}

func getMillis(b []byte) int64 {
	return int64(b[0])<<40 | int64(b[1])<<32 | int64(binary.BigEndian.Uint32(b[2:]))
}

func encode(r *sojourn.Record, listed int64) []byte {
	b := make([]byte, 0, ownerAt+len(r.Owner)+len(r.Data))
	b = append(b, formatOne)
	b = binary.BigEndian.AppendUint64(b, r.Version)
	b = appendMillis(b, r.Expiry.UnixMilli())
	b = appendMillis(b, r.Seen.UnixMilli())
	b = appendMillis(b, listed)
	b = binary.BigEndian.AppendUint64(b, r.Fence)
	b = append(append(b, byte(len(r.Owner))), r.Owner...)
	return append(b, r.Data...)
}

// decode reads b, which becomes part of the record.
func decode(id string, b []byte) (r sojourn.Record, err error) {
	if len(b) > 0 && b[0] != formatOne {
		return r, errFormat
	}
	if len(b) < ownerAt || len(b) < ownerAt+int(b[lengthAt]) {
		return r, errForeign
	}
	end := ownerAt + int(b[lengthAt])
	return sojourn.Record{
		ID:      id,
		Version: binary.BigEndian.Uint64(b[versionAt:]),
		Expiry:  time.UnixMilli(getMillis(b[expiryAt:])),
		Seen:    time.UnixMilli(getMillis(b[seenAt:])),
		Fence:   binary.BigEndian.Uint64(b[fenceAt:]),
		Owner:   string(b[ownerAt:end]),
		Data:    b[end:len(b):len(b)],
	}, nil
}

func versionBytes(v uint64) string { return string(binary.BigEndian.AppendUint64(nil, v)) }

// wellFormed: other ids are not asked for, so that nobody reads other keys.
func wellFormed(id string) bool {
	if len(id) != idLen {
		return false
	}
	for i := range len(id) {
		switch c := id[i]; {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9', c == '-', c == '_':
		default:
			return false
		}
	}
	return true
}
