package sojourn

import (
	"bufio"
	"errors"
	"io"
	"net"
	"net/http"
)

var errRefused = errors.New("sojourn: the response was replaced by an error: the session could not be loaded or saved")

// Everything that may send the header commits first (DESIGN law 6).

func (st *state) Header() http.Header { return st.w.Header() }

func (st *state) WriteHeader(code int) {
	if code >= 100 && code <= 199 && code != http.StatusSwitchingProtocols {
		st.w.WriteHeader(code) // a final status follows; browsers drop cookies on this one
		return
	}
	if st.open() {
		st.w.WriteHeader(code)
	}
}

func (st *state) Write(p []byte) (int, error) {
	if !st.open() {
		return 0, errRefused
	}
	return st.w.Write(p)
}

func (st *state) WriteString(p string) (int, error) {
	if !st.open() {
		return 0, errRefused
	}
	return io.WriteString(st.w, p)
}

// FlushError is what http.ResponseController looks for.
func (st *state) FlushError() error {
	if !st.open() {
		return errRefused
	}
	return http.NewResponseController(st.w).Flush()
}

// Unwrap lets http.ResponseController set deadlines.
func (st *state) Unwrap() http.ResponseWriter { return st.w }

func (st *state) flush() { _ = st.FlushError() }

func (st *state) readFrom(src io.Reader) (int64, error) {
	if !st.open() {
		return 0, errRefused
	}
	return st.w.(io.ReaderFrom).ReadFrom(src)
}

// hijack: who takes the connection writes the header himself, so a token would be lost.
func (st *state) hijack() (net.Conn, *bufio.ReadWriter, error) {
	if !st.wrote.Load() {
		if s := st.sess.Load(); s != nil && s.tokenDue() || st.m.tokenPending(st.w.Header()) {
			return nil, nil, errHijack
		}
		if !st.open() {
			return nil, nil, errRefused
		}
	}
	conn, rw, err := http.NewResponseController(st.w).Hijack()
	if err != nil {
		st.wrote.Store(false)
		return nil, nil, err
	}
	st.hijacked.Store(true)
	return conn, rw, nil
}

var errHijack = &hijackError{}

type hijackError struct{}

func (*hijackError) Error() string {
	return "sojourn: hijacking would lose the session's new token: call WriteHeader(101) first, or log in before upgrading"
}
func (*hijackError) Unwrap() error { return ErrHeaderSent }

func (st *state) push(target string, o *http.PushOptions) error {
	return st.w.(http.Pusher).Push(target, o)
}

// The capabilities of the inner writer are kept, and none is invented. A struct of one pointer is an
// interface value without an allocation, hence a type for each set.
type (
	wF    struct{ *state }
	wFH   struct{ wF }
	wFHR  struct{ wFH }
	wFHRP struct{ wFHR }
	wFHP  struct{ wFH }
	wFR   struct{ wF }
	wFRP  struct{ wFR }
	wFP   struct{ wF }
	wH    struct{ *state }
	wHR   struct{ wH }
	wHRP  struct{ wHR }
	wHP   struct{ wH }
	wR    struct{ *state }
	wRP   struct{ wR }
	wP    struct{ *state }
)

func (w wF) Flush()                                           { w.flush() }
func (w wFH) Hijack() (net.Conn, *bufio.ReadWriter, error)    { return w.hijack() }
func (w wFHR) ReadFrom(src io.Reader) (int64, error)          { return w.readFrom(src) }
func (w wFHRP) Push(target string, o *http.PushOptions) error { return w.push(target, o) }
func (w wFHP) Push(target string, o *http.PushOptions) error  { return w.push(target, o) }
func (w wFR) ReadFrom(src io.Reader) (int64, error)           { return w.readFrom(src) }
func (w wFRP) Push(target string, o *http.PushOptions) error  { return w.push(target, o) }
func (w wFP) Push(target string, o *http.PushOptions) error   { return w.push(target, o) }
func (w wH) Hijack() (net.Conn, *bufio.ReadWriter, error)     { return w.hijack() }
func (w wHR) ReadFrom(src io.Reader) (int64, error)           { return w.readFrom(src) }
func (w wHRP) Push(target string, o *http.PushOptions) error  { return w.push(target, o) }
func (w wHP) Push(target string, o *http.PushOptions) error   { return w.push(target, o) }
func (w wR) ReadFrom(src io.Reader) (int64, error)            { return w.readFrom(src) }
func (w wRP) Push(target string, o *http.PushOptions) error   { return w.push(target, o) }
func (w wP) Push(target string, o *http.PushOptions) error    { return w.push(target, o) }

// writer is st with the capabilities of the writer inside. Flush and Hijack count wherever
// http.ResponseController would find them, or it would go past us.
func (st *state) writer() http.ResponseWriter {
	var set int
	for w := st.w; w != nil; {
		switch w.(type) {
		case http.Flusher, interface{ FlushError() error }:
			set |= 1
		}
		if _, ok := w.(http.Hijacker); ok {
			set |= 2
		}
		u, ok := w.(interface{ Unwrap() http.ResponseWriter })
		if !ok {
			break
		}
		w = u.Unwrap()
	}
	if _, ok := st.w.(io.ReaderFrom); ok {
		set |= 4
	}
	if _, ok := st.w.(http.Pusher); ok {
		set |= 8
	}
	switch set {
	case 1:
		return wF{st}
	case 2:
		return wH{st}
	case 3:
		return wFH{wF{st}}
	case 4:
		return wR{st}
	case 5:
		return wFR{wF{st}}
	case 6:
		return wHR{wH{st}}
	case 7:
		return wFHR{wFH{wF{st}}}
	case 8:
		return wP{st}
	case 9:
		return wFP{wF{st}}
	case 10:
		return wHP{wH{st}}
	case 11:
		return wFHP{wFH{wF{st}}}
	case 12:
		return wRP{wR{st}}
	case 13:
		return wFRP{wFR{wF{st}}}
	case 14:
		return wHRP{wHR{wH{st}}}
	case 15:
		return wFHRP{wFHR{wFH{wF{st}}}}
	}
	return st
}
