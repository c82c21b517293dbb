package harness

import (
	"fmt"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
)

// bind makes cmd end with this process, however that ends, and not with a Ctrl-C of its own.
func bind(cmd *exec.Cmd) {
	attr(cmd).Pdeathsig = syscall.SIGKILL
	attr(cmd).Setpgid = true
}

func attr(cmd *exec.Cmd) *syscall.SysProcAttr {
	if cmd.SysProcAttr == nil {
		cmd.SysProcAttr = &syscall.SysProcAttr{}
	}
	return cmd.SysProcAttr
}

// demote makes cmd run as a user who is not root.
func demote(cmd *exec.Cmd) error {
	uid, gid, err := plainUser()
	attr(cmd).Credential = &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}
	return err
}

func plainUser() (uid, gid int, err error) {
	for _, name := range []string{"postgres", "nobody"} {
		if u, err := user.Lookup(name); err == nil {
			uid, _ = strconv.Atoi(u.Uid)
			gid, _ = strconv.Atoi(u.Gid)
			return uid, gid, nil
		}
	}
	return 0, 0, fmt.Errorf("a server that refuses to run as root needs a user postgres or nobody")
}

// killAll ends a server as a power cut would: a postmaster's children else finish what they are at.
func (c *child) killAll() {
	if c.ended() {
		return
	}
	c.Signal(syscall.SIGSTOP) // so that it starts no more of them
	lists, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/children", c.Pid))
	for _, list := range lists {
		text, _ := os.ReadFile(list)
		for _, f := range strings.Fields(string(text)) {
			if pid, err := strconv.Atoi(f); err == nil {
				syscall.Kill(pid, syscall.SIGKILL)
			}
		}
	}
	c.Kill()
	<-c.done
}
