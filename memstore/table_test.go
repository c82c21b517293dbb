package memstore

import (
	"hash/maphash"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/gosojourn/sojourn"
)

// The table against a map, with few hashes in play so that probes run into each other and round the end.
func TestTableIsAMap(t *testing.T) {
	for seed := range uint64(20) {
		rnd := rand.New(rand.NewPCG(seed, 0))
		tab, model := table{seed: maphash.MakeSeed()}, map[key]*block{}
		most := 4 << (seed % 8)
		for step := range 4000 {
			var k key
			k[0], k[17] = byte(rnd.IntN(most)), byte(rnd.IntN(2))
			hash := hashOf(tab.seed, &k)
			i := tab.find(hash, &k)
			switch {
			case (i >= 0) != (model[k] != nil), i >= 0 && tab.slots[i] != model[k]:
				t.Fatalf("seed %d, step %d: find answers slot %d, the map has %v", seed, step, i, model[k])
			case i >= 0 && (step/500)%2 == 1 || i >= 0 && rnd.IntN(3) == 0:
				tab.remove(i)
				delete(model, k)
				if rnd.IntN(20) == 0 {
					tab.shrink()
				}
			case i < 0 && rnd.IntN(4) > 0:
				model[k] = testBlock(t, k)
				tab.add(hash, model[k])
			}
		}
		if tab.n != len(model) {
			t.Errorf("seed %d: the table counts %d, the map %d", seed, tab.n, len(model))
		}
	}
}

// Sweep goes through the slots while it removes from them: it must neither miss nor repeat.
func TestTableRemovedFromWhileScanned(t *testing.T) {
	for seed := range uint64(50) {
		rnd := rand.New(rand.NewPCG(seed, 1))
		tab := table{seed: maphash.MakeSeed()}
		doomed, kept := 0, map[key]bool{}
		for range rnd.IntN(60) {
			var k key
			k[0], k[1] = byte(rnd.Uint32()), byte(rnd.Uint32())
			hash := hashOf(tab.seed, &k)
			if tab.find(hash, &k) >= 0 {
				continue
			}
			tab.add(hash, testBlock(t, k))
			if k[0]%2 == 0 {
				doomed++
			} else {
				kept[k] = true
			}
		}
		for i := 0; i < len(tab.slots); {
			if b := tab.slots[i]; b == nil || b.key()[0]%2 != 0 {
				i++
				continue
			}
			tab.remove(i)
			doomed--
		}
		if doomed != 0 {
			t.Errorf("seed %d: the scan missed %d", seed, doomed)
		}
		for k := range kept {
			if tab.find(hashOf(tab.seed, &k), &k) < 0 {
				t.Errorf("seed %d: %v went too", seed, k)
			}
		}
	}
}

func testBlock(t *testing.T, k key) *block {
	b, err := newBlock(k, &sojourn.Record{Version: 1, Expiry: time.Unix(1, 0), Seen: time.Unix(1, 0)})
	if err != nil {
		t.Fatal(err)
	}
	return b
}
