package histories

import (
	"context"
	"math/rand/v2"
	"time"
)

// A Stage is what histories are made on: the processes that serve the application, and what can go wrong.
type Stage struct {
	URLs   []string
	Near   time.Duration                 // how old a copy may be that a process answers a safe request from
	Faults []func(lasting time.Duration) // each makes one fault, and mends it
}

// Trouble makes faults, one after the other, until ctx ends.
func (s *Stage) Trouble(ctx context.Context, seed uint64) {
	rng := rand.New(rand.NewPCG(seed, 0))
	for len(s.Faults) > 0 {
		select {
		case <-ctx.Done():
			return
		case <-time.After(time.Duration(20+rng.IntN(100)) * time.Millisecond):
		}
		s.Faults[rng.IntN(len(s.Faults))](time.Duration(5+rng.IntN(60)) * time.Millisecond)
	}
}
