package gorillacompat

import (
	"bytes"
	"encoding/binary"
	"encoding/gob"
	"fmt"
	"math"
	"reflect"
	"strings"
)

// A key or value is a tag and what it says. Of the types that gob knows without being told, the usual ones have
// short forms; all else is gob, as an interface, with its type's registered name.
const (
	tagGob    = 'g'
	tagNil    = 'n'
	tagString = 's'
	tagInt    = 'i'
	tagInt64  = 'I'
	tagTrue   = 't'
	tagFalse  = 'f'
	tagFloat  = 'd'
	tagBytes  = 'b'
	tagList   = 'l' // of type []any: elements, each a length (uvarint) and so many bytes
)

func encode(v any) (string, error) { return encodeLike(v, "") }

// encodeLike encodes v; as was, if that decodes to the same: gob writes one map in many ways.
func encodeLike(v any, was string) (string, error) {
	switch v := v.(type) {
	case nil:
		return string(tagNil), nil
	case string:
		return string(tagString) + v, nil
	case int:
		return number(tagInt, int64(v)), nil
	case int64:
		return number(tagInt64, v), nil
	case bool:
		if v {
			return string(tagTrue), nil
		}
		return string(tagFalse), nil
	case float64:
		var b [9]byte
		b[0] = tagFloat
		binary.BigEndian.PutUint64(b[1:], math.Float64bits(v))
		return string(b[:]), nil
	case []byte:
		return string(tagBytes) + string(v), nil
	case []any:
		return encodeList(v, was)
	}
	return encodeGob(v, was)
}

func number(tag byte, n int64) string {
	var b [1 + binary.MaxVarintLen64]byte
	b[0] = tag
	return string(b[:1+binary.PutVarint(b[1:], n)])
}

func encodeList(list []any, was string) (string, error) {
	old := ""
	if was != "" && was[0] == tagList {
		old = was[1:]
	}
	b := []byte{tagList}
	for i, v := range list {
		like, rest, _ := cutText(old)
		text, err := encodeLike(v, like)
		if err != nil {
			return "", fmt.Errorf("element %d: %w", i, err)
		}
		b, old = appendText(b, text), rest
	}
	return string(b), nil
}

func encodeGob(v any, was string) (string, error) {
	var b bytes.Buffer
	b.WriteByte(tagGob)
	if err := gob.NewEncoder(&b).Encode(&v); err != nil {
		return "", err
	}
	text := b.String()
	if text != was && was != "" && was[0] == tagGob {
		if old, err := decode(was); err == nil && reflect.DeepEqual(old, v) {
			return was, nil
		}
	}
	return text, nil
}

func decode(text string) (any, error) {
	if text == "" {
		return nil, errDamaged
	}
	rest := text[1:]
	switch text[0] {
	case tagString:
		return rest, nil
	case tagInt, tagInt64:
		return decodeNumber(text[0], rest)
	case tagTrue:
		return true, nil
	case tagFalse:
		return false, nil
	case tagFloat:
		if len(rest) != 8 {
			return nil, errDamaged
		}
		return math.Float64frombits(binary.BigEndian.Uint64([]byte(rest))), nil
	case tagBytes:
		return append([]byte(nil), rest...), nil // as gob has it, an empty one is nil
	case tagNil:
		return nil, nil
	case tagList:
		return decodeList(rest)
	case tagGob:
		var v any
		err := gob.NewDecoder(strings.NewReader(rest)).Decode(&v)
		return v, err
	}
	return nil, errDamaged
}

func decodeNumber(tag byte, rest string) (any, error) {
	var b [binary.MaxVarintLen64]byte
	n, w := binary.Varint(b[:copy(b[:], rest)])
	if w != len(rest) || w <= 0 {
		return nil, errDamaged
	}
	if tag == tagInt64 {
		return n, nil
	}
	if int64(int(n)) != n {
		return nil, fmt.Errorf("%d does not fit an int of this machine", n)
	}
	return int(n), nil
}

func decodeList(rest string) (any, error) {
	var list []any
	for rest != "" {
		text, more, ok := cutText(rest)
		if !ok {
			return nil, errDamaged
		}
		v, err := decode(text)
		if err != nil {
			return nil, err
		}
		list, rest = append(list, v), more
	}
	return list, nil
}
