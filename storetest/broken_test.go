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
	"sync/atomic"
	"testing"
	"time"

	"github.com/gosojourn/sojourn"
	"github.com/gosojourn/sojourn/memstore"
)

// A brokenStore is a memstore with some of its methods replaced.
type brokenStore struct {
	*memstore.Store
	load     func(ctx context.Context, id string) (sojourn.Record, error)
	create   func(ctx context.Context, r sojourn.Record) error
	update   func(ctx context.Context, r sojourn.Record, version uint64) error
	touch    func(ctx context.Context, r sojourn.Record) error
	delete   func(ctx context.Context, id string, version uint64) error
	list     func(ctx context.Context, owner string) iter.Seq2[sojourn.Record, error]
	fence    func(ctx context.Context, owner string) (uint64, time.Duration, error)
	revoke   func(ctx context.Context, owner, keep string) (uint64, error)
	all      func(ctx context.Context) iter.Seq2[sojourn.Record, error]
	count    func(ctx context.Context) (int, error)
	sweep    func(ctx context.Context, before time.Time, limit int) (int, error)
	everyone func(ctx context.Context) (uint64, time.Duration, error)
	raise    func(ctx context.Context) (uint64, error)
	below    func(ctx context.Context, fence uint64) iter.Seq2[int, error]
	check    func(ctx context.Context) error

	medium fakeMedium
	admit  func(ctx context.Context, write func() error) error // what the medium does to a write
}

func (s *brokenStore) Load(ctx context.Context, id string) (sojourn.Record, error) {
	return s.load(ctx, id)
}
func (s *brokenStore) Create(ctx context.Context, r sojourn.Record) error {
	return s.admit(ctx, func() error { return s.create(ctx, r) })
}
func (s *brokenStore) Update(ctx context.Context, r sojourn.Record, version uint64) error {
	return s.admit(ctx, func() error { return s.update(ctx, r, version) })
}
func (s *brokenStore) Touch(ctx context.Context, r sojourn.Record) error {
	return s.admit(ctx, func() error { return s.touch(ctx, r) })
}
func (s *brokenStore) Delete(ctx context.Context, id string, version uint64) error {
	return s.admit(ctx, func() error { return s.delete(ctx, id, version) })
}
func (s *brokenStore) ListOwner(ctx context.Context, owner string) iter.Seq2[sojourn.Record, error] {
	return s.list(ctx, owner)
}
func (s *brokenStore) Fence(ctx context.Context, owner string) (uint64, time.Duration, error) {
	return s.fence(ctx, owner)
}
func (s *brokenStore) RevokeOwner(ctx context.Context, owner, keep string) (fence uint64, err error) {
	err = s.admit(ctx, func() error { fence, err = s.revoke(ctx, owner, keep); return err })
	return fence, err
}
func (s *brokenStore) ListAll(ctx context.Context) iter.Seq2[sojourn.Record, error] {
	return s.all(ctx)
}
func (s *brokenStore) Count(ctx context.Context) (int, error) { return s.count(ctx) }
func (s *brokenStore) Sweep(ctx context.Context, before time.Time, limit int) (int, error) {
	return s.sweep(ctx, before, limit)
}
func (s *brokenStore) EveryoneFence(ctx context.Context) (uint64, time.Duration, error) {
	return s.everyone(ctx)
}
func (s *brokenStore) RaiseEveryone(ctx context.Context) (fence uint64, err error) {
	err = s.admit(ctx, func() error { fence, err = s.raise(ctx); return err })
	return fence, err
}
func (s *brokenStore) DeleteBelow(ctx context.Context, fence uint64) iter.Seq2[int, error] {
	return s.below(ctx, fence)
}
func (s *brokenStore) Check(ctx context.Context) error { return s.check(ctx) }

func openBroken(harm func(s *brokenStore)) *brokenStore {
	m := memstore.New()
	s := &brokenStore{
		Store: m, load: m.Load, create: m.Create, update: m.Update, touch: m.Touch, delete: m.Delete,
		list: m.ListOwner, fence: m.Fence, revoke: m.RevokeOwner, all: m.ListAll, count: m.Count, sweep: m.Sweep, check: m.Check,
		everyone: m.EveryoneFence, raise: m.RaiseEveryone, below: m.DeleteBelow,
	}
	s.admit = func(ctx context.Context, write func() error) error {
		if err := s.medium.wait(ctx); err != nil {
			return err
		}
		return write()
	}
	harm(s)
	return s
}

// A fakeMedium refuses and stalls as it is told.
type fakeMedium struct {
	refusing atomic.Bool
	stalled  atomic.Pointer[chan struct{}]
	held     atomic.Int32 // connections by calls that were given up
}

// wait is what a store that keeps its promises makes of it.
func (m *fakeMedium) wait(ctx context.Context) error {
	if m.refusing.Load() {
		return fmt.Errorf("%w: the disk is full", sojourn.ErrRefused)
	}
	if stalled := m.stalled.Load(); stalled != nil {
		select {
		case <-*stalled:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return nil
}

func (m *fakeMedium) handle() Medium {
	return Medium{
		Refuse: func() func() {
			m.refusing.Store(true)
			return func() { m.refusing.Store(false) }
		},
		Stall: func() func() {
			stalled := make(chan struct{})
			m.stalled.Store(&stalled)
			return func() { m.stalled.Store(nil); close(stalled) }
		},
		Idle: func(context.Context) error {
			if n := m.held.Load(); n > 0 {
				return fmt.Errorf("%d connections", n)
			}
			return nil
		},
	}
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
	var medium Medium
	if b, ok := s.(*brokenStore); ok {
		medium = b.medium.handle()
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	r := &recorder{ctx: ctx}
	done := make(chan struct{})
	go func() {
		defer close(done)
		tester := newTester(r, c.promise, s, medium)
		tester.large = 1 << 20 // 16 MiB for every fault would take the race detector a minute
		set(tester)
		c.run(tester)
	}()
	<-done
	// A case that was stopped, because a store hangs, may have left somebody who still complains.
	r.mu.Lock()
	defer r.mu.Unlock()
	return &recorder{said: slices.Clone(r.said), skipped: r.skipped}
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

var faults = slices.Concat(recordFaults, writeFaults, listingFaults, everybodyFaults, everyoneFaults, revokingFaults, mediumFaults)

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
				s.fence = func(context.Context, string) (uint64, time.Duration, error) { return 0, 0, unsupported }
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
				if what == "is no" && strings.Contains(r.skipped, "this medium") {
					continue // nor has it a Medium
				}
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
