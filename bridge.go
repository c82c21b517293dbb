package sojourn

import (
	"context"
	"net/http"
	"time"

	"github.com/gosojourn/sojourn/internal/bridge"
	"github.com/gosojourn/sojourn/internal/record"
	"github.com/gosojourn/sojourn/internal/token"
)

// What package scscompat needs beyond the public API: see package bridge.
func init() {
	bridge.New = func(store, cfg any) (any, error) {
		c := cfg.(Config)
		c.cookieOnly = true
		return New(store.(Store), c)
	}
	bridge.NewRows = func(rows bridge.Rows, cfg any) (any, error) {
		c := cfg.(Config)
		c.cookieOnly = true
		return newOnRows(rows, c)
	}
	bridge.Entry = func(name string, data []byte) any { return Entry{name: name, raw: data} }
	bridge.Of = func(ctx context.Context, m any) bridge.Session {
		if st := stateOf(ctx, m.(*Manager)); st != nil {
			return (*bridged)(st.session())
		}
		return nil
	}
	bridge.Begin = func(ctx context.Context, m any, token string) context.Context {
		return m.(*Manager).begin(ctx, token)
	}
	bridge.Adopt = func(ctx context.Context, m any, token string, known any) (context.Context, error) {
		return m.(*Manager).adopt(ctx, token, known)
	}
}

// begin is a request without HTTP: no response carries what it has to say.
func (m *Manager) begin(ctx context.Context, text string) *state {
	outer, _ := ctx.Value(stateKey{}).(*state)
	st := &state{Context: ctx, m: m, outer: outer, begun: time.Now(), turn: m.turn.Load()}
	st.rw.Init(nowhere{http.Header{}}, st)
	r := &http.Request{Method: http.MethodPost, Header: http.Header{}} // of no safe method: it may change something
	if text != "" {
		r.Header.Set("Cookie", m.carrier.Name+"="+text)
	}
	st.r = r.WithContext(st)
	return st
}

// adopt is begin with a session that is known already.
func (m *Manager) adopt(ctx context.Context, text string, known any) (context.Context, error) {
	st := m.begin(ctx, text)
	s := st.session()
	switch known := known.(type) {
	case bridge.Row:
		s.base = m.keeper.(*rowKeeper).loaded(text, &known)
	case Record:
		c, err := record.Parse(known.Data)
		if err != nil {
			return nil, err
		}
		if c.Closed() {
			return nil, errNoToken
		}
		s.base = stored{Record: known, Content: c}
	}
	now := time.Now()
	if !now.Before(s.base.Expiry) || now.UnixMilli() >= s.base.Deadline {
		return nil, ErrNotFound
	}
	s.phase = live
	return st, nil
}

// nowhere is the response of a request that has none.
type nowhere struct{ h http.Header }

func (n nowhere) Header() http.Header         { return n.h }
func (n nowhere) Write(p []byte) (int, error) { return len(p), nil }
func (n nowhere) WriteHeader(int)             {}

// bridged is a session as package bridge has it.
type bridged session

var _ bridge.Session = (*bridged)(nil)

func (x *bridged) s() *session { return (*session)(x) }

func (x *bridged) Get(name string) []byte { return x.s().get(name) }

func (x *bridged) Put(ctx context.Context, name string, data []byte) {
	x.s().do(ctx, op{kind: opPut, name: name, value: data})
}

func (x *bridged) PutShort(ctx context.Context, name string, data [bridge.Short]byte, n int) {
	x.s().put(ctx, name, data[:n])
}

func (x *bridged) Pop(ctx context.Context, name string) []byte { return x.s().pop(ctx, name) }

func (x *bridged) Delete(ctx context.Context, name string) {
	x.s().do(ctx, op{kind: opDelete, name: name})
}

func (x *bridged) Fail(err error) { x.s().fail(err) }

func (x *bridged) Unreadable(name string, err error) { x.s().unreadable(name, err) }

func (x *bridged) Status() bridge.Status {
	s := x.s()
	s.mu.Lock()
	defer s.mu.Unlock()
	switch s.last {
	case opNone:
		return bridge.Untouched
	case opLogout:
		return bridge.Ended
	}
	return bridge.Changed
}

func (x *bridged) ID() string {
	s := x.s()
	s.lock()
	defer s.unlock()
	return s.base.ID
}

func (x *bridged) Token() string {
	s := x.s()
	s.door(insideUpdate) // a Commit holds the lock while a function runs
	s.hold.Lock()
	defer s.hold.Unlock()
	s.lock()
	defer s.unlock()
	if s.base.ID == "" || replacesToken(s.log) || lastLogout(s.log) >= 0 {
		return ""
	}
	if s.out != nil && s.out.Token() {
		return s.out.Text()
	}
	k := s.m.keeper.(interface{ shownAs(*session) string })
	if text := k.shownAs(s); text != "" {
		return text
	}
	if s.handed != nil {
		return s.handed.out.Text()
	}
	return s.old // which the client keeps still
}

// shownAs is the token of s, as its request shows it.
func (k *storeKeeper) shownAs(s *session) string {
	shown := k.m.carrier.Tokens(s.st.r.Header)
	for _, text := range shown.Texts[:shown.N] {
		if token.ID(text) == s.base.ID && k.judge(&s.base, text) == current {
			return text
		}
	}
	return ""
}

func (x *bridged) Deadline() time.Time {
	s := x.s()
	s.lock()
	defer s.unlock()
	at := s.base.Deadline
	for i := range s.log {
		switch o := &s.log[i]; o.kind {
		case opDeadline:
			at = int64(o.stamp)
		case opLimit:
			at = min(at, int64(o.stamp))
		case opLogout:
			at = 0
		}
	}
	return timeOf(at)
}

func (x *bridged) SetDeadline(ctx context.Context, t time.Time) {
	s := x.s()
	o := op{kind: opDeadline, stamp: uint64(t.UnixMilli())}
	s.door(insideUpdate)
	s.lock()
	defer s.unlock()
	keeps := s.m.cfg.Cookie.Persistent || s.base.Remembered
	o.on = keeps && s.phase == live && int64(o.stamp) > s.base.Deadline && !s.st.rw.Sent()
	s.add(ctx, o)
}

func (x *bridged) Began() time.Time { return x.st.begun }

func (x *bridged) Beside(make func() any) any {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.beside == nil && make != nil {
		x.beside = make()
	}
	return x.beside
}
