//go:build unix

package scscompat_test

import (
	"syscall"
	"time"
)

// spent is what this process has had of the processor: what others do on the machine does not count.
func spent() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		panic(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
