package histories

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"sync"
	"time"
)

// A Play is one history to be made.
type Play struct {
	Spec    *Spec
	URLs    []string // of the processes that serve the application
	Seed    uint64
	Clients int // who ask at once
	Deeds   int // that each asks, one after the other
	Leaving int // one request in so many is given up by its client after a moment; 0: none
}

// maxDoubts is after how many unknown outcomes a client goes home: each may have taken effect at any later time, so
// the orders to be tried double with each.
const maxDoubts = 2

// Run makes the history.
func (p Play) Run(ctx context.Context) ([]Op, error) {
	transport := &http.Transport{MaxIdleConnsPerHost: p.Clients, DisableCompression: true}
	defer transport.CloseIdleConnections()
	rec := NewRecorder()
	clients, err := p.clients(ctx, transport, rec)
	if err != nil {
		return nil, err
	}
	var all sync.WaitGroup
	start := make(chan struct{})
	for _, c := range clients {
		rng := rand.New(rand.NewPCG(p.Seed, uint64(c.ID)))
		all.Go(func() {
			<-start
			doubts := 0
			for i := 0; i < p.Deeds && doubts < maxDoubts; i++ {
				if p.one(ctx, rng, c, i) == Unknown {
					doubts++
				}
			}
		})
	}
	close(start)
	all.Wait()
	return rec.Ops(), ctx.Err()
}

func (p Play) one(ctx context.Context, rng *rand.Rand, c *Client, i int) Outcome {
	d := p.Spec.Next(rng, c, i)
	process := rng.IntN(len(p.URLs))
	if p.Leaving > 0 && rng.IntN(p.Leaving) == 0 {
		gone, cancel := context.WithTimeout(ctx, rand.N(3*time.Millisecond))
		defer cancel()
		ctx = gone
	}
	return c.Ask(ctx, process, d).Outcome
}

func (p Play) clients(ctx context.Context, transport *http.Transport, rec *Recorder) ([]*Client, error) {
	jars := make([]Jar, p.Spec.Jars)
	var all []*Client
	for i := range p.Clients {
		c := NewClient(i, &jars[i%len(jars)], rec, transport, p.URLs)
		c.crowd = fmt.Sprintf("-%x", uint16(p.Seed))
		all = append(all, c)
	}
	if p.Spec.Begin {
		before := *all[0]
		before.rec = NewRecorder()
		for a := (Answer{}); a.Outcome != Done; {
			if a = before.Ask(ctx, 0, Deed{Do: "begin", Value: "b"}); ctx.Err() != nil {
				return nil, fmt.Errorf("histories: no session was begun: %s %s", a.Outcome, a.Text)
			}
		}
	}
	return all, nil
}
