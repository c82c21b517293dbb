package value

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"testing"
)

// A model keeps what a Draft should hold, without any of its economies.
type model struct {
	values map[string]string
	stamps map[string]uint64
	last   uint64
}

func (m *model) put(name, v string) {
	m.last++
	m.values[name], m.stamps[name] = v, m.last
}

func (m *model) drop(name string) {
	delete(m.values, name)
	delete(m.stamps, name)
}

func array(v string) bool { return len(v) > 2 && v[:2] == "\x09[" && strings.HasSuffix(v, "]") }

func (m *model) append(name, more string) {
	old := m.values[name]
	oldList, moreList := array(old), array(more)
	switch {
	case old == "\x07" && more[0] == tagBytes, old == "\x09[]" && moreList, old == "":
		m.put(name, more)
	case more == "\x07" && old[0] == tagBytes, more == "\x09[]" && oldList:
	case old[0] == tagBytes && more[0] == tagBytes:
		m.values[name] = old + more[1:]
	case oldList && moreList:
		m.values[name] = old[:len(old)-1] + "," + more[2:]
	default:
		m.put(name, more)
	}
}

func (m *model) pop(name, popped string, stamp uint64) {
	v, there := m.values[name]
	if !there || stamp != 0 && m.stamps[name] != stamp {
		return
	}
	front := popped[:len(popped)-1]
	switch {
	case v == popped:
		m.drop(name)
	case popped == "\x07" || popped == "\x09[]":
	case popped[0] == tagBytes && strings.HasPrefix(v, popped):
		m.put(name, "\x07"+v[len(popped):])
	case array(popped) && array(v) && strings.HasPrefix(v, front+","):
		m.put(name, "\x09["+v[len(front)+1:])
	}
}

var vocabulary = []string{"\x06a", "\x06b", "\x09[]", "\x09[1]", "\x09[1,2]", "\x09[3]", "\x07", "\x07a", "\x07ab", "\x09{}"}

// A trial does to a Draft and to the model what a script says.
type trial struct {
	d, clone Draft
	cloned   []byte // what the clone held when it was made
	m        model
	put      map[string][]byte
}

func newTrial(base Values) *trial {
	x := &trial{m: model{values: map[string]string{}, stamps: map[string]uint64{}, last: 1 << 40}, put: map[string][]byte{}}
	for name := range base.Names() {
		data, stamp := base.Get(name)
		x.m.values[name], x.m.stamps[name] = string(data), stamp
	}
	x.d.Reset(base, x.m.last)
	return x
}

func (x *trial) step(t *testing.T, verb, where, what byte) {
	name, word := fmt.Sprint(where%40), vocabulary[int(what)%len(vocabulary)]
	if where%40 < 2 {
		name = "ab"[where%40 : where%40+1]
	}
	v := append(make([]byte, 0, 64), word...)
	x.put[word] = v
	switch verb % 8 {
	case 0:
		x.d.Put(name, v)
		x.m.put(name, word)
	case 1:
		x.d.Delete(name)
		x.m.drop(name)
	case 2, 3, 4:
		x.d.Append(name, v)
		x.m.append(name, word)
	case 5:
		stamp := x.m.stamps[name] * uint64(what>>7)
		x.d.Pop(name, v, stamp)
		x.m.pop(name, word, stamp)
	case 6:
		x.clone = x.d.Clone()
		x.cloned = x.clone.AppendTo(nil)
		if what&1 != 0 { // go on with the other of the two
			x.d, x.clone = x.clone, x.d
		}
	case 7:
		if what > 200 {
			x.d.Clear()
			clear(x.m.values)
			clear(x.m.stamps)
		} else if got := string(x.d.Get(name)); got != x.m.values[name] {
			t.Fatalf("%s is %q, want %q", name, got, x.m.values[name])
		}
	}
	if string(v) != word || !bytes.Equal(v[:cap(v)][len(v):], make([]byte, cap(v)-len(v))) {
		t.Fatalf("a value has become %q", v[:cap(v)])
	}
}

// Whatever is done to a Draft, on whatever base: it holds what the model holds, nothing that was put
// is written to, and clones do not see each other.
func FuzzDraft(f *testing.F) {
	v, _ := made("a", "\x06a", "b", "\x09[1]")
	f.Add([]byte(v), []byte{0, 0, 1, 2, 1, 3, 2, 1, 5, 3, 1, 4, 4, 2, 3})
	f.Add([]byte{}, []byte{2, 0, 3, 2, 0, 5, 5, 0, 0, 2, 0, 3, 6, 0, 0})
	f.Add([]byte("\x01a\x01\x02\x09["), bytes.Repeat([]byte{0, 1, 1, 2, 3, 3}, 60))
	f.Add([]byte("\x01a\x01"), []byte{})
	var all []byte // every verb, on more names than are searched one by one
	for i := range byte(240) {
		all = append(all, i%8, i*7, i*11)
	}
	f.Add([]byte(v), all)
	f.Fuzz(func(t *testing.T, raw, script []byte) {
		base := Values(raw)
		if base.Check() != nil || len(script) > 3000 {
			return
		}
		before := bytes.Clone(raw)
		x := newTrial(base)
		for ; len(script) >= 3; script = script[3:] {
			x.step(t, script[0], script[1], script[2])
		}
		for word, v := range x.put {
			if string(v) != word {
				t.Fatalf("what was put has become %q", v)
			}
		}
		check(t, &x.d, &x.m)
		if got := x.clone.AppendTo(nil); x.cloned != nil && !bytes.Equal(got, x.cloned) {
			t.Fatalf("the clone has become %q, was %q", got, x.cloned)
		}
		if !bytes.Equal(raw, before) {
			t.Fatal("the base was written to")
		}
	})
}

func check(t *testing.T, d *Draft, m *model) {
	out := Values(d.AppendTo(nil))
	if err := out.Check(); err != nil || len(out) > d.Size() || d.Last() != m.last {
		t.Fatalf("%q: %v; Size %d, Last %d and %d", out, err, d.Size(), d.Last(), m.last)
	}
	names := slices.Collect(out.Names())
	slices.Sort(names)
	if n := len(slices.Compact(names)); n != len(m.values) {
		t.Fatalf("%d names, want %d", n, len(m.values))
	}
	for name, want := range m.values {
		data, stamp := out.Get(name)
		if string(data) != want || stamp != m.stamps[name] || string(d.Get(name)) != want {
			t.Fatalf("%s is %q@%d and %q, want %q@%d", name, data, stamp, d.Get(name), want, m.stamps[name])
		}
	}
}
