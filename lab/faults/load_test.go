package faults

import (
	"testing"
	"time"

	"github.com/gosojourn/sojourn/lab/harness"
	"github.com/gosojourn/sojourn/lab/histories"
	"github.com/gosojourn/sojourn/lab/histories/serving"
	"github.com/gosojourn/sojourn/lab/strangers"
)

var memory = kind{"memory", func(*testing.T, *harness.Clock) (server, serving.Order) { return nil, serving.Order{} }}

// loads are the stores, and which are loaded only with -soak.
var loads = []struct {
	kind
	long bool
}{{memory, false}, {sqlite, true}, {mariaDB, true}, {postgres, false}, {redis, true}}

// Sixty-four connections work without a pause for thousands who are logged in. Each answer is as it has to be, and the
// process keeps within its bounds.
func TestLoad(t *testing.T) {
	if *soak == 0 {
		t.Parallel()
	}
	for _, k := range loads {
		t.Run(k.name, func(t *testing.T) {
			if k.long && *soak == 0 {
				t.Skip("with -soak")
			}
			sessions, lasting := 10_000, *soak
			if *soak == 0 {
				sessions, lasting = 2*workers, time.Second
			}
			s, o := k.start(t)
			migrate(t, o)
			connections := connectionsTo(t, s, o)
			stalled := strangers.Stalls()
			r := playLoad(t, o, connections, sessions, lasting)
			t.Logf("| %s | %v |", k.name, r)
			if r.lost > 0 || r.more > 0 || r.back > 0 {
				t.Errorf("of %d acknowledged writes %d are lost, %d are too many; of %d ended sessions %d are back", r.acknowledged, r.lost, r.more, r.ended, r.back)
			}
			if most := 2*histories.StoreTimeout + 2*time.Second + stalled(); r.longest > most {
				t.Errorf("an answer took %v; a load and a save have %v", r.longest, 2*histories.StoreTimeout)
			}
			if r.connections > 2*processConnections { // one whose call was given up is there until the server has noticed
				t.Errorf("the process has %d connections, its pool has %d", r.connections, processConnections)
			}
			if r.most.Goroutines > r.before.Goroutines+4*workers || r.most.Memory > r.before.Memory+128<<20 {
				t.Errorf("%d goroutines and %d MB, from %d and %d", r.most.Goroutines, r.most.Memory>>20, r.before.Goroutines, r.before.Memory>>20)
			}
			if r.requests < workers || r.ended == 0 {
				t.Errorf("%+v: little is tested", r)
			}
		})
	}
}

// The page has these rows, too.
func TestThePageHasTheLoads(t *testing.T) {
	var want []string
	for _, k := range loads {
		want = append(want, "| "+k.name+" | ")
	}
	inOrder(t, "| store | sessions |", want)
}
