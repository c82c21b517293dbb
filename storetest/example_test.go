package storetest_test

import (
	"fmt"
	"testing"

	"github.com/gosojourn/sojourn"
	"github.com/gosojourn/sojourn/memstore"
	"github.com/gosojourn/sojourn/sojourntest"
	"github.com/gosojourn/sojourn/storetest"
)

// The whole test file of a store. The function is called TestStore there.
func ExampleRun() {
	testStore := func(t *testing.T) {
		storetest.Run(t, func(t *testing.T) sojourn.Store {
			store := memstore.New() // yours; close it with t.Cleanup
			return store
		})
	}
	_ = testStore
}

// A store that wraps another has its optional methods too: what the inner one does not have is
// errors.ErrUnsupported, and Run skips it. Embedding the interface alone would hide them.
func ExampleRun_wrapper() {
	type tracing struct {
		*memstore.Store // not sojourn.Store
	}
	testStore := func(t *testing.T) {
		storetest.Run(t, func(t *testing.T) sojourn.Store { return tracing{memstore.New()} })
	}
	_ = testStore
}

// A medium that fails on command: here the store that applications are tested with. Another's test would set
// a server of its own read-only, and lock a table.
func ExampleRunFaults() {
	testStore := func(t *testing.T) {
		storetest.RunFaults(t, func(t *testing.T) (sojourn.Store, storetest.Medium) {
			store := &sojourntest.FaultyStore{Store: memstore.New()}
			return store, storetest.Medium{
				Refuse: func() (undo func()) {
					store.Fail(fmt.Errorf("%w: the disk is full", sojourn.ErrRefused))
					return func() { store.Fail(nil) }
				},
				Stall: store.Stall,
			}
		})
	}
	_ = testStore
}
