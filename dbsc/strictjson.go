package dbsc

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"unicode/utf8"
)

var errJSON = errors.New("the JSON is not one object, or names a member twice")

// maxDepth is how deep the JSON of a proof may be nested. Chromium's is 2: the header, and the key in it.
const maxDepth = 4

// object reads one JSON object. Names are compared byte for byte, and none may stand in an object twice: readers
// that choose differently between the two would read different proofs. Behind the object nothing may follow.
func object(b []byte) (map[string]any, error) {
	if !utf8.Valid(b) {
		return nil, errJSON
	}
	d := json.NewDecoder(bytes.NewReader(b))
	d.UseNumber()
	v, err := jsonValue(d, 0)
	if err != nil {
		return nil, err
	}
	o, ok := v.(map[string]any)
	if _, err := d.Token(); !ok || err != io.EOF {
		return nil, errJSON
	}
	return o, nil
}

func jsonValue(d *json.Decoder, depth int) (any, error) {
	t, err := d.Token()
	if err != nil || depth > maxDepth {
		return nil, errJSON
	}
	switch t {
	case json.Delim('{'):
		return jsonObject(d, depth)
	case json.Delim('['):
		for d.More() {
			if _, err := jsonValue(d, depth+1); err != nil {
				return nil, err
			}
		}
		_, err := d.Token()
		return nil, err // no list says anything to us
	}
	return t, nil
}

func jsonObject(d *json.Decoder, depth int) (map[string]any, error) {
	o := map[string]any{}
	for d.More() {
		t, err := d.Token()
		if err != nil {
			return nil, errJSON
		}
		name, ok := t.(string)
		if _, twice := o[name]; !ok || twice {
			return nil, errJSON
		}
		if o[name], err = jsonValue(d, depth+1); err != nil {
			return nil, err
		}
	}
	if _, err := d.Token(); err != nil {
		return nil, errJSON
	}
	return o, nil
}

// text is the member name of o, if it is a string.
func text(o map[string]any, name string) (s string, ok bool) {
	s, ok = o[name].(string)
	return s, ok
}
