package value

import "slices"

// A Draft is values in the making: a base, and the changes on it. The zero Draft has neither. It
// is not for several goroutines at once, and Clone is the only way to copy one.
//
// The base and the values that are put are never written to; a list that grows does so in a buffer of
// the Draft's own.
type Draft struct {
	base    Values
	last    uint64
	changed bool

	// The edits in the order of their first mention, one for each name. Most requests change one
	// value, so the first needs no object.
	n     int
	first edit
	more  []edit

	index map[string]int // where a name is, made when there are many; see find.go
}

// An edit is what a name is to hold.
type edit struct {
	name  string
	value []byte // nil: no value
	stamp uint64
	own   bool // value is a buffer that this Draft made and nobody else holds: it may grow
}

func (d *Draft) at(i int) *edit {
	if i == 0 {
		return &d.first
	}
	return &d.more[i-1]
}

// Reset begins anew on base. last is the last stamp that the record has given.
func (d *Draft) Reset(base Values, last uint64) { *d = Draft{base: base, last: last} }

// Get returns the encoded value, nil when absent. It stays as it is whatever becomes of the Draft.
func (d *Draft) Get(name string) []byte {
	i, data, _ := d.find(name)
	if i >= 0 {
		d.at(i).own = false
	}
	return slices.Clip(data)
}

// Put keeps v itself, under a new stamp. An empty v is no value: the name is deleted.
func (d *Draft) Put(name string, v []byte) {
	if len(v) == 0 {
		d.Delete(name)
		return
	}
	i, _, _ := d.find(name)
	d.put(i, name, v)
}

// Delete removes the value; nothing changes when there is none.
func (d *Draft) Delete(name string) {
	if i, data, _ := d.find(name); data != nil {
		d.set(i, edit{name: name})
	}
}

// Append adds the list more, in its encoding, to the list that is there, which keeps its stamp. Where
// there is none, or an empty one, more itself is put, under a new stamp. When what is there is no list
// that more could be part of, more replaces it, and the answer is false.
func (d *Draft) Append(name string, more []byte) (fits bool) {
	i, old, stamp := d.find(name)
	switch {
	case !sameKind(old, more):
		d.put(i, name, more)
		return false
	case isEmpty(old):
		if len(more) > 0 {
			d.put(i, name, more)
		}
		return true
	case isEmpty(more):
		return true
	}
	if i < 0 || !d.at(i).own {
		old = slices.Clip(old)
	}
	d.set(i, edit{name: name, value: grow(old, more), stamp: stamp, own: true})
	return true
}

// Pop removes what a Pop returned before, and only that: the value there, if it equals popped; of a
// list that has grown behind popped, the front, and the rest stays under a new stamp. A value with
// another stamp is a newer one and stays. Stamp 0 is for what was popped from changes of one's own
// that had none yet: then the bytes alone decide.
func (d *Draft) Pop(name string, popped []byte, stamp uint64) {
	i, data, there := d.find(name)
	if data == nil || stamp != 0 && stamp != there {
		return
	}
	switch left, ok := behind(data, popped); {
	case !ok:
	case left == nil:
		d.set(i, edit{name: name})
	default:
		d.put(i, name, left)
	}
}

// Clear removes every value.
func (d *Draft) Clear() {
	*d = Draft{last: d.last, changed: d.changed || d.n > 0 || len(d.base) > 0}
}

// Changed reports whether anything was put or removed.
func (d *Draft) Changed() bool { return d.changed }

// Adds reports whether some edit leaves a value: what a session is begun for.
func (d *Draft) Adds() bool {
	for i := range d.n {
		if d.at(i).value != nil {
			return true
		}
	}
	return false
}

// Empty reports whether no value is left.
func (d *Draft) Empty() bool {
	if d.n == 0 {
		return len(d.base) == 0
	}
	if d.Adds() {
		return false
	}
	for name := range d.base.Names() {
		if !d.edited([]byte(name)) {
			return false
		}
	}
	return true
}

// Last returns the last stamp that was given.
func (d *Draft) Last() uint64 { return d.last }

// Clone returns a Draft of its own: neither sees what becomes of the other.
func (d *Draft) Clone() Draft {
	for i := range d.n {
		d.at(i).own = false // a buffer that two hold grows for neither
	}
	c := *d
	c.more, c.index = slices.Clone(d.more), nil
	return c
}
