package memstore

import (
	"context"
	"fmt"
	"time"
)

// Sweep deletes at most limit records whose Expiry is before the given time, and returns how many it has
// deleted. Fewer than limit means that there are no more. It also forgets fences that are 400 days old.
// (promises 16, 18)
func (s *Store) Sweep(ctx context.Context, before time.Time, limit int) (deleted int, err error) {
	ms, err := millis("before", before)
	if err != nil {
		return 0, fmt.Errorf("memstore: sweep: %w", err)
	}
	start := s.swept.Load()
	for n := range uint32(shards) {
		if err := ctx.Err(); err != nil {
			return deleted, fmt.Errorf("memstore: sweep: %w", err)
		}
		i := (start + n) % shards
		if i < ownerShards {
			s.owners.sweep(int(i))
		}
		if deleted += s.sweepShard(&s.shards[i], ms, limit-deleted); deleted >= limit {
			s.swept.Store(i) // there may be more
			break
		}
	}
	return deleted, nil
}

func (s *Store) sweepShard(sh *shard, before int64, limit int) (deleted int) {
	sh.mu.Lock()
	defer sh.mu.Unlock()
	for i := 0; i < len(sh.slots) && deleted < limit; {
		if b := sh.slots[i]; b == nil || b.expiry() >= before {
			i++
			continue
		}
		s.drop(sh, i) // and look again: another may stand here now
		deleted++
	}
	sh.shrink()
	return deleted
}

// reaped is how many slots a Create looks at. With n live sessions in a steady state, each slot is
// looked at once in n/3 new sessions, so that at most a third more than the living are kept.
const reaped = 4

// reap takes away some of what has expired, so that a program that never sweeps does not grow for ever.
func (s *Store) reap(sh *shard, now int64) {
	for range min(reaped, len(sh.slots)) {
		if sh.hand >= len(sh.slots) {
			sh.hand = 0
		}
		if b := sh.slots[sh.hand]; b != nil && !b.live(now) {
			s.drop(sh, sh.hand)
		} else {
			sh.hand++
		}
	}
	sh.shrink()
}
