package backchannel

import (
	"testing"

	"github.com/gosojourn/sojourn/lab/harness"
)

func TestMain(m *testing.M) { harness.Main(m) }
