package gorillacompat

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/gosojourn/sojourn"
)

// stored is the one value of a Sojourn session that holds all of gorilla's, each encoded by itself, so that
// changing one carries the others over as they are, whether or not this program knows their types:
//
//	version 1, options, {key, value}...
//
// where options (JSON, empty for the store's), keys and values are a length (uvarint) and so many bytes.
var stored = sojourn.NewCodecKey[values]("gorilla", codec{})

type values struct {
	options string
	entries []entry
	foreign bool // of a format that this version does not know
}

type entry struct{ key, value string }

const format = 1

var (
	errForeign = errors.New("the values were written by a newer version of gorillacompat: update this one")
	errDamaged = errors.New("the values are damaged")
)

// keptIn answers what m's session holds. An unknown format is an error: it is there, and cannot be read here.
func keptIn(ctx context.Context, m *sojourn.Manager) (values, error) {
	v := stored.In(m).Get(ctx)
	if v.foreign {
		return v, errForeign
	}
	return v, nil
}

type codec struct{}

func (codec) Encode(v values) ([]byte, error) {
	if v.foreign {
		return nil, errForeign
	}
	n := 2 + len(v.options)
	for _, e := range v.entries {
		n += 4 + len(e.key) + len(e.value)
	}
	b := appendText(append(make([]byte, 0, n), format), v.options)
	for _, e := range v.entries {
		b = appendText(appendText(b, e.key), e.value)
	}
	return b, nil
}

func (codec) Decode(data []byte) (v values, err error) {
	if len(data) == 0 {
		return v, errDamaged
	}
	if data[0] != format {
		return values{foreign: true}, nil
	}
	rest, ok := string(data[1:]), true
	if v.options, rest, ok = cutText(rest); !ok {
		return values{}, errDamaged
	}
	for rest != "" {
		var e entry
		if e.key, rest, ok = cutText(rest); !ok {
			return values{}, errDamaged
		}
		if e.value, rest, ok = cutText(rest); !ok || e.key == "" || e.value == "" {
			return values{}, errDamaged
		}
		v.entries = append(v.entries, e)
	}
	return v, nil
}

func appendText(b []byte, s string) []byte {
	return append(binary.AppendUvarint(b, uint64(len(s))), s...)
}

func cutText(s string) (text, rest string, ok bool) {
	n, w := uvarint(s)
	if w <= 0 || n > uint64(len(s)-w) {
		return "", "", false
	}
	return s[w : w+int(n)], s[w+int(n):], true
}

// uvarint is binary.Uvarint of a string.
func uvarint(s string) (n uint64, w int) {
	var b [binary.MaxVarintLen64]byte
	return binary.Uvarint(b[:copy(b[:], s)])
}

func (v *values) find(key string) int {
	return slices.IndexFunc(v.entries, func(e entry) bool { return e.key == key })
}

// apply makes changes, on whatever is there by now.
func (v *values) apply(changes []change) {
	for _, c := range changes {
		i := v.find(c.key)
		now := ""
		if i >= 0 {
			now = v.entries[i].value
		}
		switch next := c.on(now); {
		case next == "" && i >= 0:
			v.entries = slices.Delete(v.entries, i, i+1)
		case next == "":
		case i >= 0:
			v.entries[i].value = next
		default:
			v.entries = append(v.entries, entry{c.key, next})
		}
	}
}

func (e entry) decode() (k, v any, err error) {
	if k, err = decode(e.key); err != nil {
		return nil, nil, fmt.Errorf("a key: %w", err)
	}
	if v, err = decode(e.value); err != nil {
		return nil, nil, fmt.Errorf("key %v: %w", k, err)
	}
	return k, v, nil
}

// A change is what a request made of one key: the value it found and the one it leaves, "" for none.
type change struct{ key, old, new string }

// on answers what the key is to hold where it holds now by this time. Of a list, what the request took away is
// taken away, and what it added is added behind what others have added meanwhile.
func (c change) on(now string) string {
	if !listOrNone(c.old) || !listOrNone(c.new) || !listOrNone(now) {
		return c.new
	}
	old, next, held := elements(c.old), elements(c.new), elements(now)
	same := 0
	for same < len(old) && same < len(next) && old[same] == next[same] {
		same++
	}
	for _, gone := range old[same:] {
		if i := slices.Index(held, gone); i >= 0 {
			held = slices.Delete(held, i, i+1)
		}
	}
	if held = append(held, next[same:]...); len(held) == 0 && c.new == "" {
		return ""
	}
	b := []byte{tagList}
	for _, e := range held {
		b = appendText(b, e)
	}
	return string(b)
}

func listOrNone(s string) bool { return s == "" || s[0] == tagList }

// elements are those of a list, still encoded.
func elements(list string) (all []string) {
	for rest := strings.TrimPrefix(list, string(tagList)); rest != ""; {
		e, more, ok := cutText(rest)
		if !ok {
			return all
		}
		all, rest = append(all, e), more
	}
	return all
}

// diff compares what a request found with what it leaves, key by key.
func diff(was map[string]string, now map[any]any) (changes []change, err error) {
	found := 0
	for k, v := range now {
		key, err := encode(k)
		if err != nil {
			return nil, fmt.Errorf("key %v: %w", k, err)
		}
		old, ok := was[key]
		if ok {
			found++
		}
		next, err := encodeLike(v, old)
		if err != nil {
			return nil, fmt.Errorf("the value of key %v: %w", k, err)
		}
		if next != old {
			changes = append(changes, change{key, old, next})
		}
	}
	if found < len(was) {
		changes = append(changes, removed(was, now)...)
	}
	slices.SortFunc(changes, func(a, b change) int { return strings.Compare(a.key, b.key) })
	return changes, nil
}

// removed are the keys that are not there any more. All that are encode.
func removed(was map[string]string, now map[any]any) (changes []change) {
	stays := make(map[string]bool, len(now))
	for k := range now {
		key, _ := encode(k)
		stays[key] = true
	}
	for key, old := range was {
		if !stays[key] {
			changes = append(changes, change{key, old, ""})
		}
	}
	return changes
}
