package harness

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"time"
)

// A setup is how one kind of server is installed and started from the programs on this machine.
type setup struct {
	notRoot   bool           // it refuses to run as root
	quit      syscall.Signal // ends it in order, without waiting for its clients
	installer func(dir string) *exec.Cmd
	server    func(dir, addr string) *exec.Cmd
	base      func(addr string) string // DSN of the server
	where     string                   // SQL for its data folder
}

// A private is a server of our own: a folder, an address, and now and then a process.
type private struct {
	setup
	kind      *kind
	dir, addr string
	held      *os.File // claims dir
	run       *child
	clock     *Clock // nil: the machine's
}

// install prepares a server that is not started yet. It is nil, without an error, where this machine
// has no such programs.
func (k *kind) install() (*private, error) {
	first, err := k.template()
	if first == nil || err != nil {
		return nil, err
	}
	p := &private{setup: first.setup, kind: k}
	if p.dir, p.held, err = newFolder(p.demoted()); err != nil {
		return nil, err
	}
	// Copying what was installed once takes a fiftieth of the time of installing it again.
	if err = p.do(exec.Command("cp", "-a", first.dir+"/data", p.dir)); err == nil {
		p.addr, err = freeAddr()
	}
	if err != nil {
		p.remove()
		return nil, err
	}
	return p, nil
}

// prepare makes template install the programs' data folder once per process.
func (k *kind) prepare() {
	k.template = sync.OnceValues(func() (*private, error) {
		s, found := k.find()
		if !found {
			return nil, nil
		}
		p := &private{setup: s, kind: k}
		var err error
		if p.dir, p.held, err = newFolder(p.demoted()); err != nil {
			return nil, err
		}
		closing.add(p.remove)
		return p, p.do(s.installer(p.dir))
	})
}

// demoted says that the server refuses to run as who we are.
func (p *private) demoted() bool { return p.notRoot && os.Geteuid() == 0 }

func (p *private) do(cmd *exec.Cmd) error {
	cmd, err := p.command(cmd)
	if err != nil {
		return err
	}
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%s: %w\n%s", cmd, err, lastLines(string(out)))
	}
	return nil
}

// command prepares cmd to run in the server's folder, which its user can read where ours may not be.
func (p *private) command(cmd *exec.Cmd) (*exec.Cmd, error) {
	cmd.Dir = p.dir
	if p.demoted() {
		return cmd, demote(cmd)
	}
	return cmd, nil
}

// start returns when the server answers.
func (p *private) start() error {
	deadline := time.Now().Add(30 * time.Second)
	for {
		if err := p.launch(); err != nil {
			return err
		}
		for !p.run.ended() {
			err := p.answers()
			if err == nil {
				return nil
			}
			if time.Now().After(deadline) {
				p.run.killAll()
				return fmt.Errorf("%s on %s does not answer: %w\n%s", p.kind.name, p.addr, err, p.log())
			}
			time.Sleep(10 * time.Millisecond)
		}
		// What a killed server left behind (a lock, shared memory, a port) may take a moment to go.
		if time.Now().After(deadline) {
			return fmt.Errorf("%s on %s ended at once\n%s", p.kind.name, p.addr, p.log())
		}
		time.Sleep(50 * time.Millisecond)
	}
}

// answers asks for the data folder too, because the port may have gone to somebody else's server.
func (p *private) answers() error {
	return p.kind.do(p.base(p.addr), func(ctx context.Context, db *sql.DB) error {
		var dir string
		if err := db.QueryRowContext(ctx, p.where).Scan(&dir); err != nil {
			return err
		}
		theirs, err := os.Stat(dir)
		ours, _ := os.Stat(filepath.Join(p.dir, "data"))
		if err != nil || !os.SameFile(theirs, ours) {
			return fmt.Errorf("the server of %s has the port", dir)
		}
		return nil
	})
}

func (p *private) launch() error {
	cmd, err := p.command(p.server(p.dir, p.addr))
	if err != nil {
		return err
	}
	bind(cmd)
	p.clock.rule(cmd)
	log, err := os.OpenFile(filepath.Join(p.dir, "log"), os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	defer log.Close()
	cmd.Stdout, cmd.Stderr = log, log
	run, err := startChild(cmd)
	if err != nil {
		return err
	}
	p.run = run
	return nil
}

func (p *private) log() string {
	text, _ := os.ReadFile(filepath.Join(p.dir, "log"))
	return lastLines(string(text))
}

func lastLines(s string) string {
	lines := strings.Split(strings.TrimSpace(s), "\n")
	return strings.Join(lines[max(0, len(lines)-8):], "\n")
}

// stop ends the server in its own way, and by force if that takes too long.
func (p *private) stop() error {
	if p.run == nil || p.run.ended() {
		return nil
	}
	p.run.Signal(p.quit)
	select {
	case <-p.run.done:
		return nil
	case <-time.After(20 * time.Second):
		p.run.killAll()
		return errors.New("had to be killed")
	}
}

// remove wastes no time on an orderly end of data that goes with it.
func (p *private) remove() {
	if p.run != nil {
		p.run.killAll()
		p.clock.forget(p.run.Pid)
	}
	os.RemoveAll(p.dir)
	p.held.Close()
}
