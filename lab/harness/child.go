package harness

import (
	"os"
	"os/exec"
	"runtime"
)

// A child is a program that this process started and that does not outlive it.
type child struct {
	*os.Process
	done chan struct{} // closed when it has ended
}

func startChild(cmd *exec.Cmd) (*child, error) {
	c := &child{done: make(chan struct{})}
	started := make(chan error)
	go func() {
		// The kernel ties a child's life to the thread that made it, so the thread must stay.
		runtime.LockOSThread()
		err := cmd.Start()
		c.Process = cmd.Process
		started <- err
		if err == nil {
			cmd.Wait()
			close(c.done)
		}
	}()
	return c, <-started
}

func (c *child) ended() bool {
	select {
	case <-c.done:
		return true
	default:
		return false
	}
}
