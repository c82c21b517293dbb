package scscompat

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/gob"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/gosojourn/sojourn/internal/value"
)

// Values are kept one by one. What Sojourn's own keys of plain types write is written alike, so that both read
// it: bool, string, []byte, int, float64. Every other type comes back as what it was, which those encodings do not
// remember: it is a custom value, as of a key with a codec, that begins with a mark and a kind.
const (
	mark      = "scs"
	kindNil   = 'n'
	kindInt64 = '8' // varint
	kindInt32 = '4' // varint
	kindTime  = 't' // as time.Time marshals itself, with its offset
	kindGob   = 'g' // of an interface that holds the value
	kindCodec = 'c' // of the application's Codec: a map of one entry
	kindNamed = 'k' // uvarint length, the key, and what it holds: of a key that Sojourn has no room for
)

// only is the key in a map of one entry.
const only = "v"

var (
	errForeign = errors.New("the value is of another key: a Key of Sojourn's with a codec has written it")
	errDamaged = errors.New("the value does not parse")

	bools   = builtin[bool]()
	texts   = builtin[string]()
	blobs   = builtin[[]byte]()
	ints    = builtin[int]()
	wide    = builtin[uint64]()
	floats  = builtin[float64]()
	moments = builtin[time.Time]()
)

func builtin[T any]() value.Builtin[T] {
	b, err := value.For[T]()
	if err != nil {
		panic(err)
	}
	return b
}

// plain appends v's encoding if it is one of the types that all of Sojourn reads.
func plain(dst []byte, v any) (out []byte, ok bool) {
	switch v := v.(type) {
	case bool:
		dst, _ = bools.Append(dst, v)
	case string:
		dst, _ = texts.Append(dst, v)
	case []byte:
		dst, _ = blobs.Append(dst, v)
	case int:
		dst, _ = ints.Append(dst, v)
	case float64:
		dst, _ = floats.Append(dst, v)
	default:
		return dst, false
	}
	return dst, true
}

// encode returns the bytes of v, in gob's reading of it.
func encode(v any) ([]byte, error) {
	if out, ok := plain(nil, v); ok {
		return out, nil
	}
	switch v := v.(type) {
	case nil:
		return custom(kindNil, nil), nil
	case int64:
		return custom(kindInt64, binary.AppendVarint(nil, v)), nil
	case int32:
		return custom(kindInt32, binary.AppendVarint(nil, int64(v))), nil
	case time.Time:
		b, err := v.MarshalBinary()
		return custom(kindTime, b), err
	}
	var b bytes.Buffer
	if err := gob.NewEncoder(&b).Encode(&v); err != nil {
		return nil, err
	}
	return custom(kindGob, b.Bytes()), nil
}

// encodeBy returns the bytes of v as c makes them.
func encodeBy(c Codec, v any) ([]byte, error) {
	if _, ok := c.(GobCodec); ok {
		return encode(v)
	}
	b, err := c.Encode(time.Time{}, map[string]interface{}{only: v})
	if err != nil {
		return nil, err
	}
	return custom(kindCodec, b), nil
}

func custom(kind byte, data []byte) []byte {
	b := make([]byte, 0, len(mark)+1+len(data))
	b = append(append(append(b, mark...), kind), data...)
	return value.WrapCustom(b)
}

// kindOf takes a custom value apart.
func kindOf(raw []byte) (kind byte, data []byte, ok bool) {
	const head = 1 + len(mark) + 1
	if len(raw) < head || !value.IsCustom(raw) || string(raw[1:1+len(mark)]) != mark {
		return 0, nil, false
	}
	return raw[head-1], raw[head:], true
}

// decode is the value of raw, which is not empty. What a JSON key of Sojourn's has written comes as encoding/json
// reads it into an any.
func decode(c Codec, raw []byte) (v any, err error) {
	if kind, data, ok := kindOf(raw); ok {
		return decodeKind(c, kind, data)
	}
	if value.IsCustom(raw) {
		return nil, errForeign
	}
	if text, ok := value.JSON(raw); ok {
		err = json.Unmarshal(text, &v)
		return v, err
	}
	return decodePlain(raw)
}

func decodePlain(raw []byte) (any, error) {
	if v, err := texts.Decode(raw); err == nil {
		return v, nil
	}
	if v, err := ints.Decode(raw); err == nil {
		return v, nil
	}
	if v, err := bools.Decode(raw); err == nil {
		return v, nil
	}
	if v, err := floats.Decode(raw); err == nil {
		return v, nil
	}
	if v, err := blobs.Decode(raw); err == nil {
		return v, nil
	}
	if v, err := moments.Decode(raw); err == nil {
		return v, nil
	}
	v, err := wide.Decode(raw)
	return v, err
}

func decodeKind(c Codec, kind byte, data []byte) (v any, err error) {
	switch kind {
	case kindNil:
		return nil, nil
	case kindInt64, kindInt32:
		n, w := binary.Varint(data)
		if w != len(data) || kind == kindInt32 && int64(int32(n)) != n {
			return nil, errDamaged
		}
		if kind == kindInt32 {
			return int32(n), nil
		}
		return n, nil
	case kindTime:
		var t time.Time
		err := t.UnmarshalBinary(data)
		return t, err
	case kindGob:
		err := gob.NewDecoder(bytes.NewReader(data)).Decode(&v)
		return v, err
	case kindCodec:
		_, values, err := c.Decode(bytes.Clone(data))
		return values[only], err
	case kindNamed:
		if _, inner, ok := unnamed(data); ok && len(inner) > 0 {
			if k, _, _ := kindOf(inner); k != kindNamed {
				return decode(c, inner)
			}
		}
	}
	return nil, errDamaged
}

// stored is the name under which Sojourn keeps key. One that it has no room for is hashed, and stands beside the
// value.
func stored(key string) (name string, fits bool) {
	if n := len(key); n > 0 && n <= value.MaxName && key[0] != 0 {
		return key, true
	}
	sum := sha256.Sum256([]byte(key))
	return "\x00" + base64.RawURLEncoding.EncodeToString(sum[:]), false
}

func naming(key string, raw []byte) []byte {
	b := binary.AppendUvarint(nil, uint64(len(key)))
	return custom(kindNamed, append(append(b, key...), raw...))
}

// unnamed takes apart what naming has made, without its kind.
func unnamed(data []byte) (key string, raw []byte, ok bool) {
	n, w := binary.Uvarint(data)
	if w <= 0 || n > uint64(len(data)-w) {
		return "", nil, false
	}
	return string(data[w : w+int(n)]), data[w+int(n):], true
}

// A keyError says which value is wrong.
type keyError struct {
	key string
	err error
}

func (e *keyError) Error() string { return fmt.Sprintf("scscompat: key %q: %v", e.key, e.err) }
func (e *keyError) Unwrap() error { return e.err }
