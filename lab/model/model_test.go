package model

import (
	"flag"
	"strconv"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// search runs drawn plans until so many steps were made, or a law is broken: then it tells the seed, and
// the shortest schedule that breaks one.
func search(t *testing.T, tb rapid.TB, steps int, b Bias, wrap Wrap) (made int) {
	t.Helper()
	set := func(name, value string) {
		if err := flag.Set(name, value); err != nil {
			t.Fatal(err)
		}
	}
	set("rapid.nofailfile", "true")
	set("rapid.shrinktime", "1ms") // what a schedule needs is known better here
	var found *Plan
	defer func() { // rapid ends the test where it fails
		if found == nil {
			return
		}
		p := Shrink(*found, func(p Plan) bool { return len(Run(t, p, wrap).Broken) > 0 }, 15*time.Second)
		r := Run(t, p, wrap)
		tb.Logf("the shortest schedule found:\n%s\n%s", p, &r)
	}()
	first, err := strconv.ParseUint(flag.Lookup("rapid.seed").Value.String(), 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	defer set("rapid.seed", strconv.FormatUint(first, 10))
	for round := uint64(0); made < steps && !tb.Failed(); round++ {
		if first != 0 { // rapid would draw the same plans again
			set("rapid.seed", strconv.FormatUint(first+round, 10))
		}
		rapid.Check(tb, func(rt *rapid.T) {
			p := Draw(b).Draw(rt, "plan")
			r := Run(t, p, wrap)
			made += r.Steps
			if len(r.Broken) > 0 {
				found = &p
				rt.Fatalf("a law is broken: %s", r.Broken[0])
			}
		})
	}
	return made
}

// crowd is what meets in the save queue.
var crowd = [verbKinds]int{Count: 10, Login: 5, Commit: 4, Renew: 3, Put: 3, AppendNote: 3, Look: 1, SlowCount: 1, Logout: 1, Take: 2, PutOnce: 2}

// visitors is what happens to seals beside the store.
var visitors = [verbKinds]int{Look: 6, Count: 9, Login: 8, Commit: 6, AppendNote: 5, RevokeAll: 2, PopNotes: 4, Put: 3, Logout: 4,
	Renew: 3, PutOnce: 7, Take: 8, Delete: 1, RevokeOthers: 1, Revoke: 1, List: 1, Valid: 2, Remember: 2, FirstByte: 3, SlowCount: 2, RevokeEveryone: 2, PutLarge: 1}

// copies is what becomes of a seal and of what it was.
var copies = [verbKinds]int{Look: 3, Count: 5, Login: 8, Commit: 3, AppendNote: 3, PopNotes: 3, Put: 2, Logout: 3, Renew: 2, PutOnce: 7, Take: 8,
	Remember: 1, Valid: 1, FirstByte: 1, SlowCount: 1, RevokeAll: 1, RevokeEveryone: 1, PutLarge: 1}

var more = flag.Int("more", 1, "how many times as many steps TestMachine makes")

// 155,000 steps on memory.
func TestMachine(t *testing.T) {
	for _, b := range []struct {
		name  string
		steps int
		bias  Bias
	}{
		{"in the store", 25_000, Bias{Keepers: []Keeper{InStore}}},
		{"in the store, with faults", 25_000, Bias{Keepers: []Keeper{InStore}, Faults: true}},
		{"one session in one process", 15_000, Bias{Keepers: []Keeper{InStore}, Crowd: true, Verbs: crowd}},
		{"one session in one process, with faults", 15_000, Bias{Keepers: []Keeper{InStore}, Crowd: true, Verbs: crowd, Faults: true}},
		{"visitors sealed", 15_000, Bias{Keepers: []Keeper{Visitors}, Verbs: visitors}},
		{"visitors sealed, with faults", 15_000, Bias{Keepers: []Keeper{Visitors}, Verbs: visitors, Faults: true}},
		{"copies of visitors' seals", 15_000, Bias{Keepers: []Keeper{Visitors}, Verbs: copies, Copies: true}},
		{"copies of visitors' seals, with faults", 15_000, Bias{Keepers: []Keeper{Visitors}, Verbs: copies, Copies: true, Faults: true}},
		{"sealed, with faults", 15_000, Bias{Keepers: []Keeper{Sealed, SealedAlone}, Faults: true}},
	} {
		t.Run(b.name, func(t *testing.T) {
			t.Logf("%d steps", search(t, t, b.steps**more, b.bias, nil))
		})
	}
}
