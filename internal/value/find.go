package value

import "fmt"

// fewEdits is how many edits are searched one by one. With more, a map tells where each name is, or
// thousands of changes in one request would take quadratic time.
const fewEdits = 16

// find returns what name holds, and the number of its edit, -1 when it has none.
func (d *Draft) find(name string) (i int, data []byte, stamp uint64) {
	if d.index != nil {
		at, there := d.index[name]
		if there && at < 0 {
			e := d.base[^at:]
			stamp, from, to, _ := e.first()
			return -1, e[from:to:to], stamp
		} else if !there {
			return -1, nil, 0
		}
		return at, d.at(at).value, d.at(at).stamp
	}
	for i := range d.n {
		if e := d.at(i); e.name == name {
			return i, e.value, e.stamp
		}
	}
	data, stamp = d.base.Get(name)
	return -1, data, stamp
}

// edited reports whether an edit says what name holds.
func (d *Draft) edited(name []byte) bool {
	if d.index != nil {
		at, there := d.index[string(name)]
		return there && at >= 0
	}
	for i := range d.n {
		if d.at(i).name == string(name) {
			return true
		}
	}
	return false
}

func (d *Draft) put(i int, name string, v []byte) {
	d.last++
	d.set(i, edit{name: name, value: v, stamp: d.last})
}

// set makes e the i-th edit, or a new one when i is negative.
func (d *Draft) set(i int, e edit) {
	d.changed = true
	if i >= 0 {
		*d.at(i) = e
		return
	}
	if len(e.name) == 0 || len(e.name) > MaxName {
		panic(fmt.Sprintf("value: a name has 1 to %d bytes, this one has %d", MaxName, len(e.name)))
	}
	if d.n == 0 {
		d.first = e
	} else {
		d.more = append(d.more, e)
	}
	d.n++
	if d.index != nil {
		d.index[e.name] = d.n - 1
	} else if d.n > fewEdits {
		d.makeIndex()
	}
}

// makeIndex notes for each name the number of its edit, or else ^offset of its entry in the base.
func (d *Draft) makeIndex() {
	d.index = make(map[string]int, 2*d.n)
	for rest := d.base; len(rest) > 0; {
		_, _, to, err := rest.first()
		if err != nil {
			break
		}
		if _, twice := d.index[string(rest.name())]; !twice { // the first counts, as in Get
			d.index[string(rest.name())] = ^(len(d.base) - len(rest))
		}
		rest = rest[to:]
	}
	for i := range d.n {
		d.index[d.at(i).name] = i
	}
}

// Size is at least what AppendTo appends.
func (d *Draft) Size() int {
	size := len(d.base)
	for i := range d.n {
		if e := d.at(i); e.value != nil {
			size += entryLen(e.name, e.stamp, e.value)
		}
	}
	return size
}

// AppendTo appends the base with the changes. Runs that no edit touches are copied whole.
func (d *Draft) AppendTo(dst []byte) []byte {
	if d.n == 0 {
		return append(dst, d.base...)
	}
	run, kept := d.base, 0
	for rest := d.base; len(rest) > 0; {
		if n, ok := rest.short(); ok && d.n == 1 && !rest.named(d.first.name) {
			kept, rest = kept+n, rest[n:]
			continue
		}
		_, _, to, err := rest.first()
		if err != nil {
			break
		}
		if d.edited(rest.name()) {
			dst = append(dst, run[:kept]...)
			run, kept = rest[to:], 0
		} else {
			kept += to
		}
		rest = rest[to:]
	}
	dst = append(dst, run[:kept]...)
	for i := range d.n {
		if e := d.at(i); e.value != nil {
			dst = appendEntry(dst, e.name, e.stamp, e.value)
		}
	}
	return dst
}
