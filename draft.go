package sojourn

import (
	"errors"
	"math"
	"time"

	"github.com/gosojourn/sojourn/internal/record"
	"github.com/gosojourn/sojourn/internal/token"
	"github.com/gosojourn/sojourn/internal/value"
)

// stored is a record as it is kept, with its content parsed.
type stored struct {
	Record
	record.Content
	text   string      // the token, of a record that a request has shown it of, or is about to write under it
	key    *record.Key // of that token, once it was needed
	sealed bool        // the client keeps it, and no store
}

// A draft is a record in the making: a base, and the changes of one or more requests on it.
type draft struct {
	stored
	values  value.Draft
	fresh   bool // there is no record yet
	renewed bool // the token is superseded: another is to be minted
	login   bool
	dirty   bool   // other than by values
	kinds   uint32 // the bit of each kind of op that was applied

	line [8 * 6]byte // room for the lineage
}

// on begins d anew, on base.
func (d *draft) on(base *stored) {
	d.stored = *base
	d.values.Reset(base.Values, base.Stamps)
	d.fresh, d.renewed, d.login, d.dirty, d.kinds = false, false, false, false, 0
}

func (d *draft) changed() bool { return d.dirty || d.values.Changed() }

// worthCreating: a session begins with a value or a login, not with having been looked at.
func (d *draft) worthCreating() bool { return d.login || d.values.Adds() }

// apply does ops on d in order. same says that d is the base that the request itself saw, so that
// results it already has are still right. With an error d is spoiled.
func (d *draft) apply(s *session, ops []op, same bool, now int64) error {
	remember := d.Remembered
	until, moved := int64(math.MaxInt64), int64(0)
	same = same && !outdated(ops, s.epoch)
	for i := range ops {
		o := &ops[i]
		var err error
		d.kinds |= 1 << o.kind
		switch o.kind {
		case opUpdate:
			err = d.update(s, o, same)
		case opTake:
			*o.out = d.values.Get(o.name)
			d.values.Delete(o.name)
		case opLogin:
			remember, err = d.logIn(s, o, remember, now)
			until, moved = math.MaxInt64, 0 // a new Lifetime
		case opRenew:
			err = d.renew(now)
		case opRemember:
			remember = o.on
		case opLimit:
			until = min(until, int64(o.stamp))
		case opDeadline:
			until, moved = math.MaxInt64, int64(o.stamp)
			if o.on {
				err = d.renew(now)
			}
		case opStamp:
			d.Fence, d.dirty = ofEveryone(d.Fence)+s.raised[o.name], true
		default:
			err = d.change(o)
		}
		if err != nil {
			return err
		}
	}
	if err := d.limits(&s.m.cfg, remember, now); err != nil {
		return err
	}
	if moved != 0 {
		moved = max(moved, now+minTimeout.Milliseconds()) // as in shorten
		d.Deadline, d.dirty = min(moved, now+maxLifetime.Milliseconds()), true
	}
	d.shorten(until, now)
	return nil
}

// shorten brings the absolute limit forward. It leaves the second that stores need to take a record in: a
// replay may come later than until.
func (d *draft) shorten(until, now int64) {
	if until = max(until, now+minTimeout.Milliseconds()); until < d.Deadline {
		d.Deadline, d.dirty = until, true
	}
}

// change does what concerns values, or the binding, and nothing else.
func (d *draft) change(o *op) error {
	switch o.kind {
	case opBind:
		return d.bind(o)
	case opPut:
		d.values.Put(o.name, o.value)
	case opDelete:
		d.values.Delete(o.name)
	case opPop:
		d.values.Pop(o.name, o.value, o.stamp)
	case opAppend:
		d.values.Append(o.name, o.value)
	case opClear:
		d.values.Clear()
	}
	return nil
}

// outdated reports whether some function ran on another base than that of now. Then all run again: one that is of
// now may have gone on from what such a one left.
func outdated(ops []op, epoch uint32) bool {
	for i := range ops {
		if o := &ops[i]; o.kind == opUpdate && o.epoch != epoch {
			return true
		}
	}
	return false
}

// update takes the result that the request has, or runs the function again.
func (d *draft) update(s *session, o *op, same bool) (err error) {
	v := o.value
	if !same {
		if v, err = s.runUpdate(o.fn, d.values.Get(o.name)); err != nil {
			return err
		}
	}
	d.values.Put(o.name, v)
	return nil
}

// bind changes what binds the session to a device.
func (d *draft) bind(o *op) error {
	next, err := o.fn(d.Bound())
	if err != nil {
		return &rebindError{err}
	}
	d.dirty = true
	return d.SetBound(next)
}

// renew supersedes the token once. One that nobody was given needs no grace.
func (d *draft) renew(now int64) error {
	if d.fresh || d.renewed {
		return nil
	}
	d.renewed, d.dirty = true, true
	_ = d.SetMoved(nil) // who has the old session's token has no part in what is under the new one
	if d.Version == 0 {
		return nil // sealed: there is no record in which a token could be superseded
	}
	return d.Supersede(now)
}

// logIn makes owner the session's own. What another owner had is not for this one to see.
func (d *draft) logIn(s *session, o *op, remember bool, now int64) (bool, error) {
	owner := o.name
	if err := d.renew(now); err != nil {
		return remember, err
	}
	if d.Owner != "" && d.Owner != owner {
		d.values.Clear()
		d.Created, d.Remembered, remember = now, false, false
	}
	d.Owner, d.Fence, d.Order, d.Auth, d.login, d.dirty = owner, s.login.fence, s.login.order, now, true, true
	if err := d.SetBound(o.value); err != nil { // a key belongs to one login
		return remember, err
	}
	d.SetDevice("", "", "")
	if s.m.cfg.Device != nil {
		v := s.device()
		d.SetDevice(v.Addr, v.Agent, v.Label)
	}
	return remember, nil
}

// limits sets the absolute limit, where something has begun anew, and what remembering changes of it.
func (d *draft) limits(cfg *Config, remember bool, now int64) error {
	life := cfg.Lifetime.Milliseconds()
	if remember {
		life = cfg.RememberFor.Milliseconds()
	}
	switch turned := remember != d.Remembered; {
	case d.fresh || d.login:
		d.Deadline = now + life
	case turned && cfg.cookieOnly:
	case turned && remember:
		d.Deadline = now + life
	case turned:
		d.Deadline = min(d.Deadline, now+life)
	default:
		return nil
	}
	if d.fresh {
		d.Created = now
	}
	if d.Remembered == remember {
		return nil
	}
	d.Remembered, d.dirty = remember, true
	return d.renew(now)
}

// finish makes d the record to write. A token, when given, is the session's from now on.
func (d *draft) finish(cfg *Config, text string, now int64) (Record, error) {
	if text != "" {
		d.Token, d.text, d.key = token.Sum(cfg.Purpose, text), text, nil
	}
	key, err := d.keyToWrite(cfg)
	if err != nil {
		return Record{}, err
	}
	if !d.fresh {
		d.Descend(d.line[:0], d.Version, d.Seen.UnixMilli(), now)
	}
	data, err := d.Encode(&d.values, key)
	if errors.Is(err, record.ErrTooLarge) {
		return Record{}, tooLarge(err)
	} else if err != nil {
		return Record{}, err
	}
	r := d.Record
	r.Data, r.Version = data, token.NewVersion()
	if d.kinds == 1<<opBind { // who proves a key, or asks for something to sign, need not be using the session
		return r, nil
	}
	r.Seen, r.Expiry = time.UnixMilli(now), expiry(&d.Content, cfg, now)
	return r, nil
}

// expiry of a session used at now: the idle limit, within the absolute one.
func expiry(c *record.Content, cfg *Config, now int64) time.Time {
	if cfg.IdleTimeout == NoIdleTimeout || c.Remembered && !cfg.cookieOnly || notShown(c.Moved()) {
		return time.UnixMilli(c.Deadline)
	}
	return time.UnixMilli(min(now+cfg.IdleTimeout.Milliseconds(), c.Deadline))
}
