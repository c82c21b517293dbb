package storetest

import (
	"context"
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

func openBroken(break_ func(s *brokenStore)) *brokenStore {
	m := memstore.New()
	s := &brokenStore{m, m.Load, m.Create, m.Update, m.Touch, m.Delete, m.ListOwner, m.Fence, m.RevokeOwner, m.Sweep, m.Check}
	break_(s)
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
func try(t *testing.T, c testCase, s sojourn.Store, patience time.Duration) *recorder {
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	r := &recorder{ctx: ctx}
	done := make(chan struct{})
	go func() {
		defer close(done)
		c.run(newTester(r, c.promise, s, patience))
	}()
	<-done
	return r
}

// Each fault, put into a store that is right, fails the cases named, and no other but those that it may
// fail if the race goes that way.
func TestBrokenStoresAreFoundOut(t *testing.T) {
	for _, f := range faults {
		t.Run(f.name, func(t *testing.T) {
			t.Parallel()
			wait := patience
			if f.only {
				wait = 200 * time.Millisecond
			}
			for _, c := range cases {
				name := c.String()
				if f.only && !slices.Contains(f.fails, name) {
					continue
				}
				r := try(t, c, openBroken(f.break_), wait)
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
