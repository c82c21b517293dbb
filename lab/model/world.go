package model

import (
	"context"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/gosojourn/sojourn"
	"github.com/gosojourn/sojourn/sealed"
)

// storeTimeout bounds every call.
const storeTimeout = 3 * time.Second

// A Store is one that owners' sessions can be found in.
type Store interface {
	sojourn.Store
	sojourn.OwnerIndex
	sojourn.EveryoneRevoker
}

// A world is one schedule under way: two processes on one store, browsers, and those who wait at a door.
type world struct {
	plan     Plan
	managers [hosts]*sojourn.Manager
	ledger   *ledger
	real     bool        // nobody parks: goroutines meet as they may
	faults   bool        // where real: calls fail now and then
	open     atomic.Bool // all doors stand open

	mu       sync.Mutex
	jars     [browsers]jar
	planted  between         // or nil
	parked   map[int]*parked // by request
	landings []landing
	lines    []string
	running  map[int]*visit
	random   *rand.Rand
}

// A parked call waits at a door for the schedule's word.
type parked struct {
	what  string
	write bool
	call  bool // at the store, not between two verbs
	word  chan Fate
}

// A landing is a write that its caller has given up, and that may take effect.
type landing struct {
	what string
	do   func()
}

type visitKey struct{}

func visitOf(ctx context.Context) *visit {
	v, _ := ctx.Value(visitKey{}).(*visit)
	return v
}

func newWorld(p Plan, stores [hosts]Store) (*world, error) {
	w := &world{plan: p, parked: make(map[int]*parked), running: make(map[int]*visit), random: rand.New(rand.NewPCG(1, 2))}
	w.ledger = newLedger(p.Setup)
	w.planted, _ = stores[0].(between)
	for i := range w.managers {
		m, err := w.manager(i, &door{w: w, store: stores[i]})
		if err != nil {
			return nil, err
		}
		w.managers[i] = m
	}
	return w, nil
}

// ring is the same for all: what a key is does not matter here.
var ring = sync.OnceValues(func() (*sealed.Ring, error) {
	return sealed.New([]string{sealed.GenerateKey()}, sealed.Options{})
})

func (w *world) manager(host int, d *door) (*sojourn.Manager, error) {
	cfg := sojourn.Config{
		StoreTimeout: storeTimeout, MaxPerOwner: w.plan.Setup.MaxPerOwner,
		Logger: slog.New(slog.DiscardHandler), OnEvent: onEvent, ErrorHandler: onError,
	}
	if w.plan.Setup.Domain {
		cfg.Cookie.Domain = "sojourn.test"
	}
	r, err := ring()
	if err != nil {
		return nil, err
	}
	switch w.plan.Setup.Keeper {
	case Sealed:
		cfg.Revocations = d
		fallthrough
	case SealedAlone:
		return sojourn.NewSealed(r, cfg)
	case Visitors:
		cfg.Anonymous = r
	}
	cfg.EncryptAtRest = w.plan.Setup.Encrypted[host]
	return sojourn.New(d, cfg)
}

// say notes one line of the schedule as it went.
func (w *world) say(format string, a ...any) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.lines = append(w.lines, fmt.Sprintf(format, a...))
}

// pass stops v at a door until the schedule lets it go on, or ctx ends. between is a place between two
// verbs, where nothing can fail.
func (w *world) pass(ctx context.Context, v *visit, what string, call, write bool) (f Fate, over bool) {
	if w.open.Load() || v == nil {
		return Answered, false
	}
	if w.real {
		return w.chance(call, write), false
	}
	p := &parked{what: what, write: write, call: call, word: make(chan Fate)}
	w.mu.Lock()
	w.parked[v.n] = p
	w.mu.Unlock()
	select {
	case f = <-p.word:
	case <-ctx.Done():
		w.mu.Lock()
		delete(w.parked, v.n)
		w.mu.Unlock()
		over = true
	}
	return f, over
}

// chance decides where no schedule does.
func (w *world) chance(call, write bool) Fate {
	w.mu.Lock()
	n := w.random.IntN(200)
	w.mu.Unlock()
	switch {
	case !call || !w.faults:
	case n < 2:
		return Failed
	case n < 5 && write:
		return Lost
	case n < 7 && write:
		return Conflict
	case n < 8 && write:
		return Refused
	}
	return Answered
}

// between stops v where nothing can go wrong.
func (w *world) between(v *visit, what string) {
	w.pass(context.Background(), v, what, false, false)
}

// waiting are those who wait, in the order of their requests. The caller holds mu.
func (w *world) waiting() []int {
	all := make([]int, 0, len(w.parked))
	for n := range w.parked {
		all = append(all, n)
	}
	slices.Sort(all)
	return all
}

// later keeps a write that was given up.
func (w *world) later(what string, do func()) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.landings = append(w.landings, landing{what, do})
}
