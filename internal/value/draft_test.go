package value

import (
	"fmt"
	"runtime"
	"slices"
	"strings"
	"testing"
)

// made returns values of the pairs, stamped from 1, and the last stamp.
func made(pairs ...string) (Values, uint64) {
	var d Draft
	for i := 0; i < len(pairs); i += 2 {
		d.Put(pairs[i], []byte(pairs[i+1]))
	}
	return d.AppendTo(nil), d.Last()
}

func on(pairs ...string) *Draft {
	d := new(Draft)
	d.Reset(made(pairs...))
	return d
}

// show writes what v holds as name=value@stamp.
func show(t testing.TB, v Values) string {
	t.Helper()
	if err := v.Check(); err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	for name := range v.Names() {
		data, stamp := v.Get(name)
		fmt.Fprintf(&b, "%s=%s@%d ", name, strings.TrimLeft(string(data), "\x06\x07\x09"), stamp)
	}
	return strings.TrimSpace(b.String())
}

func TestDraftEdits(t *testing.T) {
	for what, c := range map[string]struct {
		do   func(d *Draft)
		want string
	}{
		"nothing":           {func(d *Draft) {}, "a=1@1 b=2@2 c=3@3"},
		"delete":            {func(d *Draft) { d.Delete("b") }, "a=1@1 c=3@3"},
		"delete absent":     {func(d *Draft) { d.Delete("x") }, "a=1@1 b=2@2 c=3@3"},
		"put over":          {func(d *Draft) { d.Put("a", []byte("9")) }, "b=2@2 c=3@3 a=9@4"},
		"put new":           {func(d *Draft) { d.Put("d", []byte("4")) }, "a=1@1 b=2@2 c=3@3 d=4@4"},
		"put twice":         {func(d *Draft) { d.Put("d", []byte("4")); d.Put("d", []byte("5")) }, "a=1@1 b=2@2 c=3@3 d=5@5"},
		"put nothing":       {func(d *Draft) { d.Put("a", nil); d.Put("b", []byte{}); d.Put("x", nil) }, "c=3@3"},
		"put and delete":    {func(d *Draft) { d.Put("d", []byte("4")); d.Delete("d") }, "a=1@1 b=2@2 c=3@3"},
		"delete and put":    {func(d *Draft) { d.Delete("b"); d.Put("b", []byte("2")) }, "a=1@1 c=3@3 b=2@4"},
		"delete everything": {func(d *Draft) { d.Delete("a"); d.Delete("b"); d.Delete("c") }, ""},
		"clear":             {func(d *Draft) { d.Put("d", []byte("4")); d.Clear() }, ""},
		"clear and put":     {func(d *Draft) { d.Clear(); d.Put("d", []byte("4")) }, "d=4@4"},
	} {
		d := on("a", "1", "b", "2", "c", "3")
		c.do(d)
		out := d.AppendTo([]byte("before"))
		if got := show(t, out[6:]); got != c.want || string(out[:6]) != "before" {
			t.Errorf("%s: %s, want %s", what, got, c.want)
		}
		if n := len(out) - 6; n > d.Size() {
			t.Errorf("%s: %d bytes, and Size is %d", what, n, d.Size())
		}
	}
}

func TestChangedAndAdds(t *testing.T) {
	for what, c := range map[string]struct {
		do            func(d *Draft)
		changed, adds bool
	}{
		"nothing":        {func(d *Draft) {}, false, false},
		"looking":        {func(d *Draft) { d.Get("a"); d.Get("x") }, false, false},
		"delete absent":  {func(d *Draft) { d.Delete("x") }, false, false},
		"append nothing": {func(d *Draft) { d.Append("l", []byte("\x09[]")) }, false, false},
		"pop another":    {func(d *Draft) { d.Pop("a", []byte("2"), 1); d.Pop("a", []byte("1"), 2) }, false, false},
		"delete":         {func(d *Draft) { d.Delete("a") }, true, false},
		"put an equal":   {func(d *Draft) { d.Put("a", []byte("1")) }, true, true},
		"append":         {func(d *Draft) { d.Append("l", []byte("\x09[2]")) }, true, true},
		"pop":            {func(d *Draft) { d.Pop("a", []byte("1"), 1) }, true, false},
		"clear":          {func(d *Draft) { d.Clear() }, true, false},
		"put and clear":  {func(d *Draft) { d.Put("x", []byte("1")); d.Clear() }, true, false},
		"put and reset":  {func(d *Draft) { d.Put("x", []byte("1")); d.Reset(nil, 0); d.Clear() }, false, false},
	} {
		d := on("a", "1", "l", "\x09[1]")
		c.do(d)
		if d.Changed() != c.changed || d.Adds() != c.adds {
			t.Errorf("%s: changed %v, adds %v", what, d.Changed(), d.Adds())
		}
	}
}

func TestAppendToLists(t *testing.T) {
	for _, c := range []struct {
		old, more, want string
		fits            bool
	}{
		{"", "\x09[1]", "[1]@2", true},
		{"\x09null", "\x09[1]", "[1]@2", true},
		{"\x09[]", "\x09[1]", "[1]@2", true},
		{"\x09[1]", "\x09[2,3]", "[1,2,3]@1", true},
		{"\x09[1]", "\x09[]", "[1]@1", true},
		{"\x09[[]]", "\x09[[]]", "[[],[]]@1", true},
		{"\x07ab", "\x07cd", "abcd@1", true},
		{"\x07ab", "\x07", "ab@1", true},
		{"\x07", "\x07cd", "cd@2", true},
		{"", "\x07cd", "cd@2", true},
		{"\x06text", "\x09[1]", "[1]@2", false},
		{"\x09{\"a\":[1]}", "\x09[1]", "[1]@2", false},
		{"\x09\"[1]\"", "\x09[1]", "[1]@2", false},
		{"\x09[1]", "\x07cd", "cd@2", false},
		{"\x07ab", "\x09[1]", "[1]@2", false},
	} {
		d := on("l", c.old)
		if c.old == "" {
			d.Reset(nil, 1)
		}
		old, more := []byte(c.old), []byte(c.more)
		fits := d.Append("l", more)
		if got := show(t, d.AppendTo(nil)); got != "l="+c.want || fits != c.fits {
			t.Errorf("%q and %q: %s %v, want %s %v", c.old, c.more, got, fits, c.want, c.fits)
		}
		joined, ok := AppendList(old, more)
		if want, _, _ := strings.Cut(c.want, "@"); string(joined[1:]) != want || ok != c.fits {
			t.Errorf("AppendList of %q and %q: %q %v", c.old, c.more, joined, ok)
		}
		if string(old) != c.old || string(more) != c.more {
			t.Errorf("what was joined has become %q and %q", old, more)
		}
	}
}

func TestIsList(t *testing.T) {
	for v, want := range map[string]bool{"": false, "\x09[]": true, "\x09[1]": true, "\x07": true, "\x07a": true, "\x06[]": false, "\x09{}": false, "\x09\"[]\"": false, "\x09null": false, "\x09[": false} {
		if IsList([]byte(v)) != want {
			t.Errorf("IsList(%q) is %v", v, !want)
		}
	}
}

// F51: a Pop that is done again removes what it returned, and not its equal.
func TestF51_PopKnowsItsOwn(t *testing.T) {
	for _, c := range []struct {
		there, popped string
		stamp         uint64 // what is there has 1
		want          string
	}{
		{"\x06old", "\x06old", 1, ""},
		{"\x06old", "\x06old", 0, ""},
		{"\x06old", "\x06old", 7, "v=old@1"}, // an equal one, put later
		{"\x06new", "\x06old", 1, "v=new@1"},
		{"\x06older", "\x06old", 1, "v=older@1"},
		{"\x09[1,2,3]", "\x09[1,2]", 1, "v=[3]@2"},
		{"\x09[1,2,3]", "\x09[1,2]", 0, "v=[3]@2"},
		{"\x09[1,2,3]", "\x09[1,2]", 7, "v=[1,2,3]@1"},
		{"\x09[1,20]", "\x09[1,2]", 1, "v=[1,20]@1"},
		{"\x09[1]", "\x09[1,2]", 1, "v=[1]@1"},
		{"\x09[1]", "\x09[]", 1, "v=[1]@1"},
		{"\x09[1]", "\x09null", 0, "v=[1]@1"},
		{"\x09{\"a\":1}", "\x09{}", 1, "v={\"a\":1}@1"},
		{"\x07abc", "\x07ab", 1, "v=c@2"},
		{"\x07abc", "\x07", 1, "v=abc@1"},
	} {
		d := on("v", c.there)
		d.Pop("v", []byte(c.popped), c.stamp)
		if got := show(t, d.AppendTo(nil)); got != c.want {
			t.Errorf("%q without %q of stamp %d: %s, want %s", c.there, c.popped, c.stamp, got, c.want)
		}
	}
}

// The story of F51: pop, an other's pop, a third's equal value, and the first is done again.
func TestF51_TheThirdsMessageStays(t *testing.T) {
	first := on("flash", "\x09[\"Saved.\"]")
	seen, stamp := first.base.Get("flash")

	other := on("flash", "\x09[\"Saved.\"]")
	other.Pop("flash", seen, stamp)
	third := new(Draft)
	third.Reset(other.AppendTo(nil), other.Last())
	third.Append("flash", []byte("\x09[\"Saved.\"]"))

	first.Reset(third.AppendTo(nil), third.Last())
	first.Pop("flash", seen, stamp)
	if got := show(t, first.AppendTo(nil)); got != `flash=["Saved."]@2` {
		t.Errorf("%s", got)
	}
}

// Two requests have popped one list: what has grown behind it is no second time the first's.
func TestARestIsANewValue(t *testing.T) {
	d := on("l", "\x09[1,2,3]")
	d.Pop("l", []byte("\x09[1]"), 1)
	d.Pop("l", []byte("\x09[2]"), 1)
	if got := show(t, d.AppendTo(nil)); got != "l=[2,3]@2" {
		t.Errorf("%s", got)
	}
}

func TestWhatWasPutIsNeverWrittenTo(t *testing.T) {
	room := []byte("\x09[1]######")
	v := room[:4] // spare capacity that is somebody else's
	d := new(Draft)
	d.Put("l", v)
	d.Append("l", []byte("\x09[2]"))
	seen := d.Get("l")
	d.Append("l", []byte("\x09[3]"))
	more := []byte("\x07ab######")
	d.Append("b", more[:3])
	d.Append("b", []byte("\x07cd"))
	if string(room) != "\x09[1]######" || string(more) != "\x07ab######" {
		t.Errorf("the values have become %q and %q", room, more)
	}
	if string(seen) != "\x09[1,2]" || cap(seen) != len(seen) {
		t.Errorf("what Get returned has become %q, of %d bytes", seen, cap(seen))
	}
	if got := show(t, d.AppendTo(nil)); got != "l=[1,2,3]@1 b=abcd@2" {
		t.Errorf("%s", got)
	}
	l, _ := AppendList(nil, v)
	if l, _ = AppendList(l, []byte("\x09[2]")); string(l) != "\x09[1,2]" || string(room) != "\x09[1]######" {
		t.Errorf("%q, and the value has become %q", l, room)
	}
}

func TestClonesAreIndependent(t *testing.T) {
	for _, names := range []int{1, 2, 3 * fewEdits} {
		d := on("base", "1")
		name := func(i int) string { return fmt.Sprint("n", i) }
		for i := range names {
			d.Append(name(i), []byte("\x09[1]"))
			d.Append(name(i), []byte("\x09[2]"))
		}
		c := d.Clone()
		before := show(t, c.AppendTo(nil))
		for i := range names {
			d.Append(name(i), []byte("\x09[3]"))
		}
		d.Put("new", []byte("1"))
		d.Delete("base")
		if got := show(t, c.AppendTo(nil)); got != before {
			t.Errorf("%d names: the clone has become %s", names, got)
		}
		before = show(t, d.AppendTo(nil))
		for i := range names {
			c.Append(name(i), []byte("\x09[4]"))
		}
		c.Delete("new")
		c.Put("other", []byte("2"))
		if got := show(t, d.AppendTo(nil)); got != before {
			t.Errorf("%d names: the original has become %s", names, got)
		}
		if got := string(c.Get(name(0))); got != "\x09[1,2,4]" {
			t.Errorf("the clone's list is %q", got)
		}
	}
}

// Few names are searched one by one and many by an index; both ways have to agree.
func TestManyNames(t *testing.T) {
	var pairs []string
	for i := range 60 {
		pairs = append(pairs, fmt.Sprint("k", i), fmt.Sprint(i))
	}
	d := on(pairs...)
	want := map[string]string{}
	for i := 0; i < 60; i += 2 {
		d.Delete(fmt.Sprint("k", i))
	}
	for i := range 80 {
		if i >= 30 {
			d.Put(fmt.Sprint("k", i), []byte("new"))
			want[fmt.Sprint("k", i)] = "new"
		} else if i%2 == 1 {
			want[fmt.Sprint("k", i)] = fmt.Sprint(i)
		}
	}
	out := Values(d.AppendTo(nil))
	if n := len(slices.Collect(out.Names())); n != len(want) {
		t.Errorf("%d values, want %d: %s", n, len(want), show(t, out))
	}
	for i := range 90 {
		name := fmt.Sprint("k", i)
		data, _ := out.Get(name)
		if string(data) != want[name] || string(d.Get(name)) != want[name] {
			t.Errorf("%s is %q and %q, want %q", name, data, d.Get(name), want[name])
		}
	}
}

// F52: a request that appends thousands of times costs what it appends, in one list or in many.
func TestF52_AppendingIsLinear(t *testing.T) {
	more := []byte("\x09[\"0123456789\"]")
	const appends = 8000
	for _, names := range []int{1, 10, 1000, appends} {
		list := make([]string, names)
		var pairs []string
		for i := range list {
			list[i] = fmt.Sprint("list", i)
			pairs = append(pairs, list[i], "\x09[0]")
		}
		base, last := made(pairs...)
		var d Draft
		d.Reset(base, last)
		n := allocated(func() {
			for i := range appends {
				d.Append(list[i%names], more)
			}
		})
		if most := uint64(64*appends + 800*names); n > most {
			t.Errorf("%d appends to %d lists: %d bytes, want at most %d", appends, names, n, most)
		}
		if size := len(d.AppendTo(nil)); size < appends*len("\"0123456789\",") {
			t.Errorf("%d appends to %d lists left %d bytes", appends, names, size)
		}
	}
	var l []byte
	n := allocated(func() {
		for range appends {
			l, _ = AppendList(l, more)
		}
	})
	if n > 64*appends || len(l) < appends*len("\"0123456789\",") {
		t.Errorf("AppendList: %d bytes for a list of %d", n, len(l))
	}
}

func allocated(do func()) uint64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	do()
	runtime.ReadMemStats(&after)
	return after.TotalAlloc - before.TotalAlloc
}

func TestTheFirstEditCostsNoObject(t *testing.T) {
	base, last := made("a", "1", "b", "2")
	v := []byte("3")
	dst := make([]byte, 0, 100)
	if n := testing.AllocsPerRun(100, func() {
		var d Draft
		d.Reset(base, last)
		d.Put("a", v)
		if d.Get("b") == nil || !d.Changed() || !d.Adds() || d.Size() > cap(dst) {
			t.Error("not what was put")
		}
		c := d.Clone()
		_ = c.AppendTo(dst)
	}); n != 0 {
		t.Errorf("%v objects", n)
	}
}
