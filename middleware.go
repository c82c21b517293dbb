package sojourn

import (
	"errors"
	"net/http"
	"slices"
	"time"

	"github.com/gosojourn/sojourn/internal/response"
)

// LoadAndSave is the middleware. It gives requests this manager's session in their context. It commits the
// session before the first byte of the response, and again when the handler returns. To apply it twice is the
// same as once. A handler that does not use the session costs no query and no cookie.
//
// The headers of the session (Set-Cookie, Vary, Cache-Control: no-store) are added when the response's header
// goes out. A handler does not see them before, and cannot remove them.
//
// When the session cannot be loaded or saved, Config.ErrorHandler answers in place of the handler. The headers
// that the handler has set are dropped, and what it writes is refused. If the response has begun already, the
// connection is aborted.
//
// When a handler panics, what it has not committed is dropped. The panic passes on. Whoever answers it also
// sends the token that an earlier Commit has created. A middleware that recovers may be outside, or inside if it
// answers with a 5xx status before it returns from its deferred function.
//
// [http.TimeoutHandler] belongs inside LoadAndSave. Outside, it may have answered already when a late login
// creates a token, and that login is refused with ErrHeaderSent.
//
// next has to write to the http.ResponseWriter that it is given. An adapter that hands a router another one loses
// cookies, and EventBypassed tells of it: wrap the whole router instead.
func (m *Manager) LoadAndSave(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ctx := r.Context()
		outer, _ := ctx.Value(stateKey{}).(*state)
		for o := outer; o != nil; o = o.outer {
			// A request that shows something else is another one, whatever its context.
			if o.m == m && m.same(o.r, r) {
				next.ServeHTTP(w, r)
				return
			}
		}
		st := &state{Context: ctx, m: m, outer: outer, begun: time.Now(), turn: m.turn.Load()}
		st.rw.Init(w, st)
		st.r = r.WithContext(st)
		if outer != nil {
			outer.enclose(st)
		}
		defer st.unwind()
		if m.eager(r.Method) && (m.binder == nil || !m.binder.Own(r)) {
			if err := m.Load(st); err != nil {
				st.refuse(err)
				st.returned.Store(true)
				return
			}
		}
		next.ServeHTTP(st.rw.HTTP(), st.r)
		st.end()
	})
}

// same reports whether two requests show the same of ours.
func (m *Manager) same(a, b *http.Request) bool {
	return m.carrier.Same(a.Header, b.Header) && (m.visitors == nil || m.visitors.carrier.Same(a.Header, b.Header))
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

// A headerLine is what a header had under one name.
type headerLine struct {
	name   string
	values []string
}

// Touch keeps what the response's header has before the handler changes it: usually nothing.
func (st *state) Touch(h http.Header, first bool) {
	if s := st.sess.Load(); s != nil {
		s.noteDelivery()
	}
	if !first || len(h) == 0 {
		return
	}
	st.before = make([]headerLine, 0, len(h))
	for name, values := range h {
		st.before = append(st.before, headerLine{name, values})
	}
}

// restore takes away what the handler has set.
func (st *state) restore(h http.Header) {
	if !st.rw.Touched() {
		return
	}
	clear(h)
	for _, l := range st.before {
		h[l.name] = l.values
	}
}

// enclose notes that in is further in: what it has to say has to survive an error response of st.
func (st *state) enclose(in *state) {
	for {
		in.sibling = st.inner.Load()
		if st.inner.CompareAndSwap(in.sibling, in) {
			return
		}
	}
}

// Open commits, once, before the header goes out, and puts in what the session has to say.
func (st *state) Open(code int) bool {
	if code == http.StatusServiceUnavailable && !st.rw.Asked() && timeoutHandlerCalls() {
		st.abandoned.Store(true) // it would have asked for the header on behalf of a handler that is through
	}
	s := st.sess.Load()
	if s == nil {
		return true
	}
	if st.rw.Past() {
		st.bypassed(s)
		return true
	}
	if code >= 500 && calledBy("runtime.gopanic") {
		s.abandon()
	}
	if st.asksForProof(s) {
		st.refuse(ErrUnbound)
		return false
	}
	s.settleRaised()
	token, err := s.open(code)
	if fatal(err) {
		st.refuse(err)
		return false
	}
	if token {
		st.m.warnOfPlainHTTP(st.r)
	}
	return true
}

// abandon drops what a handler has changed that panics, while a middleware further in answers for it: as if
// the panic had come through.
func (s *session) abandon() {
	s.hold.Lock()
	defer s.hold.Unlock()
	s.mu.Lock()
	ops := s.log[:len(s.log):len(s.log)]
	s.fault = nil
	s.mu.Unlock()
	s.settle(ops, errAborted)
}

// open does it with the header in hand: no other Commit comes between. It reports whether a token goes out.
func (s *session) open(code int) (token bool, err error) {
	b := s.m.budget()
	defer s.tellAll()
	s.hold.Lock()
	defer s.hold.Unlock()
	if code != http.StatusServiceUnavailable || !s.givenUp() {
		err, _ = s.perform(b, false)
	}
	if fatal(err) {
		return false, err
	}
	s.stillHanded(b)
	token = s.handedOut() != nil || s.sends()
	s.say()
	return token, err
}

// sends reports whether a token or a seal waits to be sent. The caller holds hold.
func (s *session) sends() bool {
	return s.out != nil && s.out.Token() || s.seal != nil && s.seal.Token()
}

// say puts what waits into the header. The caller holds hold, and writes the response.
func (s *session) say() {
	h := s.st.rw.Inner().Header()
	s.said = true
	if s.used() {
		s.m.carrier.Vary(h, s.vary[:])
	}
	s.sayTo(h)
}

// sayTo puts in what waits: the token, and that an old cookie is to go. The caller holds hold.
func (s *session) sayTo(h http.Header) {
	if s.out != nil {
		s.m.carrier.Apply(h, s.out)
	} else if handed := s.handedOut(); handed != nil {
		s.m.carrier.Apply(h, handed.out)
	}
	if s.seal != nil {
		s.m.visitors.carrier.Apply(h, s.seal)
	}
	s.mu.Lock()
	forget, unbind, invitation := s.forgetOld, s.unbind, s.invitation
	s.mu.Unlock()
	if invitation[0] != "" {
		h[invitation[0]] = []string{invitation[1]}
	} else if unbind && s.m.binder != nil {
		s.m.binder.Forget(h)
	}
	if forget && !s.m.oneCookie() {
		expire(h, s.m.cfg.Legacy.Cookie())
	}
}

// expire has the browser forget c, unless the response says that already.
func expire(h http.Header, c http.Cookie) {
	c.Value, c.MaxAge, c.Expires = "", -1, time.Unix(1, 0)
	line := c.String()
	if before := h["Set-Cookie"]; line != "" && !slices.Contains(before, line) {
		h["Set-Cookie"] = append(before[:len(before):len(before)], line)
	}
}

// Upgrade is Open before the connection is handed over: there will be no header to put anything into.
func (st *state) Upgrade() error {
	s := st.sess.Load()
	if s == nil {
		return nil
	}
	if s.needsHeader() {
		return errHijack
	}
	err := s.upgrade()
	if fatal(err) {
		st.refuse(err)
		return response.ErrRefused
	}
	return err
}

func (s *session) upgrade() error {
	b := s.m.budget()
	defer s.tellAll()
	s.hold.Lock()
	defer s.hold.Unlock()
	if s.sends() {
		return errHijack
	}
	if err, _ := s.perform(b, true); fatal(err) {
		return err
	}
	return nil
}

var errHijack = &hijackError{}

type hijackError struct{}

func (*hijackError) Error() string {
	return "sojourn: hijacking would lose the session's new token: call WriteHeader(101) first, or log in before upgrading"
}
func (*hijackError) Unwrap() error { return ErrHeaderSent }

// end commits what the handler did after the first byte.
func (st *state) end() {
	defer st.returned.Store(true)
	s := st.sess.Load()
	if !st.rw.Sent() {
		if s == nil || !st.rw.PastUnasked() {
			st.rw.Open(http.StatusOK)
			return
		}
		st.rw.Close()
		st.bypassed(s)
	}
	if s != nil {
		s.settleRaised()
	}
	if s == nil || st.rw.Refused() || s.wasGivenUp() {
		return
	}
	if err := s.commit(); fatal(err) && !st.rw.Hijacked() {
		// The response has begun as if all were well: let the client see that it is not.
		panic(http.ErrAbortHandler)
	}
}

// unwind puts what is pending into the header, if a panic unwinds LoadAndSave: a token that a Commit
// has minted is the only one that works, and whoever answers the panic sends it.
func (st *state) unwind() {
	if st.returned.Load() {
		return
	}
	st.returned.Store(true)
	if st.rw.Refused() {
		st.answeredAlready(recover())
		return
	}
	if st.rw.Sent() {
		return
	}
	st.rw.Close()
	if s := st.sess.Load(); s != nil {
		s.hold.Lock()
		defer s.hold.Unlock()
		s.say()
	}
}

// answeredAlready passes a panic on, unless a handler panics because its response was replaced: with the error that
// it got, as Huma does when it cannot write, or to abort the connection, as httputil.ReverseProxy does then. The
// request has had its answer, and whoever is outside would spoil it.
func (st *state) answeredAlready(v any) {
	err, _ := v.(error)
	switch {
	case v == nil, errors.Is(err, response.ErrRefused), errors.Is(err, http.ErrAbortHandler) && st.rw.Noticed():
	default:
		panic(v)
	}
}
