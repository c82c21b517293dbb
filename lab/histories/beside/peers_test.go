package beside

import (
	"flag"
	"testing"

	"github.com/gosojourn/sojourn/lab/histories"
)

var options = histories.Flags()

var tries = flag.Int("tries", 0, "how often each size of history is tried with other libraries, for every specification; 0: a few times, for the counter")

// Each of the others has a wrong history, which the same clients and the same referee find. -v prints the shortest.
func TestPeers(t *testing.T) {
	for _, p := range Peers {
		t.Run(p.Name, func(t *testing.T) {
			stage := &histories.Stage{URLs: []string{p.Open(t)}}
			specs := []*histories.Spec{&histories.Counter}
			if *tries > 0 {
				specs = append(specs, &histories.Flashes, &histories.Register, histories.LoginsElsewhere(p.Renews))
			}
			for _, s := range specs {
				t.Run(s.Name, func(t *testing.T) {
					ops, err := histories.Shortest(t.Context(), s, stage, options.First(), max(*tries, 30))
					if err != nil {
						t.Fatal(err)
					}
					if ops == nil && s == &histories.Counter {
						t.Error("every history had an order, so this looks in the wrong place")
					} else if ops == nil {
						t.Skip("every history had an order")
					}
					t.Logf("no order explains this history:\n%s", histories.Print(ops))
				})
			}
		})
	}
}
