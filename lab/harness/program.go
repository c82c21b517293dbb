package harness

import (
	"os"
	"os/exec"
	"sync"
	"testing"
	"time"
)

// StartProgram starts cmd, which does not outlive the test. Stop interrupts it, as a person at the
// keyboard would, and returns when it has ended.
func StartProgram(t testing.TB, cmd *exec.Cmd) (stop func()) {
	t.Helper()
	bind(cmd)
	c, err := startChild(cmd)
	if err != nil {
		t.Fatalf("harness: %v", err)
	}
	stop = sync.OnceFunc(func() {
		c.Signal(os.Interrupt)
		select {
		case <-c.done:
		case <-time.After(15 * time.Second):
			c.killAll()
			t.Errorf("harness: %s did not end when it was told to", cmd.Path)
		}
	})
	t.Cleanup(stop)
	return stop
}
