package value

import (
	"encoding/binary"
	"errors"
	"iter"
)

// MaxName is how long the name of a value may be, in bytes; it has one at least.
const MaxName = 64

// Values is the last part of a record. For each value: length of the name (1 byte), name, stamp
// (uvarint), length (uvarint), bytes. It is searched and copied as it stands; a value is decoded when
// a key asks for it.
//
// A stamp tells a value from an equal one that was put later. The record counts them, from 1.
type Values []byte

var errMalformed = errors.New("the record's values do not parse")

// first parses the first entry of v, which is not empty: its stamp, and where its data begin and end, which is
// where the entry ends. The name is v.name().
func (v Values) first() (stamp uint64, from, to int, err error) {
	from = 1 + int(v[0])
	if from == 1 || from > 1+MaxName || len(v) < from {
		return 0, 0, 0, errMalformed
	}
	stamp, w := binary.Uvarint(v[from:])
	if w <= 0 || stamp == 0 {
		return 0, 0, 0, errMalformed
	}
	from += w
	size, w := binary.Uvarint(v[from:])
	if w <= 0 || size == 0 || size > uint64(len(v)-from-w) {
		return 0, 0, 0, errMalformed
	}
	from += w
	return stamp, from, from + int(size), nil
}

// name is that of the first entry, which is well-formed.
func (v Values) name() []byte { return v[1 : 1+v[0]] }

// Check walks all of v, so that later walks meet no error.
func (v Values) Check() error {
	for len(v) > 0 {
		if n, ok := v.short(); ok {
			v = v[n:]
			continue
		}
		_, _, to, err := v.first()
		if err != nil {
			return err
		}
		v = v[to:]
	}
	return nil
}

// short is how long the first entry is, if its stamp and length take a byte each, as most do. Every request
// walks its record, and first costs twice as much.
func (v Values) short() (n int, ok bool) {
	name := int(v[0])
	if name == 0 || name > MaxName || len(v) < name+3 {
		return 0, false
	}
	stamp, size := v[1+name], v[2+name]
	n = name + 3 + int(size)
	return n, stamp-1 < 0x7f && size-1 < 0x7f && n <= len(v)
}

// Get returns the encoded value and its stamp; nil and 0 when absent, for no encoding is empty. The
// bytes are part of v: nobody may write to them.
func (v Values) Get(name string) (data []byte, stamp uint64) {
	for len(v) > 0 {
		if n, ok := v.short(); ok {
			if v.named(name) {
				return v[len(name)+3 : n : n], uint64(v[len(name)+1])
			}
			v = v[n:]
			continue
		}
		stamp, from, to, err := v.first()
		if err != nil {
			break
		}
		if v.named(name) {
			return v[from:to:to], stamp
		}
		v = v[to:]
	}
	return nil, 0
}

// named reports whether the first entry, which is well-formed, bears the name.
func (v Values) named(name string) bool {
	return int(v[0]) == len(name) && string(v[1:1+len(name)]) == name
}

// Names yields the name of each value, in the order of the record.
func (v Values) Names() iter.Seq[string] {
	return func(yield func(string) bool) {
		for len(v) > 0 {
			_, _, to, err := v.first()
			if err != nil || !yield(string(v.name())) {
				return
			}
			v = v[to:]
		}
	}
}

func appendEntry(dst []byte, name string, stamp uint64, data []byte) []byte {
	dst = append(append(dst, byte(len(name))), name...)
	dst = binary.AppendUvarint(dst, stamp)
	dst = binary.AppendUvarint(dst, uint64(len(data)))
	return append(dst, data...)
}

func entryLen(name string, stamp uint64, data []byte) int {
	return 1 + len(name) + uvarintLen(stamp) + uvarintLen(uint64(len(data))) + len(data)
}
