package memstore

import "hash/maphash"

// A table finds blocks by key. It is not a map because a map would hold each key a second time and
// leave a third of its slots empty: some 60 bytes a session, where this takes 12.
//
// It is open addressing with linear probing. It grows by a quarter at a time, so that it is never
// less than two thirds full after growing, and removing moves back what follows, so that nothing
// but records takes up slots.
type table struct {
	seed  maphash.Seed
	slots []*block // nil is free
	tags  []uint8  // a byte of each slot's hash: a probe looks at few blocks but the right one
	n     int
}

const (
	fewest   = 8
	fullOf8  = 7 // eighths in use before it grows
	tagShift = 40
)

func hashOf(seed maphash.Seed, k *key) uint64 { return maphash.Bytes(seed, k[:]) }

func (t *table) home(hash uint64) int {
	return int(uint64(uint32(hash)) * uint64(len(t.slots)) >> 32)
}

func (t *table) next(i int) int {
	if i++; i < len(t.slots) {
		return i
	}
	return 0
}

// find returns the slot of k, or -1.
func (t *table) find(hash uint64, k *key) int {
	if t.n == 0 {
		return -1
	}
	tag := uint8(hash >> tagShift)
	for i := t.home(hash); t.slots[i] != nil; i = t.next(i) {
		if t.tags[i] == tag && t.slots[i].key() == *k {
			return i
		}
	}
	return -1
}

// add puts in a block whose key is not there.
func (t *table) add(hash uint64, b *block) {
	if (t.n+1)*8 > len(t.slots)*fullOf8 {
		t.resize(max(fewest, len(t.slots)+len(t.slots)/4))
	}
	t.place(hash, b)
	t.n++
}

func (t *table) place(hash uint64, b *block) {
	i := t.home(hash)
	for t.slots[i] != nil {
		i = t.next(i)
	}
	t.slots[i], t.tags[i] = b, uint8(hash>>tagShift)
}

// remove empties slot i. A later block may come to stand there; one that stood behind i never comes
// to stand before it, unless it has gone round the end.
func (t *table) remove(i int) {
	for j := t.next(i); t.slots[j] != nil; j = t.next(j) {
		k := t.slots[j].key()
		home := t.home(hashOf(t.seed, &k))
		if i < j && (home <= i || home > j) || i > j && home <= i && home > j {
			t.slots[i], t.tags[i] = t.slots[j], t.tags[j]
			i = j
		}
	}
	t.slots[i] = nil
	t.n--
}

// shrink gives back memory after many have been removed. It moves blocks to other slots.
func (t *table) shrink() {
	if len(t.slots) > fewest && t.n < len(t.slots)/4 {
		t.resize(max(fewest, t.n*3/2))
	}
}

func (t *table) resize(size int) {
	old := t.slots
	t.slots, t.tags = make([]*block, size), make([]uint8, size)
	for _, b := range old {
		if b != nil {
			k := b.key()
			t.place(hashOf(t.seed, &k), b)
		}
	}
}
