package sojourn

import (
	"runtime"
	"strings"
)

// inside says in which of the application's functions a call would wait for itself.
type inside uint8

const (
	insideUpdate inside = 1 << iota // Update holds the session's turn while its function runs
	insideEvent                     // OnEvent is told what a Commit has done
)

// door panics in a call that would wait for itself. Only while a function of the application runs is it
// worth looking whether this goroutine is the one that runs it.
func (s *session) door(not inside) {
	if s.running.Load() == 0 {
		return
	}
	switch in := s.within(); {
	case in&not&insideUpdate != 0:
		panic("sojourn: a function given to Update changes or commits its own session, which waits for that function: return the new value, and change the rest before or after Update")
	case in&not&insideEvent != 0:
		panic("sojourn: OnEvent commits the session that the event is about: let OnEvent note what happened, and act when the handler goes on")
	}
}

const framesOfOurs = "github.com/gosojourn/sojourn."

// within looks for the two functions below in this goroutine's stack.
func (s *session) within() (in inside) {
	var pcs [64]uintptr
	for skip := 3; ; skip += len(pcs) {
		n := runtime.Callers(skip, pcs[:])
		if n == 0 {
			return in
		}
		for frames := runtime.CallersFrames(pcs[:n]); ; {
			f, more := frames.Next()
			switch name, ours := strings.CutPrefix(f.Function, framesOfOurs); {
			case !ours:
			case name == "(*session).runUpdate":
				in |= insideUpdate
			case name == "(*session).runEvent":
				in |= insideEvent
			}
			if !more {
				break
			}
		}
		if n < len(pcs) {
			return in
		}
	}
}

//go:noinline
func (s *session) runUpdate(fn func([]byte) ([]byte, error), old []byte) ([]byte, error) {
	s.running.Add(1)
	defer s.running.Add(-1)
	return fn(old)
}

//go:noinline
func (s *session) runEvent(e Event) {
	s.running.Add(1)
	defer s.running.Add(-1)
	s.m.cfg.OnEvent(s.st, e)
}
