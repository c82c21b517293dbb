package sojourn

import (
	"encoding/binary"
	"errors"
)

// values is the last part of a record: for each value its name's length (1 byte), name, length
// (uvarint), bytes. It is searched and spliced as it stands; a value is decoded when a key asks.
type values []byte

const maxNameLen = 64

var errMalformedValues = errors.New("values do not parse")

// next splits off the first value; entry is the whole of it, name and lengths included.
func (v values) next() (name, value, entry []byte, rest values, err error) {
	n := int(v[0])
	if n == 0 || n > maxNameLen || len(v) < 1+n {
		return nil, nil, nil, nil, errMalformedValues
	}
	size, w := binary.Uvarint(v[1+n:])
	head := 1 + n + w
	if w <= 0 || size == 0 || size > uint64(len(v)-head) {
		return nil, nil, nil, nil, errMalformedValues
	}
	end := head + int(size)
	return v[1 : 1+n], v[head:end:end], v[:end], v[end:], nil
}

// check walks all of it once, so that later walks cannot meet an error.
func (v values) check() error {
	for len(v) > 0 {
		var err error
		if _, _, _, v, err = v.next(); err != nil {
			return err
		}
	}
	return nil
}

// get returns the encoded value, nil when absent: no encoding is empty.
func (v values) get(name string) []byte {
	for len(v) > 0 {
		n, value, _, rest, err := v.next()
		if err != nil {
			return nil
		}
		if string(n) == name {
			return value
		}
		v = rest
	}
	return nil
}

// An edit sets one value, or removes it when value is nil.
type edit struct {
	name  string
	value []byte
}

type edits []edit

func (e edits) find(name string) int {
	for i := range e {
		if e[i].name == name {
			return i
		}
	}
	return -1
}

func (e *edits) set(name string, value []byte) {
	if i := e.find(name); i >= 0 {
		(*e)[i].value = value
		return
	}
	*e = append(*e, edit{name, value})
}

func (e edits) size() (n int) {
	for _, c := range e {
		n += len(c.name) + len(c.value) + 6
	}
	return n
}

// splice appends v to dst with the edits applied. Runs that no edit touches are copied whole.
func (v values) splice(dst []byte, e edits) []byte {
	run := v
	kept := 0
	for rest := v; len(rest) > 0; {
		name, _, entry, after, err := rest.next()
		if err != nil {
			break
		}
		if e.find(string(name)) >= 0 {
			dst = append(dst, run[:kept]...)
			run, kept = after, 0
		} else {
			kept += len(entry)
		}
		rest = after
	}
	dst = append(dst, run[:kept]...)
	for _, c := range e {
		if c.value == nil {
			continue
		}
		dst = append(dst, byte(len(c.name)))
		dst = append(dst, c.name...)
		dst = binary.AppendUvarint(dst, uint64(len(c.value)))
		dst = append(dst, c.value...)
	}
	return dst
}
