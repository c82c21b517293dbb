package main

import (
	"errors"
	"fmt"

	"github.com/gosojourn/sojourn"
)

// Exit codes. docs/command.md has them, and scripts lean on them.
const (
	exitDone        = 0
	exitFailed      = 1
	exitUsage       = 2
	exitFound       = 3
	exitNotFound    = 4
	exitNotAsked    = 5
	exitUnsupported = 6
)

// A codedError ends the command with its code.
type codedError struct {
	code int
	err  error
}

func (e *codedError) Error() string { return e.err.Error() }
func (e *codedError) Unwrap() error { return e.err }

func usage(format string, a ...any) error { return &codedError{exitUsage, fmt.Errorf(format, a...)} }

var errNotAsked = errors.New("nothing was done")

// exitCode is what the process ends with after err.
func exitCode(err error) int {
	if err == nil {
		return exitDone
	}
	if e, ok := errors.AsType[*codedError](err); ok {
		return e.code
	}
	switch {
	case errors.Is(err, errNotAsked):
		return exitNotAsked
	case errors.Is(err, sojourn.ErrNotFound):
		return exitNotFound
	case errors.Is(err, errors.ErrUnsupported):
		return exitUnsupported
	}
	return exitFailed
}
