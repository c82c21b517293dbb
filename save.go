package sojourn

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"
)

const (
	maxAttempts = 20
	maxBackoff  = 50 * time.Millisecond
)

var (
	errExhausted = fmt.Errorf("%w, and again at each of %d attempts", ErrConflict, maxAttempts)
	errUncertain = errors.New("the store's answer was lost, and others have written so much since that it cannot be told whether the save took effect")
	errAborted   = errors.New("the save that this one had joined was aborted")
)

// gone stands, as what is known of a record, for its not being there.
var gone stored

// save brings w's changes onto its session's record: alone, or in the write of another request.
func (m *Manager) save(ctx context.Context, w *save, token string) outcome {
	id := w.s.base.ID
	var known *stored
	if !m.lines.enter(id, w) {
		var done *outcome
		if done, known = w.follow(); done != nil {
			return *done
		}
	}
	return m.lead(ctx, id, w, token, known)
}

// work is what a save needs while it writes: one object, which the next in line may read.
type work struct {
	outcome
	draft
}

// lead writes for w and for those behind it.
func (m *Manager) lead(ctx context.Context, id string, w *save, token string, known *stored) outcome {
	var merged []*save
	work := new(work)
	o, d := &work.outcome, &work.draft
	finished := false
	defer func() {
		if !finished {
			*o, known = outcome{err: unavailable("save", errAborted)}, nil
		}
		for _, x := range merged {
			x.in <- message{done: &outcome{o.err, o.base}}
		}
		if known == &w.s.base {
			known = nil // that belongs to this request, which goes on
		}
		m.lines.leave(id, w, known)
	}()

	base := known
	if base == nil {
		base = &w.s.base
	}
	var trail trail
	for attempt := 0; ; attempt++ {
		if base.ID == "" {
			o.err, known, finished = ErrEnded, base, true
			return *o
		}
		now := millis(time.Now())
		if now >= millis(base.Expiry) {
			// Another request may have extended it since it was read here.
			if base, o.err = m.reread(ctx, id); o.err != nil {
				known, finished = nil, true
				return *o
			} else if base.ID == "" {
				continue
			}
		}
		*d = draft{stored: *base}
		in := m.join(w, d, base, now)
		for _, x := range merged {
			in = m.join(x, d, base, now) || in
		}
		for attempt == 0 && !w.barrier && len(merged) < maxMerged {
			x := m.lines.collect(id, w)
			if x == nil {
				break
			}
			merged = append(merged, x)
			in = m.join(x, d, base, now) || in
		}
		if !d.dirty {
			*o, known = outcome{base: *base}, base
			if in {
				*o, known = m.touch(ctx, base, now)
			}
			finished = true
			return *o
		}
		fresh := token
		if !d.renewed {
			fresh = ""
		}
		rec, err := d.finish(&m.cfg, fresh, now)
		if err == nil {
			err = m.update(ctx, rec, base.Version)
		}
		if err == nil {
			o.base = m.written(rec)
			known, finished = &o.base, true
			return *o
		}
		if errors.Is(err, ErrTooLarge) {
			if len(merged) > 0 { // one of them is too large: let each find out for itself
				m.lines.putBack(id, w, merged)
				merged, w.barrier = nil, true
				continue
			}
			o.err, known, finished = err, base, true
			return *o
		}
		trail.add(rec.Version, base.Version, err)
		if attempt+1 == maxAttempts {
			o.err, known, finished = unavailable("save", errExhausted), nil, true
			return *o
		}
		if attempt > 0 {
			backoff(attempt)
		}
		if base, err = m.reread(ctx, id); err == nil {
			var mine bool
			if mine, err = trail.settle(base); mine {
				o.base, known, finished = *base, base, true
				return *o
			}
		}
		if err != nil {
			o.err, known, finished = unavailable("save", err), nil, true
			return *o
		}
	}
}

// join applies x's changes unless that fails, or has failed before, and reports whether x is in.
func (m *Manager) join(x *save, d *draft, base *stored, now int64) bool {
	if !x.out() {
		x.ask(d, !d.dirty && base.Version == x.s.base.Version, now)
	}
	return !x.out()
}

// reread answers the record as it is now, or gone; an error is Unavailable.
func (m *Manager) reread(ctx context.Context, id string) (*stored, error) {
	r := new(stored)
	if err := m.read(ctx, id, r); errors.Is(err, ErrNotFound) {
		return &gone, nil
	} else if err != nil {
		return nil, err
	}
	return r, nil
}

func (m *Manager) update(ctx context.Context, r Record, version uint64) error {
	ctx = m.exchange(ctx)
	return m.store.Update(ctx, r, version)
}

// touch extends the idle limit when that is due.
func (m *Manager) touch(ctx context.Context, base *stored, now int64) (o outcome, known *stored) {
	o.base = *base
	if !m.touchDue(base, now) {
		return o, base
	}
	r := base.Record
	r.Seen, r.Expiry = time.UnixMilli(now), base.expiry(&m.cfg, now)
	ctx = m.exchange(ctx)
	switch err := m.store.Touch(ctx, r); {
	case err == nil:
		o.base.Record = r
		return o, &o.base
	case !errors.Is(err, ErrConflict): // a conflict is another request's write, which has extended it
		// The response is right as it is; the session only ends a little before it might.
		m.emit(ctx, Event{Name: EventUnavailable, ID: r.ID, Owner: r.Owner, Reason: "touch", Err: unavailable("touch", err)})
	}
	return o, nil
}

func (m *Manager) touchDue(base *stored, now int64) bool {
	return now-millis(base.Seen) >= m.cfg.touchGap().Milliseconds()
}

// written parses what was just encoded, so that a session is described in one way only.
func (m *Manager) written(r Record) stored {
	c, err := parseContent(r.Data)
	if err != nil {
		panic("sojourn: a record does not parse that this process wrote: " + err.Error())
	}
	return stored{r, c}
}

// remove deletes the record as long as it is of w's family. ErrEnded: it is not, or not any more.
func (m *Manager) remove(ctx context.Context, w *save) error {
	id := w.s.base.ID
	var known *stored
	if !m.lines.enter(id, w) {
		_, known = w.follow() // nobody merges a barrier
	}
	after := (*stored)(nil)
	defer func() { m.lines.leave(id, w, after) }()

	base := known
	if base == nil {
		base = &w.s.base
	}
	var last error
	for attempt := range maxAttempts {
		if attempt > 0 {
			backoff(attempt)
			var err error
			if base, err = m.reread(ctx, id); err != nil {
				return err
			}
		}
		if base.ID == "" {
			after = base
			return nil
		}
		if base.family != w.s.base.family {
			after = base
			return ErrEnded
		}
		if last = m.delete(ctx, id, base.Version); last == nil {
			after = &gone
			return nil
		}
	}
	return unavailable("delete", last)
}

func (m *Manager) delete(ctx context.Context, id string, version uint64) error {
	ctx = m.exchange(ctx)
	return m.store.Delete(ctx, id, version)
}

// create begins a session with ops, under an id of its own. The token is "" when there was nothing
// worth keeping.
func (m *Manager) create(ctx context.Context, s *session, ops []op, same bool) (o outcome, token string) {
	for attempt := range maxAttempts {
		d := &draft{fresh: true}
		now := millis(time.Now())
		if d.ID = newID(); attempt > 0 {
			same = false
		}
		if o.err = d.apply(s, ops, same, now); o.err != nil || !d.worthCreating() {
			return o, ""
		}
		token = mint(d.ID)
		rec, err := d.finish(&m.cfg, token, now)
		if err == nil {
			err = m.insert(ctx, rec)
		}
		if err == nil {
			o.base = m.written(rec)
			return o, token
		}
		if o.err = err; !errors.Is(err, ErrConflict) {
			return o, ""
		}
	}
	o.err = unavailable("create", errExhausted)
	return o, ""
}

// insert creates r. When an answer was lost it asks again: Create never overwrites, so the second
// answer tells what became of the first.
func (m *Manager) insert(ctx context.Context, r Record) error {
	var err error
	for try := range 3 {
		if try > 0 {
			backoff(try)
		}
		c := m.exchange(ctx)
		err = m.store.Create(c, r)
		switch {
		case err == nil || errors.Is(err, ErrTooLarge):
			return err
		case errors.Is(err, ErrConflict):
			if try == 0 {
				return err
			}
			var there stored
			if e := m.read(ctx, r.ID, &there); e != nil && !errors.Is(e, ErrNotFound) {
				return e
			} else if e == nil && there.Version == r.Version {
				return nil
			}
			return err
		}
	}
	return unavailable("create", err)
}

// backoff waits a random while that grows with each attempt.
func backoff(attempt int) {
	limit := min(time.Millisecond<<min(attempt, 10), maxBackoff)
	time.Sleep(rand.N(limit))
}

// A trail is what one save has tried so far.
type trail struct {
	tried   [maxAttempts]uint64
	n       int
	unknown []uint64 // the versions that writes with a lost answer were to replace
}

func (t *trail) add(version, base uint64, err error) {
	t.tried[t.n] = version
	t.n++
	if !errors.Is(err, ErrConflict) {
		t.unknown = append(t.unknown, base)
	}
}

// settle decides, from the record as it is now, whether one of the writes was applied after all. An
// error says that it cannot be told; nothing may be replayed then.
func (t *trail) settle(now *stored) (mine bool, err error) {
	if now.ID == "" {
		return false, nil
	}
	for _, v := range t.tried[:t.n] {
		if now.Version == v || now.descendsFrom(v) {
			return true, nil
		}
	}
	for _, base := range t.unknown {
		if now.Version != base && !now.descendsFrom(base) {
			return false, errUncertain
		}
	}
	return false, nil
}
