package storetest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/gosojourn/sojourn"
)

// A reporter is what a case needs of *testing.T; this package's own test puts another in its place to
// see that broken stores are found out.
type reporter interface {
	Helper()
	Errorf(format string, args ...any)
	FailNow()
	Skipf(format string, args ...any)
	Context() context.Context
}

type tester struct {
	reporter
	promise  int
	store    sojourn.Store
	medium   Medium
	ctx      context.Context
	patience time.Duration // how long to wait for what should take no time, before saying that the store hangs
	large    int           // bytes that few stores have room for

	mu   sync.Mutex
	said []string
}

const mostComplaints = 8

func newTester(r reporter, promise int, store sojourn.Store, medium Medium) *tester {
	return &tester{reporter: r, promise: promise, store: store, medium: medium, ctx: r.Context(), patience: 10 * time.Second, large: 16 << 20}
}

// broken says how the store broke the promise, each thing once, and the first time what the promise is.
func (t *tester) broken(format string, args ...any) {
	t.Helper()
	complaint := fmt.Sprintf("promise %d: %s", t.promise, fmt.Sprintf(format, args...))
	t.mu.Lock()
	defer t.mu.Unlock()
	if slices.Contains(t.said, complaint) || len(t.said) > mostComplaints {
		return
	}
	t.said = append(t.said, complaint)
	switch len(t.said) {
	case 1:
		complaint += "\n\tThe promise: " + promises[t.promise]
	case mostComplaints + 1:
		complaint = fmt.Sprintf("promise %d: and more of that kind", t.promise)
	}
	t.Errorf("%s", complaint)
}

// stop is broken for what the rest of the case depends on. Not for goroutines that a case starts.
func (t *tester) stop(format string, args ...any) {
	t.Helper()
	t.broken(format, args...)
	t.FailNow()
}

// want complains unless err is one of the targets, where nil is a target like any other.
func (t *tester) want(err error, what string, targets ...error) {
	t.Helper()
	if is(err, targets...) {
		return
	}
	var names []string
	for _, target := range targets {
		names = append(names, say(target))
	}
	t.broken("%s returned %s, want %s", what, say(err), strings.Join(names, " or "))
}

// must is want for nil, and stops.
func (t *tester) must(err error, what string) {
	t.Helper()
	if err != nil {
		t.stop("%s returned %s, want nil", what, say(err))
	}
}

func is(err error, targets ...error) bool {
	for _, target := range targets {
		if errors.Is(err, target) {
			return true
		}
	}
	return false
}

func say(err error) string {
	switch {
	case err == nil:
		return "nil"
	case errors.Is(err, sojourn.ErrNotFound):
		return "ErrNotFound"
	case errors.Is(err, sojourn.ErrConflict):
		return "ErrConflict"
	case errors.Is(err, sojourn.ErrTooLarge):
		return "ErrTooLarge"
	case err == sojourn.ErrRefused: // where it says no more than that
		return "ErrRefused"
	}
	return fmt.Sprintf("the error %q", err)
}

// create puts r into the store.
func (t *tester) create(r sojourn.Record) sojourn.Record {
	t.Helper()
	t.must(t.store.Create(t.ctx, r), "Create of a new id")
	return r
}

// createMany puts n records into the store, many at once.
func (t *tester) createMany(n int, record func() sojourn.Record) []sojourn.Record {
	t.Helper()
	records := make([]sojourn.Record, n)
	var next atomic.Int64
	t.together(racers, func(int) {
		for i := int(next.Add(1)); i <= n; i = int(next.Add(1)) {
			records[i-1] = record()
			if err := t.store.Create(t.ctx, records[i-1]); err != nil {
				t.broken("Create of a new id returned %s, want nil", say(err))
			}
		}
	})
	return records
}

// sees complains unless Load returns want.
func (t *tester) sees(want sojourn.Record, when string) {
	t.Helper()
	switch got, err := t.store.Load(t.ctx, want.ID); {
	case err != nil:
		t.broken("%s, Load returned %s, want the record", when, say(err))
	default:
		if diff := differs(got, want); diff != "" {
			t.broken("%s, Load returned %s", when, diff)
		}
	}
}

// gone complains unless there is no record with that id.
func (t *tester) gone(id, when string) {
	t.Helper()
	_, err := t.store.Load(t.ctx, id)
	t.want(err, when+", Load", sojourn.ErrNotFound)
}

// list collects what ListOwner yields, and holds it to what promise 15 says of the way it does so.
func (t *tester) list(ctx context.Context, index sojourn.OwnerIndex, owner string) (map[string]sojourn.Record, error) {
	t.Helper()
	found := map[string]sojourn.Record{}
	var last error
	index.ListOwner(ctx, owner)(func(r sojourn.Record, err error) bool {
		switch _, twice := found[r.ID]; {
		case last != nil:
			t.broken("ListOwner went on after its error %q", last)
		case err != nil:
			last = err
			if differs(r, sojourn.Record{}) != "" {
				t.broken("ListOwner's error came with a record")
			}
		case twice:
			t.broken("ListOwner yielded a record twice")
		case r.Owner != owner:
			t.broken("ListOwner(%.80q) yielded a record of %.80q", owner, r.Owner)
		default:
			found[r.ID] = r
		}
		return true
	})
	return found, last
}

// lists complains unless the records of owner are exactly these.
func (t *tester) lists(index sojourn.OwnerIndex, owner, when string, want ...sojourn.Record) {
	t.Helper()
	got, err := t.list(t.ctx, index, owner)
	if err != nil {
		t.broken("%s, ListOwner(%.80q) ended with %s", when, owner, say(err))
		return
	}
	for _, w := range want {
		if r, ok := got[w.ID]; !ok {
			t.broken("%s, ListOwner(%.80q) passed over a live record", when, owner)
		} else if diff := differs(r, w); diff != "" {
			t.broken("%s, ListOwner(%.80q) yielded %s", when, owner, diff)
		}
		delete(got, w.ID)
	}
	if len(got) > 0 {
		t.broken("%s, ListOwner(%.80q) yielded %d records that it should not", when, owner, len(got))
	}
}

// together runs n calls at once and waits for them.
func (t *tester) together(n int, call func(i int)) {
	t.Helper()
	var ready, done sync.WaitGroup
	start := make(chan struct{})
	ready.Add(n)
	for i := range n {
		done.Go(func() {
			ready.Done()
			<-start
			call(i)
		})
	}
	ready.Wait()
	t.within(6*t.patience, fmt.Sprintf("of %d calls at once some", n), func() {
		close(start)
		done.Wait()
	})
}

// within stops the case if f hangs.
func (t *tester) within(patience time.Duration, what string, f func()) {
	t.Helper()
	done := make(chan struct{})
	go func() {
		defer close(done)
		f()
	}()
	timer := time.NewTimer(patience)
	defer timer.Stop()
	select {
	case <-done:
	case <-timer.C:
		t.stop("%s had not returned after %v", what, patience)
	}
}

// ownerIndex is the store's, if it has one that supports the named methods; otherwise the case is skipped.
func (t *tester) ownerIndex(methods ...string) sojourn.OwnerIndex {
	t.Helper()
	index, ok := t.store.(sojourn.OwnerIndex)
	if !ok {
		t.Skipf("the store is no sojourn.OwnerIndex")
	}
	for _, m := range methods {
		var err error
		switch owner := newOwner(); m {
		case "ListOwner":
			_, err = t.list(t.ctx, index, owner)
		case "Fence":
			_, _, err = index.Fence(t.ctx, owner)
		case "RevokeOwner":
			_, err = index.RevokeOwner(t.ctx, owner, "")
		}
		t.skipUnsupported(m, err)
	}
	return index
}

func (t *tester) sweeper() sojourn.Sweeper {
	t.Helper()
	sweeper, ok := t.store.(sojourn.Sweeper)
	if !ok {
		t.Skipf("the store is no sojourn.Sweeper")
	}
	_, err := sweeper.Sweep(t.ctx, time.UnixMilli(1).UTC(), 1)
	t.skipUnsupported("Sweep", err)
	return sweeper
}

func (t *tester) skipUnsupported(method string, err error) {
	t.Helper()
	if errors.Is(err, errors.ErrUnsupported) {
		t.Skipf("the store does not support %s: %v", method, err)
	}
}
