package response

import (
	"bufio"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// A gate answers as told, and counts.
type gate struct {
	w       *Writer
	refuse  bool
	upgrade error
	opened  int
	touched []int
}

func (g *gate) Open(int) bool {
	g.opened++
	if g.refuse {
		g.w.Refuse()
		g.w.Inner().WriteHeader(503)
	}
	return !g.refuse
}
func (g *gate) Upgrade() error { return g.upgrade }
func (g *gate) Touch(h http.Header, first bool) {
	if first {
		g.touched = append(g.touched, len(h))
	}
}

func writerOf(inner http.ResponseWriter) (*Writer, *gate) {
	w, g := new(Writer), new(gate)
	g.w = w
	w.Init(inner, g)
	return w, g
}

type plain struct{ http.ResponseWriter }

type flushes struct{}

func (flushes) Flush() {}

type hijacks struct{ err error }

func (h hijacks) Hijack() (net.Conn, *bufio.ReadWriter, error) { return nil, nil, h.err }

type reads struct{}

func (reads) ReadFrom(r io.Reader) (int64, error) { return io.Copy(io.Discard, r) }

type pushes struct{}

func (pushes) Push(string, *http.PushOptions) error { return nil }

type notifies struct{}

func (notifies) CloseNotify() <-chan bool { return nil }

// Every set of what a writer can do is kept as it is: nothing is lost, nothing invented.
func TestEverySetIsKept(t *testing.T) {
	for set := range as {
		w := &Writer{kinds: uint8(set)}
		h := as[set](w)
		_, f := h.(http.Flusher)
		_, hi := h.(http.Hijacker)
		_, r := h.(io.ReaderFrom)
		_, p := h.(http.Pusher)
		_, c := h.(interface{ CloseNotify() <-chan bool })
		for i, has := range []bool{f, hi, r, p, c} {
			if has != (set>>i&1 == 1) {
				t.Errorf("set %05b: capability %d is %v", set, i, has)
			}
		}
	}
}

func TestKindsOf(t *testing.T) {
	rec := plain{httptest.NewRecorder()}
	for _, c := range []struct {
		w    http.ResponseWriter
		want uint8
	}{
		{rec, 0},
		{struct {
			plain
			flushes
			hijacks
			reads
			pushes
			notifies
		}{plain: rec}, flusher | hijacker | readerFrom | pusher | closeNotifier},
		{struct {
			plain
			notifies
		}{plain: rec}, closeNotifier},
		{wrapping{struct {
			plain
			flushes
			hijacks
			reads
		}{plain: rec}}, flusher | hijacker},
	} {
		if got := kindsOf(c.w); got != c.want {
			t.Errorf("%T: %05b, want %05b", c.w, got, c.want)
		}
	}
}

// A recorder takes an informational status for the header.
type informed struct{ *httptest.ResponseRecorder }

func (w informed) WriteHeader(code int) {
	if code >= 200 {
		w.ResponseRecorder.WriteHeader(code)
	}
}

// wrapping can do nothing itself, but http.ResponseController looks inside.
type wrapping struct{ http.ResponseWriter }

func (w wrapping) Unwrap() http.ResponseWriter { return w.ResponseWriter }

func TestTheGateIsAskedOnceBeforeTheHeader(t *testing.T) {
	rec := httptest.NewRecorder()
	w, g := writerOf(informed{rec})
	w.WriteHeader(103)
	if g.opened != 0 || w.Sent() {
		t.Error("an informational status is not the header")
	}
	for range 2 {
		if _, err := w.Write([]byte("x")); err != nil {
			t.Error(err)
		}
	}
	_, _ = w.WriteString("y")
	w.WriteHeader(204)
	if g.opened != 1 || rec.Body.String() != "xxy" {
		t.Errorf("asked %d times, body %q", g.opened, rec.Body)
	}
}

func TestTheGateIsToldBeforeTheHandlerHasTheHeader(t *testing.T) {
	w, g := writerOf(httptest.NewRecorder())
	w.Inner().Header().Set("Outer", "1")
	if w.Touched() {
		t.Error("nobody has it yet")
	}
	w.Header().Set("Mine", "1")
	w.Header().Set("Mine", "2")
	if len(g.touched) != 1 || g.touched[0] != 1 || !w.Touched() {
		t.Errorf("told %v, with so many names in it", g.touched)
	}
}

func TestARefusedHandlerWritesNothing(t *testing.T) {
	rec := httptest.NewRecorder()
	w, g := writerOf(struct {
		*httptest.ResponseRecorder
		reads
		hijacks
	}{ResponseRecorder: rec})
	g.refuse = true
	w.WriteHeader(200)
	_, e1 := w.Write([]byte("x"))
	_, e2 := w.WriteString("x")
	_, e3 := w.readFrom(strings.NewReader("x"))
	_, _, e4 := w.hijack()
	for i, err := range []error{e1, e2, e3, e4, w.FlushError()} {
		if !errors.Is(err, ErrRefused) {
			t.Errorf("%d: %v", i, err)
		}
	}
	w.WriteHeader(102)
	if rec.Code != 503 || rec.Body.Len() != 0 || g.opened != 1 {
		t.Errorf("status %d, body %q, asked %d times", rec.Code, rec.Body, g.opened)
	}
}

func TestAFlushThatCannotBeSendsNothing(t *testing.T) {
	w, g := writerOf(plain{httptest.NewRecorder()})
	if err := w.FlushError(); !errors.Is(err, http.ErrNotSupported) {
		t.Error(err)
	}
	if g.opened != 0 || w.Sent() {
		t.Error("the header counts as sent")
	}
}

func TestAFailedHijack(t *testing.T) {
	inner := struct {
		plain
		hijacks
	}{plain{httptest.NewRecorder()}, hijacks{errors.New("no")}}
	w, _ := writerOf(inner)
	if _, _, err := w.hijack(); err == nil || w.Sent() {
		t.Errorf("%v, sent %v: the handler may still answer", err, w.Sent())
	}
	w.WriteHeader(200)
	if _, _, err := w.hijack(); err == nil || !w.Sent() {
		t.Errorf("%v, sent %v: the header is out", err, w.Sent())
	}
}

func TestAnUpgradeThatIsRefused(t *testing.T) {
	w, g := writerOf(struct {
		plain
		hijacks
	}{plain: plain{httptest.NewRecorder()}})
	g.upgrade = errors.New("a token is pending")
	if _, _, err := w.hijack(); err != g.upgrade || w.Sent() || w.Hijacked() {
		t.Errorf("%v, sent %v, hijacked %v", err, w.Sent(), w.Hijacked())
	}
	g.upgrade = nil
	if _, _, err := w.hijack(); err != nil || !w.Hijacked() {
		t.Errorf("%v, hijacked %v", err, w.Hijacked())
	}
}
