package sojourn

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/gosojourn/sojourn/internal/carrier"
	"github.com/gosojourn/sojourn/internal/record"
	"github.com/gosojourn/sojourn/internal/token"
)

// A Sealer encrypts and authenticates sessions as base64url text. Package sealed has one, which is a Ring of
// keys. ad is authenticated with the text, but not hidden in it.
//
// Open returns an error for a text that Seal has not made with the same ad. An error that wraps
// [errors.ErrUnsupported] means that a newer version has made it. stale means that the text was sealed with an
// older key, and should be sealed again.
type Sealer interface {
	Seal(dst, plain, ad []byte) ([]byte, error)
	Open(dst, sealed, ad []byte) (plain []byte, stale bool, err error)
}

// A sealKeeper has the clients keep their sessions. There is no shared state but the fences, so of two
// responses at once the last one wins.
type sealKeeper struct {
	Sealer
	m        *Manager
	carrier  *carrier.Carrier
	ad       []byte
	believes bool           // what was known of everybody's fence a moment ago will do, for requests that change something too
	fences   recent[uint64] // of owners, as they were read of late
	asking   shared[uint64] // everybody's
	past     recent[bool]   // ids that this process has seen end; true: another session has taken its place
}

// newSealKeeper: what names the kind of seal, and where the cookie or header that it travels in. A seal of another kind
// or place does not open.
func newSealKeeper(m *Manager, s Sealer, c *carrier.Carrier, what, where string) *sealKeeper {
	k := &sealKeeper{Sealer: s, m: m, carrier: c, ad: []byte(what + "\x00" + where + "\x00" + m.cfg.Purpose)}
	k.fences.age, k.past.age = fenceAge/2, pastAge // kept for less than twice that
	return k
}

const (
	// fenceAge is for how long a fence that was read is believed, of a request that changes nothing: by so
	// much may a revoked session still read. Whatever changes something asks.
	fenceAge = 2 * time.Second

	// fenceSlow: an answer that took so long may be as old, and is not believed beyond the request that asked.
	fenceSlow = time.Second / 2

	// pastAge is for how long, at least, a process remembers a sealed session as ended or replaced: as long
	// as requests are under way.
	pastAge = time.Minute

	// maxSkew is how far the clocks of two servers of one application may be apart, in milliseconds.
	maxSkew = 60_000
)

// NewSealed returns a manager that keeps sessions in the client's cookie, sealed by s, which is a *sealed.Ring.
// Its error names every mistake in cfg. NewSealed does no I/O.
//
// The server keeps no state. So of two responses at once the last one wins, and a copy of an old cookie works
// until it expires, or until a revocation that Config.Revocations keeps. docs/sealed-sessions.md lists what
// does not hold.
//
// List, Revoke, Key.Take and Sweep return [errors.ErrUnsupported], and so do RevokeAll and RevokeOthers without
// Config.Revocations.
func NewSealed(s Sealer, cfg Config) (*Manager, error) {
	cfg, err := cfg.resolve(true, false)
	if isNil(s) {
		err = errors.Join(errors.New("sojourn: the sealer is nil: make one with sealed.New"), err)
	}
	if err != nil {
		return nil, err
	}
	m := newManager(cfg)
	m.fence, m.copying = cfg.Revocations, true
	m.everyone, _ = cfg.Revocations.(EveryoneRevoker)
	if l, ok := cfg.Revocations.(Local); ok {
		m.local = l.Local()
	}
	where := cfg.Header
	if where == "" {
		where, m.carrier.Chunks = cfg.Cookie.Name, carrier.MaxChunks
	}
	m.carrier.MaxSealed = cfg.MaxSealed
	k := newSealKeeper(m, s, &m.carrier, "sojourn session 1", where)
	m.seals, m.keeper = k, k
	m.checker, _ = cfg.Revocations.(Checker)
	m.observe(cfg.Observer)
	return m, nil
}

func (k *sealKeeper) can(v verb) error {
	var instead string
	switch v {
	case verbLogin:
		return nil
	case verbTake:
		instead = "two requests at once may both take it; use Lookup and Delete, or keep the session in a Store"
	case verbList:
		instead = "keep them in a Store to list and end them one by one"
	case verbAll, verbFind:
		instead = "keep them in a Store"
	case verbRevoke:
		instead = "RevokeAll ends all of the owner's, with Config.Revocations"
	case verbEndAll:
		if k.m.fence != nil {
			return nil
		}
		instead = "set Config.Revocations"
	case verbEndEveryone:
		if k.m.everyone != nil {
			return nil
		}
		instead = "set Config.Revocations to a store that is an EveryoneRevoker"
	case verbSweep:
		instead = "there is nothing to sweep"
	}
	return fmt.Errorf("sojourn: %s: a sealed session is kept by its client, not by the server: %s: %w", v, instead, errors.ErrUnsupported)
}

var errNotSealed = errors.New("not a session of this application, or one that has been altered")

func (k *sealKeeper) find(s *session, b *budget) {
	k.findShown(s, b)
	if k.m.cfg.Legacy != nil {
		k.moveIn(s, b)
	}
}

func (k *sealKeeper) findShown(s *session, b *budget) {
	now := time.Now().UnixMilli()
	shown := k.carrier.Seals(s.st.r.Header)
	s.shown, s.phase = shown.Any, anonymous
	old, damaged := false, shown.Any
	if damaged && k.m.showsOld(s.st.r) {
		s.shown, damaged = false, false // until something of ours is found
	}
	for _, text := range shown.Texts[:shown.N] {
		r, stale, err := k.unseal(text, now)
		switch {
		case errors.Is(err, errors.ErrUnsupported), errors.Is(err, errFuture):
			s.several = nil
			s.cannotLoad("", unavailable("load", err))
			return
		case err != nil:
			continue
		case k.isPast(r.ID):
			replaced, _ := k.past.get(r.ID)
			old, s.sealOver = true, !replaced
			continue
		}
		s.shown, damaged = true, false
		k.candidate(s, r, stale)
	}
	switch {
	case len(s.several) > 0:
		s.several = append(s.several, s.base)
		s.base = stored{}
		s.note(Event{Name: EventTokenRefused, Reason: "token_ambiguous"})
	case s.base.ID != "":
		k.judgeByFence(s, b, !s.asking && (k.believes || safe(s.st.r.Method)))
	case old:
		s.phase = ended
		s.note(Event{Name: EventUsedAfterEnd, Reason: "superseded"})
	case damaged:
		s.note(Event{Name: EventTokenRefused, Reason: "token_unknown", Err: errNotSealed})
	}
}

// candidate takes r, or the newer of r and what there is. Of several copies of one session, the last to
// be sealed counts.
func (k *sealKeeper) candidate(s *session, r stored, stale bool) {
	switch {
	case s.base.ID == "", s.base.ID == r.ID && r.Seen.After(s.base.Seen):
		s.base, s.stale = r, stale
	case s.base.ID != r.ID:
		s.several = append(s.several, r)
	}
}

// judgeByFence asks whether the owner's sessions have been revoked since this one was sealed.
func (k *sealKeeper) judgeByFence(s *session, b *budget, cached bool) {
	s.phase = live
	s.copied = cached && k.m.fence != nil && s.base.Owner != ""
	err := k.judge(s.st, b, &s.base, cached)
	switch {
	case err != nil && !isEnded(err):
		s.cannotLoad(s.base.ID, err)
	case err != nil:
		s.note(Event{Name: EventUsedAfterEnd, ID: s.base.ID, Owner: s.base.Owner, Reason: "revoked"})
		s.phase, s.base = anonymous, stored{}
	}
}

// replaced has this process remember that another session has taken the place of id; but one that a logout has ended
// meanwhile stays ended, and nobody's login goes on from it.
func (k *sealKeeper) replaced(id string) {
	k.past.put(id, true, func(known, now bool) bool { return known && now })
}

func (k *sealKeeper) isPast(id string) bool { _, ok := k.past.get(id); return ok }

// errFuture is no verdict on the session: a clock of ours has been put back, and will be right again.
var errFuture = errors.New("the session is from the future: do the clocks of the servers agree?")

// unseal opens one session and judges its times: no clock but the server's counts.
func (k *sealKeeper) unseal(text string, now int64) (r stored, stale bool, err error) {
	plain, stale, err := k.Open(nil, append(make([]byte, 0, len(text)), text...), k.ad)
	if err != nil {
		return r, false, err
	}
	c, err := record.ParseSealed(plain)
	switch {
	case errors.Is(err, record.ErrUnknownFormat):
		return r, false, errors.Join(err, errors.ErrUnsupported)
	case err != nil:
		return r, false, err
	case now >= c.Expiry, now >= c.Deadline:
		return r, false, ErrNotFound
	case c.Seen > now+maxSkew, c.Created > now+maxSkew:
		return r, false, errFuture
	}
	return unsealed(&c), stale, nil
}

func unsealed(c *record.Sealed) stored {
	return stored{sealed: true, Content: c.Content, Record: Record{ID: c.ID, Owner: c.Owner, Fence: c.Fence,
		Expiry: time.UnixMilli(c.Expiry), Seen: time.UnixMilli(c.Seen)}}
}

// write seals the session anew. The seal goes out with the response.
func (k *sealKeeper) write(s *session, b *budget, wk *work) (w written, err error) {
	now := time.Now().UnixMilli()
	d := &wk.turn.draft
	same, err := k.begin(s, b, &wk.plan, d)
	if err != nil {
		return w, err
	}
	if err := d.apply(s, wk.ops, same, now); err != nil || d.fresh && !d.worthCreating() {
		return w, err
	}
	if !d.changed() && !s.stale && !k.m.touchDue(&s.base, now) {
		return written{base: &s.base}, nil
	}
	before := s.base.ID
	w.new = d.fresh || d.renewed
	if w.new {
		d.ID = token.NewID()
	}
	d.Seen, d.Expiry = time.UnixMilli(now), expiry(&d.Content, &k.m.cfg, now)
	w.base = &d.stored
	if err := k.seal(s, d, &w); err != nil {
		return written{}, err
	}
	if wk.owner != "" {
		if _, err := s.closeLogin(b, wk.owner, w.base); err != nil {
			return written{}, err
		}
	}
	if w.new && before != "" {
		k.replaced(before)
	}
	s.stale = false
	return w, nil
}

// begin makes d what the plan's changes are made on; same says that it is what the request has seen.
// ErrEnded: another request has ended the session while this one ran.
func (k *sealKeeper) begin(s *session, b *budget, p *plan, d *draft) (same bool, err error) {
	switch {
	case p.write == writeNew:
		d.fresh, d.Owner = true, s.owner() // so that another one's login drops what was put before it
		d.Fence, err = k.everyoneFence(s.st, b, k.believes)
		return true, err
	case p.owner == "" && k.knownRevoked(&s.base):
		return false, ErrEnded
	case !k.isPast(s.base.ID):
		d.on(&s.base)
		return true, nil
	case p.owner == "":
		return false, ErrEnded
	}
	// What a login keeps of a session that is not there any more: see storeKeeper.create.
	d.fresh = true
	d.Owner = s.owner()
	if replaced, _ := k.past.get(s.base.ID); replaced && s.base.Owner == "" {
		d.values.Reset(s.base.Values, s.base.Stamps)
		return true, nil
	}
	return false, nil
}

// seal makes d a text that goes to the client.
func (k *sealKeeper) seal(s *session, d *draft, w *written) error {
	c := record.Sealed{ID: d.ID, Owner: d.Owner, Fence: d.Fence, Content: d.Content,
		Expiry: d.Expiry.UnixMilli(), Seen: d.Seen.UnixMilli()}
	plain, err := c.Encode(&d.values)
	if errors.Is(err, record.ErrTooLarge) {
		return tooLarge(err)
	} else if err != nil {
		return fmt.Errorf("sojourn: seal: %w", err)
	}
	text, err := k.Seal(nil, plain, k.ad)
	if err != nil {
		return fmt.Errorf("sojourn: seal: %w", err)
	}
	life := time.Until(time.UnixMilli(d.Deadline))
	out, err := k.carrier.SendSealed(string(text), d.Remembered, life, s.st.r.Header)
	if errors.Is(err, carrier.ErrTooLarge) {
		return tooLarge(err)
	} else if err != nil {
		return err
	}
	w.out = &out
	if c, err = record.ParseSealed(plain); err != nil {
		panic("sojourn: a session does not parse that this process sealed: " + err.Error())
	}
	*w.base = unsealed(&c)
	return nil
}

// end has this process remember that r is past. Elsewhere a copy of it is good until it expires.
func (k *sealKeeper) end(_ *session, _ *budget, r *stored) error {
	if k.isPast(r.ID) {
		return ErrEnded
	}
	k.past.put(r.ID, false, nil)
	return nil
}

func (k *sealKeeper) confirm(ctx context.Context, b *budget, r *stored) (stored, error) {
	now := time.Now().UnixMilli()
	if now >= r.Expiry.UnixMilli() || now >= r.Deadline || k.isPast(r.ID) {
		return stored{}, ErrEnded
	}
	if err := k.judge(ctx, b, r, false); err != nil {
		return stored{}, err
	}
	return *r, nil
}

// still: what clients have sealed anew meanwhile is not known here, nor when it ends.
func (k *sealKeeper) still(b *budget, w *watched) (ends time.Time, err error) {
	if replaced, past := k.past.get(w.id); past && !replaced {
		return ends, ErrEnded
	}
	return ends, k.judge(context.Background(), b, &stored{Record: Record{Owner: w.owner, Fence: w.fence}}, false)
}
