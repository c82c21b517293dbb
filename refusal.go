package sojourn

import (
	"context"
	"errors"
	"net/http"

	"github.com/gosojourn/sojourn/internal/carrier"
)

// fatal: all but what is told by event alone, because the response is right as it is.
func fatal(err error) bool {
	return err != nil && !errors.Is(err, ErrEnded) && !errors.Is(err, ErrHeaderSent) &&
		!errors.Is(err, ErrCrossSite) && !errors.Is(err, ErrAmbiguous) && !errors.Is(err, ErrUnbound)
}

// refuse answers in place of the handler. What the handler has set goes, what was there before it stays,
// and so does a token that an earlier Commit has minted, here or further in: it is the only one that
// still works.
func (st *state) refuse(err error) {
	st.rw.Refuse()
	h := st.rw.Inner().Header()
	st.restore(h)
	st.sayAll(h) // should the ErrorHandler panic
	bare := &refusal{ResponseWriter: st.rw.Inner(), st: st}
	if err == ErrUnbound {
		st.m.binder.Ask(bare, st.r)
	} else {
		st.m.cfg.ErrorHandler(bare, st.r, err)
	}
	if !bare.wrote {
		bare.WriteHeader(statusOf(err))
	}
}

// sayAll is say for st and all that are further in.
func (st *state) sayAll(h http.Header) {
	for in := st.inner.Load(); in != nil; in = in.sibling {
		in.sayAll(h)
	}
	if s := st.sess.Load(); s != nil {
		s.hold.Lock()
		defer s.hold.Unlock()
		s.said = true
		s.sayTo(h)
	}
}

// refusal notices whether the ErrorHandler wrote anything: if not, net/http would answer 200. What waits to
// be said goes in when its header goes out, whatever the ErrorHandler has done to it.
type refusal struct {
	http.ResponseWriter
	st    *state
	wrote bool
}

func (w *refusal) WriteHeader(code int) {
	if code >= 200 {
		w.open()
	}
	w.ResponseWriter.WriteHeader(code)
}

func (w *refusal) Write(p []byte) (int, error) {
	w.open()
	return w.ResponseWriter.Write(p)
}

func (w *refusal) open() {
	if w.wrote {
		return
	}
	w.wrote = true
	h := w.Header()
	w.st.sayAll(h)
	carrier.NoStore(h)
}

func (w *refusal) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// statusOf: 503 where another try may do, by the store or by a client who has not gone after all.
func statusOf(err error) int {
	if Unavailable(err) || errors.Is(err, context.Canceled) {
		return http.StatusServiceUnavailable
	}
	return http.StatusInternalServerError
}

func defaultErrorHandler(w http.ResponseWriter, _ *http.Request, err error) {
	code := statusOf(err)
	http.Error(w, http.StatusText(code), code)
}
