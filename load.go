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
		if s.base.ID == id {
			cand = s.base
		} else if err := s.m.read(s.st, id, &cand); errors.Is(err, ErrNotFound) {
			s.noteDamage(id, err)
			continue
		} else if err != nil {
			s.base = stored{}
			s.phase, s.err = unavailable_, err
			if s.st.Context.Err() == nil { // else the client left, and the store is not to blame
				s.note(Event{Name: EventUnavailable, ID: id, Err: err})
			}
			return
		}
		switch s.m.judge(&cand, token) {
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

// read asks the store. The answer is ErrNotFound, or an error that is Unavailable, or nil.
func (m *Manager) read(ctx context.Context, id string, into *stored) error {
	ctx, cancel := m.exchange(ctx)
	r, err := m.store.Load(ctx, id)
	cancel()
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

var noCancel context.CancelFunc = func() {}

// exchange bounds one question to the store, unless that is in this process.
func (m *Manager) exchange(ctx context.Context) (context.Context, context.CancelFunc) {
	if m.local {
		return ctx, noCancel
	}
	return context.WithTimeout(ctx, m.cfg.StoreTimeout)
}
