package record

import (
	"bytes"
	"reflect"
	"testing"

	"github.com/gosojourn/sojourn/internal/token"
	"github.com/gosojourn/sojourn/internal/value"
)

// What Encode leaves is what Parse answers of the bytes, so that a writer need not read what it has just written.
func TestEncodeLeavesWhatParseAnswers(t *testing.T) {
	c := Content{Token: token.Sum("p", token.Mint(token.NewID())), Created: 1, Auth: 2, Deadline: 3, Order: 300, Remembered: true}
	c.SetDevice("addr", "agent", "label")
	if err := c.SetMoved([]byte("tie")); err != nil {
		t.Fatal(err)
	}
	var d value.Draft
	for i, name := range []string{"a", "b", "a", "c", "b"} {
		d.Reset(c.Values, c.Stamps)
		if d.Put(name, bytes.Repeat([]byte{9}, 1+i*60)); i == 3 {
			d.Delete("a")
		}
		if i == 2 {
			if err := c.Supersede(int64(10 + i)); err != nil {
				t.Fatal(err)
			}
		}
		c.Descend(nil, uint64(i+1), 0, 1)
		data, err := c.Encode(&d, nil)
		if err != nil {
			t.Fatal(err)
		}
		parsed, err := Parse(data)
		if err != nil {
			t.Fatal(err)
		}
		for _, l := range []*[]byte{&parsed.superseded, &parsed.lineage} {
			if len(*l) == 0 {
				*l = nil // an empty list is as good as none
			}
		}
		if !reflect.DeepEqual(parsed, c) {
			t.Errorf("after %d: Parse answers\n%+v, and Encode leaves\n%+v", i, parsed, c)
		}
	}
}
