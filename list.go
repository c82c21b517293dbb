package sojourn

import "bytes"

// A list is stored as a JSON array and grows as text: appending needs no decoding, and what a Pop
// returned can be told from what was appended after it, because that is a longer text with the
// same beginning.

// appendList joins two encoded lists; old may be nil, or null.
func appendList(old, more []byte) ([]byte, error) {
	if len(more) > 0 && more[0] == tagBytes {
		if old != nil && old[0] != tagBytes {
			return nil, errMismatch
		}
		return append(bytes.Clone(old), more[min(1, len(old)):]...), nil
	}
	switch {
	case emptyList(old):
		return more, nil
	case emptyList(more):
		return old, nil
	case !isList(old) || !isList(more):
		return nil, errMismatch
	}
	out := make([]byte, 0, len(old)+len(more))
	out = append(out, old[:len(old)-1]...)
	out = append(out, ',')
	return append(out, more[2:]...), nil
}

// withoutPopped removes what a Pop returned from what is stored now: the same value, or the front of
// a list that has grown. Anything else is newer and stays.
func withoutPopped(stored, popped []byte) []byte {
	if bytes.Equal(stored, popped) {
		return nil
	}
	if !isList(popped) || !isList(stored) || emptyList(popped) {
		return stored
	}
	front := popped[:len(popped)-1]
	if len(stored) <= len(popped) || !bytes.HasPrefix(stored, front) || stored[len(front)] != ',' {
		return stored
	}
	return append([]byte{tagJSON, '['}, stored[len(front)+1:]...)
}

func isList(v []byte) bool {
	return len(v) >= 3 && v[0] == tagJSON && v[1] == '[' && v[len(v)-1] == ']'
}

func emptyList(v []byte) bool {
	return v == nil || string(v) == "\x09[]" || string(v) == "\x09null"
}
