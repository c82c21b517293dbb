package storetest

import (
	"bytes"

	"github.com/gosojourn/sojourn"
)

func memoryIsNeitherChangedNorLent(t *tester) {
	type held struct {
		whose      string
		data, want []byte
	}
	var holds []held
	hold := func(whose string, data []byte) {
		holds = append(holds, held{whose, data, bytes.Clone(data)})
	}
	// Data with room behind it, where a store could write when it appends to what it was given.
	roomy := func(r *sojourn.Record) {
		room := append(r.Data, "do not write here"...)
		hold("the room behind Data handed in", room)
		r.Data = room[:len(r.Data)]
	}
	index, indexed := t.store.(sojourn.OwnerIndex)
	look := func(r sojourn.Record) {
		got, err := t.store.Load(t.ctx, r.ID)
		t.must(err, "Load")
		hold("Data handed out by Load", got.Data)
		if !indexed {
			return
		}
		found, _ := t.list(t.ctx, index, r.Owner)
		for _, got := range found {
			hold("Data handed out by ListOwner", got.Data)
		}
	}

	r := newRecord(newOwner())
	roomy(&r)
	t.create(r)
	look(r)
	for i := range 3 {
		next := nextRecord(r.ID, r.Owner)
		next.Data = bytes.Repeat([]byte{'0' + byte(i)}, len(r.Data)) // it would fit where the old data is
		roomy(&next)
		t.must(t.store.Update(t.ctx, next, r.Version), "Update")
		r = next
		look(r)
		r = touched(r)
		t.must(t.store.Touch(t.ctx, r), "Touch")
		look(r)
	}
	other := nextRecord(r.ID, r.Owner)
	roomy(&other)
	_ = t.store.Create(t.ctx, other)
	_ = t.store.Update(t.ctx, other, other.Version)
	t.must(t.store.Delete(t.ctx, r.ID, 0), "Delete")
	// What was freed would be used again now.
	t.create(newRecord(r.Owner))
	t.create(newRecord(r.Owner))

	for _, h := range holds {
		if !bytes.Equal(h.data, h.want) {
			t.broken("%s changed later", h.whose)
		}
	}
}

// Whoever appends to Data writes behind it if there is room: into the next record, where a store cuts
// records out of one piece of memory.
func whatIsAppendedGoesElsewhere(t *tester) {
	owner := newOwner()
	var there []sojourn.Record
	for range 8 {
		there = append(there, t.create(newRecord(owner)))
	}
	behind := bytes.Repeat([]byte("written behind"), 50)
	for _, r := range there {
		got, err := t.store.Load(t.ctx, r.ID)
		t.must(err, "Load")
		_ = append(got.Data, behind...)
	}
	if index, ok := t.store.(sojourn.OwnerIndex); ok {
		found, _ := t.list(t.ctx, index, owner)
		for _, got := range found {
			_ = append(got.Data, behind...)
		}
	}
	for _, r := range there {
		t.sees(r, "after appending to Data that was handed out")
	}
}
