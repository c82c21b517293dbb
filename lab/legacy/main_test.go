// Package legacy moves browsers in from the real scs and gorilla/sessions, on real servers, while servers of
// the old version run on.
package legacy

import (
	"testing"

	"github.com/gosojourn/sojourn/lab/harness"
)

func TestMain(m *testing.M) {
	harness.SideBySide("6") // all of them: each waits until the old sessions may be ended
	harness.Main(m)
}
