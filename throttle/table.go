package throttle

import (
	"hash/maphash"
	"net/netip"
	"slices"
	"sync"
	"time"
)

const (
	rows  = 1024 // a power of two
	ways  = 8    // networks in a row
	marks = 8    // tokens that are remembered of a network, so that each counts once
)

// A table counts for up to rows*ways networks at once, in memory that never grows. A network has one row, which a secret
// hash decides. A newcomer to a full row takes the place of the network that has shown the fewest tokens, of those the one
// that began first. So a flood of networks with a token each pushes out its own kind, and a network that goes on trying stays.
type table struct {
	limit  int
	window time.Duration
	seed   maphash.Seed
	rows   []row
}

type row struct {
	mu sync.Mutex
	of [ways]counter
}

// A counter is what is known of a network. Times are since the table was made.
type counter struct {
	network netip.Prefix
	begun   time.Duration
	n       int
	last    [marks]uint32
	next    int
}

func newTable(limit int, window time.Duration) *table {
	return &table{limit: limit, window: window, seed: maphash.MakeSeed(), rows: make([]row, rows)}
}

func (t *table) row(network netip.Prefix) *row {
	return &t.rows[maphash.Comparable(t.seed, network)%rows]
}

// refusedFor is how much longer network is past the limit, or 0.
func (t *table) refusedFor(network netip.Prefix, now time.Duration) time.Duration {
	r := t.row(network)
	r.mu.Lock()
	defer r.mu.Unlock()
	if c := r.find(network); c != nil && c.n > t.limit {
		return max(0, c.begun+t.window-now)
	}
	return 0
}

// count counts a token under mark, and reports whether it is the one that takes network past the limit.
func (t *table) count(network netip.Prefix, mark uint64, now time.Duration) (past bool) {
	r := t.row(network)
	r.mu.Lock()
	defer r.mu.Unlock()
	c := r.find(network)
	switch {
	case c == nil:
		c = r.place(now - t.window)
		*c = counter{network: network, begun: now}
	case c.begun <= now-t.window:
		*c = counter{network: network, begun: now}
	case slices.Contains(c.last[:min(c.n, marks)], uint32(mark)):
		return false
	}
	c.last[c.next] = uint32(mark)
	c.next = (c.next + 1) % marks
	c.n++
	return c.n == t.limit+1
}

func (r *row) find(network netip.Prefix) *counter {
	for i := range r.of {
		if r.of[i].network == network {
			return &r.of[i]
		}
	}
	return nil
}

// place is where a newcomer goes: for choice where nobody is, or somebody whose window began by over.
func (r *row) place(over time.Duration) *counter {
	least := &r.of[0]
	for i := range r.of {
		c := &r.of[i]
		switch {
		case c.n == 0 || c.begun <= over:
			return c
		case c.n < least.n, c.n == least.n && c.begun < least.begun:
			least = c
		}
	}
	return least
}
