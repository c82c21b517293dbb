package sojourn

import (
	"context"
	"crypto/subtle"
	"errors"
	"time"
)

type verdict uint8

const (
	unknown    verdict = iota
	current            // this token, now
	superseded         // a Login or Renew has replaced it within the grace time
)

// load judges every token that the request shows before it decides by any. The caller holds mu.
func (s *session) load() {
	if s.m.seal != nil {
		s.loadSealed()
		return
	}
	c := s.m.present(s.st.r)
	s.shown = c.n > 0 || c.malformed
	if c.n == 0 {
		s.phase = anonymous
		if c.malformed {
			s.note(Event{Name: EventTokenRefused, Reason: "token_malformed"})
		}
		return
	}
	found, old := 0, false
	for _, token := range c.token[:c.n] {
		id := token[:idLen]
		var cand stored
		v, err := s.look(token, &cand)
		if errors.Is(err, ErrNotFound) {
			s.noteDamage(id, err)
			continue
		} else if err != nil {
			s.unreachable(id, err)
			return
		}
		switch v {
		case current:
			if found++; found == 1 {
				s.base = cand
			}
		case superseded:
			old = true
		}
	}
	switch {
	case found == 1:
		s.phase = live
	case found > 1:
		s.base = stored{}
		s.phase = anonymous
		s.note(Event{Name: EventTokenRefused, Reason: "token_ambiguous"})
	case old:
		s.phase = ended
		s.note(Event{Name: EventUsedAfterEnd, ID: c.token[0][:idLen], Reason: "superseded"})
	default:
		s.phase = anonymous
		s.note(Event{Name: EventTokenRefused, ID: c.token[0][:idLen], Reason: "token_unknown"})
	}
}

func (s *session) unreachable(id string, err error) {
	s.base, s.phase, s.err = stored{}, unavailable_, err
	if s.st.Context.Err() == nil { // else the client left, and the store is not to blame
		s.note(Event{Name: EventUnavailable, ID: id, Err: err})
	}
}

func (s *session) note(e Event) { s.events = append(s.events, e) }

func (s *session) noteDamage(id string, err error) {
	var d *damagedError
	if errors.As(err, &d) {
		s.note(Event{Name: EventUnreadable, ID: id, Reason: "record", Err: d.err})
	}
}

// judge says what token is to the record that bears its id.
func (m *Manager) judge(r *stored, token string) verdict {
	sum := hashToken(m.cfg.Purpose, token)
	if subtle.ConstantTimeCompare(sum[:], r.token[:]) == 1 {
		return current
	}
	if len(r.superseded) > 0 && r.isSuperseded(hashFamily(token), millis(time.Now())) {
		return superseded
	}
	return unknown
}

// damagedError is a record that does not parse: absent, and worth telling.
type damagedError struct{ err error }

func (e *damagedError) Error() string { return ErrNotFound.Error() + ": " + e.err.Error() }
func (e *damagedError) Unwrap() error { return ErrNotFound }

// look finds the record of token and judges token by it. A copy of the record may only say yes.
func (s *session) look(token string, into *stored) (verdict, error) {
	id := token[:idLen]
	if s.base.ID == id {
		*into = s.base
		return s.m.judge(into, token), nil
	}
	if s.mayBeCopy() {
		copied, err := s.m.readNear(s.st, id, into)
		v := unknown
		if err == nil {
			v = s.m.judge(into, token)
		}
		if !copied || v == current {
			s.copied = s.copied || copied
			return v, err
		}
	}
	if err := s.m.read(s.st, id, into); err != nil {
		return unknown, err
	}
	return s.m.judge(into, token), nil
}

// read asks the store. The answer is ErrNotFound, or an error that is Unavailable, or nil.
func (m *Manager) read(ctx context.Context, id string, into *stored) error {
	ctx = m.exchange(ctx)
	r, err := m.store.Load(ctx, id)
	return into.take(r, id, err)
}

// take makes r, with which a store answered, one that can be judged. The errors are those of read.
func (into *stored) take(r Record, id string, err error) error {
	if errors.Is(err, ErrNotFound) {
		return ErrNotFound
	} else if err != nil {
		return unavailable("load", err)
	}
	now := time.Now()
	if r.ID != id || !now.Before(r.Expiry) {
		return ErrNotFound
	}
	c, err := parseContent(r.Data)
	if errors.Is(err, errUnknownFormat) {
		return unavailable("load", err)
	} else if err != nil {
		return &damagedError{err}
	}
	if millis(now) >= c.deadline {
		return ErrNotFound
	}
	into.Record, into.content = r, c
	return nil
}
