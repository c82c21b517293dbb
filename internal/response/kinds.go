package response

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"reflect"
	"sync/atomic"
)

// What the inner writer can do is kept, and nothing is invented. A struct of one pointer is an interface
// value without an allocation, hence a type for each set: its name lists what it can do.
const (
	flusher = 1 << iota
	hijacker
	readerFrom
	pusher
	closeNotifier
)

// kindsOf looks at all that w wraps for Flush and Hijack: http.ResponseController would find them there,
// and go past us.
func kindsOf(w http.ResponseWriter) uint8 {
	if k := knownKind(w); k != nil {
		return k.set
	}
	set, whole := look(w)
	if whole {
		_, tells := w.(teller)
		known.Store(&kind{reflect.TypeOf(w), set, tells, fieldsOf(reflect.Indirect(reflect.ValueOf(w)))})
	}
	return set
}

// A kind is what is known of a type whose writers wrap nothing.
type kind struct {
	t      reflect.Type
	set    uint8
	tells  bool    // it is a teller
	fields *fields // that tell
}

// known is the last type that was looked at, because most requests come with the same one.
var known atomic.Pointer[kind]

// knownKind is what is known of w, nil if that is nothing.
func knownKind(w http.ResponseWriter) *kind {
	if k := known.Load(); k != nil && k.t == reflect.TypeOf(w) {
		return k
	}
	return nil
}

// look answers what w can do, and whether its type alone says so: one that wraps another may be wrapped
// around anything.
func look(w http.ResponseWriter) (set uint8, whole bool) {
	whole = true
	for in := w; in != nil; {
		switch in.(type) {
		case http.Flusher, interface{ FlushError() error }:
			set |= flusher
		}
		if _, ok := in.(http.Hijacker); ok {
			set |= hijacker
		}
		u, ok := in.(interface{ Unwrap() http.ResponseWriter })
		if !ok {
			break
		}
		in, whole = u.Unwrap(), false
	}
	if _, ok := w.(io.ReaderFrom); ok {
		set |= readerFrom
	}
	if _, ok := w.(http.Pusher); ok {
		set |= pusher
	}
	//lint:ignore SA1019 gin's Stream asks for it
	if _, ok := w.(http.CloseNotifier); ok {
		set |= closeNotifier
	}
	return set, whole
}

type (
	wF     struct{ *Writer }
	wH     struct{ *Writer }
	wFH    struct{ wF }
	wR     struct{ *Writer }
	wFR    struct{ wF }
	wHR    struct{ wH }
	wFHR   struct{ wFH }
	wP     struct{ *Writer }
	wFP    struct{ wF }
	wHP    struct{ wH }
	wFHP   struct{ wFH }
	wRP    struct{ wR }
	wFRP   struct{ wFR }
	wHRP   struct{ wHR }
	wFHRP  struct{ wFHR }
	wC     struct{ *Writer }
	wFC    struct{ wF }
	wHC    struct{ wH }
	wFHC   struct{ wFH }
	wRC    struct{ wR }
	wFRC   struct{ wFR }
	wHRC   struct{ wHR }
	wFHRC  struct{ wFHR }
	wPC    struct{ wP }
	wFPC   struct{ wFP }
	wHPC   struct{ wHP }
	wFHPC  struct{ wFHP }
	wRPC   struct{ wRP }
	wFRPC  struct{ wFRP }
	wHRPC  struct{ wHRP }
	wFHRPC struct{ wFHRP }
)

func (w wF) Flush()                                           { w.flush() }
func (w wH) Hijack() (net.Conn, *bufio.ReadWriter, error)     { return w.hijack() }
func (w wFH) Hijack() (net.Conn, *bufio.ReadWriter, error)    { return w.hijack() }
func (w wR) ReadFrom(src io.Reader) (int64, error)            { return w.readFrom(src) }
func (w wFR) ReadFrom(src io.Reader) (int64, error)           { return w.readFrom(src) }
func (w wHR) ReadFrom(src io.Reader) (int64, error)           { return w.readFrom(src) }
func (w wFHR) ReadFrom(src io.Reader) (int64, error)          { return w.readFrom(src) }
func (w wP) Push(target string, o *http.PushOptions) error    { return w.push(target, o) }
func (w wFP) Push(target string, o *http.PushOptions) error   { return w.push(target, o) }
func (w wHP) Push(target string, o *http.PushOptions) error   { return w.push(target, o) }
func (w wFHP) Push(target string, o *http.PushOptions) error  { return w.push(target, o) }
func (w wRP) Push(target string, o *http.PushOptions) error   { return w.push(target, o) }
func (w wFRP) Push(target string, o *http.PushOptions) error  { return w.push(target, o) }
func (w wHRP) Push(target string, o *http.PushOptions) error  { return w.push(target, o) }
func (w wFHRP) Push(target string, o *http.PushOptions) error { return w.push(target, o) }
func (w wC) CloseNotify() <-chan bool                         { return w.closeNotify() }
func (w wFC) CloseNotify() <-chan bool                        { return w.closeNotify() }
func (w wHC) CloseNotify() <-chan bool                        { return w.closeNotify() }
func (w wFHC) CloseNotify() <-chan bool                       { return w.closeNotify() }
func (w wRC) CloseNotify() <-chan bool                        { return w.closeNotify() }
func (w wFRC) CloseNotify() <-chan bool                       { return w.closeNotify() }
func (w wHRC) CloseNotify() <-chan bool                       { return w.closeNotify() }
func (w wFHRC) CloseNotify() <-chan bool                      { return w.closeNotify() }
func (w wPC) CloseNotify() <-chan bool                        { return w.closeNotify() }
func (w wFPC) CloseNotify() <-chan bool                       { return w.closeNotify() }
func (w wHPC) CloseNotify() <-chan bool                       { return w.closeNotify() }
func (w wFHPC) CloseNotify() <-chan bool                      { return w.closeNotify() }
func (w wRPC) CloseNotify() <-chan bool                       { return w.closeNotify() }
func (w wFRPC) CloseNotify() <-chan bool                      { return w.closeNotify() }
func (w wHRPC) CloseNotify() <-chan bool                      { return w.closeNotify() }
func (w wFHRPC) CloseNotify() <-chan bool                     { return w.closeNotify() }

// as makes a Writer one of these, by its set.
var as = [32]func(*Writer) http.ResponseWriter{
	func(w *Writer) http.ResponseWriter { return w },
	func(w *Writer) http.ResponseWriter { return wF{w} },
	func(w *Writer) http.ResponseWriter { return wH{w} },
	func(w *Writer) http.ResponseWriter { return wFH{wF{w}} },
	func(w *Writer) http.ResponseWriter { return wR{w} },
	func(w *Writer) http.ResponseWriter { return wFR{wF{w}} },
	func(w *Writer) http.ResponseWriter { return wHR{wH{w}} },
	func(w *Writer) http.ResponseWriter { return wFHR{wFH{wF{w}}} },
	func(w *Writer) http.ResponseWriter { return wP{w} },
	func(w *Writer) http.ResponseWriter { return wFP{wF{w}} },
	func(w *Writer) http.ResponseWriter { return wHP{wH{w}} },
	func(w *Writer) http.ResponseWriter { return wFHP{wFH{wF{w}}} },
	func(w *Writer) http.ResponseWriter { return wRP{wR{w}} },
	func(w *Writer) http.ResponseWriter { return wFRP{wFR{wF{w}}} },
	func(w *Writer) http.ResponseWriter { return wHRP{wHR{wH{w}}} },
	func(w *Writer) http.ResponseWriter { return wFHRP{wFHR{wFH{wF{w}}}} },
	func(w *Writer) http.ResponseWriter { return wC{w} },
	func(w *Writer) http.ResponseWriter { return wFC{wF{w}} },
	func(w *Writer) http.ResponseWriter { return wHC{wH{w}} },
	func(w *Writer) http.ResponseWriter { return wFHC{wFH{wF{w}}} },
	func(w *Writer) http.ResponseWriter { return wRC{wR{w}} },
	func(w *Writer) http.ResponseWriter { return wFRC{wFR{wF{w}}} },
	func(w *Writer) http.ResponseWriter { return wHRC{wHR{wH{w}}} },
	func(w *Writer) http.ResponseWriter { return wFHRC{wFHR{wFH{wF{w}}}} },
	func(w *Writer) http.ResponseWriter { return wPC{wP{w}} },
	func(w *Writer) http.ResponseWriter { return wFPC{wFP{wF{w}}} },
	func(w *Writer) http.ResponseWriter { return wHPC{wHP{wH{w}}} },
	func(w *Writer) http.ResponseWriter { return wFHPC{wFHP{wFH{wF{w}}}} },
	func(w *Writer) http.ResponseWriter { return wRPC{wRP{wR{w}}} },
	func(w *Writer) http.ResponseWriter { return wFRPC{wFRP{wFR{wF{w}}}} },
	func(w *Writer) http.ResponseWriter { return wHRPC{wHRP{wHR{wH{w}}}} },
	func(w *Writer) http.ResponseWriter { return wFHRPC{wFHRP{wFHR{wFH{wF{w}}}}} },
}

// HTTP is w with what the inner writer can do.
func (w *Writer) HTTP() http.ResponseWriter { return as[w.kinds](w) }
