package memstore

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"hash/maphash"
	"iter"
	"slices"
	"sort"
	"strings"
	"sync"

	"github.com/gosojourn/sojourn"
)

var errNoOwner = errors.New("the owner is empty: sessions of nobody are not listed or revoked")

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

// Fence returns the owner's fence, 0 for one who was never revoked. (promise 16)
func (s *Store) Fence(_ context.Context, owner string) (uint64, error) {
	if owner == "" {
		return 0, fmt.Errorf("memstore: fence: %w", errNoOwner)
	}
	return s.owners.fence(owner), nil
}

// RevokeOwner raises the owner's fence and then deletes the owner's sessions but keep. Fences are
// kept as long as the store. (promise 16)
func (s *Store) RevokeOwner(_ context.Context, owner, keep string) (uint64, error) {
	if owner == "" {
		return 0, fmt.Errorf("memstore: revoke: %w", errNoOwner)
	}
	kept, keeps := parseKey(keep)
	fence, keys := s.owners.raise(owner)
	for _, k := range keys {
		if keeps && k == kept {
			continue
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
	shards [64]ownerShard
}

type ownerShard struct {
	mu sync.Mutex
	of map[string]*owned
}

type owned struct {
	fence uint64
	keys  []key // in order: found by halving, and a listing can go on behind the last one it had
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
	case len(own.keys) == 0 && own.fence == 0:
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

func (o *owners) fence(owner string) uint64 {
	sh := o.shard(owner)
	sh.mu.Lock()
	defer sh.mu.Unlock()
	if own := sh.of[owner]; own != nil {
		return own.fence
	}
	return 0
}

// raise sets a higher fence and returns it with the sessions that there were at that moment: who logs
// in later can see it.
func (o *owners) raise(owner string) (fence uint64, keys []key) {
	sh := o.shard(owner)
	sh.mu.Lock()
	defer sh.mu.Unlock()
	own := sh.entry(owner)
	own.fence = max(own.fence+1, uint64(now()))
	return own.fence, slices.Clone(own.keys)
}
