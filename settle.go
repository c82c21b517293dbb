package sojourn

import (
	"errors"
	"fmt"
	"time"

	"github.com/gosojourn/sojourn/internal/record"
)

// settle finds out what came of the tries so far, and answers from what to try again. What was there
// before proves nothing: a write whose answer was lost may land later. Only another write in its place
// makes sure that it does not.
func (t *turn) settle(attempt int, cause error) *stored {
	if attempt+1 == maxAttempts {
		if answerOf(cause) == conflict {
			cause = errExhausted
		}
		return t.finish(unavailable("save", cause), nil, nil)
	}
	if attempt > 0 && !t.b.over() {
		_ = t.b.pause(backoff(attempt))
	}
	now, err := t.look()
	switch {
	case err == nil:
	case len(t.trail.unknown) == 0: // each try is known not to have been applied
		return t.finish(unavailable("save", errors.Join(cause, err)), nil, nil)
	default:
		return t.finish(uncertain("save", errors.Join(cause, err)), nil, nil)
	}
	mine, err := t.trail.settle(now)
	switch {
	case mine != nil:
		return t.finish(nil, t.orLater(mine, now), now)
	case err != nil:
		return t.finish(unavailable("save", fmt.Errorf("%w: %w", err, cause)), nil, nil)
	case len(t.trail.unknown) >= maxLost, t.b.over() && len(t.trail.unknown) > 0:
		return t.finish(unavailable("save", fmt.Errorf("%w: %w", errUncertain, cause)), nil, nil)
	case t.b.over():
		return t.finish(unavailable("save", cause), nil, nil)
	}
	return now
}

// look reads the record after a write that was not applied, or whose answer was lost: then more than once,
// if that fails too, because a connection that broke may be all that is wrong.
func (t *turn) look() (now *stored, err error) {
	for try := range 5 {
		now, err = t.reread()
		if err == nil || len(t.trail.unknown) == 0 || t.b.over() {
			break
		}
		_ = t.b.pause(10 * time.Millisecond << try)
	}
	return now, err
}

// A trail is what one turn has tried so far, without having been told that it was applied.
type trail struct {
	tried   []Record
	unknown []uint64 // the versions that writes with a lost answer were to replace
}

func (t *trail) add(r Record, base uint64, err error) {
	t.tried = append(t.tried, r)
	if answerOf(err) == lost {
		t.unknown = append(t.unknown, base)
	}
}

// settle decides, from the record as it is now, which of the writes was applied after all, if one was. An
// error says that it cannot be told; nothing may be replayed then.
func (t *trail) settle(now *stored) (mine *Record, err error) {
	if now.ID == "" {
		return nil, nil // ended, whatever came of it
	}
	for i := range t.tried {
		if v := t.tried[i].Version; now.Version == v || now.DescendsFrom(v) {
			return &t.tried[i], nil
		}
	}
	for _, base := range t.unknown {
		if now.Version != base && !now.DescendsFrom(base) {
			return nil, errUncertain
		}
	}
	return nil, nil
}

// orLater is what a request that has written r goes on from: the record as it is now, or r where another token has
// come since. What that one's holder has is not for this request to see.
func (t *turn) orLater(r *Record, now *stored) *stored {
	c, err := record.Parse(r.Data)
	if err != nil {
		panic("sojourn: a record does not parse that this process wrote: " + err.Error())
	}
	if c.Token == now.Token {
		return now
	}
	wrote := &stored{Record: *r, Content: c}
	if _, err := t.unlock(wrote); err != nil {
		panic("sojourn: a record does not open that this process wrote: " + err.Error())
	}
	return wrote
}
