//go:build !unix

package scscompat_test

import "time"

var began = time.Now()

// spent is the time that has passed: this system does not tell what the process has had of the processor.
func spent() time.Duration { return time.Since(began) }
