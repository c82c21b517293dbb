package throttle

import (
	"encoding/binary"
	"net/netip"
	"sync"
	"testing"
	"time"
	"unsafe"
)

func network(n uint32) netip.Prefix {
	var b [4]byte
	binary.BigEndian.PutUint32(b[:], n)
	return netip.PrefixFrom(netip.AddrFrom4(b), 32)
}

// The limit is of different tokens, and one that comes again soon is none.
func TestCount(t *testing.T) {
	tab := newTable(3, time.Minute)
	a, b := network(1), network(2)
	count := func(mark uint64, now time.Duration, want bool) {
		t.Helper()
		if past := tab.count(a, mark, now); past != want {
			t.Errorf("token %d at %v: past the limit %v, want %v", mark, now, past, want)
		}
	}
	for range 50 {
		count(0, 0, false)
	}
	count(2, time.Second, false)
	count(3, time.Second, false)
	if tab.refusedFor(a, time.Second) != 0 {
		t.Error("three tokens are past a limit of three")
	}
	count(4, 2*time.Second, true)
	count(5, 3*time.Second, false) // that was told
	if left := tab.refusedFor(a, 20*time.Second); left != 40*time.Second {
		t.Errorf("refused for %v after 20s of a minute", left)
	}
	if tab.refusedFor(b, 20*time.Second) != 0 {
		t.Error("a neighbour is refused")
	}
	if tab.refusedFor(a, time.Minute) != 0 {
		t.Error("refused when the window is over")
	}
	for mark := range uint64(3) {
		count(mark, time.Minute, false)
	}
	count(9, time.Minute, true)
}

// A million networks with a token each take no memory, and the one among them that goes on trying is found. Nobody else
// is refused.
func TestFloodOfNetworks(t *testing.T) {
	tab := newTable(100, time.Minute)
	if size := len(tab.rows) * int(unsafe.Sizeof(row{})); size > 1<<20 {
		t.Errorf("the table takes %d bytes", size)
	}
	loud, found, n := network(1), 0, uint32(2)
	const flood = 1_000_000
	if a := testing.AllocsPerRun(1, func() {
		for range flood / 2 { // it runs twice
			if tab.count(network(n), 1, 0) || n%16 == 0 && tab.refusedFor(network(n), 0) != 0 {
				t.Fatalf("a network with one token is refused, after %d", n)
			}
			if n++; n%1000 == 0 && tab.count(loud, uint64(n), 0) {
				found++
			}
		}
	}); a != 0 {
		t.Errorf("%v allocations", a)
	}
	if n < flood || found != 1 || tab.refusedFor(loud, 0) == 0 {
		t.Errorf("after %d networks: the loud one was told of %d times, and is refused for %v", n, found, tab.refusedFor(loud, 0))
	}
}

// Whoever count at once, one of them crosses the limit.
func TestCountAtOnce(t *testing.T) {
	tab := newTable(100, time.Minute)
	var wg sync.WaitGroup
	crossed := make(chan uint64, 1000)
	for g := range uint64(8) {
		wg.Go(func() {
			for i := range uint64(1000) {
				if tab.count(network(7), g<<20|i, 0) {
					crossed <- g
				}
				tab.count(network(uint32(100+i)), 1, 0)
				tab.refusedFor(network(7), 0)
			}
		})
	}
	wg.Wait()
	if n := len(crossed); n != 1 {
		t.Errorf("%d crossed the limit, want one", n)
	}
}
