package memstore

import (
	"strings"
	"time"
)

// A fence is what the last revocation of an owner left.
type fence struct {
	number uint64
	raised time.Duration // by the process's monotonic clock, since the store began: no step of the wall clock moves it
}

const (
	// fencesKept: no session that was stamped lower can still be alive then.
	fencesKept = 400 * 24 * time.Hour

	// pruned is how many fences a revocation looks at: with n young ones in a steady state, at most a
	// third more than those are kept.
	pruned = 4
)

func (o *owners) age(f fence) time.Duration { return time.Since(o.began) - f.raised }

// fence returns the owner's, a zero one if there is none.
func (o *owners) fence(owner string) fence {
	sh := o.shard(owner)
	sh.mu.Lock()
	defer sh.mu.Unlock()
	return sh.fences[owner]
}

// raise sets a higher fence and returns it with the sessions that there were at that moment: who logs
// in later can see it.
func (o *owners) raise(owner string) (number uint64, keys []key) {
	sh := o.shard(owner)
	sh.mu.Lock()
	defer sh.mu.Unlock()
	o.prune(sh, pruned)
	if sh.fences == nil {
		sh.fences = make(map[string]fence)
	}
	number = max(sh.fences[owner].number+1, uint64(now()))
	sh.fences[strings.Clone(owner)] = fence{number, time.Since(o.began)}
	if own := sh.of[owner]; own != nil {
		keys = append(keys, own.keys...)
	}
	return number, keys
}

// prune looks at up to so many fences of a shard, beginning anywhere, and forgets the old ones. The
// shard is locked.
func (o *owners) prune(sh *ownerShard, look int) {
	for owner, f := range sh.fences { // which the runtime begins anywhere
		if look--; look < 0 {
			return
		}
		if o.age(f) > fencesKept {
			delete(sh.fences, owner)
		}
	}
}

// sweep forgets the old fences of one shard.
func (o *owners) sweep(i int) {
	sh := &o.shards[i]
	sh.mu.Lock()
	defer sh.mu.Unlock()
	o.prune(sh, len(sh.fences))
}
