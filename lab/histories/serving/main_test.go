package serving

import (
	"testing"

	"github.com/gosojourn/sojourn/internal/leak"
)

func TestMain(m *testing.M) { leak.Main(m) }
