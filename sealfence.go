package sojourn

import (
	"context"
	"sync"
	"time"
)

// judge answers ErrEnded for a session that was revoked since it was sealed; another error is Unavailable.
func (k *sealKeeper) judge(ctx context.Context, b *budget, r *stored, cached bool) error {
	if k.m.fence == nil && k.m.everyone == nil {
		return nil
	}
	fence, err := k.everyoneFence(ctx, b, cached)
	switch {
	case err != nil:
		return err
	case fence > r.Fence:
		return ErrEnded
	case r.Owner == "":
		return nil
	}
	fence, err = k.fenceOf(ctx, b, r.Owner, cached)
	switch {
	case err != nil:
		return unavailable("load", err)
	case fence > ofOwner(r.Fence):
		return ErrEnded
	}
	return nil
}

// everyoneFence is fenceOf everybody. Of those who may believe an answer, one asks at a time.
func (k *sealKeeper) everyoneFence(ctx context.Context, b *budget, cached bool) (uint64, error) {
	if !cached || k.m.local { // that has the answer at hand
		return k.askEveryone(ctx, b)
	}
	if fence, ok := k.fences.get(everyone); ok {
		return fence, nil
	}
	fence, err := k.asking.ask(k.m.toSettle(ctx, b), func() (uint64, error) { return k.askEveryone(ctx, b) })
	return fence, unavailable("load", err)
}

func (k *sealKeeper) askEveryone(ctx context.Context, b *budget) (uint64, error) {
	asked := time.Now()
	fence, _, err := k.m.everyoneFence(k.m.toSettle(ctx, b))
	if err == nil && time.Since(asked) < fenceSlow {
		k.knowFence(everyone, fence)
	}
	return fence, err
}

// fenceOf asks who keeps the fences; cached allows an answer of the last seconds.
func (k *sealKeeper) fenceOf(ctx context.Context, b *budget, owner string, cached bool) (uint64, error) {
	if cached {
		if fence, ok := k.fences.get(owner); ok {
			return fence, nil
		}
	}
	asked := time.Now()
	fence, _, err := k.m.fence.Fence(k.m.toSettle(ctx, b), owner)
	if err == nil {
		k.m.answers(opLoad)
	}
	if err == nil && time.Since(asked) < fenceSlow {
		k.knowFence(owner, fence)
	}
	return fence, err
}

// knowFence never lowers one: the answer to a question may come in later than that to a revocation.
func (k *sealKeeper) knowFence(owner string, fence uint64) {
	k.fences.put(owner, fence, func(known, fence uint64) uint64 { return max(known, fence) })
}

// A shared question is asked once for all who want the answer at the same time. Where it is silent, or has come to
// nothing, one more of them asks, and so on: neither does a dead connection hold up everybody, nor do all ask at once.
type shared[V any] struct {
	mu    sync.Mutex
	under *underWay[V]
	last  *underWay[V] // that was answered
}

type underWay[V any] struct {
	began  time.Time
	done   chan struct{}
	answer V
	err    error
}

// sharedPatience is how long a question may be silent before another one is asked beside it.
const sharedPatience = 200 * time.Millisecond

// ask waits for the question that is under way, or asks, within ctx. An answer is as good as an own one if its question
// was put later than this call.
func (x *shared[V]) ask(ctx context.Context, do func() (V, error)) (answer V, err error) {
	called := time.Now()
	for ctx.Err() == nil {
		x.mu.Lock()
		now, u := time.Now(), x.under
		if l := x.last; l != nil && l.began.After(called) {
			x.mu.Unlock()
			return l.answer, nil
		}
		if u == nil || now.Sub(u.began) >= sharedPatience {
			u = &underWay[V]{began: now, done: make(chan struct{}), err: errPanicked}
			x.under = u
			x.mu.Unlock()
			return x.lead(u, do)
		}
		x.mu.Unlock()
		silent := time.NewTimer(sharedPatience - now.Sub(u.began))
		select {
		case <-u.done:
			silent.Stop()
			if u.err == nil {
				return u.answer, nil
			}
		case <-silent.C:
		case <-ctx.Done():
			silent.Stop()
		}
	}
	return answer, ctx.Err()
}

// lead asks for all who wait for u.
func (x *shared[V]) lead(u *underWay[V], do func() (V, error)) (V, error) {
	defer func() {
		x.mu.Lock()
		if x.under == u {
			x.under = nil
		}
		if u.err == nil {
			x.last = u
		}
		x.mu.Unlock()
		close(u.done)
	}()
	u.answer, u.err = do()
	return u.answer, u.err
}

// knownRevoked reports whether this process knows of a revocation since r was sealed, for who does not ask again.
func (k *sealKeeper) knownRevoked(r *stored) bool {
	if fence, ok := k.fences.get(everyone); ok && fence > r.Fence {
		return true
	}
	fence, ok := k.fences.get(r.Owner)
	return ok && r.Owner != "" && fence > ofOwner(r.Fence)
}
