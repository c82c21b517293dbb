package cputime_test

import (
	"os"
	"os/exec"
	"strconv"
	"testing"
	"time"

	"github.com/gosojourn/sojourn/lab/cputime"
)

// What a child has used is the server's, while it runs and when it has ended.
func TestAServerIsItsChildrenToo(t *testing.T) {
	if _, err := os.Stat("/proc/self/stat"); err != nil {
		t.Skip("no /proc on this machine: servers cannot be measured here")
	}
	cmd := exec.Command("sh", "-c", `sh -c 'i=0; while [ $i -lt 300000 ]; do i=$((i+1)); done; sleep 60' & echo $!; wait`)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	line := make([]byte, 16)
	n, err := out.Read(line)
	if err != nil {
		t.Fatal(err)
	}
	child, err := strconv.Atoi(string(line[:n-1]))
	if err != nil {
		t.Fatal(err)
	}
	if parent, err := cputime.Parent(child); err != nil || parent != cmd.Process.Pid {
		t.Errorf("the parent is %d, %v, want %d", parent, err, cmd.Process.Pid)
	}
	for end := time.Now().Add(30 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		used, err := cputime.Server(cmd.Process.Pid)
		if err != nil {
			t.Fatal(err)
		}
		if used >= 50*time.Millisecond {
			break
		}
		if time.Now().After(end) {
			t.Fatalf("%v in half a minute of a child that does nothing but count", used)
		}
	}
	if p, err := os.FindProcess(child); err == nil {
		p.Kill()
	}
	cmd.Wait()
}
