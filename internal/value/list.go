package value

import (
	"bytes"
	"slices"
)

// A list is kept as a JSON array, or as bytes, and grows as text: appending needs no decoding, and
// what a Pop returned can be told from what was appended after it, because that is a longer text with
// the same beginning.

// IsList reports whether v is something Append can add to: a JSON array, or bytes.
func IsList(v []byte) bool { return isArray(v) || isBytes(v) }

func isBytes(v []byte) bool { return len(v) > 0 && v[0] == tagBytes }

func isArray(v []byte) bool {
	return len(v) >= 3 && v[0] == tagJSON && v[1] == '[' && v[len(v)-1] == ']'
}

// isEmpty: nothing, or a list of nothing. A nil slice is null in JSON.
func isEmpty(v []byte) bool {
	return len(v) == 0 || isBytes(v) && len(v) == 1 || string(v) == "\x09[]" || string(v) == "\x09null"
}

// sameKind reports whether two values can be one list.
func sameKind(old, more []byte) bool {
	switch {
	case len(old) == 0 || len(more) == 0:
		return true
	case isBytes(old) || isBytes(more):
		return old[0] == more[0]
	}
	return (isArray(old) || isEmpty(old)) && (isArray(more) || isEmpty(more))
}

// AppendList joins two encoded lists; old may be absent. When old is no list that more could be part
// of, it answers more and false.
//
// It works as append does: old grows in place, and is used up, if it has capacity to spare. So what
// is passed as old has none, or came from AppendList. What else this package returns has none.
func AppendList(old, more []byte) (joined []byte, ok bool) {
	switch {
	case !sameKind(old, more):
		return slices.Clip(more), false
	case isEmpty(old):
		return slices.Clip(more), true
	case isEmpty(more):
		return old, true
	}
	return grow(old, more), true
}

// grow joins two lists of one kind that are not empty, in old's spare capacity if that will do. A new
// buffer is twice as large as needed, so that growing by single elements is linear.
func grow(old, more []byte) []byte {
	if need := len(old) + len(more); cap(old) < need || cap(old) == len(old) {
		old = append(make([]byte, 0, 2*need), old...)
	}
	if isBytes(old) {
		return append(old, more[1:]...)
	}
	old[len(old)-1] = ','
	return append(old, more[2:]...)
}

// behind returns what is left of stored when what a Pop returned is taken away: nil when that is all
// of it, and the rest of a list that has grown since. Anything else is newer and stays: false.
func behind(stored, popped []byte) (left []byte, ok bool) {
	switch {
	case bytes.Equal(stored, popped):
		return nil, true
	case isEmpty(popped) || len(stored) <= len(popped):
		return nil, false
	case isBytes(popped) && bytes.HasPrefix(stored, popped):
		return append([]byte{tagBytes}, stored[len(popped):]...), true
	case !isArray(popped) || !isArray(stored):
		return nil, false
	}
	front := len(popped) - 1
	if !bytes.HasPrefix(stored, popped[:front]) || stored[front] != ',' {
		return nil, false
	}
	return append([]byte{tagJSON, '['}, stored[front+1:]...), true
}
