package model_test

import (
	"flag"
	"os"
	"testing"

	"github.com/gosojourn/sojourn/internal/leak"
)

// Where the gate runs (CI is set) the schedules are the same each time; elsewhere every run looks for new ones.
// -rapid.seed says which.
func TestMain(m *testing.M) {
	flag.Parse()
	if f := flag.Lookup("rapid.seed"); os.Getenv("CI") != "" && f != nil && f.Value.String() == "0" {
		_ = f.Value.Set("20261126")
	}
	leak.Main(m)
}
