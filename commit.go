package sojourn

import (
	"cmp"
	"context"
	"errors"
	"net/http"
	"reflect"
	"time"

	"github.com/gosojourn/sojourn/internal/carrier"
)

// commit takes the change set so far and makes it so, whole or not at all. A Commit that waited for
// another one, which has performed its changes too, answers what that one did.
func (s *session) commit() error { return s.commitWithin(s.m.budget()) }

// commitWithin is commit as a part of a call that has b for all it does.
func (s *session) commitWithin(b *budget) error {
	s.door(insideUpdate | insideEvent)
	s.mu.Lock()
	waiting, upTo := len(s.log) > 0, s.settled+uint64(len(s.log))
	s.mu.Unlock()
	err, mine := s.commitLocked(b)
	if !mine && waiting {
		s.mu.Lock()
		if s.settled >= upTo && err == nil {
			err = s.outcome
		}
		s.mu.Unlock()
	}
	return err
}

func (s *session) commitLocked(b *budget) (err error, mine bool) {
	defer s.tellAll()
	s.hold.Lock()
	defer s.hold.Unlock()
	return s.perform(b, s.st.rw.Sent() || s.st.rw.Past())
}

// tellAll tells what happened, now that no lock is held.
func (s *session) tellAll() {
	s.mu.Lock()
	s.unlock()
}

// perform makes a plan and carries it out. mine is false where there was nothing to do. The caller holds
// hold.
func (s *session) perform(b *budget, sent bool) (err error, mine bool) {
	s.mu.Lock()
	ops, fault := s.log[:len(s.log):len(s.log)], s.fault
	s.fault, s.taken = nil, len(ops)
	idle := len(ops) == 0 && (s.phase == unread || s.phase == anonymous || s.phase == live && !s.due())
	s.mu.Unlock()
	if fault != nil {
		s.tell(Event{Name: EventFailed, ID: s.base.ID, Err: fault})
		s.settle(ops, fault)
		return fault, true
	}
	if idle {
		return nil, false
	}
	finished := false
	defer func() {
		if !finished { // a function of the application has panicked
			s.settle(ops, errAborted)
		}
	}()
	err = s.carryOut(b, makePlan(s.facts(sent, ops), ops), sent)
	finished = true
	if len(ops) > 0 || err != nil {
		s.settle(ops, err)
	}
	if err != nil && err != s.err { // that was told when it happened
		s.report(err)
	}
	return err, len(ops) > 0
}

// due reports whether the idle limit is to be extended, or the seal renewed.
func (s *session) due() bool {
	if s.copying() && s.st.Context.Err() != nil {
		return false // nobody is there any more to whom it could go
	}
	return s.stale || !s.touched && s.m.touchDue(&s.base, time.Now().UnixMilli())
}

// facts gathers what a plan depends on.
func (s *session) facts(sent bool, ops []op) facts {
	ctx := s.st.Context
	f := facts{phase: s.phase, loadErr: s.err, remembered: s.base.Remembered,
		copying: s.copying(), sent: sent}
	if len(ops) == 0 {
		f.due = f.phase == live && s.due()
		return f
	}
	if ctx.Err() != nil {
		f.left = clientLeft(ctx)
		f.answered = f.left == nil && answered(ctx, s.st.rw.Inner())
	}
	f.several, f.unbound = len(s.several) > 0, s.withheld
	f.heldBack = f.phase == anonymous && !s.shown && !s.sealShown && s.m.heldBack(s.st.r)
	return f
}

// carryOut does what the plan says.
func (s *session) carryOut(b *budget, p plan, sent bool) error {
	if p.end {
		if err := s.endShown(b, p.why); err != nil {
			return err
		}
		if p.refuse != nil {
			return p.refuse
		}
		if len(p.rest) == 0 {
			return nil
		}
		return s.carryOut(b, makePlan(s.facts(sent, p.rest), p.rest), sent)
	}
	if p.refuse != nil || p.write == writeNothing {
		return p.refuse
	}
	if p.owner != "" {
		if err := s.m.stores.enter(s, b); err != nil {
			return err
		}
		defer s.m.stores.exit()
		if err := s.openLogin(b, p.owner); err != nil {
			return err
		}
	}
	old, err := s.beforeRenewal(b, &p)
	if err != nil {
		return err
	}
	if err := s.write(b, p); err != nil || old == "" {
		return err
	}
	s.afterRenewal(b, old)
	return nil
}

// write has the keeper carry p out, and goes on from there.
func (s *session) write(b *budget, p plan) error {
	before := s.base.ID
	w, err := s.m.keeper.write(s, b, &work{plan: p})
	if isEnded(err) && !errors.Is(err, errRevoked) {
		s.mu.Lock()
		s.strand()
		s.mu.Unlock()
	}
	if isEnded(err) && len(p.ops) == 0 {
		return nil // nothing was to be changed but the idle limit
	}
	if err != nil {
		return err
	}
	s.adopt(&w, before, p.owner != "")
	if p.owner != "" {
		s.invite(p.ops)
	}
	return nil
}

// A work is what writing needs, in one object.
type work struct {
	plan
	turn  turn
	from  *stored // a session that the client has kept until now, and that a new one of the store's goes on from
	once  bool    // that takes place under its id, or not at all
	moved bool    // that id is taken
	first uint64  // the version that was tried under that id, and that may be there if the answer was lost
}

// A written is what a keeper has made of a plan.
type written struct {
	base  *stored           // as it is kept now; nil where there was nothing worth keeping
	out   *carrier.Outgoing // what the response is to say of it
	seal  *carrier.Outgoing // what it is to say of the visitors' cookie
	new   bool              // there is another token, which the client is to get
	again *carrier.Outgoing // the same token, for a client whose cookie may end too soon
}

// adopt goes on from what was written.
func (s *session) adopt(w *written, before string, login bool) {
	if w.base == nil {
		return
	}
	s.rebase(w.base)
	if w.out != nil && !s.said {
		s.out = w.out
	}
	if w.seal != nil && !s.said {
		s.seal = w.seal
	}
	if w.again != nil {
		s.mu.Lock()
		s.handed = &handOut{w.base.ID, w.again}
		s.mu.Unlock()
	}
	if !w.new {
		return
	}
	e := Event{Name: EventCreated, ID: s.base.ID, Owner: s.base.Owner}
	if before == s.base.ID || s.copying() && before != "" {
		e.Name = EventRenewed
	}
	s.tell(e)
	if login {
		e.Name = EventLogin
		s.tell(e)
	}
}

// rebase makes base what this request knows of its session.
func (s *session) rebase(base *stored) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.epoch++
	s.phase, s.base, s.was = live, *base, ""
}

// endShown ends whatever the request has shown to be alive, and has the client forget it, unless the
// cookie may be that of a newer login by now.
func (s *session) endShown(b *budget, why string) error {
	if err := s.endOld(b); err != nil {
		return err
	}
	all := s.several
	if s.phase == live {
		all = append(all[:len(all):len(all)], s.base)
	}
	next := anonymous
	if s.phase == ended {
		next = ended
	}
	for i := range all {
		switch err := s.m.keeper.end(s, b, &all[i]); {
		case isEnded(err):
			s.tell(Event{Name: EventUsedAfterEnd, ID: all[i].ID, Owner: all[i].Owner, Reason: "superseded"})
			if len(all) == 1 {
				next = ended
			}
		case err != nil:
			return err
		default:
			s.tell(Event{Name: EventEnded, ID: all[i].ID, Owner: all[i].Owner, Reason: cmp.Or(why, "logout")})
		}
	}
	s.forget(next, "")
	return nil
}

// endSeveral ends what was shown beside each other, now that a login takes its place.
func (s *session) endSeveral(b *budget) error {
	for i := range s.several {
		r := &s.several[i]
		if err := s.m.keeper.end(s, b, r); err != nil && !isEnded(err) {
			return err
		}
		s.tell(Event{Name: EventEnded, ID: r.ID, Owner: r.Owner, Reason: "replaced"})
	}
	s.mu.Lock()
	s.several, s.withheld = nil, false
	s.mu.Unlock()
	return nil
}

// settle drops ops, done or refused.
func (s *session) settle(ops []op, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.log, s.taken = s.log[len(ops):], 0
	if len(s.log) == 0 {
		s.was = ""
	}
	s.settled += uint64(len(ops))
	s.outcome = err
	s.epoch++ // results computed on top of what was dropped are not to be used
}

// report tells the security log what went wrong.
func (s *session) report(err error) {
	e := Event{ID: s.base.ID, Owner: s.base.Owner, Err: err}
	var left *leftError
	var unchanged *rebindError
	switch {
	case errors.Is(err, ErrEnded):
		e.Name, e.Reason = EventUsedAfterEnd, "dropped"
	case errors.Is(err, ErrHeaderSent):
		e.Name = EventTooLate
	case errors.Is(err, ErrCrossSite):
		e.Name, e.Reason = EventTokenRefused, "cross_site"
	case errors.Is(err, ErrAmbiguous):
		e.Name, e.Reason = EventTokenRefused, "ambiguous_change"
	case errors.Is(err, ErrUnbound):
		e.Name, e.Reason = EventUnproven, "change"
	case errors.As(err, &unchanged):
		return // who asked for it tells
	case errors.As(err, &left):
		e.Name = EventLoginAbandoned
	case Unavailable(err):
		e.Name, e.Reason = unreadEvent("", err).Name, unreadEvent("", err).Reason
	default:
		e.Name = EventFailed
	}
	s.tell(e)
}

// needsHeader reports whether the change set so far needs something sent.
func (s *session) needsHeader() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	f := facts{phase: s.phase, remembered: s.base.Remembered, copying: s.copying()}
	p := makePlan(f, s.log)
	if p.end {
		if f.copying && f.phase == live {
			return true
		}
		f.phase = anonymous
		p = makePlan(f, p.rest)
	}
	return p.refuse == nil && p.write != writeNothing && (p.token || f.copying)
}

// answered reports whether http.TimeoutHandler, outside, has answered in place of the handler. It is the
// one writer that tells nobody.
func answered(ctx context.Context, w http.ResponseWriter) bool {
	if !errors.Is(ctx.Err(), context.DeadlineExceeded) {
		return false
	}
	for {
		if t := reflect.TypeOf(w); t != nil && t.String() == "*http.timeoutWriter" {
			return true
		}
		u, ok := w.(interface{ Unwrap() http.ResponseWriter })
		if !ok {
			return false
		}
		w = u.Unwrap()
	}
}

// heldBack reports whether the browser may have kept a cookie of ours back from r, which shows none: it
// comes from another site, and by an unsafe method or where the cookie is Strict (RFC 6265bis 5.6.7.1).
// Without the header, over plain http or in old browsers, nobody can tell.
func (m *Manager) heldBack(r *http.Request) bool {
	if m.cfg.Header != "" || r.Header.Get("Sec-Fetch-Site") != "cross-site" {
		return false
	}
	switch m.cfg.Cookie.SameSite {
	case http.SameSiteStrictMode:
		return true
	case http.SameSiteLaxMode:
		return !safe(r.Method)
	}
	return false
}
