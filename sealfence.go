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
	return k.asking.ask(k.m.toSettle(ctx, b), func() (uint64, error) { return k.askEveryone(ctx, b) })
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

// A shared question is asked once for all who want the answer at the same time.
type shared[V any] struct {
	mu    sync.Mutex
	under *underWay[V]
}

type underWay[V any] struct {
	done   chan struct{}
	answer V
	err    error
}

// ask waits for the question that is under way, or asks. Who waits is not held to an error, nor longer than ctx lets
// him: he asks by himself then.
func (x *shared[V]) ask(ctx context.Context, do func() (V, error)) (V, error) {
	x.mu.Lock()
	if u := x.under; u != nil {
		x.mu.Unlock()
		select {
		case <-u.done:
			if u.err == nil {
				return u.answer, nil
			}
		case <-ctx.Done():
		}
		return do()
	}
	u := &underWay[V]{done: make(chan struct{}), err: errPanicked}
	x.under = u
	x.mu.Unlock()
	defer func() {
		x.mu.Lock()
		x.under = nil
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
