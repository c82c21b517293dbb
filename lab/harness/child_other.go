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

func openFolder() (string, error) { return "", errRoot }

func (c *child) killAll() {
	c.Kill()
	<-c.done
}
