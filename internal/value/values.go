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

// An entry is one of them; whole is all of it, name and lengths included.
type entry struct {
	name, data, whole []byte
	stamp             uint64
}

// next splits off the first entry of v, which is not empty.
func (v Values) next() (e entry, rest Values, err error) {
	n := int(v[0])
	if n == 0 || n > MaxName || len(v) < 1+n {
		return e, nil, errMalformed
	}
	stamp, w := binary.Uvarint(v[1+n:])
	if w <= 0 || stamp == 0 {
		return e, nil, errMalformed
	}
	head := 1 + n + w
	size, w := binary.Uvarint(v[head:])
	head += max(w, 0)
	if w <= 0 || size == 0 || size > uint64(len(v)-head) {
		return e, nil, errMalformed
	}
	end := head + int(size)
	return entry{name: v[1 : 1+n], data: v[head:end:end], whole: v[:end], stamp: stamp}, v[end:], nil
}

// Check walks all of v, so that later walks meet no error.
func (v Values) Check() error {
	for len(v) > 0 {
		if n, ok := v.short(); ok {
			v = v[n:]
			continue
		}
		var err error
		if _, v, err = v.next(); err != nil {
			return err
		}
	}
	return nil
}

// short is how long the first entry is, if its stamp and length take a byte each, as most do. Every request
// walks its record, and next costs four times as much.
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
		if n, ok := v.short(); ok && !v.named(name) {
			v = v[n:]
			continue
		}
		e, rest, err := v.next()
		if err != nil {
			break
		}
		if string(e.name) == name {
			return e.data, e.stamp
		}
		v = rest
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
			e, rest, err := v.next()
			if err != nil || !yield(string(e.name)) {
				return
			}
			v = rest
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
