// Package cputime tells how much processor time a process has used. On a machine that others use too it says more than
// a clock does: it hardly grows by waiting for them.
package cputime

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// Self is what this process has used so far, in user and in system mode.
func Self() time.Duration {
	var u syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &u) != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// tick is the unit of /proc: USER_HZ, which Linux has fixed at 100 for programs (proc(5)).
const tick = 10 * time.Millisecond

// Server is what a server of this machine has used so far: the process pid and its children, those that have ended
// included (PostgreSQL has one for each connection). It fails where there is no /proc.
func Server(pid int) (time.Duration, error) {
	total, err := used(pid, true)
	if err != nil {
		return 0, err
	}
	lists, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/children", pid))
	for _, list := range lists {
		text, _ := os.ReadFile(list)
		for f := range strings.FieldsSeq(string(text)) {
			if child, err := strconv.Atoi(f); err == nil {
				if d, err := used(child, false); err == nil { // it may have ended
					total += d
				}
			}
		}
	}
	return total, nil
}

func used(pid int, withEnded bool) (time.Duration, error) {
	fields, err := stat(pid)
	if err != nil {
		return 0, err
	}
	ticks := 0
	for i, f := range fields[11:15] { // utime, stime, cutime, cstime
		if i > 1 && !withEnded {
			break
		}
		n, err := strconv.Atoi(f)
		if err != nil {
			return 0, err
		}
		ticks += n
	}
	return time.Duration(ticks) * tick, nil
}

// Parent is the process that has started pid.
func Parent(pid int) (int, error) {
	fields, err := stat(pid)
	if err != nil {
		return 0, err
	}
	return strconv.Atoi(fields[1])
}

// stat is /proc/pid/stat behind the program's name, which may hold spaces: the state, then ppid.
func stat(pid int) ([]string, error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return nil, err
	}
	fields := strings.Fields(string(text)[strings.LastIndexByte(string(text), ')')+1:])
	if len(fields) < 15 {
		return nil, fmt.Errorf("/proc/%d/stat has %d fields", pid, len(fields))
	}
	return fields, nil
}
