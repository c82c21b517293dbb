package storetest

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gosojourn/sojourn"
	"github.com/gosojourn/sojourn/memstore"
)

// A brokenStore is a memstore with some of its methods replaced.
type brokenStore struct {
	*memstore.Store
	load   func(ctx context.Context, id string) (sojourn.Record, error)
	create func(ctx context.Context, r sojourn.Record) error
	update func(ctx context.Context, r sojourn.Record, version uint64) error
	touch  func(ctx context.Context, r sojourn.Record) error
	delete func(ctx context.Context, id string, version uint64) error
	list   func(ctx context.Context, owner string) iter.Seq2[sojourn.Record, error]
	fence  func(ctx context.Context, owner string) (uint64, error)
	revoke func(ctx context.Context, owner, keep string) (uint64, error)
	sweep  func(ctx context.Context, before time.Time, limit int) (int, error)
	check  func(ctx context.Context) error
}

func (s *brokenStore) Load(ctx context.Context, id string) (sojourn.Record, error) {
	return s.load(ctx, id)
}
func (s *brokenStore) Create(ctx context.Context, r sojourn.Record) error { return s.create(ctx, r) }
func (s *brokenStore) Update(ctx context.Context, r sojourn.Record, version uint64) error {
	return s.update(ctx, r, version)
}
func (s *brokenStore) Touch(ctx context.Context, r sojourn.Record) error { return s.touch(ctx, r) }
func (s *brokenStore) Delete(ctx context.Context, id string, version uint64) error {
	return s.delete(ctx, id, version)
}
func (s *brokenStore) ListOwner(ctx context.Context, owner string) iter.Seq2[sojourn.Record, error] {
	return s.list(ctx, owner)
}
func (s *brokenStore) Fence(ctx context.Context, owner string) (uint64, error) {
	return s.fence(ctx, owner)
}
func (s *brokenStore) RevokeOwner(ctx context.Context, owner, keep string) (uint64, error) {
	return s.revoke(ctx, owner, keep)
}
func (s *brokenStore) Sweep(ctx context.Context, before time.Time, limit int) (int, error) {
	return s.sweep(ctx, before, limit)
}
func (s *brokenStore) Check(ctx context.Context) error { return s.check(ctx) }

func openBroken(harm func(s *brokenStore)) *brokenStore {
	m := memstore.New()
	s := &brokenStore{m, m.Load, m.Create, m.Update, m.Touch, m.Delete, m.ListOwner, m.Fence, m.RevokeOwner, m.Sweep, m.Check}
	harm(s)
	return s
}

// A recorder is the reporter that hears of broken stores.
type recorder struct {
	ctx context.Context

	mu      sync.Mutex
	said    []string
	skipped string
}

func (r *recorder) Helper()                  {}
func (r *recorder) Context() context.Context { return r.ctx }
func (r *recorder) FailNow()                 { runtime.Goexit() }

func (r *recorder) Errorf(format string, args ...any) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.said = append(r.said, fmt.Sprintf(format, args...))
}

func (r *recorder) Skipf(format string, args ...any) {
	r.mu.Lock()
	r.skipped = fmt.Sprintf(format, args...)
	r.mu.Unlock()
	runtime.Goexit()
}

// try runs a case against a store.
func try(t *testing.T, c testCase, s sojourn.Store, set func(t *tester)) *recorder {
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	r := &recorder{ctx: ctx}
	done := make(chan struct{})
	go func() {
		defer close(done)
		tester := newTester(r, c.promise, s)
		tester.large = 1 << 20 // 16 MiB for every fault would take the race detector a minute
		set(tester)
		c.run(tester)
	}()
	<-done
	return r
}

// A fault is something that stores get wrong, with the cases that it must fail. Most were seen in real
// stores; the name says what the store does.
type fault struct {
	name  string
	harm  func(s *brokenStore)
	fails []string // always
	may   []string // when a race goes that way
	only  bool     // try the cases that it fails and no other: it hangs, or is a data race
}

var faults = slices.Concat(recordFaults, writeFaults, listingFaults, revokingFaults)

// Each fault, put into a store that is right, fails the cases named, and no other but those that it may
// fail if the race goes that way.
func TestBrokenStoresAreFoundOut(t *testing.T) {
	for _, f := range faults {
		t.Run(f.name, func(t *testing.T) {
			t.Parallel()
			set := func(t *tester) {
				if f.only {
					t.patience = 200 * time.Millisecond
				}
			}
			for _, c := range cases {
				name := c.String()
				if f.only && !slices.Contains(f.fails, name) {
					continue
				}
				r := try(t, c, openBroken(f.harm), set)
				switch {
				case len(r.said) == 0 && slices.Contains(f.fails, name):
					t.Errorf("%s passes", name)
				case len(r.said) > 0 && !slices.Contains(f.fails, name) && !slices.Contains(f.may, name):
					t.Errorf("%s fails too:\n%s", name, r.said[0])
				case len(r.said) > 0 && !strings.HasPrefix(r.said[0], fmt.Sprintf("promise %d: ", c.promise)),
					len(r.said) > 0 && !strings.Contains(r.said[0], promises[c.promise]):
					t.Errorf("%s does not quote its promise:\n%s", name, r.said[0])
				case len(r.said) > 0 && testing.Verbose():
					t.Logf("%s: %s", name, r.said[0])
				}
			}
		})
	}
}

// A case that no fault fails would prove nothing.
func TestEveryCaseCanFail(t *testing.T) {
	failed := map[string]bool{}
	for _, f := range faults {
		if len(f.fails) == 0 {
			t.Errorf("the fault %q fails no case", f.name)
		}
		for _, name := range f.fails {
			failed[name] = true
		}
	}
	for _, c := range cases {
		if !failed[c.String()] {
			t.Errorf("no fault fails %s", c)
		}
		delete(failed, c.String())
	}
	for name := range failed {
		t.Errorf("a fault names %s, which is no case", name)
	}
}

// What a store does not have is skipped, with a line that says so.
func TestWhatIsNotThereIsSkipped(t *testing.T) {
	unsupported := fmt.Errorf("no owner index: run Migrate: %w", errors.ErrUnsupported)
	for what, open := range map[string]func() sojourn.Store{
		"is no": func() sojourn.Store { return struct{ sojourn.Store }{memstore.New()} },
		"does not support": func() sojourn.Store {
			return openBroken(func(s *brokenStore) {
				s.list = func(context.Context, string) iter.Seq2[sojourn.Record, error] {
					return func(yield func(sojourn.Record, error) bool) { yield(sojourn.Record{}, unsupported) }
				}
				s.fence = func(context.Context, string) (uint64, error) { return 0, unsupported }
				s.revoke = func(context.Context, string, string) (uint64, error) { return 0, unsupported }
				s.sweep = func(context.Context, time.Time, int) (int, error) { return 0, unsupported }
				s.check = func(context.Context) error { return unsupported }
			})
		},
	} {
		skipped := 0
		for _, c := range cases {
			r := try(t, c, open(), func(*tester) {})
			if len(r.said) > 0 {
				t.Errorf("%s: %s", c, r.said[0])
			}
			if r.skipped != "" {
				skipped++
				if !strings.HasPrefix(r.skipped, "the store "+what) {
					t.Errorf("%s is skipped with %q, want a line with %q", c, r.skipped, what)
				}
			}
		}
		if skipped == 0 {
			t.Errorf("of a store that %s … no case is skipped", what)
		}
	}
}
