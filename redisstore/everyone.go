package redisstore

import (
	"context"
	"encoding/binary"
	"fmt"
	"iter"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/redis/rueidis"

	"github.com/gosojourn/sojourn"
)

// Everybody's fence is a key of its own. It is asked for at each load, so this process remembers it for a moment, and
// now and then a load asks for it as well, beside its own question.

const (
	// believed is for how long what is remembered is: less than it might be, so that streams are told within a second.
	believed = sojourn.EveryoneLease / 2

	// ahead is how old it may be before a load asks anew, so that nobody has to wait for that.
	ahead = believed / 2
)

// A remembered is everybody's fence as it was when it was asked for.
type remembered struct {
	fence           uint64
	age             time.Duration
	asked, answered time.Time
}

type everyones struct {
	last  atomic.Pointer[remembered]
	ahead atomic.Int64 // when a load last asked, after the guard began
}

// keep keeps r, unless something newer is known.
func (e *everyones) keep(r *remembered) {
	for {
		last := e.last.Load()
		if last != nil && last.fence >= r.fence && last.asked.After(r.asked) || e.last.CompareAndSwap(last, r) {
			return
		}
	}
}

func (s *Store) everyoneKey() string { return s.o.Prefix + "e" }

// EveryoneFence returns everybody's fence, and how long ago it was raised by the clock of the server that keeps it, as of
// at most half a second ago. (promise 23)
func (s *Store) EveryoneFence(ctx context.Context) (uint64, time.Duration, error) {
	r := s.everyones.last.Load()
	if r == nil || time.Since(r.asked) >= believed {
		var err error
		if r, err = s.askEveryone(ctx); err != nil {
			return 0, 0, failed("fence of everybody", err)
		}
	}
	if r.fence == 0 {
		return 0, 0, nil
	}
	return r.fence, r.age + time.Since(r.answered), nil
}

// askEveryone asks the server, each caller by himself: the client sends what comes at once in one piece.
func (s *Store) askEveryone(ctx context.Context) (*remembered, error) {
	r := &remembered{asked: time.Now()}
	answer, err := s.ask(ctx, fenceScript, s.everyoneKey()).ToArray()
	if err == nil && len(answer) > 0 {
		r.fence, r.age, err = parseFence(answer)
	}
	if err != nil {
		return nil, err
	}
	r.answered = time.Now()
	s.everyones.keep(r)
	return r, nil
}

// asksBeside has everybody's fence asked for beside the question of a load, if it is time. done waits for the answer, where
// what is remembered is too old; one that fails is asked for again by whoever needs it.
func (s *Store) asksBeside(ctx context.Context) (done func()) {
	r := s.everyones.last.Load()
	if r != nil && time.Since(r.asked) < ahead {
		return nil
	}
	now, sent := int64(time.Since(s.guard.began))+1, s.everyones.ahead.Load()
	if sent != 0 && now-sent < int64(ahead) || !s.everyones.ahead.CompareAndSwap(sent, now) {
		return nil
	}
	answered := make(chan struct{})
	go func() {
		defer close(answered)
		_, _ = s.askEveryone(ctx)
	}()
	if r != nil && time.Since(r.asked) < believed-slowAnswer/2 {
		return nil
	}
	return func() {
		select {
		case <-answered:
		case <-ctx.Done():
		}
	}
}

// RaiseEveryone raises everybody's fence. (promise 23)
func (s *Store) RaiseEveryone(ctx context.Context) (uint64, error) {
	const op = "raise everyone"
	text, err := s.run(ctx, raiseEveryoneScript, s.everyoneKey()).ToString()
	if err != nil {
		return 0, failed(op, err)
	}
	fence, err := strconv.ParseUint(text, 10, 64)
	if err != nil {
		return 0, failed(op, errForeign)
	}
	now := time.Now()
	s.everyones.keep(&remembered{fence, 0, now, now})
	return fence, nil
}

// DeleteBelow deletes what is stamped lower than the fence, a page at a time, each primary's after the other's. (promise 24)
func (s *Store) DeleteBelow(ctx context.Context, fence uint64) iter.Seq2[int, error] {
	return func(yield func(int, error) bool) {
		for ids, err := range s.everybody(ctx) {
			for len(ids) > 0 && err == nil {
				some := ids[:min(page, len(ids))]
				ids = ids[len(some):]
				var n int
				if n, err = s.deleteBelow(ctx, fence, some); err == nil && !yield(n, nil) {
					return
				}
			}
			if err != nil {
				yield(0, fmt.Errorf("redisstore: delete below: %w", err))
				return
			}
		}
	}
}

// deleteBelow looks at the headers of ids and deletes those that have ended. A session that is stamped lower is not
// stamped higher later, so nothing has to be compared. Then it takes them from their owners' indexes.
func (s *Store) deleteBelow(ctx context.Context, fence uint64, ids []string) (n int, err error) {
	heads := make(rueidis.Commands, 0, len(ids))
	for _, id := range ids {
		heads = append(heads, s.client.B().Getrange().Key(s.key(id)).Start(0).End(ownerAt+255).Build())
	}
	var dels, entries rueidis.Commands
	for i, answer := range s.guard.doMulti(ctx, heads...) {
		b, err := answer.AsBytes()
		if err != nil {
			return 0, err
		}
		if len(b) < ownerAt || b[0] != formatOne || binary.BigEndian.Uint64(b[fenceAt:]) >= fence {
			continue
		}
		id := ids[i]
		s.changing(id)
		dels = append(dels, s.client.B().Del().Key(s.key(id)).Build())
		if end := ownerAt + int(b[lengthAt]); end > ownerAt && end <= len(b) {
			entries = append(entries, s.client.B().Zrem().Key(s.ownerKey(string(b[ownerAt:end]))).Member(id).Build())
		}
	}
	for _, cmds := range []rueidis.Commands{dels, entries} {
		if len(cmds) == 0 {
			continue
		}
		for _, answer := range s.guard.doMulti(ctx, cmds...) {
			if err := answer.Error(); err != nil {
				return 0, err
			}
		}
	}
	return len(dels), nil
}
