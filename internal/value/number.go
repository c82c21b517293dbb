package value

import (
	"encoding/binary"
	"math"
	"math/bits"
	"time"
)

// All integer widths share one encoding, so that a key may change its width. The decoders are given
// at least one byte.

func appendBool(dst []byte, v bool) []byte {
	if v {
		return append(dst, tagTrue)
	}
	return append(dst, tagFalse)
}

func appendInt(dst []byte, n int64) []byte {
	if n < 0 {
		return binary.AppendUvarint(append(dst, tagNeg), uint64(-(n + 1)))
	}
	return appendUint(dst, uint64(n))
}

func appendUint(dst []byte, n uint64) []byte {
	return binary.AppendUvarint(append(dst, tagUint), n)
}

func appendFloat(dst []byte, x float64) []byte {
	return binary.BigEndian.AppendUint64(append(dst, tagFloat), math.Float64bits(x))
}

func appendTime(dst []byte, t time.Time) []byte {
	dst = binary.AppendVarint(append(dst, tagTime), t.Unix())
	return binary.AppendUvarint(dst, uint64(t.Nanosecond()))
}

func decodeBool(data []byte) (bool, error) {
	if len(data) != 1 || (data[0] != tagTrue && data[0] != tagFalse) {
		return false, ErrMismatch
	}
	return data[0] == tagTrue, nil
}

func decodeUint(data []byte) (uint64, error) {
	n, w := binary.Uvarint(data[1:])
	if data[0] != tagUint || w <= 0 || w != len(data)-1 {
		return 0, ErrMismatch
	}
	return n, nil
}

func decodeInt(data []byte) (int64, error) {
	n, w := binary.Uvarint(data[1:])
	if (data[0] != tagUint && data[0] != tagNeg) || w <= 0 || w != len(data)-1 || n > math.MaxInt64 {
		return 0, ErrMismatch
	}
	if data[0] == tagNeg {
		return -int64(n) - 1, nil
	}
	return int64(n), nil
}

// decodeNarrow refuses a number that N cannot hold.
func decodeNarrow[N ~int | ~int32 | ~int64](data []byte) (N, error) {
	n, err := decodeInt(data)
	if err != nil || int64(N(n)) != n {
		return 0, ErrMismatch
	}
	return N(n), nil
}

func decodeFloat(data []byte) (float64, error) {
	if data[0] != tagFloat || len(data) != 9 {
		return 0, ErrMismatch
	}
	return math.Float64frombits(binary.BigEndian.Uint64(data[1:])), nil
}

func decodeTime(data []byte) (time.Time, error) {
	sec, w := binary.Varint(data[1:])
	if data[0] != tagTime || w <= 0 {
		return time.Time{}, ErrMismatch
	}
	nsec, x := binary.Uvarint(data[1+w:])
	if x <= 0 || 1+w+x != len(data) || nsec >= 1e9 {
		return time.Time{}, ErrMismatch
	}
	return time.Unix(sec, int64(nsec)).UTC(), nil
}

// decodeText returns the body behind tag; it is still part of data.
func decodeText(data []byte, tag byte) ([]byte, error) {
	if data[0] != tag {
		return nil, ErrMismatch
	}
	return data[1:], nil
}

func uvarintLen(n uint64) int { return (bits.Len64(n|1) + 6) / 7 }
