package serving

import (
	"bufio"
	"encoding/json"
	"io"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
)

// A Process is one of an application, which serves an Order until it is ended, at the latest at the end of the test.
type Process struct {
	URL string
	// Stop has it answer what it has been asked, and returns when it has ended.
	Stop func()
	cmd  *exec.Cmd
	dead bool
}

// Start starts one, whose program is this one: see Serve.
func Start(t testing.TB, o Order) *Process {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	return StartProgram(t, self, o)
}

// StartProgram starts one of another program that calls Serve.
func StartProgram(t testing.TB, program string, o Order) *Process {
	t.Helper()
	text, err := json.Marshal(o)
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(program)
	cmd.Env = append(os.Environ(), OrderVar+"="+string(text))
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewReader(out)
	p := &Process{cmd: cmd}
	p.Stop = sync.OnceFunc(func() {
		in.Close() // which ends it
		rest, _ := io.ReadAll(lines)
		if err := cmd.Wait(); err != nil && !p.dead {
			t.Errorf("histories: a process: %v\n%s", err, rest)
		}
	})
	t.Cleanup(p.Stop)
	line, err := lines.ReadString('\n')
	if err != nil || !strings.HasPrefix(line, "http://") {
		t.Fatalf("histories: a process says %q, %v", line, err)
	}
	p.URL = strings.TrimSpace(line)
	return p
}

// Kill ends it as a power cut would. Only who has started it may call it, and not beside Stop.
func (p *Process) Kill() {
	p.dead = true
	_ = p.cmd.Process.Kill()
	p.Stop()
}
