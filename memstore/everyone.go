package memstore

import (
	"context"
	"fmt"
	"iter"
	"sync"
	"sync/atomic"
	"time"

	"github.com/gosojourn/sojourn"
)

// everyone is everybody's fence.
type everyone struct {
	raising sync.Mutex
	now     atomic.Pointer[fence] // nil: it was never raised
}

// EveryoneFence returns everybody's fence, and how long ago it was raised by the monotonic clock of the process. It
// does not allocate. (promise 23)
func (s *Store) EveryoneFence(context.Context) (uint64, time.Duration, error) {
	f := s.everyone.now.Load()
	if f == nil {
		return 0, 0, nil
	}
	return f.number, s.owners.age(*f), nil
}

// RaiseEveryone raises everybody's fence. (promise 23)
func (s *Store) RaiseEveryone(ctx context.Context) (uint64, error) {
	if err := ctx.Err(); err != nil {
		return 0, fmt.Errorf("memstore: raise everyone: %w", err)
	}
	s.everyone.raising.Lock()
	defer s.everyone.raising.Unlock()
	last := uint64(0)
	if f := s.everyone.now.Load(); f != nil {
		last = f.number
	}
	number := max(last/sojourn.EveryoneStep+1, uint64(max(time.Now().Unix(), 0)/3600)) * sojourn.EveryoneStep
	s.everyone.now.Store(&fence{number, time.Since(s.owners.began)})
	return number, nil
}

// DeleteBelow deletes what is stamped lower than the fence, shard by shard. (promise 24)
func (s *Store) DeleteBelow(ctx context.Context, fence uint64) iter.Seq2[int, error] {
	return func(yield func(int, error) bool) {
		for i := range s.shards {
			if err := ctx.Err(); err != nil {
				yield(0, fmt.Errorf("memstore: delete below: %w", err))
				return
			}
			if n := s.deleteBelow(&s.shards[i], fence); n > 0 && !yield(n, nil) {
				return
			}
		}
	}
}

func (s *Store) deleteBelow(sh *shard, fence uint64) (deleted int) {
	sh.mu.Lock()
	defer sh.mu.Unlock()
	for i := 0; i < len(sh.slots); {
		if b := sh.slots[i]; b == nil || b.fence() >= fence {
			i++
			continue
		}
		s.drop(sh, i) // and look again: another may stand here now
		deleted++
	}
	sh.shrink()
	return deleted
}
