//go:build !linux

package harness

import (
	"errors"
	"os"
	"os/exec"
)

func bind(*exec.Cmd) {}

var errRoot = errors.New("a server that refuses to run as root is started by Linux's root only")

func demote(*exec.Cmd) error { return errRoot }

func newFolder(demoted bool) (dir string, held *os.File, err error) {
	if demoted {
		return "", nil, errRoot
	}
	dir, err = os.MkdirTemp("", "sojourn-harness-")
	return dir, nil, err
}

func (c *child) killAll() {
	c.Kill()
	<-c.done
}
