package laws_test

import (
	"testing"

	"github.com/gosojourn/sojourn"
	"github.com/gosojourn/sojourn/lab/laws"
	"github.com/gosojourn/sojourn/memstore"
)

func TestLawsOnMemory(t *testing.T) {
	laws.Run(t, func(*testing.T) sojourn.Store { return memstore.New() })
}
