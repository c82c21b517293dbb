package gorillacompat

import (
	"errors"

	"github.com/gosojourn/sojourn"
)

// A saving is one Save.
type saving struct {
	*part
	want    attributes
	owner   string
	verb    func(handle) error
	sent    bool
	changes []change
	begins  bool // there is no session yet
}

var errOptions = errors.New("the manager's LoadAndSave is around the handler and sets the cookie: leave the session's Options as Get returned them, or set the store's")

func (s *saving) do(h handle) error {
	if err := h.Load(h.ctx); err != nil {
		return err
	}
	before := h.Info(h.ctx)
	s.begins = before.ID == ""
	if s.id != before.ID && !s.mayGoOn() {
		return sojourn.ErrEnded
	}
	if s.sent {
		h.writer.WriteHeader(200) // so that the manager knows
	}
	if s.want.MaxAge < 0 {
		return s.end(h)
	}
	if s.around && s.want != s.have {
		return errOptions
	}
	if err := s.apply(h); err != nil {
		return err
	}
	s.done(h)
	if s.owner != "" && before.Owner != "" && before.Owner != s.owner {
		return s.forgetOther(h)
	}
	return nil
}

// mayGoOn: whether a Save has its place in a session other than the one that was loaded. A login begins one, what
// ends it needs none, and this request itself may have begun or replaced it.
func (s *saving) mayGoOn() bool {
	return s.id == "" || s.owner != "" || s.want.MaxAge < 0 || s.visit.replaced[s.id]
}

// end is Save with a negative MaxAge. What Values holds stays in the program's hands, and is not saved unless it
// changes.
func (s *saving) end(h handle) error {
	if err := h.Logout(h.ctx); err != nil {
		return err
	}
	if err := h.Commit(h.ctx); err != nil {
		return err
	}
	s.remember(s.changes)
	s.id, s.session.ID = "", ""
	s.have = s.defaults()
	return nil
}

// apply makes the change set and commits it.
func (s *saving) apply(h handle) error {
	if s.owner != "" {
		if err := h.Login(h.ctx, s.owner); err != nil {
			return err
		}
	} else if s.want != s.have && !s.begins {
		if err := s.reissue(h); err != nil {
			return err
		}
	}
	if s.writes() {
		stored.In(h.Manager).Update(h.ctx, s.merge)
	}
	if s.verb != nil {
		if err := s.verb(h); err != nil {
			return err
		}
	}
	return h.Commit(h.ctx)
}

// reissue gives a session that is there another cookie: its Options have changed. A session's absolute limit is set
// by a Login, and by being remembered or not: both ways are of the same length here, so there and back sets it to
// that. The way back is committed with the rest; should that fail, the next Save does both again.
func (s *saving) reissue(h handle) error {
	if s.want.MaxAge == s.have.MaxAge {
		return h.Renew(h.ctx)
	}
	h.Remember(h.ctx, true)
	if err := h.Commit(h.ctx); err != nil {
		return err
	}
	h.Remember(h.ctx, false)
	return nil
}

// merge brings what this request has changed onto what is there by now. Nobody else has changed the Options
// meanwhile: that would have replaced the token.
func (s *saving) merge(v values) values {
	v.apply(s.changes)
	v.options = ""
	if s.want != s.defaults() {
		v.options = s.want.text()
	}
	return v
}

// writes reports whether there is something to store: a session does not begin with what is not there.
func (s *saving) writes() bool {
	if !s.begins {
		return len(s.changes) > 0 || s.want != s.have
	}
	if s.owner != "" {
		return len(s.changes) > 0 || s.want != s.defaults()
	}
	for _, c := range s.changes {
		if c.new != "" {
			return true
		}
	}
	return false
}

// done has the session object know what is stored now.
func (s *saving) done(h handle) {
	s.remember(s.changes)
	before := s.id
	s.id = h.Info(h.ctx).ID
	if before != "" && before != s.id {
		if s.visit.replaced == nil {
			s.visit.replaced = make(map[string]bool)
		}
		s.visit.replaced[before] = true
	}
	s.session.ID = s.id
	s.have = s.want
}

func (s *saving) remember(changes []change) {
	for _, c := range changes {
		if c.new == "" {
			delete(s.was, c.key)
		} else {
			s.was[c.key] = c.new
		}
	}
}

// forgetOther takes from Values what the owner before has left there: it is not the new owner's.
func (s *saving) forgetOther(h handle) error {
	kept, err := keptIn(h.ctx, h.Manager)
	if err != nil {
		return err
	}
	for k := range s.session.Values {
		key, err := encode(k)
		if err != nil {
			return err
		}
		if kept.find(key) < 0 {
			delete(s.session.Values, k)
			delete(s.was, key)
		}
	}
	return nil
}
