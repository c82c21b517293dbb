package histories

import (
	"context"
	"fmt"
	"sync"
	"time"
)

// Runs is many histories of one specification on one stage.
type Runs struct {
	Spec   *Spec
	Stage  *Stage
	Seed   uint64        // of the first; the others follow
	Number int           // how many; 0: until For is over
	For    time.Duration // how long at least
	AtOnce int           // how many at the same time, each with sessions of its own
}

// A Report is what came of them.
type Report struct {
	Histories, Deeds, Unknown int
	Wrong                     *Wrong // the first that was refused or could not be decided
}

// A Wrong is a history that no order explains.
type Wrong struct {
	Seed    uint64
	Verdict Verdict
}

// Run makes them. With trouble there are faults meanwhile, and clients that leave.
func (r Runs) Run(ctx context.Context, trouble bool) (rep Report, err error) {
	end := time.Now().Add(r.For)
	var mu sync.Mutex
	next := 0
	draw := func() (seed uint64, ok bool) {
		mu.Lock()
		defer mu.Unlock()
		if rep.Wrong != nil || err != nil || next >= r.Number && time.Now().After(end) {
			return 0, false
		}
		next++
		return r.Seed + uint64(next) - 1, true
	}
	calm, stop := context.WithCancel(ctx)
	var all, faults sync.WaitGroup
	if trouble {
		faults.Go(func() { r.Stage.Trouble(calm, r.Seed) })
	}
	for range r.AtOnce {
		all.Go(func() {
			for {
				seed, ok := draw()
				if !ok {
					return
				}
				one, e := r.one(ctx, seed, trouble)
				mu.Lock()
				rep.Histories += one.Histories
				rep.Deeds += one.Deeds
				rep.Unknown += one.Unknown
				if one.Wrong != nil {
					rep.Wrong = one.Wrong
				}
				if e != nil {
					err = e
				}
				mu.Unlock()
			}
		})
	}
	all.Wait()
	stop()
	faults.Wait()
	return rep, err
}

func (r Runs) one(ctx context.Context, seed uint64, trouble bool) (rep Report, err error) {
	p := Play{Spec: r.Spec, URLs: r.Stage.URLs, Seed: seed, Clients: 4, Deeds: 10}
	if trouble {
		p.Leaving = 20
	}
	ops, err := p.Run(ctx)
	if err != nil {
		return rep, fmt.Errorf("seed %d: %w", seed, err)
	}
	rep.Histories, rep.Deeds = 1, len(ops)
	for _, o := range ops {
		if o.Outcome == Unknown {
			rep.Unknown++
		}
	}
	if v := r.Spec.Judge(ops, r.Stage.Near); v.Result != "Ok" {
		rep.Wrong = &Wrong{seed, v}
	}
	return rep, nil
}
