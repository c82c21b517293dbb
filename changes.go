package sojourn

import (
	"bytes"
	"crypto/rand"
	"slices"
	"time"
)

type opKind uint8

const (
	opPut opKind = iota
	opDelete
	opPop
	opTake
	opUpdate
	opLogin
	opLogout
	opRenew
	opRemember
	opStamp // with the fence that RevokeOthers has raised, under which this session is to live
)

// An op is one line of a change set: what a request did, in order, so that it can be done again on
// a newer record.
type op struct {
	kind  opKind
	on    bool
	epoch uint32                       // opUpdate: the base that value was computed from
	name  string                       // the key's; the owner of opLogin
	value []byte                       // opPut: new; opPop: what was returned; opUpdate: fn's result
	fn    func([]byte) ([]byte, error) // opUpdate
	out   *[]byte                      // opTake: what was there
}

// needsToken: the ops that replace the token of a session that is there.
func (o *op) needsToken() bool {
	return o.kind == opLogin || o.kind == opRenew || o.kind == opRemember
}

// stored is a record as it is in the store, with its content parsed.
type stored struct {
	Record
	content
}

// A draft is a record in the making: a base, and the changes of one or more requests on it.
type draft struct {
	stored
	edits   edits
	fresh   bool // there is no record yet
	renewed bool // the family is superseded; a token is to be minted
	login   bool
	dirty   bool

	first [1]edit // most requests change one thing
	line  [maxLineage * versionLen]byte
}

func draftOf(base *stored) *draft { return &draft{stored: *base} }

func (d *draft) get(name string) []byte {
	if i := d.edits.find(name); i >= 0 {
		return d.edits[i].value
	}
	return d.values.get(name)
}

// apply does ops on d in order. same says that d is the base that the request itself saw, so that
// results it already has are still right.
func (d *draft) apply(s *session, ops []op, same bool, now int64) error {
	var remember *bool
	for i := range ops {
		o := &ops[i]
		switch o.kind {
		case opPut:
			d.set(o.name, o.value)
		case opDelete:
			if d.get(o.name) != nil {
				d.set(o.name, nil)
			}
		case opPop:
			if old := d.get(o.name); old != nil {
				if left := withoutPopped(old, o.value); left == nil || !bytes.Equal(left, old) {
					d.set(o.name, left)
				}
			}
		case opTake:
			if *o.out = d.get(o.name); *o.out != nil {
				d.set(o.name, nil)
			}
		case opUpdate:
			value := o.value
			if !same || o.epoch != s.epoch {
				var err error
				if value, err = o.fn(d.get(o.name)); err != nil {
					return err
				}
			}
			d.set(o.name, value)
		case opLogin:
			d.logIn(s, o.name, now)
		case opRenew:
			if !d.fresh {
				d.renew(now)
			}
		case opRemember:
			remember = &o.on
		case opStamp:
			d.Fence, d.dirty = s.raised[o.name], true
		}
	}
	if remember != nil && *remember != d.remembered {
		d.remembered = *remember
		switch {
		case d.fresh || d.login:
		case d.remembered:
			d.renew(now)
			d.deadline = now + s.m.cfg.RememberFor.Milliseconds()
		default:
			d.renew(now)
			d.deadline = min(d.deadline, now+s.m.cfg.Lifetime.Milliseconds())
		}
	}
	if d.fresh {
		d.created = now
	}
	if d.fresh || d.login {
		life := s.m.cfg.Lifetime
		if d.remembered {
			life = s.m.cfg.RememberFor
		}
		d.deadline = now + life.Milliseconds()
	}
	return nil
}

func (d *draft) set(name string, value []byte) {
	if d.edits == nil {
		d.edits = d.first[:0]
	}
	d.edits.set(name, value)
	d.dirty = true
}

// renew supersedes the family once: one that nobody was given needs no grace.
func (d *draft) renew(now int64) {
	d.dirty = true
	if !d.renewed && !d.fresh {
		d.supersede(now)
	}
	d.renewed = true
}

// logIn makes owner the session's own. What another owner had is not for this one to see.
func (d *draft) logIn(s *session, owner string, now int64) {
	d.renew(now)
	if d.Owner != "" && d.Owner != owner {
		d.values, d.edits = nil, nil
		d.created, d.remembered = now, false
	}
	d.Owner, d.Fence, d.auth, d.login = owner, s.fence, now, true
	d.device = nil
	if s.m.cfg.Device != nil {
		d.device = encodeDevice(s.m.cfg.Device(s.st.r))
	}
}

// worthCreating: a session begins with a value or a login, not with having been looked at.
func (d *draft) worthCreating() bool {
	return d.login || slices.ContainsFunc(d.edits, func(e edit) bool { return e.value != nil })
}

// finish turns d into the record to write. token, when given, begins a new family.
func (d *draft) finish(cfg *Config, token string, now int64) (Record, error) {
	if token != "" {
		d.token, d.family, d.generation = hashToken(cfg.Purpose, token), hashFamily(token), 0
		rand.Read(d.nonce[:])
	}
	if !d.fresh {
		d.lineage = d.descend(d.line[:0], d.Version, millis(d.Seen), now)
	}
	data, err := d.encode(d.edits)
	if err != nil {
		return Record{}, err
	}
	r := d.Record
	r.Data, r.Version = data, newVersion()
	r.Seen, r.Expiry = time.UnixMilli(now), d.expiry(cfg, now)
	return r, nil
}

// expiry of a session used at now: the idle limit, within the absolute one.
func (c *content) expiry(cfg *Config, now int64) time.Time {
	if cfg.IdleTimeout == NoIdleTimeout || c.remembered {
		return time.UnixMilli(c.deadline)
	}
	return time.UnixMilli(min(now+cfg.IdleTimeout.Milliseconds(), c.deadline))
}
