// Package response is the http.ResponseWriter that asks before it sends: whoever keeps state for a
// request learns that the header is about to go out while it can still be changed.
package response

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"sync/atomic"
)

// ErrRefused is what a handler gets that writes to a response which was replaced by an error.
var ErrRefused = errors.New("sojourn: the response was replaced by an error: the session could not be loaded or saved")

// A Gate is asked in the goroutine that writes the response, and by nobody else.
type Gate interface {
	// Touch is told before the handler is given the header, in which it may change anything. first is the
	// first time.
	Touch(h http.Header, first bool)
	// Open is asked once, before the header goes out with code. Whatever it puts into the header is
	// sent. false: it has answered itself, and what the handler writes is refused from now on.
	Open(code int) bool
	// Upgrade is asked in place of Open before the connection is handed over without a header. An error
	// keeps it; ErrRefused says that Upgrade has answered itself.
	Upgrade() error
}

// A Writer is one response. It is part of its Gate's own memory, so that a request costs no object more.
type Writer struct {
	inner http.ResponseWriter
	gate  Gate
	kinds uint8

	touched  atomic.Bool // the handler has the header
	asked    atomic.Bool // the header was asked for, and nothing else since
	sent     atomic.Bool // the header is out, or is about to go
	refused  atomic.Bool
	noticed  atomic.Bool // the handler has been told that it is refused
	hijacked atomic.Bool
}

// Init makes w the response of inner, asking gate.
func (w *Writer) Init(inner http.ResponseWriter, gate Gate) {
	w.inner, w.gate, w.kinds = inner, gate, kindsOf(inner)
}

// Inner is the writer that w was made for. It is never nil after Init.
func (w *Writer) Inner() http.ResponseWriter { return w.inner }

// Sent reports whether it is too late to change the header. It may be asked by any goroutine; false may
// be out of date at once, unless the Gate sees to it.
func (w *Writer) Sent() bool { return w.sent.Load() }

// Hijacked reports whether the connection is somebody else's.
func (w *Writer) Hijacked() bool { return w.hijacked.Load() }

// Close makes it too late, without asking.
func (w *Writer) Close() { w.sent.Store(true) }

// Refuse makes it too late, and refuses what the handler writes.
func (w *Writer) Refuse() {
	w.refused.Store(true)
	w.sent.Store(true)
}

// Refused reports whether Refuse was called.
func (w *Writer) Refused() bool { return w.refused.Load() }

// Noticed reports whether the handler was given ErrRefused.
func (w *Writer) Noticed() bool { return w.noticed.Load() }

func (w *Writer) tell() error {
	w.noticed.Store(true)
	return ErrRefused
}

// Open lets the header go out with code, or reports that the response was refused.
func (w *Writer) Open(code int) bool {
	if w.refused.Load() {
		return false
	}
	if w.sent.Load() {
		return true
	}
	w.sent.Store(true) // first, so that nobody else counts on the header from here on
	return w.gate.Open(code)
}

// Header is that of the inner writer. Only the goroutine that writes the response may use it.
func (w *Writer) Header() http.Header {
	h := w.inner.Header()
	w.gate.Touch(h, !w.touched.Load() && w.touched.CompareAndSwap(false, true))
	w.asked.Store(true)
	return h
}

// Asked reports whether the last call before the one that asks the gate was for the header.
func (w *Writer) Asked() bool { return w.asked.Load() }

// Touched reports whether the handler was given the header.
func (w *Writer) Touched() bool { return w.touched.Load() }

func (w *Writer) WriteHeader(code int) {
	if code >= 100 && code <= 199 && code != http.StatusSwitchingProtocols {
		if !w.refused.Load() {
			w.inner.WriteHeader(code) // a final status follows; browsers drop cookies on this one
		}
		return
	}
	if w.Open(code) {
		w.inner.WriteHeader(code)
	}
}

func (w *Writer) Write(p []byte) (int, error) {
	if !w.Open(http.StatusOK) {
		return 0, w.tell()
	}
	return w.inner.Write(p)
}

func (w *Writer) WriteString(p string) (int, error) {
	if !w.Open(http.StatusOK) {
		return 0, w.tell()
	}
	return io.WriteString(w.inner, p)
}

// FlushError is what http.ResponseController looks for. A writer that cannot flush sends nothing, so
// nothing is too late afterwards.
func (w *Writer) FlushError() error {
	if w.kinds&flusher == 0 {
		return fmt.Errorf("sojourn: flush: %w", http.ErrNotSupported)
	}
	if !w.Open(http.StatusOK) {
		return w.tell()
	}
	return http.NewResponseController(w.inner).Flush()
}

// Unwrap lets http.ResponseController set deadlines.
func (w *Writer) Unwrap() http.ResponseWriter { return w.inner }

func (w *Writer) flush() { _ = w.FlushError() }

func (w *Writer) readFrom(src io.Reader) (int64, error) {
	if !w.Open(http.StatusOK) {
		return 0, w.tell()
	}
	return w.inner.(io.ReaderFrom).ReadFrom(src)
}

// hijack hands the connection over. Whoever takes it writes the header himself, so what is waiting to be
// said in it would be lost.
func (w *Writer) hijack() (net.Conn, *bufio.ReadWriter, error) {
	if w.refused.Load() {
		return nil, nil, w.tell()
	}
	first := !w.sent.Load()
	if first {
		w.sent.Store(true)
		if err := w.gate.Upgrade(); err != nil {
			if !w.refused.Load() {
				w.sent.Store(false)
			}
			return nil, nil, err
		}
	}
	conn, rw, err := http.NewResponseController(w.inner).Hijack()
	if err != nil {
		if first {
			w.sent.Store(false) // nothing went out, so the handler may still answer
		}
		return nil, nil, err
	}
	w.hijacked.Store(true)
	return conn, rw, nil
}

func (w *Writer) push(target string, o *http.PushOptions) error {
	return w.inner.(http.Pusher).Push(target, o)
}

func (w *Writer) closeNotify() <-chan bool {
	return w.inner.(http.CloseNotifier).CloseNotify() //lint:ignore SA1019 gin's Stream asks for it
}
