package harness

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"
)

// A Clock is that of a server alone. It goes as the machine's does, until it is stepped. The server asks libc for the
// time, and libfaketime answers instead; the monotonic clock is the machine's.
type Clock struct {
	t         testing.TB
	lib, file string
}

// NewClock is one that is right. Without libfaketime the test is skipped.
func NewClock(t testing.TB) *Clock {
	t.Helper()
	c := &Clock{t: t}
	for _, pattern := range []string{"/usr/lib/*/faketime/libfaketimeMT.so.1", "/usr/local/lib/faketime/libfaketimeMT.so.1"} {
		if all, _ := filepath.Glob(pattern); len(all) > 0 {
			c.lib = all[0]
		}
	}
	if c.lib == "" {
		Missing(t, "faketime", "skipped: a server whose clock is stepped; it needs libfaketime (apt-get install faketime)")
	}
	dir, held, err := newFolder(os.Geteuid() == 0) // PostgreSQL reads it too, as another user
	if err != nil {
		t.Fatalf("harness: %v", err)
	}
	t.Cleanup(func() { os.RemoveAll(dir); held.Close() })
	c.file = filepath.Join(dir, "clock")
	c.Step(0)
	return c
}

// Step has the clock be d later than the machine's, or earlier.
func (c *Clock) Step(d time.Duration) {
	c.t.Helper()
	err := os.WriteFile(c.file+"-new", fmt.Appendf(nil, "%+d\n", int(d.Seconds())), 0o644)
	if err == nil {
		err = os.Rename(c.file+"-new", c.file) // whoever reads meanwhile reads the whole of one
	}
	if err != nil {
		c.t.Errorf("harness: step a clock: %v", err)
	}
}

func (c *Clock) rule(cmd *exec.Cmd) {
	if c == nil {
		return
	}
	if cmd.Env == nil {
		cmd.Env = os.Environ()
	}
	// libc comes next, so that its malloc is used: jemalloc asks for the time before it can serve the library that answers.
	cmd.Env = append(cmd.Env, "LD_PRELOAD="+c.lib+" libc.so.6", "FAKETIME_TIMESTAMP_FILE="+c.file, "FAKETIME_NO_CACHE=1",
		"FAKETIME_DONT_FAKE_MONOTONIC=1", "FAKETIME_DISABLE_SHM=1")
}

// forget removes what the library shares between the processes of a server, and leaves if that is killed.
func (c *Clock) forget(pid int) {
	if c != nil {
		os.Remove(fmt.Sprintf("/dev/shm/faketime_shm_%d", pid))
		os.Remove(fmt.Sprintf("/dev/shm/sem.faketime_sem_%d", pid))
	}
}
