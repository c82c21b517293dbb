package sojourn

import (
	"errors"
	"net/http"
	"time"
)

// LoadAndSave is the middleware: it gives next's requests this manager's session in their context,
// and commits it before the first byte of the response and when the handler returns. Twice is the
// same as once. A handler that asks for nothing costs no exchange with the store, and no cookie.
//
// A handler that panics saves nothing that it has not committed; the panic passes on. When the
// session cannot be loaded or saved, Config.ErrorHandler answers in place of the handler, and what
// the handler writes is refused; if the response has begun, the connection is aborted.
func (m *Manager) LoadAndSave(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ctx := r.Context()
		outer, _ := ctx.Value(stateKey{}).(*state)
		for o := outer; o != nil; o = o.outer {
			if o.m == m {
				next.ServeHTTP(w, r)
				return
			}
		}
		st := &state{Context: ctx, m: m, outer: outer, w: w, begun: millis(time.Now())}
		st.r = r.WithContext(st)
		if m.eager(r.Method) {
			if err := m.Load(st); err != nil {
				st.refuse(err)
				return
			}
		}
		next.ServeHTTP(st.writer(), st.r)
		st.end()
	})
}

func (m *Manager) eager(method string) bool {
	switch m.cfg.Load {
	case LoadEager:
		return true
	case LoadLazy:
		return false
	}
	return !safe(method)
}

// safe reports whether requests of this method change nothing (RFC 9110, 9.2.1).
func safe(method string) bool {
	switch method {
	case http.MethodGet, http.MethodHead, http.MethodOptions, http.MethodTrace, "":
		return true
	}
	return false
}

// open commits once, before the first byte. It reports whether the handler's response may go on.
func (st *state) open() bool {
	if st.refused.Load() {
		return false
	}
	if st.wrote.Load() {
		return true
	}
	s := st.sess.Load()
	if s == nil {
		st.wrote.Store(true)
		return true
	}
	err := s.commit()
	if fatal(err) {
		st.refuse(err)
		return false
	}
	h := st.w.Header()
	if s.used() {
		st.m.vary(h, s.line[:])
	}
	if st.m.tokenPending(h) {
		h.Set("Cache-Control", "no-store") // whatever the handler has said since an early Commit
	}
	st.wrote.Store(true)
	return true
}

// end commits what the handler did after the first byte.
func (st *state) end() {
	if !st.wrote.Load() {
		st.open()
		return
	}
	s := st.sess.Load()
	if s == nil || st.refused.Load() {
		return
	}
	if err := s.commit(); fatal(err) && !st.hijacked.Load() {
		// The response has begun as if all were well: let the client see that it is not.
		panic(http.ErrAbortHandler)
	}
}

// fatal: all but what is told by event alone, because the response is right as it is.
func fatal(err error) bool {
	return err != nil && !errors.Is(err, ErrEnded) && !errors.Is(err, ErrHeaderSent)
}

// refuse answers in place of the handler. Cookies of others stay, and so does a token that an
// earlier Commit has minted: it is the only one that still works.
func (st *state) refuse(err error) {
	st.refused.Store(true)
	st.wrote.Store(true)
	h := st.w.Header()
	for _, name := range []string{"Content-Length", "Content-Type", "Content-Encoding", "Content-Disposition",
		"Content-Range", "Content-Language", "Accept-Ranges", "Etag", "Last-Modified", "Expires", "Location", "Trailer", "Clear-Site-Data"} {
		h.Del(name)
	}
	h.Set("Cache-Control", "no-store")
	bare := &refusal{ResponseWriter: st.w}
	st.m.cfg.ErrorHandler(bare, st.r, err)
	if !bare.wrote {
		bare.WriteHeader(statusOf(err))
	}
}

// refusal notices whether the ErrorHandler wrote anything: if not, net/http would answer 200.
type refusal struct {
	http.ResponseWriter
	wrote bool
}

func (w *refusal) WriteHeader(code int) {
	w.wrote = w.wrote || code >= 200
	w.ResponseWriter.WriteHeader(code)
}

func (w *refusal) Write(p []byte) (int, error) {
	w.wrote = true
	return w.ResponseWriter.Write(p)
}

func (w *refusal) Unwrap() http.ResponseWriter { return w.ResponseWriter }

func statusOf(err error) int {
	if Unavailable(err) {
		return http.StatusServiceUnavailable
	}
	return http.StatusInternalServerError
}

func defaultErrorHandler(w http.ResponseWriter, _ *http.Request, err error) {
	code := statusOf(err)
	http.Error(w, http.StatusText(code), code)
}
