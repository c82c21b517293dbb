package sojourn

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/gosojourn/sojourn/internal/carrier"
)

// A visitorKeeper has visitors who are not logged in keep their sessions themselves, and a Store all others. Which it is,
// a session knows (stored.sealed):
//
//	               nothing shown, a first value
//	                            | seal
//	                            v
//	a later value: seal again <-- sealed --> login, Take, too large for the cookies: create, in the store
//	                                                                                   |
//	                            what a store does, until the session ends <------------+
//
// What has gone into the store stays there, so nothing comes back. The move takes place under the seal's own id: of
// several requests that try, one creates the record. A login of the others begins a session of its own with what they
// have seen, as law 3 says; all else has come too late.
type visitorKeeper struct {
	m       *Manager
	stores  *storeKeeper
	seals   *sealKeeper
	carrier *carrier.Carrier // of the seals: under one name a late visitor's answer would log the user out
}

// visitorSuffix makes the name of the session's cookie that of the visitors' one.
const visitorSuffix = "-visitor"

func newVisitorKeeper(m *Manager) *visitorKeeper {
	c := m.carrier
	c.Name += visitorSuffix
	c.Chunks, c.MaxSealed = carrier.MaxChunks, m.cfg.MaxSealed
	k := &visitorKeeper{m: m, stores: m.stores, carrier: &c}
	k.seals = newSealKeeper(m, m.cfg.Anonymous, &c, "sojourn visitor 1", c.Name)
	k.seals.believes = true
	return k
}

// find looks at seals only where the store has left nobody: a live token hides them, and so does one that a login has
// replaced, or that is one of several.
func (k *visitorKeeper) find(s *session, b *budget) {
	k.stores.find(s, b)
	if s.phase != anonymous || len(s.several) > 0 {
		return
	}
	shown := s.shown
	k.seals.findShown(s, b)
	s.shown, s.sealShown = shown, s.shown
}

func (k *visitorKeeper) write(s *session, b *budget, wk *work) (w written, err error) {
	switch {
	case wk.write == writeLoaded && !s.base.sealed:
		w, err = k.stores.write(s, b, wk)
	case wk.owner != "", takes(s, wk.ops):
		w, err = k.move(s, b, wk)
	default:
		if wk.write == writeLoaded {
			if err := k.seals.judge(s.st, b, &s.base, true); err != nil {
				return w, err
			}
		}
		w, err = k.seals.write(s, b, wk)
		w.seal, w.out = w.out, nil
		if errors.Is(err, ErrTooLarge) {
			w, err = k.move(s, b, wk)
		}
	}
	if err == nil && w.new && !w.base.sealed {
		if w.seal = k.forget(s.st.r); w.seal == nil {
			w.seal = new(carrier.Outgoing) // in place of what an earlier Commit wanted sent
		}
	}
	return w, err
}

// takes reports whether ops take something that the client has kept, so that it could be shown again.
func takes(s *session, ops []op) bool {
	for i := range ops {
		if o := &ops[i]; o.kind == opTake && s.base.sealed {
			if v, _ := s.base.Values.Get(o.name); v != nil {
				return true
			}
		}
	}
	return false
}

// move makes the plan's changes so in the store, in a session that goes on from the sealed one, if there is one.
func (k *visitorKeeper) move(s *session, b *budget, wk *work) (written, error) {
	var why error
	id := s.base.ID
	if wk.write == writeLoaded {
		replaced, past := k.seals.past.get(id)
		taking := takes(s, wk.ops)
		switch {
		case past && wk.owner == "":
			return written{}, ErrEnded
		case past && (!replaced || taking):
			why = ErrEnded
		default:
			wk.from, wk.once = &s.base, wk.owner == "" || taking
		}
	}
	from := wk.from
	w, err := k.stores.create(s, b, wk, why)
	if isEnded(err) && wk.once && wk.owner != "" { // who was there first has what was to be taken: the login goes on without the seal
		wk.from, wk.once, wk.moved = nil, false, false
		w, err = k.stores.create(s, b, wk, err)
	}
	if isEnded(err) { // elsewhere, so the seal is of no more use
		s.byeSeal = k.forget(s.st.r)
	}
	if err == nil {
		w, err = k.stores.confirmLogin(s, b, wk, w, nil)
	}
	if err == nil && from != nil {
		k.seals.replaced(id)
		s.stale = false
	}
	return w, err
}

// forget has the browser forget the visitors' cookies that r shows, or that it may have kept back; nil if there are none.
func (k *visitorKeeper) forget(r *http.Request) *carrier.Outgoing {
	if !k.carrier.Shows(r.Header) && !k.m.heldBack(r) {
		return nil
	}
	out := k.carrier.Forget(r.Header)
	return &out
}

// of is who keeps the sessions of one kind.
func (k *visitorKeeper) of(sealed bool) keeper {
	if sealed {
		return k.seals
	}
	return k.stores
}

func (k *visitorKeeper) end(s *session, b *budget, r *stored) error {
	return k.of(r.sealed).end(s, b, r)
}

func (k *visitorKeeper) confirm(ctx context.Context, b *budget, r *stored) (stored, error) {
	return k.of(r.sealed).confirm(ctx, b, r)
}

func (k *visitorKeeper) still(b *budget, w *watched) (ends time.Time, err error) {
	return k.of(w.sealed).still(b, w)
}

// can is what the store can: nobody asks of a visitor what takes an owner.
func (k *visitorKeeper) can(v verb) error { return k.stores.can(v) }
