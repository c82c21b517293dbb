package model

import (
	"math/rand/v2"
	"os"
	"sync"
	"testing"
)

// lanes is how many requests are under way at once on a real store.
const lanes = 6

// RunReal runs drawn requests side by side on a real store, which each process has opened for itself, until so
// many verbs were done. Nothing is parked: they meet as they may. Calls fail now and then at the door.
func RunReal(t *testing.T, verbs int, stores [2]Store) {
	weights := usual
	weights[RevokeEveryone] = 0 // it waits for a second, and there is no bubble
	draw := Draw(Bias{Keepers: []Keeper{InStore, InStore, Visitors, Sealed}, Verbs: weights})
	done, seed := 0, rand.Int()
	if os.Getenv("CI") != "" {
		seed = 20261126 // the same plans at the gate; elsewhere every run draws new ones
	}
	for n := 0; done < verbs; n++ {
		p := draw.Example(seed + n)
		for i := range 3 {
			p.Requests = append(p.Requests, draw.Example(seed+n+i*1_000_000).Requests...)
		}
		for _, r := range p.Requests {
			done += len(r.Do)
		}
		w, err := newWorld(p, stores)
		if err != nil {
			t.Fatal(err)
		}
		w.real, w.faults = true, true
		w.meet()
		w.ledger.settle(w)
		if len(w.ledger.broken) > 0 {
			t.Fatalf("plan %d, %s%s", seed+n, p, &Report{Broken: w.ledger.broken, Lines: w.lines})
		}
	}
	t.Logf("%d verbs", done)
}

// meet has the requests come, each lane's one after the other.
func (w *world) meet() {
	var wg sync.WaitGroup
	for lane := range lanes {
		wg.Go(func() {
			for n := lane; n < len(w.plan.Requests); n += lanes {
				v := w.newVisit(n, &w.plan.Requests[n])
				w.say("request %d comes, and shows %v", n, shows(v.shown))
				v.serve()
			}
		})
	}
	wg.Wait()
}
