package scscompat

import (
	"bytes"
	"encoding/gob"
	"time"
)

// Codec turns a session into bytes and back. A store of scs keeps what it makes of the whole session. With
// Native each value is kept by itself: GobCodec then stands for the compact forms of plain types, and for gob
// of the others; any other Codec is given one value at a time, in a map of one entry, with a zero deadline.
type Codec interface {
	Encode(deadline time.Time, values map[string]interface{}) ([]byte, error)
	Decode([]byte) (deadline time.Time, values map[string]interface{}, err error)
}

// GobCodec is scs's format: encoding/gob of deadline and values. Types other than Go's own have to be
// registered with gob.Register, in every process, before a session that holds them is read.
type GobCodec struct{}

// wire is the struct that scs encodes. gob matches fields by name.
type wire struct {
	Deadline time.Time
	Values   map[string]interface{}
}

// Encode returns the gob of deadline and values. A value of a type that is not registered is an error.
func (GobCodec) Encode(deadline time.Time, values map[string]interface{}) ([]byte, error) {
	var b bytes.Buffer
	if err := gob.NewEncoder(&b).Encode(&wire{deadline, values}); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}

// Decode reads what Encode has written, here or in scs.
func (GobCodec) Decode(b []byte) (time.Time, map[string]interface{}, error) {
	var w wire
	if err := gob.NewDecoder(bytes.NewReader(b)).Decode(&w); err != nil {
		return time.Time{}, nil, err
	}
	return w.Deadline, w.Values, nil
}
