package onstores

import (
	"fmt"
	"os"
	"testing"

	"github.com/gosojourn/sojourn/lab/harness"
	"github.com/gosojourn/sojourn/lab/histories"
	"github.com/gosojourn/sojourn/lab/histories/serving"
)

var options = histories.Flags()

func TestMain(m *testing.M) {
	if serves, err := serving.Serve(); serves {
		if err != nil {
			fmt.Fprintln(os.Stderr, "histories:", err)
			os.Exit(1)
		}
		return
	}
	harness.Main(m)
}

// On each store, from two processes, with connections cut, answers lost and the server held in between.
func TestStores(t *testing.T) {
	for _, s := range Stages {
		t.Run(s.Name, func(t *testing.T) {
			if s.Long && options.Soak == 0 {
				t.Skip("with -soak")
			}
			t.Parallel()
			stage := s.Open(t)
			options.Test(t, func(*testing.T, uint64) *histories.Stage { return stage })
		})
	}
}
