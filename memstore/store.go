// Package memstore keeps sessions in the memory of the process. It is for tests, for development, and for a
// program that runs once and may forget its sessions when it ends.
//
// It starts no goroutine. Manager.Sweep and Manager.Run delete what has expired. Without them each new
// session deletes a few expired ones, so memory follows the traffic and does not grow with time.
package memstore

import (
	"context"
	"fmt"
	"hash/maphash"
	"sync"
	"sync/atomic"
	"time"

	"github.com/gosojourn/sojourn"
)

// A Store keeps sessions in memory. It implements every optional interface but [sojourn.Near]: it lists and
// revokes the sessions of an owner, and sweeps. Only ListOwner, ListAll, RevokeOwner and Sweep look at their
// context, because the other calls wait for nothing.
//
// A session costs its data and some 70 bytes. The first session of an owner costs 150 bytes more. Data may
// have up to 1 GiB.
type Store struct {
	seed     maphash.Seed
	shards   [shards]shard
	owners   owners
	everyone everyone
	swept    atomic.Uint32 // the shard that Sweep goes on with
}

var (
	_ sojourn.Store           = (*Store)(nil)
	_ sojourn.OwnerIndex      = (*Store)(nil)
	_ sojourn.Lister          = (*Store)(nil)
	_ sojourn.EveryoneRevoker = (*Store)(nil)
	_ sojourn.Sweeper         = (*Store)(nil)
	_ sojourn.Checker         = (*Store)(nil)
	_ sojourn.Local           = (*Store)(nil)
	_ sojourn.Durable         = (*Store)(nil)
)

const (
	shards     = 256
	shardShift = 48
)

// A shard holds one in 256 sessions. Its lock is held for no longer than it takes to look at a few
// of them, or in Sweep at all of them; with it held, that of an owner may be taken, never the other
// way round.
type shard struct {
	mu sync.RWMutex
	table
	hand int // the slot that reap goes on with

	_ [32]byte // up to 128: a cache line that two shards share is as slow as a lock that they share
}

// New returns an empty store.
func New() *Store {
	s := &Store{seed: maphash.MakeSeed()}
	for i := range s.shards {
		s.shards[i].seed = s.seed
	}
	s.owners.seed, s.owners.began = s.seed, time.Now()
	return s
}

// Durability says that everything ends with the process.
func (s *Store) Durability() sojourn.Durability {
	return sojourn.Durability{Medium: "memory of this process", Restart: sojourn.OutlivesNothing, MaxBytes: maxData}
}

func (s *Store) shard(k *key) (*shard, uint64) {
	hash := hashOf(s.seed, k)
	return &s.shards[uint8(hash>>shardShift)], hash
}

// Load returns the record with that id. An unknown, expired or malformed id is [sojourn.ErrNotFound]; there
// is no other error. It does not allocate. (promises 1, 2)
func (s *Store) Load(_ context.Context, id string) (sojourn.Record, error) {
	k, ok := parseKey(id)
	if !ok {
		return sojourn.Record{}, sojourn.ErrNotFound
	}
	return s.load(&k, id)
}

func (s *Store) load(k *key, id string) (sojourn.Record, error) {
	sh, hash := s.shard(k)
	sh.mu.RLock()
	defer sh.mu.RUnlock()
	if i := sh.find(hash, k); i >= 0 && sh.slots[i].live(now()) {
		return sh.slots[i].record(id), nil
	}
	return sojourn.Record{}, sojourn.ErrNotFound
}

// Create adds a record. It returns [sojourn.ErrConflict] if a record with that id is there and has not
// expired. (promise 4)
func (s *Store) Create(_ context.Context, r sojourn.Record) error {
	k, ok := parseKey(r.ID)
	if !ok {
		return fmt.Errorf("memstore: create: %w: the id is not 24 characters of base64url", sojourn.ErrRefused)
	}
	b, err := newBlock(k, &r)
	if err != nil {
		return fmt.Errorf("memstore: create: %w", err)
	}
	sh, hash := s.shard(&k)
	sh.mu.Lock()
	defer sh.mu.Unlock()
	now := now()
	if i := sh.find(hash, &k); i >= 0 {
		if sh.slots[i].live(now) {
			return sojourn.ErrConflict
		}
		s.drop(sh, i)
	}
	s.reap(sh, now)
	sh.add(hash, b)
	s.owners.add(r.Owner, &k)
	return nil
}

// Update replaces the record if it is there at version. Otherwise it returns [sojourn.ErrConflict].
// (promises 5, 6)
func (s *Store) Update(_ context.Context, r sojourn.Record, version uint64) error {
	k, ok := parseKey(r.ID)
	if !ok {
		return sojourn.ErrConflict
	}
	b, err := newBlock(k, &r)
	if err != nil {
		return fmt.Errorf("memstore: update: %w", err)
	}
	sh, hash := s.shard(&k)
	sh.mu.Lock()
	defer sh.mu.Unlock()
	i := sh.at(hash, &k, version)
	if i < 0 {
		return sojourn.ErrConflict
	}
	if before := sh.slots[i].owner(); before != r.Owner {
		s.owners.remove(before, &k)
		s.owners.add(r.Owner, &k)
	}
	sh.slots[i] = b
	return nil
}

// Touch sets Expiry and Seen if the record is there at r.Version. Otherwise it returns
// [sojourn.ErrConflict]. It does not allocate. (promise 7)
func (s *Store) Touch(_ context.Context, r sojourn.Record) error {
	k, ok := parseKey(r.ID)
	if !ok {
		return sojourn.ErrConflict
	}
	expiry, err := millis("expiry", r.Expiry)
	if err != nil {
		return fmt.Errorf("memstore: touch: %w", err)
	}
	seen, err := millis("seen", r.Seen)
	if err != nil {
		return fmt.Errorf("memstore: touch: %w", err)
	}
	sh, hash := s.shard(&k)
	sh.mu.Lock()
	defer sh.mu.Unlock()
	i := sh.at(hash, &k, r.Version)
	if i < 0 {
		return sojourn.ErrConflict
	}
	sh.slots[i].setTimes(expiry, seen)
	return nil
}

// Delete deletes the record if it is at version, or at any version if that is 0. It returns nil if there is
// no record, and [sojourn.ErrConflict] if it is at another version. (promise 8)
func (s *Store) Delete(_ context.Context, id string, version uint64) error {
	k, ok := parseKey(id)
	if !ok {
		return nil
	}
	sh, hash := s.shard(&k)
	sh.mu.Lock()
	defer sh.mu.Unlock()
	i := sh.find(hash, &k)
	if i < 0 {
		return nil
	}
	if b := sh.slots[i]; version != 0 && b.version() != version && b.live(now()) {
		return sojourn.ErrConflict
	}
	s.drop(sh, i)
	sh.shrink()
	return nil
}

// Check returns nil: nothing can be set up wrongly.
func (s *Store) Check(context.Context) error { return nil }

// Local returns true.
func (s *Store) Local() bool { return true }

func now() int64 { return time.Now().UnixMilli() }

// at finds k if it is there, live, at version.
func (sh *shard) at(hash uint64, k *key, version uint64) int {
	i := sh.find(hash, k)
	if i < 0 || sh.slots[i].version() != version || !sh.slots[i].live(now()) {
		return -1
	}
	return i
}

// drop removes slot i and what the owners know of it.
func (s *Store) drop(sh *shard, i int) {
	k := sh.slots[i].key()
	s.owners.remove(sh.slots[i].owner(), &k)
	sh.remove(i)
}
