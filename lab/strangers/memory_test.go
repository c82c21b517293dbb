package strangers_test

import (
	"testing"

	"github.com/gosojourn/sojourn"
	"github.com/gosojourn/sojourn/lab/strangers"
	"github.com/gosojourn/sojourn/memstore"
)

func TestStrangersOnMemory(t *testing.T) {
	strangers.Run(t, func(*testing.T) sojourn.Store { return memstore.New() })
}
