package histories

import (
	"log/slog"
	"net/http/httptest"
	"testing"

	"github.com/gosojourn/sojourn"
)

var options = Flags()

// On a store in memory whose answers get lost and whose writes land late. Two managers share its records, as two
// processes would, and no save queue.
func TestMemory(t *testing.T) {
	for managers, name := range []string{1: "one", 2: "two"} {
		if managers > 0 {
			t.Run(name, func(t *testing.T) {
				options.Test(t, func(t *testing.T, first uint64) *Stage { return inMemory(t, NewLossy(first, 10), managers) })
			})
		}
	}
}

func inMemory(t testing.TB, store sojourn.Store, managers int) *Stage {
	var stage Stage
	for range managers {
		h, err := App(store, sojourn.Config{StoreTimeout: StoreTimeout, Logger: slog.New(slog.DiscardHandler)})
		if err != nil {
			t.Fatal(err)
		}
		s := httptest.NewServer(h)
		t.Cleanup(s.Close)
		stage.URLs = append(stage.URLs, s.URL)
	}
	return &stage
}
