package faults

import (
	"strings"
	"testing"
	"time"

	"github.com/gosojourn/sojourn/lab/harness"
)

// processConnections is how many an Order's process may have to its database.
const processConnections = 8

// In a flood the process keeps within its bounds, and gives back afterwards what it took (see play).
func TestFloods(t *testing.T) {
	if *soak == 0 {
		t.Parallel()
	}
	for _, f := range floods {
		t.Run(f.name, func(t *testing.T) {
			if f.long && *soak == 0 {
				t.Skip("with -soak")
			}
			lasting := max(*soak, 500*time.Millisecond)
			_, o := postgres.start(t)
			db := harness.Open(t, o.Driver, o.DSN)
			r := f.play(t, o, func() (n int) {
				if err := db.QueryRow("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()").Scan(&n); err != nil {
					t.Error(err)
				}
				return n
			}, lasting)
			t.Logf("| %s | %s | %v |", f.name, f.done, r)
			if r.connections > processConnections+1 { // the pool that counts may have two
				t.Errorf("the process has %d connections, its pool has %d", r.connections, processConnections)
			}
			// Who waits for an answer asks no more meanwhile. Of those who do not, the page says what they cost.
			goroutines, memory := r.before.Goroutines+4*flooders, r.before.Memory+256<<20
			if f.bounds.MaxHeader > 0 { // whom it refuses it gives half a second to read why, and they come again
				goroutines = r.before.Goroutines + 16*flooders
			}
			if f.bounds.AtOnce > 0 { // who waits to be let in has begun nothing, and leaves when the server notices
				goroutines, memory = r.before.Goroutines+32*flooders, r.before.Memory+64<<20
			}
			if (!f.gone || f.bounds.AtOnce > 0) && (r.most.Goroutines > goroutines || r.most.Memory > memory) {
				t.Errorf("%d goroutines and %d MB, want at most %d and %d", r.most.Goroutines, r.most.Memory>>20, goroutines, memory>>20)
			}
			if r.asked < flooders/2 || r.honest == 0 {
				t.Errorf("%+v: little is tested", r)
			}
		})
	}
}

// The page has these rows, too.
func TestThePageHasTheFloods(t *testing.T) {
	names := ""
	for _, f := range floods {
		names += "| " + f.name + " | " + f.done + " | \n"
	}
	inOrder(t, "| flood | what was done |", strings.Split(strings.TrimSpace(names), "\n"))
}
