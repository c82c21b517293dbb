package sojourn

import (
	"context"
	"errors"
	"runtime"
)

// noteDelivery notes that http.TimeoutHandler, inside, asks for the header: it does so for a handler that is
// done, and not for one that it gives up. This is worth a look only where the two can be taken for each
// other.
func (s *session) noteDelivery() {
	if !s.mu.TryLock() { // another goroutine of this request asks the store
		return
	}
	defer s.mu.Unlock()
	s.delivered = s.delivered || s.late() && timeoutHandlerCalls()
}

// late reports whether changes wait that were made under a context whose deadline has passed, but not the
// request's. The caller holds mu.
func (s *session) late() bool {
	return len(s.log) > 0 && s.by != nil && errors.Is(s.by.Err(), context.DeadlineExceeded) && s.st.Context.Err() == nil
}

// givenUp reports whether http.TimeoutHandler, inside, is answering in place of a handler that goes on. Half
// of what that one will have done is not saved: the whole is, if the handler calls Commit itself.
func (s *session) givenUp() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.st.abandoned.Load() && (s.delivered || !s.late() || !timeoutHandlerCalls()) {
		return false
	}
	if len(s.log) > 0 {
		s.leftBehind("given_up")
	}
	return true
}

// timeoutHandlerCalls looks for http.TimeoutHandler among the callers.
func timeoutHandlerCalls() bool { return calledBy("net/http.(*timeoutHandler).ServeHTTP") }

// calledBy looks for a function among the callers of its caller's.
func calledBy(function string) bool {
	var pcs [48]uintptr
	frames := runtime.CallersFrames(pcs[:runtime.Callers(3, pcs[:])])
	for {
		f, more := frames.Next()
		if f.Function == function {
			return true
		}
		if !more {
			return false
		}
	}
}

// wasGivenUp reports whether the handler that made these changes may still be running.
func (s *session) wasGivenUp() bool {
	s.mu.Lock()
	defer s.unlock()
	if len(s.log) > 0 && s.st.abandoned.Load() {
		s.leftBehind("given_up")
	}
	return s.told && len(s.log) > 0
}
