package sojourn

import (
	"context"
	"errors"
	"testing"
	"time"
)

func put(name string) op             { return op{kind: opPut, name: name, value: []byte{1}} }
func of(kind opKind) op              { return op{kind: kind} }
func loggingIn(owner string) op      { return op{kind: opLogin, name: owner} }
func remembering(on bool) op         { return op{kind: opRemember, on: on} }
func named(kind opKind, n string) op { return op{kind: kind, name: n} }

// What is done, by what was loaded, what was asked for, and where the response and the client are.
func TestPlan(t *testing.T) {
	down, hung := errors.New("down"), errors.New("hung up")
	loaded := facts{phase: live}
	with := func(f facts, change func(*facts)) facts { change(&f); return f }
	sent := func(f *facts) { f.sent = true }
	left := func(f *facts) { f.left = hung }
	copying := func(f *facts) { f.copying = true }
	for _, c := range []struct {
		name  string
		facts facts
		ops   []op
		want  plan // write, owner, token, end
		rest  int
		err   error
	}{
		{name: "the store could not answer", facts: facts{phase: unreachable, loadErr: down}, ops: []op{of(opLogout)}, err: down},

		{name: "a page that only reads", facts: loaded},
		{name: "the idle limit is due", facts: with(loaded, func(f *facts) { f.due = true }), want: plan{write: writeLoaded}},
		{name: "a value", facts: loaded, ops: []op{put("a")}, want: plan{write: writeLoaded}},
		{name: "a value after the first byte", facts: with(loaded, sent), ops: []op{put("a")}, want: plan{write: writeLoaded}},
		{name: "a value of a client who has gone", facts: with(loaded, left), ops: []op{put("a")}, want: plan{write: writeLoaded}},
		{name: "a renewal", facts: loaded, ops: []op{put("a"), of(opRenew)}, want: plan{write: writeLoaded, token: true}},
		{name: "a renewal after the first byte", facts: with(loaded, sent), ops: []op{put("a"), of(opRenew)}, err: ErrHeaderSent},
		{name: "a renewal that nobody would receive", facts: with(loaded, left), ops: []op{put("a"), of(opRenew)}, err: hung},
		{name: "a login", facts: loaded, ops: []op{loggingIn("eve")}, want: plan{write: writeLoaded, token: true, owner: "eve"}},
		{name: "two logins: the last counts", facts: loaded, ops: []op{loggingIn("eve"), loggingIn("bob")}, want: plan{write: writeLoaded, token: true, owner: "bob"}},
		{name: "a login that TimeoutHandler has answered for", facts: with(loaded, func(f *facts) { f.answered = true }), ops: []op{loggingIn("eve")}, err: ErrHeaderSent},
		{name: "to be remembered", facts: loaded, ops: []op{remembering(true)}, want: plan{write: writeLoaded, token: true}},
		{name: "a Remember that says what is so, after the first byte", facts: with(loaded, sent), ops: []op{put("a"), remembering(false)}, want: plan{write: writeLoaded}},
		{name: "a Remember that is taken back, after the first byte", facts: with(loaded, sent), ops: []op{remembering(true), put("a"), remembering(false)}, want: plan{write: writeLoaded}},

		{name: "a visitor who stores nothing", facts: facts{phase: anonymous}, ops: []op{named(opDelete, "a"), of(opRenew), remembering(true)}},
		{name: "a visitor whose value goes again", facts: facts{phase: anonymous, sent: true}, ops: []op{put("a"), named(opPop, "a")}},
		{name: "a visitor's first value", facts: facts{phase: anonymous}, ops: []op{put("a")}, want: plan{write: writeNew, token: true}},
		{name: "a visitor's first value, late", facts: facts{phase: anonymous, sent: true}, ops: []op{put("a")}, err: ErrHeaderSent},
		{name: "a visitor's first value, gone", facts: facts{phase: anonymous, left: hung}, ops: []op{named(opAppend, "a")}, err: hung},
		{name: "from another site a value begins nothing", facts: facts{phase: anonymous, heldBack: true}, ops: []op{put("a")}, err: ErrCrossSite},
		{name: "from another site a login does", facts: facts{phase: anonymous, heldBack: true}, ops: []op{put("a"), loggingIn("bob")}, want: plan{write: writeNew, token: true, owner: "bob"}},

		{name: "of two sessions neither is changed", facts: facts{phase: anonymous, several: true}, ops: []op{put("a")}, err: ErrAmbiguous},
		{name: "of two sessions both end by a login", facts: facts{phase: anonymous, several: true}, ops: []op{put("a"), loggingIn("bob")}, want: plan{write: writeNew, token: true, owner: "bob"}},

		{name: "an ended session, read", facts: facts{phase: ended}},
		{name: "an ended session, changed", facts: facts{phase: ended}, ops: []op{named(opDelete, "a")}, err: ErrEnded},
		{name: "a login under an ended session", facts: facts{phase: ended}, ops: []op{loggingIn("bob")}, want: plan{write: writeNew, token: true, owner: "bob"}},

		{name: "a logout", facts: loaded, ops: []op{put("a"), of(opLogout)}, want: plan{end: true}},
		{name: "a logout needs no token", facts: with(with(loaded, left), sent), ops: []op{remembering(true), of(opLogout)}, want: plan{end: true}},
		{name: "a logout, and a word for the next page", facts: loaded, ops: []op{of(opLogout), put("flash")}, want: plan{end: true}, rest: 1},
		{name: "the last logout counts", facts: loaded, ops: []op{of(opLogout), put("a"), of(opLogout), put("b")}, want: plan{end: true}, rest: 1},

		{name: "sealed: a value has to be sent", facts: with(with(loaded, copying), sent), ops: []op{put("a")}, err: ErrHeaderSent},
		{name: "sealed: nobody would receive it", facts: with(with(loaded, copying), left), ops: []op{put("a")}, err: hung},
		{name: "sealed: the idle limit can wait for the next response", facts: with(with(loaded, copying), func(f *facts) { f.due, f.sent = true, true })},
		{name: "sealed: a late logout is done as far as can be, and says so", facts: with(with(loaded, copying), sent), ops: []op{of(opLogout)}, want: plan{end: true}, err: ErrHeaderSent},
	} {
		p := makePlan(c.facts, c.ops)
		if p.write != c.want.write && p.refuse == nil || p.end != c.want.end {
			t.Errorf("%s: write %d, end %v", c.name, p.write, p.end)
		}
		if p.refuse == nil && (p.owner != c.want.owner || p.token != c.want.token || len(p.rest) != c.rest) {
			t.Errorf("%s: owner %q, token %v, rest %d", c.name, p.owner, p.token, len(p.rest))
		}
		if !errors.Is(p.refuse, c.err) {
			t.Errorf("%s: refused with %v, want %v", c.name, p.refuse, c.err)
		}
	}
}

// Ways in which a request's context ends, and those that are somebody's leaving.
func TestClientLeft(t *testing.T) {
	cause := errors.New("shutting down")
	bg := context.Background()
	for _, c := range []struct {
		name string
		ctx  func() (context.Context, func())
		left bool
	}{
		{"alive", func() (context.Context, func()) { return bg, func() {} }, false},
		{"the server cancels: the connection is gone", func() (context.Context, func()) { ctx, f := context.WithCancel(bg); return ctx, f }, true},
		{"its parent is cancelled", func() (context.Context, func()) {
			ctx, f := context.WithCancel(bg)
			return context.WithValue(ctx, stateKey{}, nil), f
		}, true},
		{"a deadline", func() (context.Context, func()) { return context.WithTimeout(bg, -1) }, false},
		{"a deadline with a cause", func() (context.Context, func()) { return context.WithTimeoutCause(bg, -1, cause) }, false},
		{"a deadline, then cancelled", func() (context.Context, func()) { ctx, f := context.WithTimeout(bg, -1); f(); return ctx, f }, false},
		{"cancelled before its deadline", func() (context.Context, func()) { return context.WithTimeout(bg, time.Hour) }, true},
		{"a cause", func() (context.Context, func()) {
			ctx, f := context.WithCancelCause(bg)
			return ctx, func() { f(cause) }
		}, false},
		{"a cause of nil", func() (context.Context, func()) {
			ctx, f := context.WithCancelCause(bg)
			return ctx, func() { f(nil) }
		}, true},
		{"a parent with a cause", func() (context.Context, func()) {
			ctx, f := context.WithCancelCause(bg)
			in, g := context.WithCancel(ctx)
			return in, func() { f(cause); g() }
		}, false},
		{"a parent's deadline", func() (context.Context, func()) {
			ctx, f := context.WithTimeout(bg, -1)
			return context.WithValue(ctx, stateKey{}, nil), f
		}, false},
		{"without an end", func() (context.Context, func()) {
			ctx, f := context.WithCancel(bg)
			return context.WithoutCancel(ctx), f
		}, false},
	} {
		ctx, end := c.ctx()
		end()
		if err := clientLeft(ctx); (err != nil) != c.left || err != nil && !errors.Is(err, context.Canceled) {
			t.Errorf("%s: %v", c.name, err)
		}
	}
}
