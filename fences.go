package sojourn

import (
	"context"
	"time"
)

// fenceAge is for how long a fence that was read is believed, of a request that changes nothing: by so
// much may a revoked session still read. Whatever changes something asks.
const fenceAge = 2 * time.Second

// endedAge is for how long, at least, a process remembers a sealed session as ended or replaced: as long
// as requests are under way.
const endedAge = time.Minute

// fenceOf asks who keeps the fences; cached allows an answer of the last seconds.
func (m *Manager) fenceOf(ctx context.Context, owner string, cached bool) (uint64, error) {
	if cached {
		if fence, ok := m.seal.fences.get(owner); ok {
			return fence, nil
		}
	}
	c := m.exchange(ctx)
	fence, err := m.fence.Fence(c, owner)
	if err == nil {
		m.knowFence(owner, fence)
	}
	return fence, err
}

// knowFence never lowers one: the answer to a question may come in later than that to a revocation.
func (m *Manager) knowFence(owner string, fence uint64) {
	m.seal.fences.put(owner, fence, func(known, fence uint64) uint64 { return max(known, fence) })
}

func (x *sealing) end(id string)          { x.ended.put(id, struct{}{}, nil) }
func (x *sealing) isEnded(id string) bool { _, ok := x.ended.get(id); return ok }
