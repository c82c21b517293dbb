package record

import (
	"encoding/binary"
	"math/bits"
)

const millisLen = 6

// A reader takes fields from the front. When one is not there, it and all that follow are zero, and
// bad says so: a parser asks once, at the end.
type reader struct {
	rest []byte
	bad  bool
}

func (r *reader) take(n int) []byte {
	if r.bad || n > len(r.rest) {
		r.bad = true
		return nil
	}
	b := r.rest[:n:n]
	r.rest = r.rest[n:]
	return b
}

func (r *reader) byte() byte {
	if b := r.take(1); b != nil {
		return b[0]
	}
	return 0
}

func (r *reader) uint16() int {
	if b := r.take(2); b != nil {
		return int(binary.BigEndian.Uint16(b))
	}
	return 0
}

func (r *reader) uint64() uint64 {
	if b := r.take(8); b != nil {
		return binary.BigEndian.Uint64(b)
	}
	return 0
}

// uvarint takes no longer form than the shortest: what was read is written back the same.
func (r *reader) uvarint() uint64 {
	if len(r.rest) > 0 && r.rest[0] < 0x80 && !r.bad {
		n := r.rest[0]
		r.rest = r.rest[1:]
		return uint64(n)
	}
	n, w := binary.Uvarint(r.rest)
	if w != uvarintLen(n) {
		r.bad = true
	}
	r.take(max(w, 0))
	return n
}

func (r *reader) millis() int64 {
	if b := r.take(millisLen); b != nil {
		return getMillis(b)
	}
	return 0
}

// list takes count elements of size bytes each.
func (r *reader) list(count, size, most int) []byte {
	if count > most {
		r.bad = true
	}
	return r.take(count * size)
}

// text takes a string behind its length in one byte.
func (r *reader) text() []byte { return r.take(int(r.byte())) }

func getMillis(b []byte) int64 {
	return int64(b[0])<<40 | int64(b[1])<<32 | int64(b[2])<<24 | int64(b[3])<<16 | int64(b[4])<<8 | int64(b[5])
}

func appendMillis(b []byte, ms int64) []byte {
	return append(b, byte(ms>>40), byte(ms>>32), byte(ms>>24), byte(ms>>16), byte(ms>>8), byte(ms))
}

func appendUint16(b []byte, n int) []byte { return binary.BigEndian.AppendUint16(b, uint16(n)) }

func appendUvarint(b []byte, n uint64) []byte { return binary.AppendUvarint(b, n) }

func uvarintLen(n uint64) int { return (bits.Len64(n|1) + 6) / 7 }
