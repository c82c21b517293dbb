package memstore

import (
	"bytes"
	"context"
	"fmt"
	"hash/maphash"
	"iter"
	"slices"
	"sort"
	"strings"
	"sync"
	"time"

	"github.com/gosojourn/sojourn"
)

var errNoOwner = fmt.Errorf("%w: the owner is empty: sessions of nobody are not listed or revoked", sojourn.ErrRefused)

// ListOwner yields the live sessions of owner. It reads them as the body asks for them and holds no
// lock while the body runs. (promise 15)
func (s *Store) ListOwner(ctx context.Context, owner string) iter.Seq2[sojourn.Record, error] {
	return func(yield func(sojourn.Record, error) bool) {
		if owner == "" {
			yield(sojourn.Record{}, fmt.Errorf("memstore: list: %w", errNoOwner))
			return
		}
		var page [64]key
		var after []byte
		for {
			if err := ctx.Err(); err != nil {
				yield(sojourn.Record{}, fmt.Errorf("memstore: list: %w", err))
				return
			}
			n := s.owners.page(owner, after, page[:])
			if n == 0 {
				return
			}
			for _, k := range page[:n] {
				r, err := s.load(&k, "")
				if err != nil || r.Owner != owner {
					continue // ended, or became another's, since the page was read
				}
				r.ID = k.String()
				if !yield(r, nil) {
					return
				}
			}
			after = append(after[:0], page[n-1][:]...)
		}
	}
}

// ListAll yields the live sessions of everybody. It copies the keys of one shard at a time and holds no lock while
// the body runs. (promise 22)
func (s *Store) ListAll(ctx context.Context) iter.Seq2[sojourn.Record, error] {
	return func(yield func(sojourn.Record, error) bool) {
		var keys []key
		for i := range s.shards {
			if err := ctx.Err(); err != nil {
				yield(sojourn.Record{}, fmt.Errorf("memstore: list: %w", err))
				return
			}
			keys = s.shards[i].keys(keys[:0])
			for _, k := range keys {
				r, err := s.load(&k, "")
				if err != nil {
					continue // ended since the keys were copied
				}
				r.ID = k.String()
				if !yield(r, nil) {
					return
				}
			}
		}
	}
}

// Count is how many sessions are kept. (promise 22)
func (s *Store) Count(context.Context) (n int, err error) {
	for i := range s.shards {
		sh := &s.shards[i]
		sh.mu.RLock()
		n += sh.n
		sh.mu.RUnlock()
	}
	return n, nil
}

// keys adds to all those of the shard.
func (sh *shard) keys(all []key) []key {
	sh.mu.RLock()
	defer sh.mu.RUnlock()
	for _, b := range sh.slots {
		if b != nil {
			all = append(all, b.key())
		}
	}
	return all
}

// Fence returns the owner's fence, and how long ago it was raised by the monotonic clock of the process.
// Both are 0 for an owner who was never revoked. (promise 16)
func (s *Store) Fence(_ context.Context, owner string) (uint64, time.Duration, error) {
	if owner == "" {
		return 0, 0, fmt.Errorf("memstore: fence: %w", errNoOwner)
	}
	f := s.owners.fence(owner)
	if f.number == 0 {
		return 0, 0, nil
	}
	return f.number, s.owners.age(f), nil
}

// RevokeOwner raises the owner's fence, and then deletes the owner's sessions except keep. If ctx ends, it
// stops deleting; the fence ends the sessions that are left. (promise 16)
func (s *Store) RevokeOwner(ctx context.Context, owner, keep string) (uint64, error) {
	if owner == "" {
		return 0, fmt.Errorf("memstore: revoke: %w", errNoOwner)
	}
	if err := ctx.Err(); err != nil {
		return 0, fmt.Errorf("memstore: revoke: %w", err)
	}
	kept, keeps := parseKey(keep)
	fence, keys := s.owners.raise(owner)
	for _, k := range keys {
		if keeps && k == kept {
			continue
		}
		if err := ctx.Err(); err != nil {
			return fence, fmt.Errorf("memstore: revoke: %w", err)
		}
		sh, hash := s.shard(&k)
		sh.mu.Lock()
		if i := sh.find(hash, &k); i >= 0 && sh.slots[i].owner() == owner {
			s.drop(sh, i)
			sh.shrink()
		}
		sh.mu.Unlock()
	}
	return fence, nil
}

// owners knows the sessions and the fence of each owner. What it says of a session holds while
// that session's shard is locked.
type owners struct {
	seed   maphash.Seed
	began  time.Time
	shards [ownerShards]ownerShard
}

const ownerShards = 64

type ownerShard struct {
	mu     sync.Mutex
	of     map[string]*owned
	fences map[string]fence
}

type owned struct {
	keys []key // in order: found by halving, and a listing can go on behind the last one it had
}

func (o *owners) shard(owner string) *ownerShard {
	return &o.shards[maphash.String(o.seed, owner)%uint64(len(o.shards))]
}

// entry returns what is kept of owner, with the lock held.
func (sh *ownerShard) entry(owner string) *owned {
	own := sh.of[owner]
	if own == nil {
		if sh.of == nil {
			sh.of = make(map[string]*owned)
		}
		own = new(owned)
		sh.of[strings.Clone(owner)] = own // the caller's string may be a piece of a large one
	}
	return own
}

func (o *owned) search(k []byte) (int, bool) {
	return sort.Find(len(o.keys), func(i int) int { return bytes.Compare(k, o.keys[i][:]) })
}

func (o *owners) add(owner string, k *key) {
	if owner == "" {
		return
	}
	sh := o.shard(owner)
	sh.mu.Lock()
	defer sh.mu.Unlock()
	own := sh.entry(owner)
	if i, found := own.search(k[:]); !found {
		own.keys = slices.Insert(own.keys, i, *k)
	}
}

func (o *owners) remove(owner string, k *key) {
	if owner == "" {
		return
	}
	sh := o.shard(owner)
	sh.mu.Lock()
	defer sh.mu.Unlock()
	own := sh.of[owner]
	if own == nil {
		return
	}
	if i, found := own.search(k[:]); found {
		own.keys = slices.Delete(own.keys, i, i+1)
	}
	switch {
	case len(own.keys) == 0:
		delete(sh.of, owner)
	case len(own.keys) < cap(own.keys)/4:
		own.keys = slices.Clone(own.keys)
	}
}

// page copies the owner's keys that come behind after; nil comes before all.
func (o *owners) page(owner string, after []byte, into []key) int {
	sh := o.shard(owner)
	sh.mu.Lock()
	defer sh.mu.Unlock()
	own := sh.of[owner]
	if own == nil {
		return 0
	}
	i, found := own.search(after)
	if found {
		i++
	}
	return copy(into, own.keys[i:])
}
