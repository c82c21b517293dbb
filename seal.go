package sojourn

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

// A Sealer is what package sealed provides: authenticated encryption into base64url text. ad is
// authenticated, not hidden. Open answers an error for all that Seal did not make with that very
// ad; one that wraps errors.ErrUnsupported says that a newer version made it. stale: seal again,
// because the key that it was sealed with is on its way out.
type Sealer interface {
	Seal(dst, plain, ad []byte) ([]byte, error)
	Open(dst, sealed, ad []byte) (plain []byte, stale bool, err error)
}

// sealing is what a manager has in place of a Store when the client keeps the sessions.
type sealing struct {
	Sealer
	ad     []byte
	names  []string         // of the cookies that one session may take, in order; one name for a header
	fences recent[uint64]   // of owners, as they were read of late
	ended  recent[struct{}] // ids that this process has seen replaced or ended
}

// NewSealed keeps sessions in the client's cookie, sealed by s: a *sealed.Ring. It reports every
// mistake in cfg at once and does no I/O. There is no shared state, so of two responses at once the
// last one wins, and a copy of an old cookie is good until it expires, or until
// Config.Revocations says otherwise: docs/sealed-sessions.md has all that does not hold.
//
// List, Revoke, Key.Take and Sweep answer errors.ErrUnsupported, and so do RevokeAll and
// RevokeOthers without Config.Revocations.
func NewSealed(s Sealer, cfg Config) (*Manager, error) {
	cfg, err := cfg.resolve(true, false)
	if s == nil {
		err = errors.Join(errors.New("sojourn: the sealer is nil: make one with sealed.New"), err)
	}
	if err != nil {
		return nil, err
	}
	m := &Manager{cfg: cfg, fence: cfg.Revocations}
	if l, ok := cfg.Revocations.(Local); ok {
		m.local = l.Local()
	}
	where := cfg.Header
	if where == "" {
		where = cfg.Cookie.Name
	}
	m.seal = &sealing{Sealer: s, ad: []byte("sojourn session 1\x00" + where + "\x00" + cfg.Purpose), names: []string{where}}
	m.seal.fences.age, m.seal.ended.age = fenceAge/2, endedAge // kept for less than twice that
	for i := 1; cfg.Header == "" && i < maxChunks; i++ {
		m.seal.names = append(m.seal.names, fmt.Sprintf("%s.%d", where, i))
	}
	return m, nil
}

var errNotSealed = errors.New("not a session of this application, or one that has been altered")

// loadSealed judges every seal that the request shows before it decides by any. The caller holds mu.
func (s *session) loadSealed() {
	seal, now := s.m.seal, millis(time.Now())
	shown := seal.present(s.st.r)
	s.shown = shown.any
	s.phase = anonymous
	found, old, damaged := 0, false, shown.any
	for _, text := range shown.texts[:shown.n] {
		r, stale, err := seal.unseal(text, now)
		switch {
		case errors.Is(err, errors.ErrUnsupported):
			s.unreachable("", unavailable("load", err))
			return
		case err != nil:
			continue
		case seal.isEnded(r.ID):
			old = true
			continue
		}
		damaged = false
		// Of several copies of one session, the last to be sealed counts.
		if found == 0 || r.ID == s.base.ID && r.Seen.After(s.base.Seen) {
			s.base, s.stale = r, stale
		}
		if found == 0 || r.ID != s.base.ID {
			found++
		}
	}
	switch {
	case found > 1:
		s.base = stored{}
		s.note(Event{Name: EventTokenRefused, Reason: "token_ambiguous"})
	case found == 1:
		s.judgeByFence()
	case old:
		s.phase = ended
		s.note(Event{Name: EventUsedAfterEnd, Reason: "superseded"})
	case damaged:
		s.note(Event{Name: EventTokenRefused, Reason: "token_unknown", Err: errNotSealed})
	}
}

// judgeByFence asks whether the owner's sessions have been revoked since this one was sealed.
func (s *session) judgeByFence() {
	s.phase = live
	if s.m.fence == nil || s.base.Owner == "" {
		return
	}
	s.copied = !s.asking && safe(s.st.r.Method)
	fence, err := s.m.fenceOf(s.st, s.base.Owner, s.copied)
	switch {
	case err != nil:
		s.unreachable(s.base.ID, unavailable("load", err))
	case fence > s.base.Fence:
		s.note(Event{Name: EventUsedAfterEnd, ID: s.base.ID, Owner: s.base.Owner, Reason: "revoked"})
		s.phase, s.base = anonymous, stored{}
	}
}

// unseal opens one session and judges its times: no clock but the server's counts.
func (x *sealing) unseal(text string, now int64) (r stored, stale bool, err error) {
	buf := append(make([]byte, 0, len(text)), text...)
	plain, stale, err := x.Open(nil, buf, x.ad)
	if err != nil {
		return r, false, err
	}
	if r, err = parseSealed(plain); errors.Is(err, errUnknownFormat) {
		err = errors.Join(err, errors.ErrUnsupported)
	}
	switch {
	case err != nil:
	case now >= millis(r.Expiry), now >= r.deadline:
		err = ErrNotFound
	case millis(r.Seen) > now+maxSkew, r.created > now+maxSkew:
		err = errors.New("the session is from the future: do the clocks of the servers agree?")
	}
	return r, stale, err
}

// maxSkew is how far the clocks of two servers of one application may be apart, in milliseconds.
const maxSkew = 60_000

// performSealed does all in a new seal, which goes into the response's header: where that is out,
// nothing can be kept.
func (s *session) performSealed(all []op) error {
	ops, tooLate := all, s.st.wrote.Load()
	if tooLate {
		if len(all) == 0 {
			return nil
		}
		if lastLogout(all) >= 0 && s.phase == live {
			s.m.seal.end(s.base.ID) // as much as can be done
		}
		s.settle(len(all), nil)
		return ErrHeaderSent
	}
	if s.st.Context.Err() != nil {
		if i := slices.IndexFunc(ops, func(o op) bool { return o.needsToken() }); i >= 0 {
			s.m.emit(s.st, Event{Name: EventLoginAbandoned, ID: s.base.ID, Owner: s.base.Owner})
			ops = ops[:i]
		}
	}
	if i := lastLogout(ops); i >= 0 {
		s.logOutSealed()
		ops = ops[i+1:]
	}
	o, err := s.reseal(ops)
	switch {
	case errors.Is(err, ErrEnded) && lastLogin(ops) == "":
		s.settle(len(all), &gone)
	case err != nil || o.base.ID == "":
		s.settle(len(all), nil)
	default:
		s.settle(len(all), &o.base)
	}
	return err
}

// reseal makes ops so, or extends the idle limit, or changes the key: whatever is due.
func (s *session) reseal(ops []op) (o outcome, err error) {
	now, seal := millis(time.Now()), s.m.seal
	owner := lastLogin(ops)
	over := s.phase == live && seal.isEnded(s.base.ID) // by another request, while this one ran
	switch {
	case s.phase == ended || over:
		if owner == "" {
			return o, endedUnless(len(ops) == 0)
		}
	case s.phase != live && len(ops) == 0:
		return o, nil
	}
	if owner != "" {
		if err := s.openLogin(detached{s.st}, owner); err != nil {
			return o, err
		}
	}
	d := draftOf(&s.base)
	if s.phase != live || over {
		d = &draft{fresh: true}
	}
	if err := d.apply(s, ops, !over, now); err != nil || d.fresh && !d.worthCreating() {
		return o, err
	}
	if !d.dirty && !s.stale && !s.m.touchDue(&s.base, now) {
		o.base = s.base
		return o, nil
	}
	before := s.base.ID
	if d.fresh || d.renewed {
		d.ID = newID()
	}
	d.Seen, d.Expiry = time.UnixMilli(now), d.expiry(&s.m.cfg, now)
	plain, err := d.encodeSealed(d.edits)
	if err != nil {
		return o, err
	}
	text, err := seal.Seal(nil, plain, seal.ad)
	if err != nil {
		return o, fmt.Errorf("sojourn: seal: %w", err)
	}
	if owner != "" {
		if err := s.closeLogin(detached{s.st}, owner, &d.stored); err != nil {
			return o, err
		}
	}
	if err := s.m.sendSealed(s.st, string(text), d.remembered, time.Until(timeOf(d.deadline))); err != nil {
		return o, err
	}
	if o.base, err = parseSealed(plain); err != nil {
		panic("sojourn: a session does not parse that this process sealed: " + err.Error())
	}
	s.tellSealed(before, &o.base, d.fresh || d.renewed, owner != "")
	s.stale = false
	return o, nil
}

func endedUnless(fine bool) error {
	if fine {
		return nil
	}
	return ErrEnded
}

// tellSealed ends what the new seal replaces, as far as this process can, and tells of it.
func (s *session) tellSealed(before string, r *stored, renewed, login bool) {
	if !renewed {
		return
	}
	if before != "" {
		s.m.seal.end(before)
	}
	e := Event{Name: EventCreated, ID: r.ID, Owner: r.Owner}
	if before != "" {
		e.Name = EventRenewed
	}
	s.m.emit(s.st, e)
	if login {
		e.Name = EventLogin
		s.m.emit(s.st, e)
	}
}

// logOutSealed has the browser forget its cookies, unless they may be a newer login's by now.
func (s *session) logOutSealed() {
	if s.phase == live && s.m.seal.isEnded(s.base.ID) {
		s.m.emit(s.st, Event{Name: EventUsedAfterEnd, ID: s.base.ID, Reason: "superseded"})
		s.rebase(ended, stored{})
	}
	if s.phase == ended {
		return
	}
	if s.phase == live {
		s.m.seal.end(s.base.ID)
		s.m.emit(s.st, Event{Name: EventEnded, ID: s.base.ID, Owner: s.base.Owner, Reason: "logout"})
	}
	s.rebase(anonymous, stored{})
	if h := s.st.w.Header(); s.shown || s.m.tokenPending(h) {
		s.m.expireSealed(s.st)
	}
}

// validSealed is Valid for a session that only its client keeps.
func (m *Manager) validSealed(ctx context.Context, r *stored) error {
	now := millis(time.Now())
	if now >= millis(r.Expiry) || now >= r.deadline || m.seal.isEnded(r.ID) {
		return ErrEnded
	}
	if m.fence == nil || r.Owner == "" {
		return nil
	}
	fence, err := m.fenceOf(ctx, r.Owner, false)
	if err != nil {
		return unavailable("load", err)
	}
	if fence > r.Fence {
		return ErrEnded
	}
	return nil
}

// unsealable says what only a Store can do.
func (m *Manager) unsealable(what, instead string) error {
	if m.seal == nil {
		return nil
	}
	return fmt.Errorf("sojourn: %s: sessions sealed into cookies are kept by nobody but their clients: %s: %w", what, instead, errors.ErrUnsupported)
}

// ownName reports whether a cookie of this name is one of ours.
func (m *Manager) ownName(name string) bool {
	if m.seal == nil {
		return name == m.cfg.Cookie.Name
	}
	return strings.HasPrefix(name, m.cfg.Cookie.Name) && slices.Contains(m.seal.names, name)
}
