package laws_test

import (
	"testing"

	"github.com/gosojourn/sojourn"
	"github.com/gosojourn/sojourn/lab/laws"
	"github.com/gosojourn/sojourn/memstore"
	"github.com/gosojourn/sojourn/sealed"
)

func TestLawsOnMemory(t *testing.T) {
	laws.Run(t, func(*testing.T) sojourn.Store { return memstore.New() })
}

func TestLawsOnMemoryEncrypted(t *testing.T) {
	laws.RunEncrypted(t, func(*testing.T) sojourn.Store { return memstore.New() })
}

func newRing(t *testing.T) *sealed.Ring {
	ring, err := sealed.New([]string{sealed.GenerateKey()}, sealed.Options{Compress: true, Pad: 64})
	if err != nil {
		t.Fatal(err)
	}
	return ring
}

func TestLawsOnMemoryAnonymous(t *testing.T) {
	laws.RunAnonymous(t, newRing(t), func(*testing.T) sojourn.Store { return memstore.New() })
}

func TestLawsOnMemoryOlderThanAnonymous(t *testing.T) {
	laws.RunOlder(t, newRing(t), func(*testing.T) sojourn.Store { return memstore.New() })
}

func TestLawsOnSeals(t *testing.T) {
	laws.RunSealed(t, newRing(t), func(*testing.T) sojourn.OwnerIndex { return memstore.New() })
}
